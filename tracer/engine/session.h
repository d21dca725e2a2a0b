// Session: what the packets of one question leave behind in the network, for the packets after
// them: connections, MACs that switches learned, flows that learn() made. The Network itself never
// changes.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "src/openflow/flow.h"
#include "tracer/engine/conntrack.h"

namespace dvrtrace {

struct Session {
  Session() = default;
  Session(Session&&) = default;
  Session& operator=(Session&&) = default;
  // What a question asked on the side begins with, when it is to leave nothing behind.
  Session fork() const {
    Session copy;
    copy.conntrack = conntrack;
    copy.learned_macs = learned_macs;
    for (const auto& [table, rows] : learned_flows) {
      for (const auto& row : rows)
        copy.learned_flows[table].push_back(std::make_unique<openflow::FlowRow>(*row));
    }
    return copy;
  }

  Conntrack conntrack;
  // (host, bridge, VLAN, MAC) to ofport.
  std::map<std::tuple<std::size_t, std::size_t, std::uint16_t, std::uint64_t>, Ofport> learned_macs;
  // (host, bridge, table) to flows.
  std::map<std::tuple<std::size_t, std::size_t, std::uint8_t>,
           std::vector<std::unique_ptr<openflow::FlowRow>>>
      learned_flows;
  // The most hops one packet may take, copies included: a flood in a loop of bridges ends here.
  static constexpr std::size_t kMaxHops = 4096;
};

}  // namespace dvrtrace
