// Walk: one packet, and all its copies, from place to place until each has ended.
//
// A worklist of places that the packet is about to enter; for each kind of place one function that
// does what the real thing does. Copies are taken up in the order they arose, so traces compare.
// Every hop belongs to the Recorder's direction; the ends that matter to the question are kept.
#pragma once

#include <list>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "src/model/network.h"
#include "tracer/engine/arrival.h"
#include "tracer/engine/icmp_error.h"
#include "tracer/engine/netfilter.h"
#include "tracer/engine/pipeline.h"
#include "tracer/engine/ports.h"
#include "tracer/engine/recorder.h"
#include "tracer/engine/routing.h"
#include "tracer/engine/session.h"

namespace dvrtrace {

// Somebody answered an ARP request or a neighbour solicitation.
struct NeighbourAnswer {
  std::size_t hop = 0;  // where the answer came back to
  Ip ip;
  Mac mac;
};

class Walk {
 public:
  // A request for a neighbour that is played out on its own asks nobody else.
  enum class Purpose { Packet, Resolve };

  Walk(const Network& network, const Ports& ports, Session& session, Recorder& recorder,
       Purpose purpose = Purpose::Packet)
      : network_(network), ports_(ports), session_(session), recorder_(recorder), purpose_(purpose) {}

  // Each begins a walk and runs it to its ends.
  void from_vm(std::size_t port, Packet packet);
  void from_namespace(std::size_t host, std::size_t netns, Packet packet);
  // As a program on a raw socket sends: a whole frame, by a device, past routing and neighbours.
  void from_device(std::size_t host, std::size_t netns, std::size_t device, Packet packet);
  void from_outside(std::size_t host, const std::string& device, Packet packet);

  const std::vector<Arrival>& arrivals() const { return arrivals_; }
  const std::vector<NeighbourAnswer>& answers() const { return answers_; }
  std::optional<Mac> answer_for(const Ip& ip) const;
  // An ICMP error or a reset that a namespace sends back; it has not been walked yet.
  struct Error {
    std::size_t host, netns;
    Packet packet;
  };
  const std::optional<Error>& error() const { return error_; }

  // What the dumps say is the MAC of a host beyond the external network: out of another namespace's
  // neighbours, or the one stranger that a provider bridge has learned on its card.
  std::optional<Mac> external_mac(std::size_t host, const Ip& ip, Recorder& recorder, std::size_t hop) const;

  // The MAC of an address on the link of a VM; plays ARP or neighbour discovery out.
  std::optional<Mac> resolve_for_vm(std::size_t port, const Packet& packet, const Ip& target,
                                    Recorder* scratch = nullptr);

 private:
  struct Item {
    enum class At { Bridge, Namespace, Originate, LinuxBridge, Wire, Vm };
    At at = At::Bridge;
    std::size_t host = kNowhere;
    std::size_t place = kNowhere;   // bridge or namespace
    std::size_t device = kNowhere;  // port or device it enters by
    std::string name;               // Wire: the card it left by; Vm: the OVS port
    std::optional<std::size_t> parent;
    std::vector<std::size_t> crossings;  // that lead into the hop to come
    Packet packet;
  };

  void run();
  void step(const Item& item);
  std::size_t begin_hop(const Item& item, Place place, std::optional<Device> in);
  // Puts a place on the worklist: the fields of Item.
  void enter(Item::At at, std::size_t host, std::size_t place, std::size_t device, Packet packet,
             std::optional<std::size_t> parent, std::vector<std::size_t> crossings, std::string name = {}) {
    items_.push_back(
        {at, host, place, device, std::move(name), parent, std::move(crossings), std::move(packet)});
  }
  bool seen_before(std::size_t hop) const;

  // walk.cc
  void at_bridge(const Item& item);
  void at_vm(const Item& item);
  void at_wire(const Item& item);
  std::vector<Owner> in_use(std::vector<Owner> owners) const;
  void at_linux_bridge(const Item& item);
  void leave_bridge(std::size_t host, const Emission& emission);
  // Out of a device, as its own namespace sends; `by` is the hop it leaves.
  void send(std::size_t host, std::size_t netns, std::size_t device, Packet packet, std::size_t by);
  // What hangs on a device's other end takes the packet in.
  void behind(std::size_t host, std::size_t netns, std::size_t device, Packet packet, std::size_t by,
              std::vector<std::size_t> crossings);
  // The packet has come in by a device of a namespace.
  void receive(std::size_t host, std::size_t netns, std::size_t device, Packet packet, std::size_t by,
               std::vector<std::size_t> crossings);
  std::size_t cross(std::size_t host, std::size_t netns, const std::string& device, const Packet& packet);

  // tunnel.cc
  void encapsulate(std::size_t host, const Emission& emission);
  bool underlay(std::size_t host, std::size_t bridge, const Packet& outer, std::size_t tunnel_hop);
  void decapsulate(std::size_t host, const Packet& outer, std::size_t by, std::vector<std::size_t> crossings);
  bool is_vtep(std::size_t host, const Packet& packet) const;

  // neighbours.cc
  void vm_is_asked(const Item& item, std::size_t hop, std::size_t port, const Ip& target);
  void vm_is_told(const Item& item, std::size_t hop, std::size_t port, const Ip& ip, Mac mac);
  struct ArpPolicy {
    bool answers = false, proxy = false;
    std::string refusal;  // why not, where a setting says so
    Reason reason = Reason::NotForThisHost;
    RouteDecision decision;  // proxy: the way on
  };
  ArpPolicy arp_policy(const Namespace& netns, const std::string& host, const NetDevice& device,
                       const Ip& sender, const Ip& target) const;
  void namespace_is_asked(const Item& item, std::size_t hop, const Ip& target);
  void namespace_is_told(const Item& item, std::size_t hop, const Ip& ip, Mac mac);
  std::optional<Mac> neighbour(const Item& item, std::size_t hop, const Packet& packet, std::size_t device,
                               const Ip& nexthop);
  std::optional<Ip> asks_with(const Namespace& netns, const NetDevice& device, const Ip& source,
                              const Ip& target) const;
  std::optional<Mac> resolve_for_device(std::size_t host, std::size_t netns, std::size_t device,
                                        const Ip& source, const Ip& target);

  // namespace.cc
  void at_namespace(const Item& item);
  void originate(const Item& item);
  void deliver_local(const Item& item, std::size_t hop, Packet packet, HookContext context,
                     const RouteDecision& decision);
  void forward(const Item& item, std::size_t hop, Packet packet, HookContext context,
               const RouteDecision& decision);
  void transmit(const Item& item, std::size_t hop, Packet packet, HookContext context,
                const RouteDecision& decision);
  bool record_route(std::size_t hop, const Namespace& netns, const Host& host, const RouteDecision& decision);
  // Why the kernel does not take a source address in on a device (fib_validate_source); none: it does.
  // `towards`: the device that the packet goes on by, "lo" for what stays.
  std::optional<std::string> refused_source(const Namespace& netns, const std::string& host,
                                            const std::string& device, const std::string& towards,
                                            const Ip& source, const Ip& destination) const;
  static std::optional<bool> forwards(const Namespace& netns, const std::string& device, bool v6);
  void route_error(const Item& item, const Packet& packet, const RouteDecision& decision);
  void send_error(const Item& item, const Packet& packet, IcmpError error);
  void send_rejection(const Item& item, const Packet& packet, const Netfilter& netfilter);
  bool too_big(const NetDevice& device, const Packet& packet) const;

  const Network& network_;
  const Ports& ports_;
  Session& session_;
  Recorder& recorder_;
  Purpose purpose_;
  std::list<Item> items_;
  Tape tape_;  // of the bridge that the packet was in last
  std::vector<Arrival> arrivals_;
  std::vector<NeighbourAnswer> answers_;
  std::optional<Error> error_;
};

// An ARP request as an IPv4 host broadcasts it.
Packet arp_request(Mac sender, const Ip& sender_ip, const Ip& target);
Packet arp_reply(const Packet& request, Mac answerer);
// The same of either family: neighbour solicitation and advertisement for IPv6.
Packet neighbour_request(Mac sender, const Ip& sender_ip, const Ip& target);
Packet neighbour_reply(const Packet& request, Mac answerer);
// The address that a packet asks a neighbour for; none: it does not ask.
std::optional<Ip> asked_for(const Packet& packet);
// What it tells about one.
std::optional<std::pair<Ip, Mac>> answer_in(const Packet& packet);

Mac multicast_mac(const Ip& group);
Ip link_local_of(Mac mac);  // as EUI-64 makes it
// The address of a device that the kernel prefers towards another one.
std::optional<Ip> source_on(const NetDevice& device, const Ip& towards);

}  // namespace dvrtrace
