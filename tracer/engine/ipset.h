// Ipset: is a packet's address, port or MAC in a set, as iptables' `-m set` asks?
#pragma once

#include <optional>
#include <vector>

#include "src/kernel/state.h"
#include "tracer/engine/packet.h"

namespace dvrtrace {

// `source`: for each dimension of the set, whether the packet's source or destination is asked for. None when
// the set has a dimension or a member that is not understood and could decide.
std::optional<bool> holds(const std::vector<kernel::Ipset>& sets, const kernel::Ipset& set,
                          const std::vector<bool>& source, const Packet& packet);

}  // namespace dvrtrace
