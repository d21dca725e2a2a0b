// The program as a function: from its arguments to its exit status.
#pragma once

#include <string>
#include <vector>

#include "src/cli/failure.h"
#include "src/cli/options.h"

namespace dvrtrace::cli {

int run_program(const std::vector<std::string>& arguments, const std::string& environment);

// One per command, each in its own file.
Outcome run_from(const Options& options);
Outcome run_capture(const Options& options);
Outcome run_verify(const Options& options);
Outcome run_view(const Options& options);
Outcome run_inventory(const Options& options);
Outcome run_ofproto_trace(const Options& options);
Outcome run_check(const Options& options);
Outcome run_reach(const Options& options);
Outcome run_diff(const Options& options);
Outcome run_reference(const Options& options);
Outcome run_collect(const Options& options);
Outcome run_bundle(const Options& options);
Outcome run_completion(const Options& options);

}  // namespace dvrtrace::cli
