// The phrases at the end of a listed rule: what each match and the target say of themselves in
// `iptables -L`, "tcp dpt:80 /* web */ to:10.0.0.5:8080".
#pragma once

#include <string_view>

#include "src/kernel/iptables.h"

namespace dvrtrace::iptables {

// Adds to `rule` what `tail` says, and its target, whose name stood in the target column. An
// unknown phrase takes the words after it with it, up to those of the target.
void read_phrases(std::string_view tail, std::string_view target, Family family, kernel::IptablesRule& rule);

}  // namespace dvrtrace::iptables
