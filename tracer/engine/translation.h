// Translation: one packet through the OpenFlow tables of a host's bridges, as Open vSwitch translates it.
//
// It begins at a port of a bridge and ends at ports that lead out of Open vSwitch: patch ports are
// crossed within. ct() forks: the copy that comes back from connection tracking is taken up after
// everything else, in the order the forks arose, as in ofproto/ofproto-dpif-xlate.c. What happens is
// written to a Tape.
//
//   translation.cc   lookups, the list of actions, limits
//   output.cc        ports, tunnels, patch ports
//   rewrite.cc       what changes the packet: fields, tags, labels, the TTL
//   tracking.cc      ct() and learn()
//   groups.cc        groups, the action set, bundle
//   normal.cc        NORMAL, FLOOD, mirrors
#pragma once

#include <algorithm>
#include <list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "src/model/network.h"
#include "tracer/engine/session.h"
#include "tracer/engine/tape.h"

namespace dvrtrace {

// The packet as it leaves Open vSwitch by a port that is no patch port.
struct Emission {
  std::size_t hop = 0;  // the bridge it leaves
  std::size_t bridge = 0, port = 0;
  Packet packet;
  std::size_t pass = 0;  // of the tape
};

// Why a translation failed, where that ends no more than a group's bucket.
inline constexpr const char* kTooManyLabels = "Too many MPLS labels";

// What differs between following a packet of a network and asking `ofproto/trace`.
struct TranslationPolicy {
  // The ct_state of the forks to come, used up one by one and then trk|new, with NAT written into the
  // packet at once. None: the connections of the session.
  const std::vector<std::uint32_t>* ct_next = nullptr;
  bool side_effects = true;   // learn MACs and flows
  bool guess = true;          // where a hash decides, take the first and say so; else end Unknown
  bool every_action = false;  // on the tape
};

class Translation {
 public:
  Translation(const Network& network, std::size_t host, Session& session, Tape& tape,
              TranslationPolicy policy = {})
      : network_(network),
        host_index_(host),
        host_(network.host(host)),
        session_(session),
        tape_(tape),
        policy_(policy) {}

  // The packet comes in by `port`, an index; kNowhere: by no port of the bridge, InPort stays as it is.
  // Metadata and tunnel fields of the packet count. `hops_before` counts against Session::kMaxHops.
  void run(std::size_t bridge, std::size_t port, const Packet& packet, std::size_t hops_before = 0);
  std::vector<Emission>& emissions() { return emissions_; }

 private:
  // A packet within one bridge.
  struct State {
    std::size_t bridge = 0, hop = 0;
    Packet packet;
    TableId table;
    std::vector<openflow::Action> action_set;
    struct Pushed {
      openflow::Bits128 value;
      std::size_t bytes;
    };
    std::vector<Pushed> stack;
    std::size_t stack_bytes = 0;
    bool popped_mpls = false;  // what is below the labels is not parsed yet
    std::uint64_t tun_dst_on_arrival = 0;
    openflow::FlowKey& key() { return packet.key; }
    const openflow::FlowKey& key() const { return packet.key; }
    Ofport in_port() const {
      return Ofport{static_cast<std::uint32_t>(packet.get(openflow::FieldId::InPort))};
    }
  };
  struct Frozen {
    State state;
    TableId table;
    const openflow::CtSpec* spec = nullptr;  // of a flow, or of a list on the tape
    std::uint16_t zone = 0;
    std::uint32_t mirrored = 0;
  };
  enum class Flow { Go, EndList, EndAll };  // what follows an action
  struct Vlans {
    std::uint16_t vid = 0, pcp = 0, inner_tci = 0;
  };  // pcp in place: 0xe000

  const Bridge& bridge_of(const State& state) const { return host_.bridges[state.bridge]; }
  enum class Entry { FromOutside, ByPatchPort };
  void enter(State& state, Entry entry);
  bool receives(State& state);
  bool loses(State& state);
  bool ends_monitoring(const State& state, const BridgePort& port) const;
  void finish(State& state);
  void conclude(State& state, std::size_t emitted, std::size_t waiting, std::size_t hops);
  Classifier::Found find(const State& state, TableId table, const openflow::FlowKey& key) const;
  // What comes between a lookup and the actions: nothing, the mirrors of the port of entry, or the packet's end.
  enum class Arrival { Before, Now, Lost };
  void look_up(State& state, TableId table, std::optional<Ofport> in_port, bool original_tuple = false,
               Arrival arrival = Arrival::Before);
  void mirror_arrival(State& state);
  static void use_original_tuple(openflow::FlowKey& key);
  bool within_limits(State& state);
  void count_actions(const openflow::FlowKey& next);
  Flow run_actions(State& state, std::span<const openflow::Action> actions);
  Flow both_sizes(State& state, const openflow::CheckPktLarger& check,
                  std::span<const openflow::Action> rest);
  Flow apply(State& state, const openflow::Action& action);
  Flow resubmit(State& state, const openflow::Resubmit& action);
  Flow unknown(State& state, Reason reason, std::string text, std::string needs = {}, Provenance at = {});
  Flow not_modelled(State& state, const openflow::Action& action);
  void fail(State& state, std::string text, std::string error, Verdict verdict = Verdict::Dropped);
  void forgive();
  bool came_round(const State& state) const;
  void output(State& state, Ofport port);
  Flow output_truncated(State& state, Ofport port);
  enum class SpanningTree { Obey, Ignore };
  void output_to(State& state, std::size_t port, const Packet& packet,
                 SpanningTree tree = SpanningTree::Obey);
  bool tunnel_output(State& state, const BridgePort& port, Packet& packet);
  void cross_patch(State& state, std::size_t port, const Packet& packet);
  void controller(State& state, std::string text);
  bool native_tunnel_possible(const State& state, const BridgePort& port, const Packet& packet) const;

  // rewrite.cc
  void set_field(State& state, const openflow::SetField& action);
  void change(State& state, openflow::FieldId field, openflow::Bits128 value);
  void set_part(State& state, const openflow::Subfield& part, openflow::Bits128 value);
  void pop_vlan(State& state);
  void push_vlan(State& state, std::uint16_t type);
  bool dec_ttl(State& state);
  bool dec_mpls_ttl(State& state);
  Flow push_mpls(State& state, std::uint16_t type);
  Flow pop_mpls(State& state, std::uint16_t type);
  void delete_field(State& state, openflow::FieldId field);
  bool needs_parsing_below_mpls(const State& state, const openflow::Action& action) const;

  // tracking.cc
  void ct(State& state, const openflow::CtSpec& spec);
  void resume(Frozen frozen);
  void track(State& state, const openflow::CtSpec& spec, std::uint16_t zone);
  // What nat() of ct() does, as text; "" nothing.
  std::string translate_tracked(State& state, const openflow::CtSpec& spec, const TrackedState& tracked);
  void assume_tracked(State& state, const openflow::CtSpec& spec, std::uint16_t zone, TapePass& pass);
  void translate(State& state, const openflow::NatSpec& nat);
  void untrack(State& state);
  void learn(State& state, const openflow::LearnSpec& spec);
  void settle_learned();

  // groups.cc
  void run_action_set(State& state);
  void write_actions(State& state, const openflow::Actions& actions);
  static openflow::Actions in_order(std::span<const openflow::Action> set);
  Flow group(State& state, std::uint32_t id);
  void run_bucket(State& state, const openflow::Bucket& bucket, std::size_t index);
  bool live(const State& state, const openflow::Bucket& bucket, int depth = 0) const;
  bool live_port(const State& state, Ofport port) const;
  Flow bundle(State& state, const openflow::BundleSpec& spec);
  Flow multipath(State& state, const openflow::MultipathSpec& spec);

  // normal.cc
  void normal(State& state);
  void flood(State& state, bool all);
  bool admits(State& state, const Bundle& in, const Vlans& vlans, bool quiet = false);
  Vlans vlans_of(const State& state) const;
  static Vlans inward(const Bundle& in, const Vlans& vlans);
  void normal_output(State& state, const Bundle& bundle, const Vlans& vlans);
  bool bond_admits(State& state, const Bundle& in, std::uint16_t vlan);
  std::size_t bond_member(State& state, const Bundle& bundle);
  void assume_first_member();
  void normal_flood(State& state, const Bundle* in, const Vlans& vlans);
  void multicast(State& state, const Bundle* in, const Vlans& vlans);
  void learn_mac(State& state, std::uint16_t vlan);
  void mirror(State& state, const Bundle& bundle, const Packet& packet, bool egress);

  template <class Event>
  void write(const State& state, Event event) {
    tape_.entries.push_back({static_cast<std::uint32_t>(state.hop), level_, TapeEvent(std::move(event))});
  }
  void note(const State& state, std::string text, Provenance at = {}) {
    write(state, TapeNote{std::move(text), at});
  }
  void stop(const State& state, Verdict verdict, Reason reason, std::string text, std::string needs = {},
            Provenance at = {}) {
    write(state, Stopped{verdict, reason, std::move(text), std::move(needs), at});
  }
  void assume(std::string_view code, std::string_view text) {
    const auto known = [&](const Assumption& made) { return made.code == code && made.text == text; };
    if (std::ranges::none_of(tape_.assumptions, known))
      tape_.assumptions.push_back({std::string(code), std::string(text)});
  }
  // The command that would tell what is not known.
  std::string ofctl(const std::string& command, const std::string& bridge) const;

  const Network& network_;
  std::size_t host_index_;
  const Host& host_;
  Session& session_;
  Tape& tape_;
  TranslationPolicy policy_;
  std::vector<Emission> emissions_;
  std::list<Frozen> frozen_;  // the next first
  std::size_t hops_before_ = 0, ct_used_ = 0;
  std::size_t resubmits_ = 0, action_bytes_ = 0;
  bool only_outputs_ = true;  // are in action_bytes_, which is exact then
  openflow::FlowKey sent_;    // the packet as it was sent last
  int depth_ = 0;
  std::uint16_t level_ = 0;
  std::uint32_t mirrored_ = 0;    // of the bridge's mirrors, by index: they have their copy
  bool failed_ = false;           // the translation failed: the packet is dropped as a whole
  bool too_many_labels_ = false;  // is why; ends a bucket, where other failures end everything
  bool exited_ = false;           // an exit action, or something unknown, ended this bridge's lists
  std::vector<std::pair<std::size_t, std::unique_ptr<openflow::FlowRow>>>
      pending_learned_;  // with their bridge
};

}  // namespace dvrtrace
