// Practice: what the layer 2 agent of a release does, as facts.
//
// A point release may carry a change that its series began without, and distributions carry changes of their own. Where a
// found flow shows that the agent does, or does not do, a thing, that counts for more than the number of the release.
#pragma once

#include <cstdint>
#include <optional>

#include "tracer/reference/release.h"

namespace dvrtrace::reference {

// Generations of the Open vSwitch firewall.
enum class FirewallGeneration { Normal, Transient, Accepted, AcceptedNormal };  // Mitaka; Pike; Queens; Queens 12.0.4

struct Practice {
  // --- br-int ---
  std::optional<std::uint8_t> next;     // the table that table 0 goes on with; none: NORMAL
  std::uint16_t normal_priority = 3;    // of table 60
  bool native = true;                   // flows by OpenFlow 1.3, not by the command ovs-ofctl
  bool cookies = true;
  bool table0_normal_is_1 = false;      // Juno, Kilo: no priority 0
  bool table59 = false;                 // Yoga, Zed: 59 -> 60
  bool table58 = false, table58_to_59 = false;
  bool spoof_default = true;            // table 24's drop of priority 0
  bool dead_vlan = true, dead_vlan_tagged = true;
  bool table62 = true;
  bool local_ip_tables = true;          // 30, 31
  bool dvr_vlan = true;                 // DVR on VLAN networks
  bool dvr_flat = true;
  bool own_mac_tables = true;           // 3 and 4, and what leads to them; ARP for gateways stopped in table 22
  bool own_mac_arp = true;              // priority 99 of table 0
  std::uint16_t dvr_priority = 20;
  bool dvr_output_in_1 = false;         // until Ocata the frame leaves from table 1
  bool subnet_flow = false;             // Juno
  bool serviced_subports = true, serviced_load_balancers = false;
  bool pair_flows = false;              // INT-56
  bool snat_mac_of_gateway = true;      // a subnet's MAC by its gateway, where the SNAT port came first
  bool spoof_check = true, mac_spoof_table = true, arp_replies_only = false;
  std::optional<std::uint8_t> after_mac_check;  // 30, 60; none: NORMAL
  bool direct_egress = true;
  // --- br-tun ---
  bool geneve = true;
  bool learn_extra = false;             // TUN-11 to TUN-13
  bool arp_block_by_interface = true;   // by the router port's own address, not the subnet's gateway
  bool arp_block_ra = true;             // Kilo: TUN-53
  bool learn_bits12 = false;            // native in Liberty and Mitaka
  bool arp_reply_ethernet = true;       // native from Mitaka 8.4
  bool announce_ha_members = false;     // l2population announced sg- and replicated ports of HA routers
  // --- firewall ---
  FirewallGeneration firewall = FirewallGeneration::AcceptedNormal;
  bool trusted_ports = true;
  bool conjunctions = true;
  bool rule_offsets = true;
  bool ct_clear = true;                 // FW-02
  bool segment_ingress = true;          // FW-12
  bool flat_ingress = true;             // FW-13
  bool source_checks = true;            // FW-22 to FW-25 with addresses
  bool rarp = false;
  bool egress_direct_default = false;   // FW-06
  bool egress_direct_tagged = false;    // FW-91
  bool ingress_ra = true;               // type 134 in FW-61
  std::uint32_t first_conjunction = 16;
};

Practice practice_of(Release release, bool native);
// Corrects what a point release or a distribution may have changed by what is found on the host.
void adapt(Practice& practice, const HostSnapshot& found);

}  // namespace dvrtrace::reference
