// ct() and learn(): what the switch remembers of packets.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "src/openflow/value.h"
#include "tracer/engine/translation.h"

namespace dvrtrace {

using openflow::Action;
using openflow::Bits128;
using openflow::FieldId;
using openflow::ones128;

void Translation::untrack(State& state) {
  constexpr std::array kFields = {FieldId::CtState,   FieldId::CtZone,    FieldId::CtMark,
                                  FieldId::CtLabel,   FieldId::CtNwSrc,   FieldId::CtNwDst,
                                  FieldId::CtIpv6Src, FieldId::CtIpv6Dst, FieldId::CtNwProto,
                                  FieldId::CtTpSrc,   FieldId::CtTpDst};
  for (const FieldId id : kFields) set(state.key(), id, {});
}

void Translation::ct(State& state, const openflow::CtSpec& spec) {
  constexpr std::size_t kCtBytes = 120;
  action_bytes_ += kCtBytes;
  only_outputs_ = false;
  const auto zone =
      static_cast<std::uint16_t>(spec.zone_from ? get(state.key(), *spec.zone_from).low : spec.zone);
  if (spec.table) {
    frozen_.push_back({state, *spec.table, &spec, zone, mirrored_});  // comes back later, tracked
    if (policy_.every_action)
      note(state, fmt::format("A clone of the packet is forked to recirculate. The forked pipeline will be "
                              "resumed at table {}.",
                              spec.table->value));
  } else if (policy_.ct_next == nullptr) {
    State copy = state;
    track(copy, spec, zone);
  }
  if (policy_.every_action)
    note(state, "Sets the packet to an untracked state, and clears all the conntrack fields.");
  untrack(state);
}

// The fork is taken up: `ofproto/trace` is told the state of the connection, a network's packet has one.
void Translation::resume(Frozen frozen) {
  State& state = frozen.state;
  const std::size_t emitted = emissions_.size(), waiting = frozen_.size(), hops = tape_.hops.size();
  depth_ = 0;
  level_ = 0;
  resubmits_ = action_bytes_ = 0;
  only_outputs_ = true;
  mirrored_ = frozen.mirrored;
  failed_ = too_many_labels_ = exited_ = false;
  TapePass pass;
  pass.bridge = state.bridge;
  pass.table = frozen.table;
  if (policy_.ct_next != nullptr) {
    assume_tracked(state, *frozen.spec, frozen.zone, pass);
  } else {
    track(state, *frozen.spec, frozen.zone);
    pass.untranslated = state.key();
  }
  pass.before = pass.after = state.key();
  write(state, TapeThaw{tape_.passes.size(), frozen.table});
  tape_.passes.push_back(std::move(pass));
  ++level_;
  state.table = TableId{0};
  sent_ = state.key();
  look_up(state, frozen.table, std::nullopt, false, Arrival::Now);
  finish(state);
  tape_.passes.back().after = state.key();
  if (failed_) emissions_.resize(emitted);
  const bool earlier =
      std::ranges::any_of(emissions_, [&](const Emission& emission) { return emission.hop == state.hop; });
  if (!earlier) conclude(state, emitted, waiting, hops);
}

void Translation::assume_tracked(State& state, const openflow::CtSpec& spec, std::uint16_t zone,
                                 TapePass& pass) {
  const bool asked = ct_used_ < policy_.ct_next->size();
  const std::uint32_t bits = asked ? (*policy_.ct_next)[ct_used_] : openflow::kCtTracked | openflow::kCtNew;
  if (asked) ++ct_used_;
  pass.assumed_state = !asked;
  state.packet.set(FieldId::CtState, bits);
  state.packet.set(FieldId::CtZone, zone);
  for (const Action& action : spec.exec) {
    if (const auto* set_field = std::get_if<openflow::SetField>(&action.variant())) {
      set(state.key(), set_field->field,
          (get(state.key(), set_field->field) & ~set_field->mask) | (set_field->value & set_field->mask));
    } else if (const auto* move = std::get_if<openflow::Move>(&action.variant())) {
      set(state.key(), move->to, get(state.key(), move->from));
    }
  }
  pass.untranslated = state.key();
  if (spec.nat && spec.nat->first) translate(state, *spec.nat);
}

// The first address and port of the range, whatever state the connection is in.
void Translation::translate(State& state, const openflow::NatSpec& nat) {
  const bool source = nat.kind == openflow::NatSpec::Kind::Source;
  if (source)
    state.packet.set_ip_src(*nat.first);
  else
    state.packet.set_ip_dst(*nat.first);
  if (nat.port_first != 0) state.packet.set(source ? FieldId::TcpSrc : FieldId::TcpDst, nat.port_first);
}

void Translation::track(State& state, const openflow::CtSpec& spec, std::uint16_t zone) {
  const TrackedState tracked = session_.conntrack.track(host_.name + " ovs", zone, state.packet,
                                                        &host_.snapshot.datapath_connections.value);
  std::uint32_t bits = openflow::kCtTracked;
  switch (tracked.kind) {
    case TrackedState::Kind::New:
      bits |= openflow::kCtNew;
      break;
    case TrackedState::Kind::Established:
      bits |= openflow::kCtEstablished;
      break;
    case TrackedState::Kind::Related:
      bits |= openflow::kCtRelated;
      break;
    case TrackedState::Kind::Invalid:
      bits |= openflow::kCtInvalid;
      break;
    case TrackedState::Kind::Untracked:
      bits = 0;
      break;
  }
  if (tracked.reply) bits |= openflow::kCtReply;
  state.packet.set(FieldId::CtState, bits);
  state.packet.set(FieldId::CtZone, zone);
  TapeTracked step{zone, bits, false, tracked.assumed, {}};
  if (tracked.kind == TrackedState::Kind::New || tracked.kind == TrackedState::Kind::Established) {
    TrackedConnection& connection = session_.conntrack.at(tracked.connection);
    state.packet.set(FieldId::CtMark, connection.mark);
    set(state.key(), FieldId::CtLabel, connection.label);
    if (spec.commit) {
      for (const Action& action : spec.exec) {
        if (const auto* set = std::get_if<openflow::SetField>(&action.variant())) {
          const Bits128 value = (get(state.key(), set->field) & ~set->mask) | (set->value & set->mask);
          change(state, set->field, value);
        }
      }
      connection.mark = static_cast<std::uint32_t>(state.packet.get(FieldId::CtMark));
      connection.label = get(state.key(), FieldId::CtLabel);
      session_.conntrack.confirm(tracked.connection);
      step.committed = true;
    }
  }
  if (tracked.assumed) {
    assume(tracked.kind == TrackedState::Kind::New ? "ASSUME_CT_NEW" : "ASSUME_CT_ESTABLISHED",
           tracked.kind == TrackedState::Kind::New ? "the packet is the first of its connection"
                                                   : "the connection is established already, as asked");
  }
  if (spec.nat) step.nat = translate_tracked(state, spec, tracked);
  const bool known =
      tracked.kind == TrackedState::Kind::New || tracked.kind == TrackedState::Kind::Established;
  const Provenance at = known ? session_.conntrack.at(tracked.connection).at : Provenance{};
  write(state, std::move(step));
  if (at.known()) write(state, TapeNote{"of a connection that the switch knows", at});
}

// nat(): a connection's first packet decides, by the range's first address; the others are translated as it was.
std::string Translation::translate_tracked(State& state, const openflow::CtSpec& spec,
                                           const TrackedState& tracked) {
  using Kind = TrackedState::Kind;
  if (tracked.kind != Kind::New && tracked.kind != Kind::Established && tracked.kind != Kind::Related)
    return {};
  TrackedConnection& connection = session_.conntrack.at(tracked.connection);
  const openflow::NatSpec& nat = *spec.nat;
  const std::uint8_t protocol = state.packet.protocol();
  const bool ports = (protocol == openflow::kProtoTcp || protocol == openflow::kProtoUdp ||
                      protocol == openflow::kProtoSctp) &&
                     !state.packet.quoted;
  const bool first = (tracked.kind == Kind::New || connection.assumed) && !tracked.reply &&
                     !connection.source_nat && !connection.destination_nat;
  if (first && spec.commit && nat.kind != openflow::NatSpec::Kind::None) {
    const bool source = nat.kind == openflow::NatSpec::Kind::Source;
    (source ? connection.source_nat : connection.destination_nat) = true;
    if (nat.first) (source ? connection.reply.destination : connection.reply.source) = *nat.first;
    if (ports && nat.port_first != 0)
      (source ? connection.reply.destination_port : connection.reply.source_port) = nat.port_first;
    if ((nat.last && nat.first && *nat.last != *nat.first) || nat.port_last > nat.port_first)
      assume("ASSUME_NAT_FIRST_OF_RANGE", "of a range of NAT addresses the first is taken");
  }
  if (!connection.source_nat && !connection.destination_nat) return {};
  const kernel::Tuple wanted = tracked.reply ? inverse(connection.original) : inverse(connection.reply);
  const Ip source = state.packet.ip_src(), destination = state.packet.ip_dst();
  if (state.packet.quoted) {
    state.packet.quoted = tracked.reply ? connection.original : connection.reply;
  } else {
    state.packet.set_ip_src(wanted.source);
  }
  state.packet.set_ip_dst(wanted.destination);
  if (ports) {
    state.packet.set(FieldId::TcpSrc, wanted.source_port);
    state.packet.set(FieldId::TcpDst, wanted.destination_port);
  }
  const std::uint64_t bits =
      (connection.source_nat ? openflow::kCtSnat : 0) | (connection.destination_nat ? openflow::kCtDnat : 0);
  state.packet.set(FieldId::CtState, state.packet.get(FieldId::CtState) | bits);
  return fmt::format("{} > {} to {} > {}", to_string(source), to_string(destination),
                     to_string(state.packet.ip_src()), to_string(state.packet.ip_dst()));
}

// The flow that a learn() action makes takes effect for later packets only.
void Translation::learn(State& state, const openflow::LearnSpec& spec) {
  if (!policy_.side_effects) return note(state, "suppressing side effects, so learn action ignored");
  if (spec.delete_learned) return;
  auto row = std::make_unique<openflow::FlowRow>();
  row->flow.table = spec.table;
  row->flow.priority = spec.priority;
  row->flow.cookie = spec.cookie;
  row->flow.hard_timeout = spec.hard_timeout;
  row->flow.idle_timeout = spec.idle_timeout;
  std::vector<Action> actions;
  for (const openflow::LearnItem& item : spec.items) {
    const Bits128 value = item.from ? get(state.key(), *item.from) : item.value;
    switch (item.kind) {
      case openflow::LearnItem::Kind::Match:
        row->flow.match.add(item.to.field, value << item.to.offset, ones128(item.to.bits) << item.to.offset);
        break;
      case openflow::LearnItem::Kind::Load:
        actions.push_back(openflow::SetField{item.to.field, value << item.to.offset,
                                             ones128(item.to.bits) << item.to.offset});
        break;
      case openflow::LearnItem::Kind::Output:
        actions.push_back(openflow::Output{Ofport{openflow::normalise_port(value.low)}});
        break;
    }
  }
  row->flow.actions = {actions.begin(), actions.end()};
  note(state, fmt::format("learns for table {}: {}", spec.table.value, to_string(row->flow.match)));
  pending_learned_.push_back({state.bridge, std::move(row)});
}

void Translation::settle_learned() {
  for (auto& [bridge, row] : pending_learned_) {
    auto& flows = session_.learned_flows[{host_index_, bridge, row->flow.table.value}];
    const auto same = std::ranges::find_if(flows, [&, &fresh = row](const auto& old) {
      return old->flow.priority == fresh->flow.priority && old->flow.match == fresh->flow.match;
    });
    if (same == flows.end()) {
      flows.push_back(std::move(row));
    } else {
      same->swap(row);
      tape_.replaced_rows.push_back(std::move(row));  // the tape may point at it
    }
  }
  pending_learned_.clear();
}

}  // namespace dvrtrace
