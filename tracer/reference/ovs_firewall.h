// The flows of the Open vSwitch firewall on br-int: tables 60 and 71 to 94.
#pragma once

#include "tracer/reference/flow_writer.h"
#include "tracer/reference/plan.h"

namespace dvrtrace::reference {

void write_ovs_firewall(const Plan& plan, FlowWriter& flows);

// What the firewall does with a frame that it has judged, generation by generation.
struct Judged {
  explicit Judged(const Plan& plan);
  std::string accepted;      // egress, to NORMAL's way
  std::string accepted_new;  // egress, of a connection just committed
  std::string dropped;
  std::string commit = "ct(commit,zone=NXM_NX_REG6[0..15])";
  bool logs_ingress = true;  // accepted ingress of new connections passes table 92 too
  bool strips_late = false;  // Mitaka to Ocata: the tag is taken off in tables 81 and 82
  std::string deliver(Ofport port) const {
    return fmt::format("{}output:{}", strips_late ? "strip_vlan," : "", port.value);
  }
};

// The flows of rules in tables 72 and 82, remote groups among them.
void write_group_rules(const Plan& plan, const Judged& judged, FlowWriter& flows);

}  // namespace dvrtrace::reference
