// The numbers in flows: where they stand, and how they are exchanged.
#pragma once

#include <cstdint>
#include <functional>

#include "src/openflow/flow.h"
#include "src/openflow/group.h"

namespace dvrtrace::diff {

// What becomes of each number; none: it stays.
struct FlowNumbers {
  using Exchange = std::function<std::uint32_t(std::uint32_t)>;
  Exchange port, group, conjunction;
  Exchange vlan;                               // of a packet's tag
  Exchange local;                              // a local VLAN, where the OVS firewall keeps it
  std::optional<std::uint64_t> learnt_cookie;  // of the flows that learn() makes
  // Whether register 5 holds a packet's port, and register 6 and the zone of its connection its local VLAN.
  bool registers = false;
};

void renumber(openflow::Match& match, const FlowNumbers& numbers);
void renumber(openflow::Actions& actions, const FlowNumbers& numbers);
void renumber(openflow::Group& group, const FlowNumbers& numbers);

// The number of the match's field; none where it does not ask for a whole one.
std::optional<std::uint32_t> number_in(const openflow::Match& match, openflow::FieldId field);
// The match without what it asks of a field.
openflow::Match without(const openflow::Match& match, openflow::FieldId field);
// The VLAN that the actions put on the packet; the tunnel's key. The last one counts.
std::optional<std::uint32_t> vlan_set(const openflow::Actions& actions);
std::optional<std::uint64_t> key_set(const openflow::Actions& actions);

}  // namespace dvrtrace::diff
