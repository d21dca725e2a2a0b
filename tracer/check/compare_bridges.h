// Flows of a bridge against what they should be; and the differences of what Open vSwitch has in general.
//
// Flows are compared by what they do: table, priority, match and actions, whatever order a switch prints them in. Cookies,
// counters and ages do not count. Flows that learn() made come and go with the traffic and are passed over.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "src/base/source.h"
#include "src/openflow/flow.h"
#include "src/snapshot/host.h"
#include "tracer/check/comparison.h"

namespace dvrtrace::check {

enum class BridgeObject { Flow, Port, Tunnel, Patch };
std::string_view name_of(BridgeObject object);

struct BridgeDifference {
  BridgeObject object = BridgeObject::Flow;
  Deviation deviation = Deviation::Missing;
  std::string bridge;
  std::optional<TableId> table;      // of a flow
  std::string name;                  // of a port
  std::string expected, found;       // as ovs-ofctl and ovs-vsctl write them; "" where there is none
  std::vector<std::size_t> concerns; // of a port: of logical::Model::ports
  Provenance expected_at, found_at;
};

// A flow that differs in its actions alone, or in its priority alone, is one difference and not two. Missing rows are not
// reported of tables that a broken-off or partly unread dump may have cut.
// `settled`: the found flows that have an equal already (alike.h); none where it is empty.
std::vector<BridgeDifference> compare_flows(const std::string& bridge, const openflow::FlowTable& found,
                                            const openflow::FlowTable& expected, const std::vector<bool>& settled);

}  // namespace dvrtrace::check
