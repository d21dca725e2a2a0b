#include "tracer/reference/plan_names.h"

#include <fmt/format.h>

#include "tracer/reference/sha1.h"

namespace dvrtrace::reference {

namespace {

constexpr std::size_t kMaxDevice = 15;  // IFNAMSIZ without the final zero

std::string base32(const std::array<std::uint8_t, 20>& bytes) {
  constexpr std::string_view kDigits = "abcdefghijklmnopqrstuvwxyz234567";
  std::string text;
  unsigned held = 0, bits = 0;
  for (const std::uint8_t byte : bytes) {
    held = held << 8 | byte;
    for (bits += 8; bits >= 5; bits -= 5) text += kDigits[held >> (bits - 5) & 31];
    held &= 0xff;
  }
  return text;
}

using openflow::FieldId;

bool is_segment_match(const openflow::Flow& flow, const PlannedNetwork& network, const Plan& plan, bool tunnelled) {
  if (tunnelled) {
    const std::uint8_t table = network.type == Segmentation::Gre ? 3 : network.type == Segmentation::Geneve ? 6 : 4;
    return flow.table.value == table && flow.match.mask_of(FieldId::TunId).low != 0 &&
           flow.match.value_of(FieldId::TunId).low == network.segment;
  }
  if (flow.table.value != 0 || flow.priority != 3 || !network.bridge) return false;
  if (flow.match.value_of(FieldId::InPort).low != plan.bridges[*network.bridge].int_port.value) return false;
  const bool tagged = (flow.match.value_of(FieldId::VlanTci).low & 0x1000) != 0;
  if (network.type == Segmentation::Flat) return !tagged;
  return tagged && (flow.match.value_of(FieldId::VlanTci).low & 0xfff) == network.segment;
}

std::optional<std::uint16_t> vlan_set(const openflow::Actions& actions) {
  for (const openflow::Action& action : actions) {
    if (const auto* vid = std::get_if<openflow::SetVlanVid>(&action.variant())) return vid->vid;
    const auto* set = std::get_if<openflow::SetField>(&action.variant());
    const bool vlan = set != nullptr && (set->field == FieldId::VlanVid || set->field == FieldId::DlVlan || set->field == FieldId::VlanTci);
    if (vlan) return static_cast<std::uint16_t>(set->value.low & 0xfff);
  }
  return std::nullopt;
}

}  // namespace

std::string patch_name(std::string_view prefix, std::string_view bridge) {
  std::string name = fmt::format("{}{}", prefix, bridge);
  if (name.size() <= kMaxDevice) return name;
  constexpr std::size_t kHashDigits = 6;
  const auto hash = sha1(bridge);
  const std::size_t kept = kMaxDevice - prefix.size() - kHashDigits;
  return fmt::format("{}{}{:02x}{:02x}{:02x}", prefix, bridge.substr(0, kept), hash[0], hash[1], hash[2]);
}

std::string tunnel_name(std::string_view type, const Ip& remote, Release) {
  if (remote.v4()) return fmt::format("{}-{:08x}", type, remote.v4_value());
  return fmt::format("{}-{}", type, base32(sha1(to_string(remote)))).substr(0, kMaxDevice);
}

std::optional<std::uint16_t> translated_vlan(const Plan& plan, const PlannedNetwork& network) {
  if (plan.found == nullptr) return std::nullopt;
  const bool tunnelled = network.tunnelled();
  const BridgeDumps* dumps =
      plan.found->find_bridge(tunnelled ? plan.options.tunnel_bridge : plan.options.integration_bridge);
  if (dumps == nullptr) return std::nullopt;
  for (const openflow::FlowRow& row : dumps->flows.value.flows) {
    if (is_segment_match(row.flow, network, plan, tunnelled)) return vlan_set(row.flow.actions);
  }
  return std::nullopt;
}

}  // namespace dvrtrace::reference
