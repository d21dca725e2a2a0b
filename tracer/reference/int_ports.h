// The flows of br-int that stand for one port each, the firewall's apart.
#pragma once

#include "tracer/reference/flow_writer.h"
#include "tracer/reference/plan.h"

namespace dvrtrace::reference {

// Routed frames of other hosts to the ports here: INT-50 to INT-56.
void write_dvr_ports(const Plan& plan, FlowWriter& flows);
// Sources of ARP, neighbour advertisements and frames, where the firewall does not check them: INT-70 to INT-75.
void write_spoof_checks(const Plan& plan, FlowWriter& flows);
// Unicast past NORMAL, where the firewall does not see to it: INT-90 to INT-95.
void write_direct_egress(const Plan& plan, FlowWriter& flows);

}  // namespace dvrtrace::reference
