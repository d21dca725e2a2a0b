// derive(): Neutron's objects as far as the hosts themselves tell them, where Neutron was not asked.
#pragma once

#include <string_view>
#include <vector>

#include "src/logical/model.h"
#include "src/snapshot/snapshot.h"
#include "tracer/reference/expected.h"

namespace dvrtrace::reference {

// `caveats` gets what could not be told, and what is therefore not judged.
logical::Model derive(const Snapshot& snapshot, std::vector<Caveat>& caveats);

// Whether the hybrid firewall fills this iptables chain, or this ipset, by the rules of security groups, which a derived model
// does not have: what is found there beyond what is expected is no fault then.
bool made_of_groups(std::string_view chain_or_set);

}  // namespace dvrtrace::reference
