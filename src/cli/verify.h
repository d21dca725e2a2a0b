// The ways to verify: one flow that was asked for, in captures of before or of now, and all that captures hold.
#pragma once

#include <string>
#include <vector>

#include "src/cli/failure.h"
#include "src/cli/opened_cloud.h"
#include "src/cli/options.h"
#include "src/model/network.h"
#include "src/trace/trace.h"
#include "tracer/engine/ask.h"

namespace dvrtrace::cli {

std::vector<std::string> host_names(const Network& network);

// The captures of `options` against the trace: prints the verification.
Outcome verify_trace(const Options& options, const OpenedCloud& cloud, const Sources& sources, const Ask& question,
                     const Trace& trace);

Outcome verify_all(const Options& options, const Network& network);

}  // namespace dvrtrace::cli
