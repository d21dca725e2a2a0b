// Ports: the VMs' and routers' ports of the cloud, and what they are called.
//
// Put together from Neutron's objects where they were given, and from what every host says anyway:
// OVSDB's external_ids (port and instance), Port.other_config (network), libvirt (names), addresses
// of the namespaces' devices. Fixed addresses that only the large dumps tell (permanent neighbours,
// port security flows) are looked for when a question needs them.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "src/base/text_map.h"
#include "src/model/network.h"

namespace dvrtrace {

struct CloudPort {
  std::string id;    // Neutron's UUID; "" not known
  std::string name;  // the port's; "" none
  std::string instance_name, instance_uuid;
  std::string owner;  // "compute:nova", "network:router_interface_distributed", ...; "" not known
  std::string network_id;
  Mac mac;
  std::vector<Ip> ips;
  std::vector<Ip> others;  // that it may have beside: of allowed address pairs, or said to be its own
  std::size_t host = kNowhere;
  std::string bridge, device;  // the OVS port
  bool vm = false;             // plugged, and not into a namespace
  Provenance at;

  bool has(const Ip& ip) const;
  // What a person would call it: instance, port, or the first characters of its id.
  std::string title() const;
};

struct CloudSubnet {
  std::string network_id;
  Prefix cidr;
  std::optional<Ip> gateway;
  std::vector<logical::HostRoute> host_routes;
};

struct FloatingAddress {
  Ip ip;
  std::optional<Ip> fixed_ip;
  std::string port_id;
};

class Ports {
 public:
  explicit Ports(const Network& network);

  const std::vector<CloudPort>& all() const { return ports_; }
  const CloudPort& at(std::size_t port) const { return ports_[port]; }
  // By Neutron's UUID, in small letters; kNowhere when there is none.
  std::size_t find(std::string_view id) const;
  // The VM that hangs on an OVS port; kNowhere when none does.
  std::size_t behind(std::size_t host, std::string_view device) const;
  // The subnet of a network that has the address; nullptr when none does.
  const CloudSubnet* subnet_with(std::string_view network_id, const Ip& ip) const;
  const std::vector<FloatingAddress>& floating() const { return floating_; }
  // The question says that the port sends from this address: then it answers for it, too.
  void use_address(std::size_t port, const Ip& ip);
  // Are two networks tied by a router?
  bool routed(const std::string& network, const std::string& other) const;
  std::string network_name(const std::string& id) const;
  // Fixed addresses by MAC out of neighbours and flows: of all hosts, which costs the reading of them all; or of one, which
  // knows those of its own VMs and of what its routers serve.
  void look_for_addresses();
  void look_for_addresses_on(std::size_t host);
  bool looked_for_addresses() const { return looked_; }
  bool looked_for_addresses_on(std::size_t host) const { return looked_ || looked_on_.contains(host); }

 private:
  void from_neutron();
  void from_databases();
  void from_libvirt();
  void from_namespaces();
  std::size_t find_or_add(const std::string& id, Mac mac);
  void add_subnet(CloudSubnet subnet);
  void add_address(Mac mac, const Ip& ip);

  const Network& network_;
  std::vector<CloudPort> ports_;
  std::vector<CloudSubnet> subnets_;
  TextMap<std::vector<std::size_t>> subnets_of_;            // by network
  TextMap<std::size_t> networks_;                           // of Neutron's model, by id
  std::vector<FloatingAddress> floating_;
  TextMap<std::size_t> by_id_;
  std::vector<TextMap<std::size_t>> by_device_;             // of each host
  std::unordered_multimap<Mac, std::size_t> by_mac_;        // while addresses are looked for
  std::vector<std::vector<std::string>> router_networks_;   // networks of one router each
  bool looked_ = false;
  std::set<std::size_t> looked_on_;                         // hosts
};

// The ports as one question sees them: those of the network, shared, until the question adds to them.
class QuestionPorts {
 public:
  explicit QuestionPorts(const Ports& shared) : shared_(shared) {}
  const Ports& operator*() const { return own_ == nullptr ? shared_ : *own_; }
  const Ports* operator->() const { return &**this; }
  bool changed() const { return own_ != nullptr; }
  void look_for_addresses() {
    if (!(*this)->looked_for_addresses()) own().look_for_addresses();
  }
  void look_for_addresses_on(std::size_t host) {
    if (!(*this)->looked_for_addresses_on(host)) own().look_for_addresses_on(host);
  }
  void use_address(std::size_t port, const Ip& ip) {
    if (!(*this)->at(port).has(ip)) own().use_address(port, ip);
  }

 private:
  Ports& own() {
    if (own_ == nullptr) own_ = std::make_unique<Ports>(shared_);
    return *own_;
  }
  const Ports& shared_;
  std::unique_ptr<Ports> own_;
};

}  // namespace dvrtrace
