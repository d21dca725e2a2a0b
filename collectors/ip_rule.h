// Reads policy rules: `ip rule`, `ip -6 rule`, and as JSON.
#pragma once

#include <vector>

#include "src/base/diagnostics.h"
#include "src/base/source.h"
#include "src/kernel/routing.h"

namespace dvrtrace {

// Total: any bytes give rules, in the order of the text. `family` is that of the command; a rule
// whose prefixes are of the other family is of that one.
std::vector<Sourced<kernel::PolicyRule>> read_ip_rule(const SourceText& text, Family family, ReadLog& log);
std::vector<Sourced<kernel::PolicyRule>> read_ip_rule_json(const SourceText& text, Family family,
                                                           ReadLog& log);

}  // namespace dvrtrace
