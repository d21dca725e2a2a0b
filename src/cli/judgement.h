// What is wrong on the hosts that a packet visited, and what of it explains the packet's way.
#pragma once

#include <string>
#include <vector>

#include "src/base/source.h"
#include "src/model/network.h"
#include "src/trace/finding.h"
#include "src/trace/trace.h"
#include "tracer/engine/ask.h"
#include "tracer/reference/plan.h"
#include "tracer/reference/release.h"

namespace dvrtrace::cli {

struct Judgement {
  std::vector<Finding> findings;          // as far as they bear on the way, what explains it first
  std::vector<Finding> all;               // of the visited hosts
  std::string release;                    // of the reference; "" there was nothing to compare with
  std::vector<std::string> not_compared;  // hosts, and why
};

Judgement judge(const Network& network, const Ask& question, const Trace& trace,
                const reference::Settings& settings, Sources& sources);

}  // namespace dvrtrace::cli
