// Names: the port and table names that a text uses in place of numbers.
//
// `ovs-ofctl --names` prints names; which number each has is not for a reader of flows to know. A
// name is given a stand-in, which whoever knows the bridge's ports replaces (resolve_ports()).
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/net/ids.h"
#include "src/openflow/match.h"

namespace dvrtrace::openflow {

class Names {
 public:
  // The stand-in for a port's name: kNamedPort + its index in ports().
  Ofport port(std::string_view name) {
    const auto found = std::ranges::find(ports_, name);
    const auto index = static_cast<std::uint32_t>(found - ports_.begin());
    if (found == ports_.end()) ports_.emplace_back(name);
    return Ofport{kNamedPort + index};
  }
  // The stand-in for a table's name: numbers from 253 down, which no agent uses. The flows of a
  // dump stay connected by it; which of them is table 0 the database may say (resolve_tables()).
  TableId table(std::string_view name) {
    const auto found = std::ranges::find(tables_, name);
    const auto index = static_cast<std::size_t>(found - tables_.begin());
    if (found == tables_.end()) tables_.emplace_back(name);
    return stand_in(index);
  }
  static TableId stand_in(std::size_t index) { return TableId{static_cast<std::uint8_t>(253 - std::min<std::size_t>(index, 253))}; }
  const std::vector<std::string>& ports() const { return ports_; }
  const std::vector<std::string>& tables() const { return tables_; }

 private:
  std::vector<std::string> ports_, tables_;
};

}  // namespace dvrtrace::openflow
