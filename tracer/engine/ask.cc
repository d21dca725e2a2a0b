#include "tracer/engine/ask.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "tracer/engine/judge.h"
#include "tracer/engine/near_miss.h"
#include "tracer/engine/outside.h"
#include "tracer/engine/question.h"
#include "tracer/engine/skew.h"
#include "tracer/engine/walk.h"

namespace dvrtrace {
namespace {

using openflow::FieldId;

class Asking {
 public:
  Asking(const Network& network, const Ports& ports, AskedNeighbours& neighbours, const Ask& ask)
      : network_(network), ask_(ask), ports_(ports), neighbours_(neighbours) {}

  tl::expected<Trace, AskError> run() {
    auto from = resolve(ask_.from, network_, ports_, nullptr);
    if (!from) return tl::unexpected(std::move(from.error()));
    from_ = std::move(*from);
    if (from_.kind == Endpoint::Kind::Address && from_.port == kNowhere) from_.kind = Endpoint::Kind::Outside;
    auto to = resolve(ask_.to, network_, ports_, &from_);
    if (!to) return tl::unexpected(std::move(to.error()));
    to_ = std::move(*to);
    if (from_.kind == Endpoint::Kind::Vm && ports_->at(from_.port).host == kNowhere) {
      return tl::unexpected(
          AskError{AskError::Kind::UnknownEndpoint,
                   fmt::format("the host of {} is not among the inputs", ports_->at(from_.port).title()),
                   {}});
    }
    auto packet = packet_of(network_, ports_, ask_.packet, from_, to_);
    if (!packet) return tl::unexpected(std::move(packet.error()));
    packet_ = std::move(*packet);
    trace_.question = {named(from_), named(to_), ask_.packet.protocol, headers_of(packet_)};
    network_.prepare(std::array{place_of(from_), place_of(to_)});
    if (ask_.packet.established) session_.conntrack.assume_established();
    if (ask_.packet.src_port) session_.conntrack.ask_for_port();
    follow();
    trace_.assumptions.assign(assumptions_.begin(), assumptions_.end());
    conclude(trace_, reply_expected_);
    doubt_cleaned_reports();
    if (!ask_.outcome_only) weigh_skew(network_, trace_);
    if (!ask_.request || !ask_.reply) show_one();
    return std::move(trace_);
  }

 private:
  // `sos clean` alters addresses unevenly: a way through such a report is not to be relied on.
  void doubt_cleaned_reports() {
    std::string_view name;
    std::size_t host = kNowhere;
    for (Direction& direction : trace_.directions) {
      for (Hop& hop : direction.hops) {
        if (hop.place.host != name) {  // mostly that of the hop before
          name = hop.place.host;
          host = name.empty() ? kNowhere : network_.find_host(name);
        }
        if (host == kNowhere || !network_.host(host).snapshot.cleaned) continue;
        hop.steps.push_back(Noted{fmt::format("the report of {} went through sos clean: {}", hop.place.host,
                                              network_.host(host).snapshot.cleaned_sign),
                                  {}});
        direction.verdict = trace_.verdict = Verdict::Unknown;
        direction.reason = trace_.reason = Reason::CleanedReport;
      }
    }
  }

  Recorder recorder_of(std::string direction) const {
    Recorder recorder;
    if (ask_.outcome_only) recorder.keeps = Recorder::Keeps::Outcome;
    recorder.direction.name = std::move(direction);
    return recorder;
  }

  std::size_t place_of(const Endpoint& endpoint) const {
    return endpoint.port == kNowhere ? endpoint.host : ports_->at(endpoint.port).host;
  }

  EndpointName named(const Endpoint& endpoint) const {
    EndpointName out;
    out.name = endpoint.text;
    out.ip = endpoint.ip;
    switch (endpoint.kind) {
      case Endpoint::Kind::Vm:
        out.kind = "vm";
        break;
      case Endpoint::Kind::Namespace:
        out.kind = "namespace";
        break;
      case Endpoint::Kind::Address:
        out.kind = "address";
        break;
      case Endpoint::Kind::Outside:
        out.kind = "outside";
        break;
    }
    if (endpoint.host != kNowhere) out.host = network_.index(endpoint.host).name;
    if (endpoint.port == kNowhere) return out;
    const CloudPort& port = ports_->at(endpoint.port);
    out.name = port.vm ? port.title() : endpoint.text;
    out.port = port.id;
    if (port.host != kNowhere) out.host = network_.index(port.host).name;
    if (!port.network_id.empty()) out.network = ports_->network_name(port.network_id);
    out.mac = port.mac;
    if (!out.ip && !port.ips.empty()) out.ip = port.ips.front();
    return out;
  }

  // --- sending -----------------------------------------------------------------------------------------

  // The VM's own routing: its subnets directly, host routes, else the gateway.
  std::optional<Ip> next_hop(const CloudPort& vm, const Ip& own, const Ip& destination) const {
    if (ports_->subnet_with(vm.network_id, destination) != nullptr) return destination;
    const CloudSubnet* subnet = ports_->subnet_with(vm.network_id, own);
    if (subnet == nullptr) return std::nullopt;
    const logical::HostRoute* best = nullptr;
    for (const logical::HostRoute& route : subnet->host_routes) {
      if (route.destination.contains(destination) &&
          (best == nullptr || route.destination.length() > best->destination.length()))
        best = &route;
    }
    if (best != nullptr) return best->nexthop;
    return subnet->gateway;
  }

  // Fills in the frame's destination. False when nobody answers for the next hop: the direction then
  // shows the ARP request's way.
  // `heard`: the frame that the VM answers. It talked to its sender a moment ago, and need not ask again.
  bool address_frame(std::size_t port, Packet& packet, Recorder& recorder, const Packet* heard = nullptr) {
    if (packet.arp() || packet.eth_dst().multicast()) return true;
    if (packet.ip_dst().multicast()) {
      packet.set(FieldId::EthDst, multicast_mac(packet.ip_dst()).value);
      return true;
    }
    const CloudPort& vm = ports_->at(port);
    const std::size_t start = recorder.direction.hops.size();
    // A spoofed source does not change where the VM's own routing leads.
    const auto own = std::ranges::find(vm.ips, packet.ip_dst().family, &Ip::family);
    const auto hop = next_hop(vm, own == vm.ips.end() ? packet.ip_src() : *own, packet.ip_dst());
    if (!hop) {
      const std::size_t at = recorder.hop(
          std::nullopt, {PlaceKind::Vm, network_.index(vm.host).name, vm.title()}, std::nullopt, packet);
      recorder.stop(at, Verdict::Unknown, Reason::HiddenState,
                    fmt::format("the subnet and gateway of {} are in no dump", vm.title()),
                    "Neutron's subnets as JSON (--neutron)");
      return false;
    }
    Packet asker = packet;
    if (own != vm.ips.end()) asker.set_ip_src(*own);
    const AskedNeighbours::Asked asked{port, asker.ip_src(), *hop};
    const bool like_others = hop->v4() && !ports_.changed();
    const auto* known = like_others && heard == nullptr ? neighbours_.find(asked) : nullptr;
    if (known != nullptr && known->mac) {
      assumptions_.insert(known->assumptions.begin(), known->assumptions.end());
      session_.learned_macs = known->learned_macs;
      packet.set(FieldId::EthDst, known->mac->value);
      return true;
    }
    if (like_others && heard != nullptr && ask_.outcome_only) {
      // Had it asked before all this, it would have been told what it has heard: only what is assumed could differ.
      const auto* told = asked_afresh(asked, asker);
      if (told != nullptr && told->mac == heard->eth_src()) {
        packet.set(FieldId::EthDst, told->mac->value);
        return true;
      }
    }
    // What the switches learn from the asking and the answer, they know when the packet comes. A VM that
    // has just heard from the next hop's own MAC knows it, and does not ask.
    Recorder quiet;
    quiet.keeps = Recorder::Keeps::Ends;
    Session aside = session_.fork();
    const auto mac = Walk(network_, *ports_, aside, quiet).resolve_for_vm(port, asker, *hop, &quiet);
    if (mac && like_others && heard == nullptr && leaves_only_macs(aside))
      neighbours_.keep(asked, {mac, quiet.assumptions, aside.learned_macs});
    assumptions_.merge(quiet.assumptions);
    Recorder scratch = recorder_of(recorder.direction.name);
    if (!mac) {  // how that came about is to be shown
      Session again = session_.fork();
      Walk(network_, *ports_, again, scratch).resolve_for_vm(port, asker, *hop, &scratch);
    }
    if (!mac || heard == nullptr || *mac != heard->eth_src()) session_ = std::move(aside);
    if (mac) {
      packet.set(FieldId::EthDst, mac->value);
      return true;
    }
    if (heard != nullptr && !heard->eth_src().multicast() && *hop != packet.ip_dst()) {
      assumptions_.insert({"ASSUME_VM_KNOWS_ITS_GATEWAY",
                           "nobody answers the VM's ARP request for its gateway; it is taken to remember the "
                           "MAC that the packet came from"});
      packet.set(FieldId::EthDst, heard->eth_src().value);
      return true;
    }
    recorder.direction = std::move(scratch.direction);
    if (!somebody_has(vm, *hop) && !in_doubt(recorder.direction)) {
      recorder.stop(start, Verdict::Dropped, Reason::NeighbourFailed,
                    fmt::format("nobody answers for {}: no port of the network has it", to_string(*hop)));
      nobody_at_ = start;
      return false;
    }
    if (recorder.direction.hops.size() > start) {
      recorder.direction.hops.front().steps.insert(
          recorder.direction.hops.front().steps.begin(),
          Noted{fmt::format("who has {}? nobody's answer comes back", to_string(*hop)), {}});
    }
    return false;
  }

  static bool leaves_only_macs(const Session& session) {
    return session.learned_flows.empty() && session.conntrack.empty();
  }

  // What a VM is told that asks before any other packet was sent.
  const AskedNeighbours::Answer* asked_afresh(const AskedNeighbours::Asked& asked, const Packet& asker) {
    if (const auto* known = neighbours_.find(asked)) return known;
    Recorder quiet;
    quiet.keeps = Recorder::Keeps::Ends;
    Session fresh;
    const auto mac =
        Walk(network_, *ports_, fresh, quiet).resolve_for_vm(asked.port, asker, asked.target, &quiet);
    if (!mac || !leaves_only_macs(fresh)) return neighbours_.keep(asked, {});
    return neighbours_.keep(asked, {mac, std::move(quiet.assumptions), std::move(fresh.learned_macs)});
  }

  bool somebody_has(const CloudPort& asker, const Ip& ip) const {
    const bool port = std::ranges::any_of(ports_->all(), [&](const CloudPort& other) {
      return other.has(ip) &&
             (asker.network_id.empty() || other.network_id.empty() || other.network_id == asker.network_id);
    });
    if (port) return true;
    network_.ask_every_host();
    for (std::size_t host = 0; host < network_.size(); ++host) {
      for (const NamespaceSnapshot& netns : network_.index(host).namespaces) {
        for (const auto& link : netns.links.value) {
          if (std::ranges::any_of(link.value.addresses,
                                  [&](const auto& address) { return address.value.ip == ip; }))
            return true;
        }
      }
    }
    return false;
  }

  // Does a copy end where the dumps do not say how it goes on?
  static bool in_doubt(const Direction& direction) {
    return std::ranges::any_of(direction.hops, [](const Hop& hop) {
      const auto* stopped = hop.steps.empty() ? nullptr : std::get_if<Stopped>(&hop.steps.back());
      return stopped != nullptr && stopped->verdict == Verdict::Unknown;
    });
  }

  void send_from_outside(Recorder& recorder, Walk& walk) {
    const auto wire = external_wire(network_);
    if (!wire) {
      const std::size_t hop =
          recorder.hop(std::nullopt, {PlaceKind::Outside, "", "outside"}, std::nullopt, packet_);
      recorder.stop(hop, Verdict::Unknown, Reason::HiddenState,
                    "which network cards the external network is on is in no dump",
                    "Neutron's networks as JSON (--neutron), bridge_mappings of the agents");
      return;
    }
    if (wire->vlan) packet_.set(FieldId::VlanTci, openflow::kVlanPresent | *wire->vlan);
    if (!ask_.packet.src_mac) {
      Recorder unused;
      const std::size_t hop = unused.hop(std::nullopt, {}, std::nullopt, packet_);
      if (const auto mac = walk.external_mac(wire->host, packet_.ip_src(), unused, hop))
        packet_.set(FieldId::EthSrc, mac->value);
      recorder.assumptions.merge(unused.assumptions);
    }
    if (!ask_.packet.dst_mac && !packet_.arp()) {
      Recorder scratch = recorder_of(recorder.direction.name);
      Walk asking(network_, *ports_, session_, scratch, Walk::Purpose::Resolve);
      Packet request = neighbour_request(packet_.eth_src(), packet_.ip_src(), packet_.ip_dst());
      if (wire->vlan) request.set(FieldId::VlanTci, openflow::kVlanPresent | *wire->vlan);
      asking.from_outside(wire->host, wire->device, std::move(request));
      const auto answer = std::ranges::find(asking.answers(), packet_.ip_dst(), &NeighbourAnswer::ip);
      if (answer == asking.answers().end()) {
        recorder.direction = std::move(scratch.direction);
        recorder.stop(
            0, Verdict::Dropped, Reason::NeighbourFailed,
            fmt::format("nobody answers for {} on the external network", to_string(packet_.ip_dst())));
        return;
      }
      packet_.set(FieldId::EthDst, answer->mac.value);
    }
    walk.from_outside(wire->host, wire->device, packet_);
  }

  // --- both ways -----------------------------------------------------------------------------------------

  void follow() {
    Recorder recorder = recorder_of("request");
    Walk walk(network_, *ports_, session_, recorder);
    send_request(recorder, walk);
    const Arrival* arrival = end_of(walk, to_);
    if (arrival == nullptr && ask_.packet.protocol == "arp" && !walk.answers().empty() &&
        split_answer(recorder.direction)) {
      assumptions_.merge(recorder.assumptions);
      return;
    }
    finish(recorder, arrival,
           arrival != nullptr ? std::optional<std::size_t>() : where_it_stops(recorder.direction, to_));
    trace_.directions.push_back(std::move(recorder.direction));
    assumptions_.merge(recorder.assumptions);
    const bool to_a_group =
        arrival != nullptr && arrival->packet.ip() && arrival->packet.ip_dst().multicast();
    if (arrival != nullptr && trace_.directions.front().verdict != Verdict::Dropped && !to_a_group)
      answer(*arrival);
    else if (walk.error())
      error_back(*walk.error());
  }

  void send_request(Recorder& recorder, Walk& walk) {
    if (ask_.packet.dst_mac) packet_.set(FieldId::EthDst, ask_.packet.dst_mac->value);
    switch (from_.kind) {
      case Endpoint::Kind::Vm:
        if (ask_.packet.dst_mac || address_frame(from_.port, packet_, recorder))
          walk.from_vm(from_.port, packet_);
        return;
      case Endpoint::Kind::Namespace:
        return walk.from_namespace(from_.host, from_.netns, packet_);
      case Endpoint::Kind::Outside:
        return send_from_outside(recorder, walk);
      case Endpoint::Kind::Address: {
        const std::size_t hop =
            recorder.hop(std::nullopt, {PlaceKind::Outside, "", from_.text}, std::nullopt, packet_);
        recorder.stop(hop, Verdict::Unknown, Reason::HiddenState,
                      fmt::format("{} is a port of no VM: name its namespace as HOST:NETNS", from_.text), {});
        return;
      }
    }
  }

  // Which of the packet's arrivals answers the question.
  const Arrival* end_of(const Walk& walk, const Endpoint& wanted) const {
    const auto& arrivals = walk.arrivals();
    const bool dhcp = ask_.packet.protocol == "dhcp" && &wanted == &to_;
    const auto first = [&](auto predicate) -> const Arrival* {
      const auto found = std::ranges::find_if(arrivals, predicate);
      return found == arrivals.end() ? nullptr : &*found;
    };
    if (dhcp) {
      return first([&](const Arrival& arrival) {
        return arrival.kind == Arrival::Kind::Namespace &&
               network_.host(arrival.host).namespaces[arrival.netns].name.starts_with("qdhcp-");
      });
    }
    if (const Arrival* inside = first([&](const Arrival& arrival) {
          return arrival.kind != Arrival::Kind::Outside &&
                 (wanted.port == kNowhere || arrival.port == wanted.port ||
                  // A VM's address may be another's too, in another tenant's network.
                  (arrival.kind == Arrival::Kind::Namespace && wanted.kind != Endpoint::Kind::Vm));
        })) {
      return inside;
    }
    // Only an address that no port has is outside: a frame for a VM that leaks onto the wire has not arrived.
    if (wanted.kind == Endpoint::Kind::Outside ||
        (wanted.kind == Endpoint::Kind::Address && wanted.port == kNowhere)) {
      return first([](const Arrival& arrival) {
        return arrival.kind == Arrival::Kind::Outside && !arrival.packet.eth_dst().multicast();
      });
    }
    return nullptr;
  }

  std::optional<std::size_t> where_it_stops(const Direction& direction, const Endpoint& wanted) const {
    return nobody_at_ ? nobody_at_ : stop_of(direction, host_of(wanted));
  }

  // The name of the host that an endpoint lives on; "" where none is known.
  std::string host_of(const Endpoint& endpoint) const {
    if (endpoint.port == kNowhere || ports_->at(endpoint.port).host == kNowhere) return {};
    return network_.index(ports_->at(endpoint.port).host).name;
  }

  void finish(Recorder& recorder, const Arrival* arrival, std::optional<std::size_t> stop) {
    Direction& direction = recorder.direction;
    std::optional<std::size_t> end = stop;
    if (arrival != nullptr) {
      end = arrival->hop;
      const Reason reason = reason_of(network_, direction, *arrival, packet_);
      direction.verdict =
          arrival->kind == Arrival::Kind::Outside ? Verdict::LeftTheCloud : Verdict::Delivered;
      direction.reason = reason;
      if (const auto obstacle = unanswerable(network_, direction, *arrival)) {
        direction.verdict = Verdict::Dropped;
        direction.reason = Reason::NotTranslated;
        direction.stopped_at = arrival->hop;
        recorder.stop(arrival->hop, direction.verdict, direction.reason, *obstacle);
      }
      if (!recorder.stopped(arrival->hop))
        recorder.stop(arrival->hop, direction.verdict, reason,
                      [&] { return describe(network_, *ports_, *arrival, reason); });
    } else if (stop) {
      tell_near_misses(network_, recorder, *stop);
      for (const Step& step : direction.hops[*stop].steps) {
        if (const auto* stopped = std::get_if<Stopped>(&step)) {
          direction.verdict = stopped->verdict == Verdict::Delivered ? Verdict::Dropped : stopped->verdict;
          direction.reason =
              stopped->verdict == Verdict::Delivered ? Reason::NotForThisHost : stopped->reason;
        }
      }
      direction.stopped_at = stop;
    } else {
      direction.verdict = Verdict::Dropped;
      direction.reason = Reason::NotForwarded;
    }
    settle(direction, end, direction.verdict, direction.reason);
  }

  void answer(const Arrival& arrival) {
    reply_expected_ = true;
    Recorder recorder = recorder_of("reply");
    Walk walk(network_, *ports_, session_, recorder);
    Packet reply = arrival.packet;
    reply.key = answer_to(arrival.packet.key);
    reply.mark = 0;
    reply.df = packet_.df;
    const bool arp = arrival.packet.arp();
    switch (arrival.kind) {
      case Arrival::Kind::Vm: {
        const CloudPort& vm = ports_->at(arrival.port);
        if (arp) {
          walk.from_vm(arrival.port, arp_reply(arrival.packet, vm.mac));
          break;
        }
        reply.set(FieldId::EthSrc, vm.mac.value);
        if (address_frame(arrival.port, reply, recorder, &arrival.packet))
          walk.from_vm(arrival.port, std::move(reply));
        break;
      }
      case Arrival::Kind::Namespace:
        if (arp) {
          walk.from_device(arrival.host, arrival.netns, arrival.device,
                           arp_reply(arrival.packet, mac_of(arrival)));
          break;
        }
        if (ask_.packet.protocol == "dhcp") {
          walk.from_device(arrival.host, arrival.netns, arrival.device, dhcp_offer(arrival));
          break;
        }
        walk.from_namespace(arrival.host, arrival.netns, std::move(reply));
        break;
      case Arrival::Kind::Outside: {
        recorder.assume("ASSUME_OUTSIDE_ANSWERS",
                        "hosts outside the cloud are taken to be there and to answer");
        const std::uint64_t tci = arrival.packet.get(FieldId::VlanTci);
        reply.set(FieldId::VlanTci, tci);
        const auto card = left_by(trace_.directions.front(), arrival.hop);
        walk.from_outside(arrival.host, card, std::move(reply));
        break;
      }
    }
    const Arrival* end = end_of(walk, from_);
    finish(recorder, end,
           end != nullptr ? std::optional<std::size_t>() : where_it_stops(recorder.direction, from_));
    trace_.directions.push_back(std::move(recorder.direction));
    assumptions_.merge(recorder.assumptions);
  }

  Mac mac_of(const Arrival& arrival) const {
    return network_.host(arrival.host)
        .namespaces[arrival.netns]
        .devices[arrival.device]
        .link->value.mac.value_or(Mac{});
  }

  // The server's offer: to the address offered, by unicast, past the server's own neighbour table.
  Packet dhcp_offer(const Arrival& arrival) const {
    Packet offer;
    offer.size = 360;
    offer.set(FieldId::EthType, openflow::kTypeIpv4);
    offer.set(FieldId::EthSrc, mac_of(arrival).value);
    offer.set(FieldId::EthDst, arrival.packet.eth_src().value);
    offer.set(FieldId::NwProto, openflow::kProtoUdp);
    offer.set(FieldId::NwTtl, 64);
    offer.set(FieldId::UdpSrc, 67);
    offer.set(FieldId::UdpDst, 68);
    if (from_.ip) offer.set_ip_dst(*from_.ip);
    const NetDevice& device = network_.host(arrival.host).namespaces[arrival.netns].devices[arrival.device];
    for (const auto& address : device.link->value.addresses) {
      if (from_.ip && address.value.network().contains(*from_.ip)) offer.set_ip_src(address.value.ip);
    }
    return offer;
  }

  // A flow answered the ARP request (l2population's responder): what comes back is the other direction.
  bool split_answer(Direction& request) {
    auto reply = take_answer(request);
    if (!reply) return false;
    if (reply->verdict == Verdict::Unknown)
      settle(*reply, stop_of(*reply, host_of(from_)), Verdict::Dropped, Reason::NotForwarded);
    reply_expected_ = true;
    trace_.directions.push_back(std::move(request));
    trace_.directions.push_back(std::move(*reply));
    return true;
  }

  void error_back(const Walk::Error& error) {
    Recorder recorder = recorder_of("reply");
    Walk walk(network_, *ports_, session_, recorder);
    walk.from_namespace(error.host, error.netns, error.packet);
    const Arrival* end = end_of(walk, from_);
    finish(recorder, end,
           end != nullptr ? std::optional<std::size_t>() : where_it_stops(recorder.direction, from_));
    trace_.directions.push_back(std::move(recorder.direction));
    assumptions_.merge(recorder.assumptions);
  }

  void show_one() {
    std::erase_if(trace_.directions, [&](const Direction& direction) {
      return direction.name == "request" ? !ask_.request : !ask_.reply;
    });
  }

  const Network& network_;
  const Ask& ask_;
  QuestionPorts ports_;
  AskedNeighbours& neighbours_;
  Endpoint from_, to_;
  Packet packet_;
  Session session_;
  Trace trace_;
  std::set<Assumption> assumptions_;
  bool reply_expected_ = false;
  std::optional<std::size_t> nobody_at_;  // the hop of a sender whose next hop nobody has
};

}  // namespace

tl::expected<Trace, AskError> Asker::ask(const Ask& question) const {
  return Asking(network_, *ports_, *neighbours_, question).run();
}

tl::expected<Trace, AskError> ask(const Network& network, const Ask& question) {
  return Asker(network).ask(question);
}

}  // namespace dvrtrace
