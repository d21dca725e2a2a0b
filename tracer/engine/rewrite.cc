// What actions change in the packet: fields, VLAN tags, MPLS labels, the TTL.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "tracer/engine/translation.h"

namespace dvrtrace {

using openflow::Action;
using openflow::Bits128;
using openflow::FieldId;
using openflow::info;
using openflow::ones128;
using openflow::Prerequisite;

void Translation::change(State& state, FieldId field, Bits128 value) {
  const Bits128 before = get(state.key(), field);
  if (before == value) return;
  set(state.key(), field, value);
  write(state, TapeChange{field, before, value});
}

void Translation::set_field(State& state, const openflow::SetField& action) {
  const openflow::FieldInfo& field = info(action.field);
  if (!exists(state.key(), field.needs)) {
    return write(state,
                 TapeWarning{fmt::format("unmet prerequisites for {}, set_field ignored", field.name)});
  }
  const Bits128 before = get(state.key(), field);
  Bits128 value = (before & ~action.mask) | (action.value & action.mask);
  if (action.field == FieldId::InPort) value.low = openflow::normalise_port(value.low);
  // Setting a VLAN id or priority by these names says that there is a tag.
  if (action.field == FieldId::DlVlan || action.field == FieldId::DlVlanPcp ||
      action.field == FieldId::VlanPcp) {
    change(state, FieldId::VlanTci, {0, state.packet.get(FieldId::VlanTci) | openflow::kVlanPresent});
  }
  if (is_tun_metadata(action.field)) {
    state.packet.set(FieldId::TunMetadataPresent,
                     state.packet.get(FieldId::TunMetadataPresent) | 1u << tun_metadata_number(action.field));
  }
  change(state, action.field, value);
}

void Translation::delete_field(State& state, FieldId field) {
  state.packet.set(FieldId::TunMetadataPresent, state.packet.get(FieldId::TunMetadataPresent) &
                                                    ~(std::uint64_t{1} << tun_metadata_number(field)));
  change(state, field, {});
}

void Translation::set_part(State& state, const openflow::Subfield& part, Bits128 value) {
  set_field(state, {part.field, value << part.offset, ones128(part.bits) << part.offset});
}

// --- VLAN tags ---------------------------------------------------------------------------------------

void Translation::pop_vlan(State& state) {
  if ((state.packet.get(FieldId::VlanTci) & openflow::kVlanPresent) == 0) {
    // Bits without the presence bit are no tag, and go as one does.
    return change(state, FieldId::VlanTci, {});
  }
  change(state, FieldId::VlanTci, {0, state.packet.get(FieldId::VlanTci1)});
  state.packet.set(FieldId::VlanTpid, state.packet.get(FieldId::VlanTpid1));
  state.packet.set(FieldId::VlanTci1, 0);
  state.packet.set(FieldId::VlanTpid1, 0);
}

void Translation::push_vlan(State& state, std::uint16_t type) {
  state.packet.set(FieldId::VlanTci1, state.packet.get(FieldId::VlanTci));
  state.packet.set(FieldId::VlanTpid1, state.packet.get(FieldId::VlanTpid));
  state.packet.set(FieldId::VlanTpid, type);
  change(state, FieldId::VlanTci, {0, openflow::kVlanPresent});
}

// --- MPLS --------------------------------------------------------------------------------------------

namespace {

// A label stack entry: label 20, traffic class 3, bottom of stack 1, TTL 8.
constexpr std::uint64_t kBottom = 0x100;
constexpr std::size_t kMaxLabels = 3;
using Labels = std::array<std::uint64_t, kMaxLabels>;

bool is_mpls(std::uint64_t type) {
  return type == openflow::kTypeMpls || type == openflow::kTypeMplsMulticast;
}

std::uint64_t top_label(const Packet& packet) {
  return packet.get(FieldId::MplsLabel) << 12 | packet.get(FieldId::MplsTc) << 9 |
         packet.get(FieldId::MplsBos) << 8 | packet.get(FieldId::MplsTtl);
}

Labels labels_of(const Packet& packet) {
  return {top_label(packet), packet.get(FieldId::MplsLse1), packet.get(FieldId::MplsLse2)};
}

void put_labels(Packet& packet, const Labels& labels) {
  packet.set(FieldId::MplsLabel, labels[0] >> 12);
  packet.set(FieldId::MplsTc, labels[0] >> 9 & 7);
  packet.set(FieldId::MplsBos, labels[0] >> 8 & 1);
  packet.set(FieldId::MplsTtl, labels[0] & 0xff);
  packet.set(FieldId::MplsLse1, labels[1]);
  packet.set(FieldId::MplsLse2, labels[2]);
}

// How many labels there are, as far as they are looked at (flow_count_mpls_labels): where the bottom was popped, one that is 0 is none.
std::size_t count_labels(const Packet& packet) {
  if (!is_mpls(packet.eth_type())) return 0;
  const Labels labels = labels_of(packet);
  std::size_t count = 0;
  for (std::size_t i = 0; i < kMaxLabels; ++i) {
    if ((labels[i] & kBottom) != 0) return i + 1;
    if (labels[i] != 0) ++count;
  }
  return count;
}

constexpr std::array kNetworkFields = {
    FieldId::IpSrc,    FieldId::IpDst,      FieldId::Ipv6Src,      FieldId::Ipv6Dst, FieldId::Ipv6Label,
    FieldId::NwProto,  FieldId::NwTos,      FieldId::NwTtl,        FieldId::IpFrag,  FieldId::ArpOp,
    FieldId::ArpSha,   FieldId::ArpTha,     FieldId::TcpSrc,       FieldId::TcpDst,  FieldId::TcpFlags,
    FieldId::NdTarget, FieldId::NdReserved, FieldId::NdOptionsType};

}  // namespace

Translation::Flow Translation::push_mpls(State& state, std::uint16_t type) {
  Packet& packet = state.packet;
  const std::size_t labels = count_labels(packet);
  if (labels >= kMaxLabels) {
    fail(state, fmt::format("more than {} MPLS labels", kMaxLabels), kTooManyLabels);
    return Flow::EndAll;
  }
  Labels stack = labels_of(packet);
  if (labels > 0) {
    stack = {stack[0] & ~kBottom, stack[0], stack[1]};
  } else {
    constexpr std::uint64_t kExplicitNull4 = 0, kExplicitNull6 = 2, kDefaultTtl = 64;
    const bool v6 = packet.eth_type() == openflow::kTypeIpv6;
    std::uint64_t traffic_class = 0, ttl = kDefaultTtl;
    if (packet.ip()) {
      traffic_class = packet.get(FieldId::IpDscp) & 7;
      if (packet.get(FieldId::NwTtl) != 0) ttl = packet.get(FieldId::NwTtl);
    }
    stack = {(v6 ? kExplicitNull6 : kExplicitNull4) << 12 | traffic_class << 9 | kBottom | ttl, 0, 0};
    for (const FieldId id : kNetworkFields) set(packet.key, id, {});  // what is below cannot be seen any more
  }
  put_labels(packet, stack);
  change(state, FieldId::EthType, {0, type});
  return Flow::Go;
}

Translation::Flow Translation::pop_mpls(State& state, std::uint16_t type) {
  Packet& packet = state.packet;
  const std::size_t labels = count_labels(packet);
  if (labels == 0) return Flow::Go;
  const Labels stack = labels_of(packet);
  if (labels == kMaxLabels && (stack[2] & kBottom) == 0) {
    fail(state, "the label stack is deeper than the switch looks", kTooManyLabels);
    std::erase_if(emissions_,
                  [&](const Emission& emission) { return emission.pass + 1 == tape_.passes.size(); });
    return Flow::EndAll;
  }
  put_labels(packet, {stack[1], stack[2], 0});
  if (!is_mpls(type)) state.popped_mpls = true;
  change(state, FieldId::EthType, {0, type});
  return Flow::Go;
}

bool Translation::dec_mpls_ttl(State& state) {
  if (!is_mpls(state.packet.eth_type())) return true;
  const std::uint64_t ttl = state.packet.get(FieldId::MplsTtl);
  if (ttl > 1) {
    change(state, FieldId::MplsTtl, {0, ttl - 1});
    return true;
  }
  controller(state, "MPLS TTL exceeded: a copy goes to the controller and this action list ends");
  return false;
}

// After the last label is gone, what was below is not parsed: what asks for it has to go through the
// datapath once more.
bool Translation::needs_parsing_below_mpls(const State& state, const Action& action) const {
  using namespace openflow;
  const auto& variant = action.variant();
  const auto below = [](FieldId id) {
    const Prerequisite needs = info(id).needs;
    return needs != Prerequisite::None && needs != Prerequisite::Ethernet && needs != Prerequisite::Vlan &&
           needs != Prerequisite::Mpls;
  };
  if (const auto* field = std::get_if<SetField>(&variant)) return below(field->field);
  if (const auto* move = std::get_if<Move>(&variant)) return below(move->from.field) || below(move->to.field);
  if (const auto* push = std::get_if<Push>(&variant)) return below(push->from.field);
  if (const auto* pop = std::get_if<Pop>(&variant)) return below(pop->to.field);
  if (std::holds_alternative<PushMpls>(variant) || std::holds_alternative<PopMpls>(variant) ||
      std::holds_alternative<DecMplsTtl>(variant)) {
    return !is_mpls(state.packet.eth_type());
  }
  return std::holds_alternative<Resubmit>(variant) || std::holds_alternative<GotoTable>(variant) ||
         std::holds_alternative<ModTransport>(variant) || std::holds_alternative<DecTtl>(variant) ||
         std::holds_alternative<Ct>(variant) || std::holds_alternative<CtClear>(variant) ||
         std::holds_alternative<Learn>(variant) || std::holds_alternative<Multipath>(variant) ||
         std::holds_alternative<Clone>(variant) || std::holds_alternative<CheckPktLarger>(variant);
}

// --- TTL ---------------------------------------------------------------------------------------------

bool Translation::dec_ttl(State& state) {
  if (!state.packet.ip()) return true;
  const std::uint64_t ttl = state.packet.get(FieldId::NwTtl);
  if (ttl > 1) {
    change(state, FieldId::NwTtl, {0, ttl - 1});
    return true;
  }
  controller(state, "TTL exceeded: a copy goes to the controller and this action list ends");
  return false;
}

}  // namespace dvrtrace
