// The two ways to verify: one flow that was asked for, and all that the captures hold.
#pragma once

#include <string>
#include <vector>

#include "src/cli/failure.h"
#include "src/cli/options.h"
#include "src/model/network.h"

namespace dvrtrace::cli {

std::vector<std::string> host_names(const Network& network);

Outcome verify_all(const Options& options, const Network& network);

}  // namespace dvrtrace::cli
