#include "tracer/engine/translation.h"

#include <fmt/format.h>

#include <algorithm>

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
// Open vSwitch has no limit for returns from connection tracking: packets would go round for ever.
constexpr std::size_t kMaxPasses = 4096, kMaxEntries = 400'000;
constexpr std::size_t kMaxStackBytes = 65536;
constexpr std::size_t kMaxActionBytes = 65535;  // of the datapath's actions
// A table that no dump shows: one flow that drops, for what is sent there.
constexpr std::uint8_t kInternalTable = 254;

// The priority that stands for a queue: in the kernel a class of its queueing discipline.
std::uint64_t priority_of(const Bridge& bridge, std::uint32_t queue) {
  constexpr std::uint64_t kMajor = 1u << 16;
  const bool kernel =
      bridge.row == nullptr || bridge.row->datapath_type.empty() || bridge.row->datapath_type == "system";
  return kernel ? kMajor | ((queue + 1) & 0xffff) : queue;
}

}  // namespace

std::string Translation::ofctl(const std::string& command, const std::string& bridge) const {
  return fmt::format("ovs-ofctl {} {} on {}", command, bridge, host_.name);
}

void Translation::run(std::size_t bridge, std::size_t port, const Packet& packet, std::size_t hops_before) {
  emissions_.clear();
  frozen_.clear();
  resubmits_ = ct_used_ = action_bytes_ = 0;
  only_outputs_ = true;
  sent_ = packet.key;
  depth_ = 0;
  level_ = 0;
  mirrored_ = 0;
  failed_ = too_many_labels_ = exited_ = false;
  hops_before_ = hops_before;
  State state;
  state.bridge = bridge;
  state.packet = packet;
  set64(state.key(), FieldId::ActsetOutput, kPortUnset.value);
  state.tun_dst_on_arrival = state.packet.get(FieldId::TunDst);
  tape_.hops.push_back({0, bridge, port, packet});
  tape_.passes.push_back({state.key(), state.key(), state.key(), bridge, false, {}, {}});
  if (state.packet.get(FieldId::RecircId) != 0) {
    unknown(state, Reason::HiddenState,
            "the packet goes on where the switch froze it (recirc_id): only the switch knows where that was");
    return;
  }
  enter(state, Entry::FromOutside);
  tape_.passes.back().after = state.key();
  if (failed_) emissions_.clear();  // "Translation failed, packet is dropped"
  while (!frozen_.empty()) {
    if (tape_.passes.size() >= kMaxPasses || tape_.entries.size() >= kMaxEntries) {
      stop(frozen_.front().state, policy_.ct_next == nullptr ? Verdict::Looped : Verdict::Unknown,
           Reason::Loop,
           fmt::format(
               "over {} returns from connection tracking: the tables send the packet there again and again",
               tape_.passes.size() - 1));
      frozen_.clear();
      break;
    }
    Frozen next = std::move(frozen_.front());
    frozen_.pop_front();
    resume(std::move(next));
  }
  settle_learned();
}

// Whether the port takes the packet in.
bool Translation::receives(State& state) {
  const BridgePort* in = bridge_of(state).port(state.in_port());
  if (in == nullptr) return true;
  if (in->no_recv) {
    stop(state, Verdict::Dropped, Reason::DeviceDown,
         fmt::format("port {} does not receive (NO_RECV)", in->name), {}, in->at);
    return false;
  }
  if (in->blocked && !in->learning) {
    stop(state, Verdict::Dropped, Reason::NotForwarded,
         fmt::format("the spanning tree blocks port {}", in->name), {}, in->at);
    return false;
  }
  return true;
}

// A session of BFD takes its packets off the port; not those of a tunnel with a key, unless it is told to look at keys.
bool Translation::ends_monitoring(const State& state, const BridgePort& port) const {
  constexpr std::uint64_t kBfdPort = 3784, kBfdMac = 0x002320000001;
  return port.bfd && state.packet.ip() && state.packet.protocol() == openflow::kProtoUdp &&
         state.packet.get(FieldId::UdpDst) == kBfdPort && state.packet.eth_dst().value == kBfdMac &&
         !(port.bfd_tunnel_key && state.packet.get(FieldId::TunId) != 0);
}

// Whether a packet from outside is lost although a flow of table 0 is hit: Open vSwitch looks it up first.
bool Translation::loses(State& state) {
  const Bridge& bridge = bridge_of(state);
  const BridgePort* in = bridge.port(state.in_port());
  if (in != nullptr && ends_monitoring(state, *in)) {
    mirror(state, bridge.bundles[in->bundle], state.packet, false);
    return true;
  }
  if (in != nullptr && bridge.reserved_for_mirror(bridge.bundles[in->bundle])) {
    stop(state, Verdict::Dropped, Reason::NotForwarded,
         fmt::format("dropping packet received on port {}, which is reserved exclusively for mirroring",
                     in->name));
    return true;
  }
  // A congestion mark that the tunnel saw is carried over; a packet that cannot bear it is lost.
  constexpr std::uint64_t kEcnMask = 3, kCongestion = 3;
  if ((state.packet.get(FieldId::TunTos) & kEcnMask) == kCongestion && state.packet.ip() &&
      state.packet.get(FieldId::NwEcn) != kCongestion) {
    if (state.packet.get(FieldId::NwEcn) == 0) return true;
    change(state, FieldId::NwEcn, {0, kCongestion});
  }
  return !receives(state);
}

void Translation::enter(State& state, Entry entry) {
  const Bridge& bridge = bridge_of(state);
  write(state, TapeEnter{state.hop});
  ++level_;
  if (!bridge.flows_present) {
    const bool failed = bridge.dumps != nullptr && !bridge.dumps->flows.failure.empty();
    unknown(state, Reason::DumpMissing,
            failed ? fmt::format("the dump of {}'s flows is the text of a failed command: {}", bridge.name,
                                 bridge.dumps->flows.failure)
                   : fmt::format("there is no dump of {}'s flows", bridge.name),
            ofctl("dump-flows", bridge.name));
    --level_;
    return;
  }
  const std::size_t emitted = emissions_.size(), waiting = frozen_.size(), hops = tape_.hops.size();
  const BridgePort* in = bridge.port(state.in_port());
  if (entry == Entry::FromOutside) {
    look_up(state, TableId{0}, std::nullopt, false, loses(state) ? Arrival::Lost : Arrival::Now);
    finish(state);
  } else if ((in == nullptr || !ends_monitoring(state, *in)) && receives(state) && within_limits(state)) {
    ++resubmits_;
    ++depth_;
    look_up(state, TableId{0}, std::nullopt);
    finish(state);
    --depth_;
  }
  if (in != nullptr && in->blocked) {
    // NORMAL and learn() had their look at the packet; what they sent is taken back.
    emissions_.resize(emitted);
    // A trace is told of forks all the same.
    while (policy_.ct_next == nullptr && frozen_.size() > waiting) frozen_.pop_back();
    stop(state, Verdict::Dropped, Reason::NotForwarded,
         fmt::format("the spanning tree does not let port {} forward yet", in->name), {}, in->at);
  }
  conclude(state, emitted, waiting, hops);
  --level_;
}

// Nothing came of the packet, not even a copy that waits for connection tracking: the hop ends here.
void Translation::conclude(State& state, std::size_t emitted, std::size_t waiting, std::size_t hops) {
  if (emissions_.size() == emitted && frozen_.size() == waiting && tape_.hops.size() == hops)
    write(state, TapeConclude{});
}

void Translation::finish(State& state) {
  if (!failed_) run_action_set(state);
}

void Translation::fail(State& state, std::string text, std::string error, Verdict verdict) {
  if (failed_) return;
  failed_ = true;
  too_many_labels_ = error == kTooManyLabels;
  tape_.passes.back().error = std::move(error);
  stop(state, verdict, verdict == Verdict::Looped ? Reason::Loop : Reason::TranslationFailed,
       std::move(text));
}

// What failed stays where it failed.
void Translation::forgive() {
  failed_ = too_many_labels_ = false;
  tape_.passes.back().error.clear();
}

Translation::Flow Translation::unknown(State& state, Reason reason, std::string text, std::string needs,
                                       Provenance at) {
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
    if (row->flow.match.matches(key) &&
        (found.row == nullptr || row->flow.priority > found.row->flow.priority))
      found.row = row.get();
  }
  return found;
}

// Whether the packet has been in this bridge before: it is patch ports then that lead in a circle.
bool Translation::came_round(const State& state) const {
  for (std::size_t hop = state.hop; hop != tape_.hops[hop].parent && hop != 0;) {
    hop = tape_.hops[hop].parent;
    if (tape_.hops[hop].bridge == state.bridge) return true;
  }
  return false;
}

bool Translation::within_limits(State& state) {
  if (failed_) return false;
  if (depth_ >= kMaxDepth) {
    fail(state, fmt::format("over max translation depth {}", kMaxDepth), "Recursion too deep",
         came_round(state) ? Verdict::Looped : Verdict::Dropped);
  } else if (resubmits_ >= kMaxResubmits) {
    fail(state, fmt::format("over {} resubmit actions", kMaxResubmits), "Too many resubmits");
  } else if (state.stack_bytes >= kMaxStackBytes) {
    fail(state, "resubmits yielded over 64 kB of stack", "Stack too deep");
  } else if (action_bytes_ > kMaxActionBytes && only_outputs_) {
    // Not an error: what was sent by now stays sent.
    write(state, TapeWarning{"resubmits yielded over 64 kB of actions"});
    exited_ = true;
    return false;
  } else if (action_bytes_ > kMaxActionBytes) {
    unknown(state, Reason::HiddenState,
            "the switch stops resubmits that yield over 64 kB of actions: how far it gets depends on its "
            "datapath");
    return false;
  }
  return !failed_;
}

// What the actions that send the packet as it is now take at most, in the form that the datapath is given.
void Translation::count_actions(const FlowKey& next) {
  constexpr std::size_t kOutput = 8, kSetEthernet = 32, kTag = 12, kSetOther = 200;
  static constexpr FlowKey kOthers = openflow::mask_of(
      std::array{FieldId::EthType, FieldId::IpSrc, FieldId::IpDst, FieldId::Ipv6Src, FieldId::Ipv6Dst,
                 FieldId::NwTos, FieldId::NwTtl, FieldId::TcpSrc, FieldId::TcpDst, FieldId::ArpOp,
                 FieldId::ArpSha, FieldId::ArpTha, FieldId::NdTarget, FieldId::MplsLabel, FieldId::MplsTtl,
                 FieldId::PktMark, FieldId::SkbPriority, FieldId::TunId, FieldId::TunDst});
  const auto changed = [&](FieldId id) { return get64(sent_, id) != get64(next, id); };
  const auto changed_others = [&] {
    std::uint64_t differ = 0;
    for (std::size_t word = 0; word < openflow::kKeyWords; ++word)
      differ |= (sent_.words[word] ^ next.words[word]) & kOthers.words[word];
    return differ != 0;
  };
  action_bytes_ += kOutput;
  if (sent_ == next) return;
  const std::size_t outputs = action_bytes_;
  if (changed(FieldId::EthSrc) || changed(FieldId::EthDst)) action_bytes_ += kSetEthernet;
  if (changed(FieldId::VlanTci)) action_bytes_ += kTag;
  if (changed(FieldId::VlanTci1)) action_bytes_ += kTag;
  if (changed_others()) action_bytes_ += kSetOther;
  if (action_bytes_ != outputs) only_outputs_ = false;
  sent_ = next;
}

void Translation::look_up(State& state, TableId table, std::optional<Ofport> in_port, bool original_tuple,
                          Arrival arrival) {
  const BridgeDumps* dumps = bridge_of(state).dumps;
  const std::string_view frags = dumps != nullptr ? dumps->features.value.frags : std::string_view{};
  std::optional<FlowKey> changed;
  const FlowKey* key = &state.key();
  const std::uint64_t fragment = state.packet.get(FieldId::IpFrag);
  const bool is_fragment = (fragment & openflow::kFragAny) != 0 && state.packet.ip();
  if (in_port || original_tuple || is_fragment) {
    changed = state.key();
    key = &*changed;
    if (in_port) set64(*changed, FieldId::InPort, in_port->value);
    if (original_tuple) use_original_tuple(*changed);
    // frags=normal: looked up without ports. nx-match looks at the first fragment's.
    if (is_fragment && (frags != "nx-match" || (fragment & openflow::kFragLater) != 0)) {
      set64(*changed, FieldId::TcpSrc, 0);
      set64(*changed, FieldId::TcpDst, 0);
    }
  }
  if (state.popped_mpls) {
    unknown(state, Reason::HiddenState,
            "what is below the labels of an MPLS packet is parsed by the datapath only");
    return;
  }
  if (is_fragment && frags == "drop") {
    write(state, TapeMiss{table, true});
    return;
  }
  const Classifier::Found found = find(state, table, *key);
  const bool takes_all =
      found.row != nullptr && found.row->flow.match.words.empty() && found.row->flow.actions.empty();
  if (found.row == nullptr || takes_all) tape_.missed.push_back({state.hop, table, *key});
  if (found.undecided) {
    unknown(state, Reason::LineNotUnderstood,
            fmt::format("a line of table {} of {} that was not understood might match with higher priority",
                        table.value, bridge_of(state).name));
    return;
  }
  if (found.row == nullptr && bridge_of(state).unknown_tables) {
    unknown(state, Reason::LineNotUnderstood,
            "the dump has names for tables, and does not say which numbers they are",
            ofctl("--no-names dump-flows", bridge_of(state).name));
    return;
  }
  if (found.row == nullptr) {
    write(state, TapeMiss{table, false});
    if (arrival == Arrival::Now) mirror_arrival(state);
    return;  // resubmit and goto alike: nothing more happens, the caller goes on
  }
  const bool ambiguous = found.rival != nullptr && !(found.rival->flow.actions == found.row->flow.actions);
  write(state, TapeHit{found.row, table, ambiguous});
  if (ambiguous) {
    assume("ASSUME_FIRST_OF_EQUAL_PRIORITY",
           "where two flows of equal priority match, Open vSwitch does not say which wins; the earlier line "
           "of the dump is taken");
  }
  if (arrival == Arrival::Lost) return;
  if (arrival == Arrival::Now) mirror_arrival(state);
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

Translation::Flow Translation::run_actions(State& state, std::span<const Action> actions) {
  if (actions.empty() && policy_.every_action) write(state, TapeAction{nullptr});
  for (std::size_t i = 0; i < actions.size(); ++i) {
    if (failed_ || exited_) return Flow::EndAll;
    const Action& action = actions[i];
    if (policy_.every_action) write(state, TapeAction{&action});
    if (state.popped_mpls && needs_parsing_below_mpls(state, action)) {
      return unknown(state, Reason::HiddenState,
                     "what is below the labels of an MPLS packet is parsed by the datapath only");
    }
    const auto* check = policy_.guess ? nullptr : std::get_if<openflow::CheckPktLarger>(&action.variant());
    const Flow flow =
        check != nullptr ? both_sizes(state, *check, actions.subspan(i + 1)) : apply(state, action);
    if (flow == Flow::EndList) return Flow::Go;
    if (flow == Flow::EndAll) return Flow::EndAll;
  }
  return failed_ || exited_ ? Flow::EndAll : Flow::Go;
}

// The datapath knows how long a packet is: it is given what follows twice, for longer packets and for the others.
Translation::Flow Translation::both_sizes(State& state, const openflow::CheckPktLarger& check,
                                          std::span<const Action> rest) {
  const Bridge& bridge = bridge_of(state);
  if (!bridge.checks_packet_length) {
    return unknown(state, Reason::HiddenState,
                   "whether the datapath can tell the length of a packet (check_pkt_larger) is in no dump",
                   fmt::format("ovs-appctl dpif/show-dp-features {} on {}", bridge.name, host_.name));
  }
  if (!*bridge.checks_packet_length) {
    // The switch does it by itself, and there is no packet whose length it could look at.
    set_part(state, check.to, {});
    return Flow::Go;
  }
  assume("ASSUME_ANY_PACKET_SIZE",
         "the flow does not say how long the packet is: what check_pkt_larger leads to is shown for longer "
         "packets first, then for the others");
  const bool exited = exited_;
  bool exited_when_larger = exited;
  for (const std::uint64_t larger : {1u, 0u}) {
    State copy = state;
    set_part(copy, check.to, {0, larger});
    run_actions(copy, rest);
    if (!failed_) run_action_set(copy);
    if (larger == 1) exited_when_larger = exited_;
    exited_ = exited;
  }
  exited_ = exited_when_larger;
  return Flow::EndList;
}

Translation::Flow Translation::apply(State& state, const Action& action) {
  using namespace openflow;
  const auto to = [&](const Subfield& part, Bits128 value) {
    set_part(state, part, value);
    return Flow::Go;
  };
  return std::visit(
      overloaded{
          [&](const Output& a) {
            output(state, a.port);
            return Flow::Go;
          },
          [&](const OutputField& a) {
            const std::uint64_t port = normalise_port(get(state.key(), a.from).low);
            if (port <= 0xffff)
              output(state, Ofport{static_cast<std::uint32_t>(port)});
            else
              write(state, TapeWarning{fmt::format("output port {:#x} is out of range", port)});
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
          [&](const Enqueue& a) {
            output(state, a.port);
            return Flow::Go;
          },
          [&](const SetQueue& a) {
            change(state, FieldId::SkbPriority, {0, priority_of(bridge_of(state), a.queue)});
            return Flow::Go;
          },
          [&](const PopQueue&) {
            change(state, FieldId::SkbPriority, get(tape_.passes.back().before, FieldId::SkbPriority));
            return Flow::Go;
          },
          [&](const ToGroup& a) { return group(state, a.group); },
          [&](const Resubmit& a) { return resubmit(state, a); },
          [&](const GotoTable& a) {
            resubmit(state, {std::nullopt, a.table, false});
            return Flow::EndList;
          },
          [&](const SetField& a) {
            set_field(state, a);
            return Flow::Go;
          },
          [&](const ModTransport& a) {
            // Open vSwitch keeps ICMP's type and code where the ports are, and writes them all the same.
            const bool has_transport =
                state.packet.ip() && (state.packet.get(FieldId::IpFrag) & kFragLater) == 0;
            if (has_transport) change(state, a.source ? FieldId::TcpSrc : FieldId::TcpDst, {0, a.port});
            return Flow::Go;
          },
          [&](const Move& a) {
            const bool there = exists(state.key(), info(a.from.field).needs);
            return to(a.to, there ? get(state.key(), a.from) : Bits128{});
          },
          [&](const Push& a) {
            state.stack.push_back({get(state.key(), a.from), 1 + (a.from.bits + 7u) / 8u});
            state.stack_bytes += state.stack.back().bytes;
            return Flow::Go;
          },
          [&](const Pop& a) {
            if (state.stack.empty()) {
              write(state, TapeWarning{"stack underflow"});
              return Flow::Go;
            }
            const Bits128 value = state.stack.back().value;
            state.stack_bytes -= state.stack.back().bytes;
            state.stack.pop_back();
            return to(a.to, value);
          },
          [&](const SetVlanVid& a) {
            const std::uint64_t tci = state.packet.get(FieldId::VlanTci);
            change(state, FieldId::VlanTci, {0, (tci & 0xe000) | kVlanPresent | a.vid});
            return Flow::Go;
          },
          [&](const SetVlanPcp& a) {
            const std::uint64_t tci = state.packet.get(FieldId::VlanTci);
            change(state, FieldId::VlanTci,
                   {0, (tci & 0x0fff) | kVlanPresent | static_cast<std::uint64_t>(a.pcp) << 13});
            return Flow::Go;
          },
          [&](const StripVlan&) {
            pop_vlan(state);
            return Flow::Go;
          },
          [&](const PushVlan& a) {
            push_vlan(state, a.type);
            return Flow::Go;
          },
          [&](const PushMpls& a) { return push_mpls(state, a.type); },
          [&](const PopMpls& a) { return pop_mpls(state, a.type); },
          [&](const DecMplsTtl&) { return dec_mpls_ttl(state) ? Flow::Go : Flow::EndList; },
          [&](const DecTtl&) { return dec_ttl(state) ? Flow::Go : Flow::EndList; },
          [&](const openflow::Ct& a) {
            ct(state, *a.spec);
            return Flow::Go;
          },
          [&](const CtClear&) {
            if (exists(state.key(), Prerequisite::Tracked)) untrack(state);
            return Flow::Go;
          },
          [&](const Conjunction&) { return Flow::Go; },
          [&](const Learn& a) {
            learn(state, *a.spec);
            return Flow::Go;
          },
          [&](const Clone& a) {
            // A packet of its own, whose action set is executed here. An exit within ends what is around it too.
            State copy = state;
            run_actions(copy, a.actions);
            if (!failed_) run_action_set(copy);
            return Flow::Go;
          },
          [&](const WriteActions& a) {
            write_actions(state, a.actions);
            return Flow::Go;
          },
          [&](const ClearActions&) {
            state.action_set.clear();
            state.packet.set(FieldId::ActsetOutput, kPortUnset.value);
            return Flow::Go;
          },
          [&](const DeleteField& a) {
            delete_field(state, a.field);
            return Flow::Go;
          },
          [&](const Exit&) {
            exited_ = true;
            return Flow::EndAll;
          },
          [&](const CheckPktLarger& a) {
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
  if (!within_limits(state)) return Flow::EndAll;
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

}  // namespace dvrtrace
