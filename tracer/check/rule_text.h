// One text per meaning of an iptables rule, and whether the order of two rules can matter.
#pragma once

#include <string>

#include "src/kernel/iptables.h"

namespace dvrtrace::check {

// The same for rules that decide the same, whatever the order in which their matches were written; comments do not count.
std::string meaning_of(const kernel::IptablesRule& rule);

// Whether a packet could fare differently with the two exchanged: not when they do the same, and not when no packet fits both.
bool order_matters(const kernel::IptablesRule& first, const kernel::IptablesRule& second);

}  // namespace dvrtrace::check
