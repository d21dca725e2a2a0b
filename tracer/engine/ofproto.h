// trace_ofproto: what `ovs-appctl ofproto/trace BRIDGE FLOW` would say, without a switch.
//
//   OfprotoTrace trace = trace_ofproto(network, 0, bridge, packet, {});
//   if (!trace.unknown.empty()) ...   // the dumps do not tell; what is there is not the whole answer
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "src/model/network.h"
#include "src/trace/ofproto_trace.h"

namespace dvrtrace {

struct OfprotoQuestion {
  std::size_t host = 0, bridge = 0;
  openflow::FlowKey packet;            // InPort kPortNone: by no port
  std::vector<std::uint32_t> ct_next;  // one for each return from connection tracking, then trk|new
};

OfprotoTrace trace_ofproto(const Network& network, const OfprotoQuestion& question);

}  // namespace dvrtrace
