#include "tracer/engine/pipeline.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "src/base/overloaded.h"
#include "src/openflow/value.h"
#include "tracer/engine/drop_reason.h"

namespace dvrtrace {

using openflow::Action;
using openflow::Actions;
using openflow::Bits128;
using openflow::FieldId;
using openflow::FlowKey;
using openflow::info;
using openflow::ones128;

namespace {

// Limits of ofproto-dpif-xlate.c.
constexpr int kMaxDepth = 64;
constexpr std::size_t kMaxResubmits = 4096;

std::string ofctl(const std::string& host, const std::string& command, const std::string& bridge) {
  return fmt::format("ovs-ofctl {} {} on {}", command, bridge, host);
}

// On entering a bridge, everything but headers and the packet's mark is fresh.
FlowKey fresh_key(const FlowKey& key, Ofport in_port) {
  FlowKey fresh = wire_key(key);
  set64(fresh, FieldId::PktMark, get64(key, FieldId::PktMark));
  set64(fresh, FieldId::SkbPriority, get64(key, FieldId::SkbPriority));
  set64(fresh, FieldId::InPort, in_port.value);
  return fresh;
}

}  // namespace

std::vector<Emission> Pipeline::run(std::size_t bridge, std::size_t port, const Packet& packet, std::size_t hop) {
  emissions_.clear();
  frozen_.clear();
  resubmits_ = 0;
  depth_ = 0;
  failed_ = exited_ = false;
  State state;
  state.bridge = bridge;
  state.hop = hop;
  state.packet = packet;
  const BridgePort& in = host_.bridges[bridge].ports[port];
  FlowKey key = fresh_key(packet.key, in.number);
  if (in.type == PortType::Tunnel) {
    for (const FieldId id : {FieldId::TunId, FieldId::TunSrc, FieldId::TunDst}) set(key, id, get(packet.key, id));
  }
  set64(key, FieldId::PktMark, packet.mark);
  state.packet.key = key;
  if (in.no_recv) {
    recorder_.stop(hop, Verdict::Dropped, Reason::DeviceDown, fmt::format("port {} does not receive (NO_RECV)", in.name), {}, in.at);
    return {};
  }
  enter(state);
  while (!frozen_.empty()) {
    Frozen next = std::move(frozen_.front());
    frozen_.pop_front();
    resume(std::move(next));
  }
  settle_learned();
  if (failed_) emissions_.clear();  // "Translation failed, packet is dropped"
  return std::move(emissions_);
}

void Pipeline::enter(State& state) {
  const Bridge& bridge = bridge_of(state);
  if (!bridge.flows_present) {
    const bool failed = bridge.dumps != nullptr && !bridge.dumps->flows.failure.empty();
    unknown(state, Reason::DumpMissing,
            failed ? fmt::format("the dump of {}'s flows is the text of a failed command: {}", bridge.name, bridge.dumps->flows.failure)
                   : fmt::format("there is no dump of {}'s flows", bridge.name),
            ofctl(host_.name, "dump-flows", bridge.name));
    return;
  }
  const std::size_t emitted = emissions_.size(), waiting = frozen_.size(), hops = recorder_.direction.hops.size();
  look_up(state, TableId{0}, std::nullopt, true);
  finish(state);
  // Nothing came of it, not even a copy that waits for connection tracking: say why.
  if (emissions_.size() == emitted && frozen_.size() == waiting && recorder_.direction.hops.size() == hops) conclude_hop(state.hop, state);
}

void Pipeline::finish(State& state) { run_action_set(state); }

void Pipeline::conclude_hop(std::size_t hop, const State& state) {
  if (recorder_.stopped(hop)) return;
  const DropReason drop = explain_drop(recorder_.direction.hops[hop], bridge_of(state).flows_complete);
  recorder_.stop(hop, drop.verdict, drop.reason, drop.text,
                 drop.verdict == Verdict::Unknown ? ofctl(host_.name, "dump-flows", bridge_of(state).name) : "", drop.at);
}

void Pipeline::unknown(State& state, Reason reason, std::string text, std::string needs, Provenance at) {
  recorder_.stop(state.hop, Verdict::Unknown, reason, std::move(text), std::move(needs), at);
}

// --- lookup --------------------------------------------------------------------------------------------

Classifier::Found Pipeline::find(const State& state, TableId table, const FlowKey& key) const {
  const auto& classifier = bridge_of(state).tables[table.value];
  Classifier::Found found;
  if (classifier != nullptr) found = classifier->lookup(key);
  const auto learned = session_.learned_flows.find({host_index_, state.bridge, table.value});
  if (learned == session_.learned_flows.end()) return found;
  for (const auto& row : learned->second) {
    if (row->flow.match.matches(key) && (found.row == nullptr || row->flow.priority > found.row->flow.priority)) found.row = row.get();
  }
  return found;
}

bool Pipeline::look_up(State& state, TableId table, std::optional<Ofport> in_port, bool miss_drops) {
  if (failed_) return false;
  if (++resubmits_ > kMaxResubmits) {
    failed_ = true;
    recorder_.stop(state.hop, Verdict::Dropped, Reason::TranslationFailed, fmt::format("over {} resubmit actions", kMaxResubmits));
    return false;
  }
  FlowKey changed;
  const FlowKey* key = &state.key();
  const bool fragment = (state.packet.get(FieldId::IpFrag) & openflow::kFragAny) != 0;
  if (in_port || fragment) {
    changed = state.key();
    if (in_port) set64(changed, FieldId::InPort, in_port->value);
    if (fragment && state.packet.ip()) {  // frags=normal: fragments are looked up without ports
      set64(changed, FieldId::TcpSrc, 0);
      set64(changed, FieldId::TcpDst, 0);
    }
    key = &changed;
  }
  const Classifier::Found found = find(state, table, *key);
  if (found.undecided) {
    unknown(state, Reason::LineNotUnderstood,
            fmt::format("a line of table {} of {} that was not understood might match with higher priority", table.value, bridge_of(state).name), "");
    return false;
  }
  if (found.row == nullptr) {
    recorder_.step(state.hop, TableMissed{table, {}});
    (void)miss_drops;  // resubmit and goto alike: nothing more happens, the caller goes on
    return false;
  }
  const openflow::FlowRow& row = *found.row;
  FlowHit hit;
  hit.table = table;
  hit.priority = row.flow.priority;
  hit.cookie = row.flow.cookie;
  const std::string_view text = network_.sources().text(row.at.source).bytes;
  const auto cut = [&](Span span) { return span.end <= text.size() ? std::string(text.substr(span.begin, span.end - span.begin)) : std::string(); };
  hit.match = cut(row.match_span);
  hit.actions = row.at.known() ? cut(row.actions_span) : to_string(row.flow.actions);
  if (row.stats) hit.packets = row.stats->packets;
  hit.learned = learned(row.flow);
  hit.at = row.at;
  recorder_.step(state.hop, std::move(hit));
  if (found.rival != nullptr && !(found.rival->flow.actions == row.flow.actions)) {
    recorder_.assume("ASSUME_FIRST_OF_EQUAL_PRIORITY",
                     "where two flows of equal priority match, Open vSwitch does not say which wins; the earlier line of the dump is taken");
  }
  const TableId caller = state.table;
  state.table = table;
  const Flow flow = run_actions(state, row.flow.actions);
  state.table = caller;
  return flow != Flow::EndAll;
}

// --- actions ---------------------------------------------------------------------------------------------

Pipeline::Flow Pipeline::run_actions(State& state, const Actions& actions) {
  for (const Action& action : actions) {
    const Flow flow = apply(state, action);
    if (failed_) return Flow::EndAll;
    if (flow == Flow::EndAll) return Flow::EndAll;
    if (flow == Flow::EndList) return Flow::Go;
  }
  return Flow::Go;
}

Pipeline::Flow Pipeline::apply(State& state, const Action& action) {
  using namespace openflow;
  return std::visit(
      overloaded{
          [&](const Output& a) { output(state, a.port); return Flow::Go; },
          [&](const OutputField& a) { output(state, Ofport{normalise_port(get(state.key(), a.from).low)}); return Flow::Go; },
          [&](const OutputTruncated& a) { output(state, a.port); return Flow::Go; },
          [&](const Controller& a) {
            recorder_.note(state.hop, "a copy goes to the controller");
            return a.pause ? Flow::EndAll : Flow::Go;
          },
          [&](const Enqueue& a) { output(state, a.port); return Flow::Go; },
          [&](const SetQueue&) { return Flow::Go; },
          [&](const PopQueue&) { return Flow::Go; },
          [&](const ToGroup& a) { return group(state, a.group); },
          [&](const Resubmit& a) {
            const TableId table = a.table.value_or(state.table);
            // Only going back costs depth: chains forward end by themselves.
            const bool back = table <= state.table;
            if (back && ++depth_ > kMaxDepth) {
              failed_ = true;
              recorder_.stop(state.hop, Verdict::Dropped, Reason::TranslationFailed, fmt::format("over max translation depth {}", kMaxDepth));
              return Flow::EndAll;
            }
            const bool go = look_up(state, table, a.in_port, false) || !recorder_.stopped(state.hop);
            if (back) --depth_;
            return go ? (exited_ ? Flow::EndAll : Flow::Go) : Flow::EndAll;
          },
          [&](const GotoTable& a) {
            look_up(state, a.table, std::nullopt, true);
            return exited_ ? Flow::EndAll : Flow::EndList;
          },
          [&](const SetField& a) { set_field(state, a); return Flow::Go; },
          [&](const ModTransport& a) {
            const FlowKey& key = state.key();
            if (exists(key, Prerequisite::Icmp4) || exists(key, Prerequisite::Icmp6)) {
              change(state, a.source ? FieldId::IcmpType : FieldId::IcmpCode, {0, a.port});
            } else if (exists(key, Prerequisite::Tcp) || exists(key, Prerequisite::Udp) || exists(key, Prerequisite::Sctp)) {
              change(state, a.source ? FieldId::TcpSrc : FieldId::TcpDst, {0, a.port});
            }
            return Flow::Go;
          },
          [&](const Move& a) {
            const FlowKey before = state.key();
            const Bits128 value = exists(before, info(a.from.field).needs) ? get(before, a.from) : Bits128{};
            const Bits128 mask = ones128(a.to.bits) << a.to.offset;
            set_field(state, SetField{a.to.field, value << a.to.offset, mask});
            return Flow::Go;
          },
          [&](const Push& a) { state.stack.push_back(get(state.key(), a.from)); return Flow::Go; },
          [&](const Pop& a) {
            if (state.stack.empty()) return Flow::Go;
            const Bits128 value = state.stack.back();
            state.stack.pop_back();
            set_field(state, SetField{a.to.field, value << a.to.offset, ones128(a.to.bits) << a.to.offset});
            return Flow::Go;
          },
          [&](const SetVlanVid& a) {
            const std::uint64_t tci = state.packet.get(FieldId::VlanTci);
            change(state, FieldId::VlanTci, {0, (tci & 0xe000) | kVlanPresent | a.vid});
            return Flow::Go;
          },
          [&](const SetVlanPcp& a) {
            const std::uint64_t tci = state.packet.get(FieldId::VlanTci);
            change(state, FieldId::VlanTci, {0, (tci & 0x0fff) | kVlanPresent | static_cast<std::uint64_t>(a.pcp) << 13});
            return Flow::Go;
          },
          [&](const StripVlan&) { pop_vlan(state); return Flow::Go; },
          [&](const PushVlan& a) { push_vlan(state, a.type); return Flow::Go; },
          [&](const DecTtl&) { return dec_ttl(state) ? Flow::Go : Flow::EndList; },
          [&](const openflow::Ct& a) { ct(state, *a.spec); return Flow::Go; },
          [&](const CtClear&) { untrack(state); return Flow::Go; },
          [&](const Conjunction&) { return Flow::Go; },
          [&](const Learn& a) { learn(state, *a.spec); return Flow::Go; },
          [&](const Clone& a) {
            State copy = state;
            run_actions(copy, *a.actions);
            return Flow::Go;
          },
          [&](const WriteActions& a) {
            state.action_set.insert(state.action_set.end(), a.actions->begin(), a.actions->end());
            return Flow::Go;
          },
          [&](const ClearActions&) { state.action_set.clear(); return Flow::Go; },
          [&](const Exit&) { exited_ = true; return Flow::EndAll; },
          [&](const CheckPktLarger& a) {
            set_field(state, SetField{a.to.field, Bits128{0, state.packet.size + 14 > a.size ? 1u : 0u} << a.to.offset, ones128(1) << a.to.offset});
            return Flow::Go;
          },
          [&](const openflow::Bundle& a) {
            for (const Ofport port : a.spec->members) {
              const BridgePort* member = bridge_of(state).port(port);
              if (member == nullptr || member->port_down) continue;
              if (a.spec->load_to) set_field(state, SetField{a.spec->load_to->field, Bits128{0, port.value} << a.spec->load_to->offset, ones128(a.spec->load_to->bits) << a.spec->load_to->offset});
              else output(state, port);
              if (a.spec->algorithm != "active_backup") recorder_.assume("ASSUME_BUNDLE_FIRST_MEMBER", "a bundle action picks a member by a hash; the first live one is taken");
              break;
            }
            return Flow::Go;
          },
          [&](const NoEffect&) { return Flow::Go; },
          [&](const PushMpls&) { return not_modelled(state, action); },
          [&](const PopMpls&) { return not_modelled(state, action); },
          [&](const DecMplsTtl&) { return not_modelled(state, action); },
          [&](const Multipath&) { return not_modelled(state, action); },
          [&](const Unmodelled&) { return not_modelled(state, action); },
      },
      action.variant());
}

Pipeline::Flow Pipeline::not_modelled(State& state, const Action& action) {
  unknown(state, Reason::ActionNotModelled, "action not modelled: " + to_string(action), "");
  return Flow::EndAll;
}

void Pipeline::change(State& state, FieldId field, Bits128 value) {
  const Bits128 before = get(state.key(), field);
  if (before == value) return;
  set(state.key(), field, value);
  const Bits128 all = ones128(info(field).bits);
  recorder_.step(state.hop, Changed{std::string(name(field)), print_value(info(field), before, all), print_value(info(field), value, all)});
}

void Pipeline::set_field(State& state, const openflow::SetField& action) {
  const openflow::FieldInfo& field = info(action.field);
  if (!exists(state.key(), field.needs)) return;  // as Open vSwitch: ignored where the header is absent
  const Bits128 before = get(state.key(), field);
  Bits128 value = (before & ~action.mask) | (action.value & action.mask);
  if (action.field == FieldId::InPort) value.low = openflow::normalise_port(value.low);
  // Setting a VLAN id by this name says that there is a tag.
  if (action.field == FieldId::DlVlan) change(state, FieldId::VlanTci, {0, state.packet.get(FieldId::VlanTci) | openflow::kVlanPresent});
  change(state, action.field, value);
}

void Pipeline::pop_vlan(State& state) {
  if ((state.packet.get(FieldId::VlanTci) & openflow::kVlanPresent) == 0) return;
  const std::uint64_t inner = state.packet.get(FieldId::VlanTci1);
  change(state, FieldId::VlanTci, {0, inner});
  if (inner != 0) state.packet.set(FieldId::VlanTci1, 0);
}

void Pipeline::push_vlan(State& state, std::uint16_t type) {
  state.packet.set(FieldId::VlanTci1, state.packet.get(FieldId::VlanTci));
  state.packet.set(FieldId::VlanTpid, type);
  change(state, FieldId::VlanTci, {0, openflow::kVlanPresent});
}

bool Pipeline::dec_ttl(State& state) {
  if (!state.packet.ip()) return true;
  const std::uint64_t ttl = state.packet.get(FieldId::NwTtl);
  if (ttl > 1) {
    change(state, FieldId::NwTtl, {0, ttl - 1});
    return true;
  }
  recorder_.note(state.hop, "TTL exceeded: a copy goes to the controller and this action list ends");
  return false;
}

// --- action set and groups ---------------------------------------------------------------------------------

void Pipeline::run_action_set(State& state) {
  if (state.action_set.empty() || failed_) return;
  const Actions set = std::move(state.action_set);
  state.action_set.clear();
  // The order of execution is fixed (OpenFlow 1.5, 5.6), whatever the order of writing.
  const auto last = [&](auto tag) -> const Action* {
    const Action* found = nullptr;
    for (const Action& action : set) {
      if (std::holds_alternative<decltype(tag)>(action.variant())) found = &action;
    }
    return found;
  };
  const Action* final = last(openflow::ToGroup{});
  if (final == nullptr) final = last(openflow::Output{});
  if (final == nullptr) final = last(openflow::Resubmit{});
  if (final == nullptr) return;  // nothing would come of it
  Actions ordered;
  const auto take = [&](const Action* action) {
    if (action != nullptr) ordered.push_back(*action);
  };
  take(last(openflow::StripVlan{}));
  take(last(openflow::PopMpls{}));
  take(last(openflow::PushMpls{}));
  take(last(openflow::PushVlan{}));
  take(last(openflow::DecTtl{}));
  take(last(openflow::DecMplsTtl{}));
  for (const Action& action : set) {
    const auto& variant = action.variant();
    if (std::holds_alternative<openflow::SetField>(variant) || std::holds_alternative<openflow::Move>(variant) ||
        std::holds_alternative<openflow::ModTransport>(variant) || std::holds_alternative<openflow::SetVlanVid>(variant) ||
        std::holds_alternative<openflow::SetVlanPcp>(variant)) {
      ordered.push_back(action);
    }
  }
  ordered.push_back(*final);
  run_actions(state, ordered);
}

bool Pipeline::live(const State& state, const openflow::Bucket& bucket) const {
  if (bucket.watch_port && *bucket.watch_port != kPortNone) {
    const BridgePort* port = bridge_of(state).port(*bucket.watch_port);
    if (port == nullptr || port->port_down) return false;
  }
  return true;
}

Pipeline::Flow Pipeline::group(State& state, std::uint32_t id) {
  const Bridge& bridge = bridge_of(state);
  const auto found = bridge.groups.find(id);
  if (found == bridge.groups.end()) {
    if (bridge.dumps == nullptr || !bridge.dumps->groups.present()) {
      unknown(state, Reason::DumpMissing, fmt::format("group {} of {} is in no dump", id, bridge.name), ofctl(host_.name, "-O OpenFlow15 dump-groups", bridge.name));
      return Flow::EndAll;
    }
    recorder_.note(state.hop, fmt::format("group {} does not exist", id));
    return Flow::EndList;
  }
  if (++depth_ > kMaxDepth) {
    failed_ = true;
    return Flow::EndAll;
  }
  const openflow::Group& group = found->second->value;
  recorder_.note(state.hop, fmt::format("group {}", id), found->second->at);
  for (const openflow::Bucket& bucket : group.buckets) {
    if (group.type != openflow::GroupType::All && !live(state, bucket)) continue;
    State copy = state;
    copy.action_set = bucket.actions;
    run_action_set(copy);
    if (group.type == openflow::GroupType::Select && group.buckets.size() > 1) {
      recorder_.assume("ASSUME_SELECT_FIRST_BUCKET", "a select group picks a bucket by a hash that no dump shows; the first live one is taken");
    }
    if (group.type != openflow::GroupType::All) break;
  }
  --depth_;
  return Flow::Go;
}

// --- connection tracking -------------------------------------------------------------------------------------

void Pipeline::untrack(State& state) {
  for (const FieldId id : {FieldId::CtState, FieldId::CtZone, FieldId::CtMark}) state.packet.set(id, 0);
  set(state.key(), FieldId::CtLabel, {});
}

void Pipeline::ct(State& state, const openflow::CtSpec& spec) {
  const auto zone = static_cast<std::uint16_t>(spec.zone_from ? get(state.key(), *spec.zone_from).low : spec.zone);
  if (spec.table) {
    frozen_.push_back({state, *spec.table, spec, zone});  // comes back later, tracked
    frozen_.back().state.action_set = state.action_set;
  } else {
    State copy = state;
    track(copy, spec, zone);
  }
  untrack(state);
}

TrackedState Pipeline::track(State& state, const openflow::CtSpec& spec, std::uint16_t zone) {
  const TrackedState tracked = session_.conntrack.track(host_.name + " ovs", zone, state.packet);
  std::uint32_t bits = openflow::kCtTracked;
  switch (tracked.kind) {
    case TrackedState::Kind::New: bits |= openflow::kCtNew; break;
    case TrackedState::Kind::Established: bits |= openflow::kCtEstablished; break;
    case TrackedState::Kind::Related: bits |= openflow::kCtRelated; break;
    case TrackedState::Kind::Invalid: bits |= openflow::kCtInvalid; break;
    case TrackedState::Kind::Untracked: bits = 0; break;
  }
  if (tracked.reply) bits |= openflow::kCtReply;
  state.packet.set(FieldId::CtState, bits);
  state.packet.set(FieldId::CtZone, zone);
  Tracked step{zone, openflow::print_ct_state(bits), false, tracked.assumed, {}};
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
    recorder_.assume(tracked.kind == TrackedState::Kind::New ? "ASSUME_CT_NEW" : "ASSUME_CT_ESTABLISHED",
                     tracked.kind == TrackedState::Kind::New ? "the packet is the first of its connection" : "the connection is established already, as asked");
  }
  if (spec.nat && spec.nat->kind != openflow::NatSpec::Kind::None) {
    step.nat = "not modelled";
    recorder_.assume("ASSUME_NO_OVS_NAT", "nat() in flows is not carried out");
  }
  recorder_.step(state.hop, std::move(step));
  return tracked;
}

void Pipeline::resume(Frozen frozen) {
  State& state = frozen.state;
  depth_ = 0;
  exited_ = false;
  const std::size_t emitted = emissions_.size(), waiting = frozen_.size(), hops = recorder_.direction.hops.size();
  track(state, frozen.spec, frozen.zone);
  look_up(state, frozen.table, std::nullopt, true);
  finish(state);
  const bool earlier = std::ranges::any_of(emissions_, [&](const Emission& emission) { return emission.hop == state.hop; });
  if (emissions_.size() == emitted && frozen_.size() == waiting && recorder_.direction.hops.size() == hops && !earlier) conclude_hop(state.hop, state);
}

// The flow that a learn() action makes takes effect for later packets only.
void Pipeline::learn(State& state, const openflow::LearnSpec& spec) {
  if (spec.delete_learned) return;
  auto row = std::make_unique<openflow::FlowRow>();
  row->flow.table = spec.table;
  row->flow.priority = spec.priority;
  row->flow.cookie = spec.cookie;
  row->flow.hard_timeout = spec.hard_timeout;
  row->flow.idle_timeout = spec.idle_timeout;
  for (const openflow::LearnItem& item : spec.items) {
    const Bits128 value = item.from ? get(state.key(), *item.from) : item.value;
    switch (item.kind) {
      case openflow::LearnItem::Kind::Match: row->flow.match.add(item.to.field, value << item.to.offset, ones128(item.to.bits) << item.to.offset); break;
      case openflow::LearnItem::Kind::Load:
        row->flow.actions.push_back(openflow::SetField{item.to.field, value << item.to.offset, ones128(item.to.bits) << item.to.offset});
        break;
      case openflow::LearnItem::Kind::Output:
        row->flow.actions.push_back(openflow::Output{Ofport{openflow::normalise_port(value.low)}});
        break;
    }
  }
  recorder_.note(state.hop, fmt::format("learns for table {}: {}", spec.table.value, to_string(row->flow.match)));
  pending_learned_.push_back({state.bridge, std::move(row)});
}

void Pipeline::settle_learned() {
  for (auto& [bridge, row] : pending_learned_) {
    auto& flows = session_.learned_flows[{host_index_, bridge, row->flow.table.value}];
    const auto same = std::ranges::find_if(flows, [&, &fresh = row](const auto& old) {
      return old->flow.priority == fresh->flow.priority && old->flow.match == fresh->flow.match;
    });
    if (same != flows.end()) *same = std::move(row);
    else flows.push_back(std::move(row));
  }
  pending_learned_.clear();
}

// --- output ----------------------------------------------------------------------------------------------------

void Pipeline::output(State& state, Ofport port) {
  if (port == kPortNormal) return normal(state);
  if (port == kPortFlood || port == kPortAll) return flood(state, port == kPortAll);
  if (port == kPortNone || port == kPortTable) return;
  if (port == kPortController) return recorder_.note(state.hop, "a copy goes to the controller");
  const bool back = port == kPortInPort;
  if (back) port = state.in_port();
  else if (port == state.in_port()) return recorder_.note(state.hop, fmt::format("output to port {} skipped: the packet came in by it", port.value));
  const Bridge& bridge = bridge_of(state);
  const auto found = bridge.by_number.find(port.value);
  if (found == bridge.by_number.end()) {
    if (!bridge.known_ports) return unknown(state, Reason::DumpMissing, fmt::format("no dump says what port {} of {} is", port.value, bridge.name), ofctl(host_.name, "show", bridge.name));
    return recorder_.note(state.hop, fmt::format("{} has no port {}", bridge.name, port.value));
  }
  output_to(state, found->second, state.packet);
}

void Pipeline::output_to(State& state, std::size_t port_index, const Packet& packet) {
  const Bridge& bridge = bridge_of(state);
  const BridgePort& port = bridge.ports[port_index];
  if (port.no_fwd) return recorder_.note(state.hop, fmt::format("port {} does not forward (NO_FWD)", port.name), port.at);
  recorder_.left_by(state.hop, {"", port.name, port.number});
  if (port.type == PortType::Patch) return cross_patch(state, port_index, packet);
  recorder_.step(state.hop, SentTo{port.name, {}, port.at});
  emissions_.push_back({state.hop, state.bridge, port_index, packet});
}

void Pipeline::cross_patch(State& state, std::size_t port_index, const Packet& packet) {
  const BridgePort& port = bridge_of(state).ports[port_index];
  if (port.peer_bridge == kNowhere) {
    recorder_.step(state.hop, SentTo{port.name, "its peer is not known", port.at});
    return unknown(state, Reason::NoSuchPort, fmt::format("patch port {} leads to no known bridge", port.name), "ovs-vsctl show on " + host_.name, port.at);
  }
  if (++depth_ > kMaxDepth || recorder_.direction.hops.size() >= Session::kMaxHops) {
    failed_ = true;
    return recorder_.stop(state.hop, Verdict::Looped, Reason::Loop, fmt::format("over max translation depth {}: patch ports in a loop", kMaxDepth));
  }
  recorder_.step(state.hop, SentTo{port.name, {}, port.at});
  const BridgePort& far = host_.bridges[port.peer_bridge].ports[port.peer_port];
  State peer;
  peer.bridge = port.peer_bridge;
  peer.packet = packet;
  peer.packet.key = fresh_key(packet.key, far.number);
  peer.hop = recorder_.hop(state.hop, {PlaceKind::Bridge, host_.name, host_.bridges[port.peer_bridge].name}, Device{"", far.name, far.number}, peer.packet);
  const bool exited = exited_;
  if (!far.no_recv) enter(peer);
  exited_ = exited;  // what ends there ends there
  --depth_;
}

}  // namespace dvrtrace
