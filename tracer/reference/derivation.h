// Derivation: the objects of a derived model while they are found, and what is known of them by other names.
#pragma once

#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "src/snapshot/snapshot.h"
#include "tracer/reference/expected.h"

namespace dvrtrace::reference {

class Derivation {
 public:
  explicit Derivation(const Snapshot& snapshot) : snapshot(snapshot) { model.derived = true; }

  // The object with this id, made when it is not there yet. References hold until the next one is made.
  logical::Network& network(const std::string& id);
  logical::Port& port(const std::string& id);
  logical::Router& router(const std::string& id);
  // The subnet of a network that an interface's address shows.
  std::string subnet(const std::string& network_id, const Ip& ip, unsigned length);
  logical::Subnet* find_subnet(std::string_view id);
  // The subnet of the network that an address lies in; "" when none is known.
  std::string subnet_of(std::string_view network_id, const Ip& ip) const;
  void add_fixed_ip(logical::Port& port, const Ip& ip, const std::string& subnet_id);
  void caveat(std::string code, std::string text);

  const Snapshot& snapshot;
  logical::Model model;
  std::vector<Caveat> caveats;
  std::map<std::pair<std::string, std::string>, std::string> port_of_device;        // by host and device
  std::map<std::pair<std::string, std::uint16_t>, std::string> network_of_vlan;     // by host and local VLAN
  std::map<std::pair<std::string, Ofport>, std::string> port_of_ofport;             // by host and br-int's ofport
  std::map<std::pair<std::string, Mac>, std::string> port_of_mac;                   // by network
  std::map<std::string, std::set<std::string>> hosts_of_port;
  std::map<std::string, Ip> vtep;                                                   // by host

 private:
  std::map<std::string, std::size_t> networks_, subnets_, ports_, routers_;
  std::set<std::string> said_;
};

// Neutron's ports by what Open vSwitch's database says of them, and the hosts' agents.
void derive_ports(Derivation& all);
// Routers, their ports' addresses, floating IPs: by the namespaces.
void derive_routers(Derivation& all);
// DVR MACs, the addresses of instances, ports of hosts that are not there: by flows and neighbours.
void derive_addresses(Derivation& all);

}  // namespace dvrtrace::reference
