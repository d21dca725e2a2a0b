// What the commands that reach hosts over ssh have in common.
#pragma once

#include <string>

#include "collectors/gather/host_list.h"
#include "src/cli/failure.h"
#include "src/cli/options.h"

namespace dvrtrace::cli {

// The list of --inventory; what of it is not understood is reported.
tl::expected<gather::HostList, Failure> read_host_list(const Options& options);

// A number from 1 to a day's seconds; `otherwise` where the option was not given.
tl::expected<unsigned, Failure> seconds_in(const std::string& text, unsigned otherwise, const char* option);

// "PREFIX-20261121T212036Z"
std::string name_of_now(const std::string& prefix);

}  // namespace dvrtrace::cli
