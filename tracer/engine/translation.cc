#include "tracer/engine/translation.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "src/base/overloaded.h"

namespace dvrtrace {

using openflow::Action;
using openflow::Actions;
using openflow::Bits128;
using openflow::FieldId;
using openflow::FlowKey;
using openflow::ones128;
using openflow::Prerequisite;

namespace {

// Limits of ofproto-dpif-xlate.c.
constexpr int kMaxDepth = 64;
constexpr std::size_t kMaxResubmits = 4096;
constexpr std::size_t kMaxPasses = 512;  // Open vSwitch has no such limit: the datapath would go round for ever
constexpr std::size_t kMaxStackBytes = 65536;
constexpr std::size_t kMaxActionBytes = 65535, kOutputBytes = 8;  // of the datapath's actions
// A table that no dump shows: one flow that drops, for what is sent there.
constexpr std::uint8_t kInternalTable = 254;

// On entering a bridge, everything but headers and the packet's mark is fresh.
FlowKey fresh_key(const FlowKey& key, Ofport in_port) {
  FlowKey fresh = wire_key(key);
  set64(fresh, FieldId::PktMark, get64(key, FieldId::PktMark));
  set64(fresh, FieldId::SkbPriority, get64(key, FieldId::SkbPriority));
  set64(fresh, FieldId::InPort, in_port.value);
  set64(fresh, FieldId::ActsetOutput, kPortUnset.value);
  return fresh;
}

}  // namespace

std::string Translation::ofctl(const std::string& command, const std::string& bridge) const {
  return fmt::format("ovs-ofctl {} {} on {}", command, bridge, host_.name);
}

void Translation::run(std::size_t bridge, std::size_t port, const Packet& packet, std::size_t hops_before) {
  emissions_.clear();
  frozen_.clear();
  resubmits_ = stacked_ = ct_used_ = 0;
  depth_ = 0;
  level_ = 0;
  mirrored_ = 0;
  failed_ = exited_ = false;
  hops_before_ = hops_before;
  State state;
  state.bridge = bridge;
  state.packet = packet;
  set64(state.key(), FieldId::ActsetOutput, kPortUnset.value);
  state.tun_dst_on_arrival = state.packet.get(FieldId::TunDst);
  tape_.hops.push_back({0, bridge, port, packet});
  tape_.passes.push_back({state.key(), state.key(), state.key(), bridge, false, {}, {}});
  if (state.packet.get(FieldId::RecircId) != 0) {
    unknown(state, Reason::HiddenState, "the packet goes on where the switch froze it (recirc_id): only the switch knows where that was");
    return;
  }
  if (receives(state)) enter(state);
  tape_.passes.back().after = state.key();
  if (failed_) emissions_.clear();  // "Translation failed, packet is dropped"
  while (!frozen_.empty()) {
    if (tape_.passes.size() >= kMaxPasses) {
      stop(frozen_.front().state, Verdict::Looped, Reason::Loop, fmt::format("over {} returns from connection tracking: the tables send the packet there again and again", kMaxPasses));
      frozen_.clear();
      break;
    }
    Frozen next = std::move(frozen_.front());
    frozen_.pop_front();
    resume(std::move(next));
  }
  settle_learned();
}

// Whether the port takes the packet in, before any table sees it.
bool Translation::receives(State& state) {
  const BridgePort* in = bridge_of(state).port(state.in_port());
  if (in == nullptr) return true;
  if (in->no_recv) {
    stop(state, Verdict::Dropped, Reason::DeviceDown, fmt::format("port {} does not receive (NO_RECV)", in->name), {}, in->at);
    return false;
  }
  return true;
}

void Translation::enter(State& state) {
  const Bridge& bridge = bridge_of(state);
  write(state, TapeEnter{state.hop});
  ++level_;
  if (!bridge.flows_present) {
    const bool failed = bridge.dumps != nullptr && !bridge.dumps->flows.failure.empty();
    unknown(state, Reason::DumpMissing,
            failed ? fmt::format("the dump of {}'s flows is the text of a failed command: {}", bridge.name, bridge.dumps->flows.failure)
                   : fmt::format("there is no dump of {}'s flows", bridge.name),
            ofctl("dump-flows", bridge.name));
    --level_;
    return;
  }
  const std::size_t emitted = emissions_.size(), waiting = frozen_.size(), hops = tape_.hops.size();
  // A congestion mark that the tunnel saw is carried over; a packet that cannot bear it is lost.
  constexpr std::uint64_t kEcnMask = 3, kCongestion = 3;
  const BridgePort* in = bridge.port(state.in_port());
  constexpr std::uint64_t kBfdPort = 3784, kBfdMac = 0x002320000001;
  bool lost = in != nullptr && in->bfd && state.packet.protocol() == openflow::kProtoUdp && state.packet.ip() && state.packet.get(FieldId::UdpDst) == kBfdPort && state.packet.eth_dst().value == kBfdMac &&
              !(in->bfd_tunnel_key && state.packet.get(FieldId::TunId) != 0);
  if ((state.packet.get(FieldId::TunTos) & kEcnMask) == kCongestion && state.packet.ip() &&
      state.packet.get(FieldId::NwEcn) != kCongestion) {
    if (state.packet.get(FieldId::NwEcn) == 0) lost = true;
    else change(state, FieldId::NwEcn, {0, kCongestion});
  }
  if (in != nullptr && !lost) mirror(state, bridge.bundles[in->bundle], state.packet, false);
  look_up(state, TableId{0}, std::nullopt, false, lost);
  finish(state);
  conclude(state, emitted, waiting, hops);
  --level_;
}

// Nothing came of the packet, not even a copy that waits for connection tracking: the hop ends here.
void Translation::conclude(State& state, std::size_t emitted, std::size_t waiting, std::size_t hops) {
  if (emissions_.size() == emitted && frozen_.size() == waiting && tape_.hops.size() == hops) write(state, TapeConclude{});
}

void Translation::finish(State& state) {
  if (failed_) return;
  exited_ = false;  // exit ends lists, not the action set
  run_action_set(state);
}

void Translation::fail(State& state, std::string text, std::string error, Verdict verdict) {
  if (failed_) return;
  failed_ = true;
  tape_.passes.back().error = std::move(error);
  stop(state, verdict, verdict == Verdict::Looped ? Reason::Loop : Reason::TranslationFailed, std::move(text));
}

Translation::Flow Translation::unknown(State& state, Reason reason, std::string text, std::string needs, Provenance at) {
  stop(state, Verdict::Unknown, reason, std::move(text), std::move(needs), at);
  exited_ = true;
  return Flow::EndAll;
}

Translation::Flow Translation::not_modelled(State& state, const Action& action) {
  return unknown(state, Reason::ActionNotModelled, "action not modelled: " + to_string(action));
}

// --- lookup --------------------------------------------------------------------------------------------

Classifier::Found Translation::find(const State& state, TableId table, const FlowKey& key) const {
  const auto& classifier = bridge_of(state).tables[table.value];
  Classifier::Found found;
  if (classifier != nullptr) found = classifier->lookup(key);
  if (session_.learned_flows.empty()) return found;
  const auto learned = session_.learned_flows.find({host_index_, state.bridge, table.value});
  if (learned == session_.learned_flows.end()) return found;
  for (const auto& row : learned->second) {
    if (row->flow.match.matches(key) && (found.row == nullptr || row->flow.priority > found.row->flow.priority)) found.row = row.get();
  }
  return found;
}

bool Translation::within_limits(State& state) {
  if (failed_) return false;
  if (depth_ >= kMaxDepth) {
    fail(state, fmt::format("over max translation depth {}", kMaxDepth), "Recursion too deep");
  } else if (resubmits_ >= kMaxResubmits) {
    fail(state, fmt::format("over {} resubmit actions", kMaxResubmits), "Too many resubmits");
  } else if (stacked_ >= kMaxStackBytes) {
    fail(state, "resubmits yielded over 64 kB of stack", "Stack too deep");
  } else if (emissions_.size() * kOutputBytes > kMaxActionBytes) {
    // Not an error: what was sent by now stays sent.
    write(state, TapeWarning{"resubmits yielded over 64 kB of actions"});
    exited_ = true;
    return false;
  }
  return !failed_;
}

void Translation::look_up(State& state, TableId table, std::optional<Ofport> in_port, bool original_tuple, bool lost) {
  const std::string& frags = bridge_of(state).dumps != nullptr ? bridge_of(state).dumps->features.value.frags : std::string();
  FlowKey changed;
  const FlowKey* key = &state.key();
  const std::uint64_t fragment = state.packet.get(FieldId::IpFrag);
  const bool is_fragment = (fragment & openflow::kFragAny) != 0 && state.packet.ip();
  if (in_port || original_tuple || is_fragment) {
    changed = state.key();
    key = &changed;
    if (in_port) set64(changed, FieldId::InPort, in_port->value);
    if (original_tuple) use_original_tuple(changed);
    // frags=normal: looked up without ports. nx-match looks at the first fragment's.
    if (is_fragment && (frags != "nx-match" || (fragment & openflow::kFragLater) != 0)) {
      set64(changed, FieldId::TcpSrc, 0);
      set64(changed, FieldId::TcpDst, 0);
    }
  }
  if (state.popped_mpls) {
    unknown(state, Reason::HiddenState, "what is below the labels of an MPLS packet is parsed by the datapath only");
    return;
  }
  if (is_fragment && frags == "drop") {
    write(state, TapeMiss{table, true});
    return;
  }
  const Classifier::Found found = find(state, table, *key);
  const bool takes_all = found.row != nullptr && found.row->flow.match.words.empty() && found.row->flow.actions.empty();
  if (found.row == nullptr || takes_all) tape_.missed.push_back({state.hop, table, *key});
  if (found.undecided) {
    unknown(state, Reason::LineNotUnderstood,
            fmt::format("a line of table {} of {} that was not understood might match with higher priority", table.value, bridge_of(state).name));
    return;
  }
  if (found.row == nullptr && bridge_of(state).dumps != nullptr && !bridge_of(state).dumps->flows.value.names.tables().empty()) {
    unknown(state, Reason::LineNotUnderstood, "the dump has names for tables, and does not say which numbers they are", ofctl("--no-names dump-flows", bridge_of(state).name));
    return;
  }
  if (found.row == nullptr) {
    write(state, TapeMiss{table, false});
    return;  // resubmit and goto alike: nothing more happens, the caller goes on
  }
  const bool ambiguous = found.rival != nullptr && !(found.rival->flow.actions == found.row->flow.actions);
  write(state, TapeHit{found.row, table, ambiguous});
  if (ambiguous) {
    assume("ASSUME_FIRST_OF_EQUAL_PRIORITY",
           "where two flows of equal priority match, Open vSwitch does not say which wins; the earlier line of the dump is taken");
  }
  if (lost) return;
  const TableId caller = state.table;
  state.table = table;
  ++level_;
  run_actions(state, found.row->flow.actions);
  --level_;
  state.table = caller;
}

void Translation::use_original_tuple(FlowKey& key) {
  const bool v6 = get64(key, FieldId::EthType) == openflow::kTypeIpv6;
  if (v6) {
    set(key, FieldId::Ipv6Src, get(key, FieldId::CtIpv6Src));
    set(key, FieldId::Ipv6Dst, get(key, FieldId::CtIpv6Dst));
  } else {
    set64(key, FieldId::IpSrc, get64(key, FieldId::CtNwSrc));
    set64(key, FieldId::IpDst, get64(key, FieldId::CtNwDst));
  }
  set64(key, FieldId::NwProto, get64(key, FieldId::CtNwProto));
  set64(key, FieldId::TcpSrc, get64(key, FieldId::CtTpSrc));
  set64(key, FieldId::TcpDst, get64(key, FieldId::CtTpDst));
}

// --- actions ---------------------------------------------------------------------------------------------

Translation::Flow Translation::run_actions(State& state, const Actions& actions) {
  if (actions.empty() && policy_.every_action) write(state, TapeAction{nullptr});
  for (const Action& action : actions) {
    if (policy_.every_action) write(state, TapeAction{&action});
    if (state.popped_mpls && needs_parsing_below_mpls(state, action)) {
      return unknown(state, Reason::HiddenState, "what is below the labels of an MPLS packet is parsed by the datapath only");
    }
    const Flow flow = apply(state, action);
    if (failed_ || exited_ || flow == Flow::EndAll) return Flow::EndAll;
    if (flow == Flow::EndList) return Flow::Go;
  }
  return Flow::Go;
}

Translation::Flow Translation::apply(State& state, const Action& action) {
  using namespace openflow;
  const auto to = [&](const Subfield& part, Bits128 value) { set_part(state, part, value); return Flow::Go; };
  return std::visit(
      overloaded{
          [&](const Output& a) { output(state, a.port); return Flow::Go; },
          [&](const OutputField& a) {
            const std::uint64_t port = normalise_port(get(state.key(), a.from).low);
            if (port <= 0xffff) output(state, Ofport{static_cast<std::uint32_t>(port)});
            else write(state, TapeWarning{fmt::format("output port {:#x} is out of range", port)});
            return Flow::Go;
          },
          [&](const OutputTruncated& a) { return output_truncated(state, a.port); },
          [&](const Controller& a) {
            controller(state, "a copy goes to the controller");
            if (!a.pause) return Flow::Go;
            note(state, "the pipeline waits for the controller: nothing more happens until it answers");
            exited_ = true;
            state.action_set.clear();
            return Flow::EndAll;
          },
          [&](const Enqueue& a) { output(state, a.port); return Flow::Go; },
          [&](const SetQueue&) { return Flow::Go; },
          [&](const PopQueue&) { return Flow::Go; },
          [&](const ToGroup& a) { return group(state, a.group); },
          [&](const Resubmit& a) { return resubmit(state, a); },
          [&](const GotoTable& a) { resubmit(state, {std::nullopt, a.table, false}); return Flow::EndList; },
          [&](const SetField& a) { set_field(state, a); return Flow::Go; },
          [&](const ModTransport& a) {
            // Open vSwitch keeps ICMP's type and code where the ports are, and writes them all the same.
            const bool has_transport = state.packet.ip() && (state.packet.get(FieldId::IpFrag) & kFragLater) == 0;
            if (has_transport) change(state, a.source ? FieldId::TcpSrc : FieldId::TcpDst, {0, a.port});
            return Flow::Go;
          },
          [&](const Move& a) {
            const bool there = exists(state.key(), info(a.from.field).needs);
            return to(a.to, there ? get(state.key(), a.from) : Bits128{});
          },
          [&](const Push& a) {
            state.stack.push_back(get(state.key(), a.from));
            stacked_ += 1 + (a.from.bits + 7u) / 8u;
            return Flow::Go;
          },
          [&](const Pop& a) {
            if (state.stack.empty()) {
              write(state, TapeWarning{"stack underflow"});
              return Flow::Go;
            }
            const Bits128 value = state.stack.back();
            state.stack.pop_back();
            stacked_ -= std::min<std::size_t>(stacked_, 1 + (a.to.bits + 7u) / 8u);
            return to(a.to, value);
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
          [&](const PushMpls& a) { return push_mpls(state, a.type); },
          [&](const PopMpls& a) { return pop_mpls(state, a.type); },
          [&](const DecMplsTtl&) { return dec_mpls_ttl(state) ? Flow::Go : Flow::EndList; },
          [&](const DecTtl&) { return dec_ttl(state) ? Flow::Go : Flow::EndList; },
          [&](const openflow::Ct& a) { ct(state, *a.spec); return Flow::Go; },
          [&](const CtClear&) {
            untrack(state);
            return Flow::Go;
          },
          [&](const Conjunction&) { return Flow::Go; },
          [&](const Learn& a) { learn(state, *a.spec); return Flow::Go; },
          [&](const Clone& a) {
            State copy = state;
            run_actions(copy, *a.actions);
            if (!failed_) exited_ = false;  // an exit within stays within
            return Flow::Go;
          },
          [&](const WriteActions& a) { write_actions(state, *a.actions); return Flow::Go; },
          [&](const ClearActions&) {
            state.action_set.clear();
            state.packet.set(FieldId::ActsetOutput, kPortUnset.value);
            return Flow::Go;
          },
          [&](const DeleteField& a) { delete_field(state, a.field); return Flow::Go; },
          [&](const Exit&) { exited_ = true; return Flow::EndAll; },
          [&](const CheckPktLarger& a) {
            if (!policy_.guess) return unknown(state, Reason::HiddenState, "the flow does not say how long the packet is: check_pkt_larger");
            return to(a.to, Bits128{0, state.packet.size + 14 > a.size ? 1u : 0u});
          },
          [&](const Multipath& a) { return multipath(state, *a.spec); },
          [&](const openflow::Bundle& a) { return bundle(state, *a.spec); },
          [&](const NoEffect& a) {
            // A sample of what a tunnel port sends fills in the tunnel's fields, and they stay.
            const std::size_t at = a.text->find("sampling_port=");
            if (policy_.guess || at == std::string::npos) return Flow::Go;
            const std::string port = a.text->substr(at + 14, a.text->find_first_of(",)", at) - at - 14);
            const bool tunnel = std::ranges::any_of(bridge_of(state).ports, [&](const BridgePort& p) {
              return p.type == PortType::Tunnel && (p.name == port || std::to_string(p.number.value) == port);
            });
            return tunnel ? not_modelled(state, action) : Flow::Go;
          },
          [&](const Unmodelled&) { return not_modelled(state, action); },
      },
      action.variant());
}

Translation::Flow Translation::resubmit(State& state, const openflow::Resubmit& action) {
  const TableId table = action.table.value_or(state.table);
  if (action.ct && !exists(state.key(), Prerequisite::Tracked)) {
    write(state, TapeWarning{"resubmit(ct) of a packet that is not tracked"});
    return Flow::Go;
  }
  if (table.value == kInternalTable && bridge_of(state).tables[kInternalTable] == nullptr) {
    ++resubmits_;
    note(state, "table 254 is the switch's own: a packet that is sent there is dropped");
    return Flow::Go;
  }
  // Only going back costs depth: chains forward end by themselves.
  const bool back = table <= state.table;
  if (!within_limits(state)) return Flow::EndAll;
  ++resubmits_;
  if (back) ++depth_;
  look_up(state, table, action.in_port, action.ct);
  if (back) --depth_;
  return exited_ || failed_ ? Flow::EndAll : Flow::Go;
}

void Translation::controller(State& state, std::string text) {
  tape_.to_controller = true;
  note(state, std::move(text));
}

// --- output ----------------------------------------------------------------------------------------------------

void Translation::output(State& state, Ofport port) {
  if (port == kPortNormal) return normal(state);
  if (port == kPortFlood || port == kPortAll) return flood(state, port == kPortAll);
  if (port == kPortNone) return;
  if (port == kPortTable) {
    resubmit(state, {std::nullopt, TableId{0}, false});
    return;
  }
  if (port == kPortController) return controller(state, "a copy goes to the controller");
  const bool back = port == kPortInPort;
  if (back) port = state.in_port();
  else if (port == state.in_port()) return write(state, TapeWarning{"skipping output to input port"});
  const Bridge& bridge = bridge_of(state);
  const auto found = bridge.by_number.find(port.value);
  if (found == bridge.by_number.end()) {
    if (!bridge.known_ports) {
      unknown(state, Reason::DumpMissing, fmt::format("no dump says what port {} of {} is", port.value, bridge.name), ofctl("show", bridge.name));
      return;
    }
    return write(state, TapeWarning{fmt::format("Nonexistent output port {}", port.value)});
  }
  output_to(state, found->second, state.packet);
}

// A copy cut to some length: only a real port sends it.
Translation::Flow Translation::output_truncated(State& state, Ofport port) {
  if (port == kPortInPort) port = state.in_port();
  else if (port == state.in_port()) {
    write(state, TapeWarning{"skipping output to input port"});
    return Flow::Go;
  }
  const BridgePort* out = bridge_of(state).port(port);
  if (out != nullptr && out->type == PortType::Patch) write(state, TapeWarning{"output_trunc does not support patch output action"});
  else if (out != nullptr || port.value < kFirstReservedPort.value) output(state, port);
  else write(state, TapeWarning{fmt::format("output_trunc does not support port: {}", port.value)});
  return Flow::Go;
}

void Translation::output_to(State& state, std::size_t port_index, const Packet& packet) {
  const Bridge& bridge = bridge_of(state);
  const BridgePort& port = bridge.ports[port_index];
  if (port.no_fwd) return note(state, fmt::format("port {} does not forward (NO_FWD): no output", port.name), port.at);
  if (const BridgePort* in = bridge.port(state.in_port()); in != nullptr && bridge.bundles[port.bundle].is_protected && bridge.bundles[in->bundle].is_protected) {
    return write(state, TapeWarning{fmt::format("{} and the port it came in by are both protected", port.name)});
  }
  if (port.blocked) return write(state, TapeWarning{"the spanning tree is not in forwarding state, skipping output"});
  if (port.type == PortType::Patch) return cross_patch(state, port_index, packet);
  if (!policy_.guess && native_tunnel_possible(state, port, packet)) {
    unknown(state, Reason::HiddenState, fmt::format("the userspace datapath tunnels by itself: what becomes of output to {} depends on its routes and neighbours", port.name),
            "ovs-appctl ovs/route/show; ovs-appctl tnl/neigh/show");
    return;
  }
  Emission emission{state.hop, state.bridge, port_index, packet, tape_.passes.size() - 1};
  if (port.type == PortType::Tunnel && !tunnel_output(state, port, emission.packet)) return;
  write(state, TapeOutput{port_index, false});
  emissions_.push_back(std::move(emission));
  mirror(state, bridge.bundles[port.bundle], packet, true);
}

// What the tunnel's own configuration writes into the packet; not where the tunnel would end at ourselves.
bool Translation::tunnel_output(State& state, const BridgePort& port, Packet& packet) {
  const TunnelEnd& end = port.tunnel;
  if (!end.remote_by_flow && end.remote) {
    if (end.remote->v6()) set(packet.key, FieldId::TunIpv6Dst, {end.remote->high, end.remote->low});
    else packet.set(FieldId::TunDst, end.remote->low);
  }
  if (end.out_key) packet.set(FieldId::TunId, *end.out_key);
  const bool v6 = end.remote && end.remote->v6();
  if (!v6 && packet.get(FieldId::TunDst) == state.tun_dst_on_arrival && get(packet.key, FieldId::TunIpv6Dst) == Bits128{}) {
    write(state, TapeWarning{"Not tunneling to our own address"});
    return false;
  }
  return true;
}

// In the userspace datapath a tunnel's packet goes on through another bridge, and what is sent to an
// internal port may be taken out of its tunnel there. With one bridge there is nothing to go through.
bool Translation::native_tunnel_possible(const State& state, const BridgePort& port, const Packet& packet) const {
  const Bridge& bridge = bridge_of(state);
  if (bridge.row == nullptr || bridge.row->datapath_type.empty() || bridge.row->datapath_type == "system") return false;
  const auto tunnels_elsewhere = [&](const Bridge& other) {
    return &other != &bridge && std::ranges::any_of(other.ports, [](const BridgePort& p) { return p.type == PortType::Tunnel; });
  };
  if (port.type == PortType::Tunnel) {
    return std::ranges::any_of(host_.bridges, [&](const Bridge& other) {
      return &other != &bridge && std::ranges::any_of(other.ports, [](const BridgePort& p) { return p.type == PortType::System && p.number != kPortNone; });
    });
  }
  constexpr std::array<std::uint64_t, 5> kUdp = {4789, 6081, 2152, 6635, 7471};
  constexpr std::uint8_t kGre = 47;
  const bool tunnelled = packet.ip() && (packet.protocol() == kGre || (packet.protocol() == openflow::kProtoUdp &&
                                                                     std::ranges::find(kUdp, packet.get(FieldId::UdpDst)) != kUdp.end()));
  return port.type == PortType::Internal && tunnelled && std::ranges::any_of(host_.bridges, tunnels_elsewhere);
}

void Translation::cross_patch(State& state, std::size_t port_index, const Packet& packet) {
  const BridgePort& port = bridge_of(state).ports[port_index];
  if (port.peer_bridge == kNowhere) {
    write(state, TapeOutput{port_index, true});
    unknown(state, Reason::NoSuchPort, fmt::format("patch port {} leads to no known bridge", port.name), "ovs-vsctl show on " + host_.name, port.at);
    return;
  }
  if (depth_ >= kMaxDepth || hops_before_ + tape_.hops.size() >= Session::kMaxHops) {
    return fail(state, fmt::format("over max translation depth {}: patch ports in a loop", kMaxDepth), "Recursion too deep", Verdict::Looped);
  }
  if (!within_limits(state)) return;
  write(state, TapeOutput{port_index, false});
  const BridgePort& far = host_.bridges[port.peer_bridge].ports[port.peer_port];
  State peer;
  peer.bridge = port.peer_bridge;
  peer.packet = packet;
  peer.packet.key = fresh_key(packet.key, far.number);
  peer.hop = tape_.hops.size();
  peer.popped_mpls = state.popped_mpls;
  tape_.hops.push_back({state.hop, port.peer_bridge, port.peer_port, peer.packet});
  const std::uint32_t mirrored = mirrored_;
  if (port.peer_bridge != state.bridge) mirrored_ = 0;
  ++depth_;
  ++resubmits_;
  if (receives(peer)) enter(peer);
  --depth_;
  if (port.peer_bridge != state.bridge) mirrored_ = mirrored;
  exited_ = false;  // what ends there ends there, and so does what failed there
  if (failed_ && !tape_.hops.empty()) {
    failed_ = false;
    tape_.passes.back().error.clear();
  }
}

}  // namespace dvrtrace
