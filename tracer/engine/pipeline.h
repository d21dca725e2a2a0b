// Pipeline: one packet through the OpenFlow tables of a host's bridges, as Open vSwitch translates it.
//
// It begins at a port of a bridge and ends at ports that lead out of Open vSwitch: patch ports are
// crossed within. ct() forks: the copy that comes back from connection tracking is taken up after
// everything else, in the order the forks arose, as in ofproto/ofproto-dpif-xlate.c.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "src/model/network.h"
#include "tracer/engine/recorder.h"
#include "tracer/engine/session.h"

namespace dvrtrace {

// The packet as it leaves Open vSwitch by a port that is no patch port.
struct Emission {
  std::size_t hop = 0;                    // the bridge it leaves
  std::size_t bridge = 0, port = 0;
  Packet packet;
};

class Pipeline {
 public:
  Pipeline(const Network& network, std::size_t host, Session& session, Recorder& recorder)
      : network_(network), host_index_(host), host_(network.host(host)), session_(session), recorder_(recorder) {}

  // `hop` is the hop of the bridge entered.
  std::vector<Emission> run(std::size_t bridge, std::size_t port, const Packet& packet, std::size_t hop);

 private:
  // A packet within one bridge.
  struct State {
    std::size_t bridge = 0, hop = 0;
    Packet packet;
    TableId table;
    openflow::Actions action_set;
    std::vector<openflow::Bits128> stack;
    openflow::FlowKey& key() { return packet.key; }
    const openflow::FlowKey& key() const { return packet.key; }
    Ofport in_port() const { return Ofport{static_cast<std::uint32_t>(packet.get(openflow::FieldId::InPort))}; }
  };
  struct Frozen {
    State state;
    TableId table;
    openflow::CtSpec spec;
    std::uint16_t zone = 0;
  };
  enum class Flow { Go, EndList, EndAll };  // what follows an action

  const Bridge& bridge_of(const State& state) const { return host_.bridges[state.bridge]; }
  void enter(State& state);
  void finish(State& state);
  Classifier::Found find(const State& state, TableId table, const openflow::FlowKey& key) const;
  bool look_up(State& state, TableId table, std::optional<Ofport> in_port, bool miss_drops);
  Flow run_actions(State& state, const openflow::Actions& actions);
  Flow apply(State& state, const openflow::Action& action);
  void run_action_set(State& state);
  Flow group(State& state, std::uint32_t id);
  bool live(const State& state, const openflow::Bucket& bucket) const;
  void set_field(State& state, const openflow::SetField& action);
  void change(State& state, openflow::FieldId field, openflow::Bits128 value);
  void pop_vlan(State& state);
  void push_vlan(State& state, std::uint16_t type);
  bool dec_ttl(State& state);
  void ct(State& state, const openflow::CtSpec& spec);
  void resume(Frozen frozen);
  TrackedState track(State& state, const openflow::CtSpec& spec, std::uint16_t zone);
  void untrack(State& state);
  void learn(State& state, const openflow::LearnSpec& spec);
  void settle_learned();
  Flow not_modelled(State& state, const openflow::Action& action);
  void output(State& state, Ofport port);
  void output_to(State& state, std::size_t port, const Packet& packet);
  void cross_patch(State& state, std::size_t port, const Packet& packet);

  // normal.cc
  void normal(State& state);
  void flood(State& state, bool all);
  std::optional<std::uint16_t> admit(State& state, const Bundle& in);
  void normal_output(State& state, const Bundle& bundle, std::uint16_t vlan);
  void normal_flood(State& state, const Bundle* in, std::uint16_t vlan);
  void learn_mac(State& state, std::uint16_t vlan);

  void unknown(State& state, Reason reason, std::string text, std::string needs, Provenance at = {});
  void conclude_hop(std::size_t hop, const State& state);

  const Network& network_;
  std::size_t host_index_;
  const Host& host_;
  Session& session_;
  Recorder& recorder_;
  std::vector<Emission> emissions_;
  std::deque<Frozen> frozen_;
  std::size_t resubmits_ = 0;
  int depth_ = 0;
  bool failed_ = false;   // the translation failed: the packet is dropped as a whole
  bool exited_ = false;   // an exit action ended this bridge's lists
  std::vector<std::pair<std::size_t, std::unique_ptr<openflow::FlowRow>>> pending_learned_;  // with their bridge
};

}  // namespace dvrtrace
