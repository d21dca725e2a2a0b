// What a verification asks the network: which devices there are, which line of a dump leads a packet
// somewhere, and at which ports tunnels end.
#pragma once

#include "src/model/network.h"
#include "tracer/verify/verify.h"

namespace dvrtrace::verify {

// `network` must outlive it. Hosts are read in full only when a packet was seen where none was expected.
Cloud cloud_of(const Network& network);

// Of the tunnels of the hosts that the trace visits, where they are not the registered ones.
TunnelPorts tunnel_ports_of(const Network& network, const Trace& trace);

}  // namespace dvrtrace::verify
