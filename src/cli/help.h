// Help, printed from the declaration of the options (options.h).
#pragma once

#include <string>

#include "src/cli/options.h"

namespace dvrtrace::cli {

// `command` nullptr: of the program.
std::string short_help(const Command* command);
std::string long_help(const Command* command);

}  // namespace dvrtrace::cli
