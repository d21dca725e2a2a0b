// Iptables of one namespace and family, against what they should be.
//
// Chains are compared as sets of rules; then rules that both have and that stand in another order are reported where a
// packet could fare differently for it (order_matters). In the root namespace only Neutron's own chains, and the jumps to
// them, are compared: others use its tables too. Of a whole host all chains
// are, of the tables that both dumps have.
#pragma once

#include <string>

#include "tracer/check/comparison.h"

namespace dvrtrace::check {

void compare_iptables(const Part<kernel::Iptables>& found, const Part<kernel::Iptables>& expected,
                      const std::string& netns, const Sources& sources, Extent extent,
                      Comparison& comparison);

}  // namespace dvrtrace::check
