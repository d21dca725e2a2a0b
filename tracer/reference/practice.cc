#include "tracer/reference/practice.h"

#include "tracer/reference/flow_signs.h"

namespace dvrtrace::reference {

namespace {

constexpr Since kMacSpoofTable{{6, 4, 0}, {7, 1, 0}, {8, 1, 1}, kNewton};
constexpr Since kArpReplyEthernet{{8, 4, 0}, kNewton};
constexpr Since kHaMembersHidden{{8, 4, 0}, kNewton};
constexpr Since kRuleOffsets{{11, 0, 3}, kQueens};
constexpr Since kCtClear{{12, 0, 2}, kRocky};
constexpr Since kTable94{{12, 0, 4}, {13, 0, 1}, kStein};
constexpr Since kArpBlockByInterface{{12, 1, 0}, {13, 0, 4}, {14, 0, 2}, kTrain};
constexpr Since kOwnMacTables{{14, 0, 3}, kTrain};
constexpr Since kTable62{{14, 2, 0}, {15, 0, 2}, kUssuri};
constexpr Since kSegmentIngress{{14, 2, 0}, kTrain};
constexpr Since kSubports{{14, 2, 0}, {15, 1, 0}, kUssuri};
constexpr Since kDirectEgress{{14, 4, 1}, {15, 3, 1}, {16, 3, 0}, {17, 1, 0}, kWallaby};
constexpr Since kDvrFlat{{15, 3, 1}, {16, 1, 0}, kVictoria};
constexpr Since kSourceChecks{{16, 4, 0}, {17, 2, 0}, {18, 1, 0}, kXena};
constexpr Since kDeadVlanTagged{{17, 4, 0}, {18, 3, 0}, {19, 2, 0}, kYoga};
constexpr Since kConjunctionsFrom16{{17, 3, 0}, {18, 2, 0}, {19, 1, 0}, kYoga};
constexpr Since kNormalPriority1{{21, 2, 2}, {22, 2, 0}, {23, 2, 0}, {24, 0, 1}, kDalmatian};
constexpr Since kLearnExtra{{24, 2, 2}, {25, 2, 1}, {26, 0, 2}, {27, 0, 1}, kGazpacho};

FirewallGeneration firewall_of(Release release) {
  if (release < kPike) return FirewallGeneration::Normal;
  if (release < kQueens) return FirewallGeneration::Transient;
  return kTable94.holds(release) ? FirewallGeneration::AcceptedNormal : FirewallGeneration::Accepted;
}

std::optional<std::uint8_t> next_table(Release release) {
  if (release < kPike) return std::nullopt;
  if (release < kYoga) return std::uint8_t{60};
  return release < kAntelope ? std::uint8_t{59} : std::uint8_t{58};
}

std::optional<std::uint8_t> after_mac_check(Release release) {
  if (release < kPike) return std::nullopt;
  return release < kYoga ? std::uint8_t{60} : std::uint8_t{30};
}

}  // namespace

Practice practice_of(Release release, bool native) {
  Practice is;
  is.native = native;
  is.next = next_table(release);
  is.normal_priority = kNormalPriority1.holds(release) ? 1 : 3;
  is.cookies = release >= kLiberty;
  is.table0_normal_is_1 = release < kLiberty;
  is.table59 = release >= kYoga && release < kAntelope;
  is.table58 = release >= kAntelope;
  is.table58_to_59 = release >= kEpoxy;
  is.spoof_default = release >= kLiberty;
  is.dead_vlan = release >= kPike;
  is.dead_vlan_tagged = kDeadVlanTagged.holds(release);
  is.table62 = kTable62.holds(release);
  is.local_ip_tables = release >= kYoga;
  is.dvr_vlan = release >= kKilo;
  is.dvr_flat = kDvrFlat.holds(release);
  is.own_mac_tables = kOwnMacTables.holds(release) && native;
  is.own_mac_arp = release >= kWallaby;
  is.dvr_priority = release >= kQueens ? 20 : 4;
  is.dvr_output_in_1 = release < kPike;
  is.subnet_flow = release < kKilo;
  is.serviced_subports = kSubports.holds(release);
  is.serviced_load_balancers = release < kCaracal;
  is.pair_flows = release >= kEpoxy;
  is.snat_mac_of_gateway = release >= kRocky;
  is.spoof_check = release >= kKilo;
  is.mac_spoof_table = kMacSpoofTable.holds(release);
  is.arp_replies_only = release == kKilo;
  is.after_mac_check = after_mac_check(release);
  is.direct_egress = kDirectEgress.holds(release);
  is.geneve = release >= kLiberty;
  is.learn_extra = kLearnExtra.holds(release);
  is.arp_block_by_interface = kArpBlockByInterface.holds(release);
  is.arp_block_ra = release >= kKilo;
  is.learn_bits12 = native && release < kNewton;
  is.arp_reply_ethernet = !native || kArpReplyEthernet.holds(release);
  is.announce_ha_members = !kHaMembersHidden.holds(release);
  is.firewall = firewall_of(release);
  is.trusted_ports = release >= kPike;
  is.conjunctions = release >= kPike;
  is.rule_offsets = kRuleOffsets.holds(release);
  is.ct_clear = kCtClear.holds(release);
  is.segment_ingress = kSegmentIngress.holds(release);
  is.flat_ingress = kDvrFlat.holds(release);
  is.source_checks = kSourceChecks.holds(release);
  is.rarp = release >= kCaracal;
  is.egress_direct_default = kNormalPriority1.holds(release);
  is.egress_direct_tagged = kNormalPriority1.holds(release);
  is.ingress_ra = (release >= kNewton && release < kPike) || release >= kYoga;
  is.first_conjunction = kConjunctionsFrom16.holds(release) ? 16 : 8;
  return is;
}

void adapt(Practice& is, const HostSnapshot& found) {
  const FlowSigns br_int(found, "br-int"), br_tun(found, "br-tun");
  // Two forms of one flow: whichever is there is the agent's. Neither: the release decides.
  const auto choose = [](bool& fact, bool yes, bool no) {
    if (yes != no) fact = yes;
  };
  if (is.next) {
    if (br_int.has(60, 1) != br_int.has(60, 3)) is.normal_priority = br_int.has(60, 1) ? 1 : 3;
    choose(is.dead_vlan_tagged, br_int.dead_vlan_with_tag(),
           br_int.has(0, 65535) && !br_int.dead_vlan_with_tag());
  }
  if (br_int.has(62, 3)) is.table62 = true;
  if (br_int.has_table(3) || br_int.has_table(4)) is.own_mac_tables = true;
  if (br_int.has(0, 99)) is.own_mac_arp = true;
  const bool arp_in_1 = br_tun.has(1, 3), arp_in_22 = br_tun.has(22, 3);
  choose(is.own_mac_tables, arp_in_22, arp_in_1);
  if (br_tun.has(10, 2)) is.learn_extra = true;
  if (is.firewall == FirewallGeneration::Accepted || is.firewall == FirewallGeneration::AcceptedNormal) {
    if (br_int.has_table(91))
      is.firewall = br_int.has(94, 1) ? FirewallGeneration::AcceptedNormal : is.firewall;
    if (br_int.has(71, 110)) is.ct_clear = true;
    using openflow::FieldId;
    if (br_int.has(71, 95)) is.source_checks = br_int.has_field(71, 95, FieldId::Ipv6Src) || is.source_checks;
  }
}

}  // namespace dvrtrace::reference
