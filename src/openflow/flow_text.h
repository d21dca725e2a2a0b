// A packet as `ovs-appctl ofproto/trace` is given one, and prints one: "tcp,in_port=1,nw_src=10.0.0.1".
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "src/openflow/flow_key.h"
#include "src/openflow/names.h"
#include "src/openflow/scanner.h"

namespace dvrtrace::openflow {

// What is not given is 0; without in_port the packet comes in by no port. Names of ports become
// stand-ins (names.h). Total: `error` says what is no field, no value, or does not fit the protocol.
FlowKey read_packet(std::string_view text, Names& names, std::optional<ReadError>& error);

// All fields that such a packet has; registers, tunnel and connection fields only where not 0.
std::string print_packet(const FlowKey& key);

}  // namespace dvrtrace::openflow
