// The cloud as Neutron's API describes it: networks, subnets, ports, routers, floating IPs.
//
// Read from API answers or `openstack ... -f json`. What an answer does not say stays empty.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "src/base/source.h"
#include "src/net/ip.h"
#include "src/net/mac.h"

namespace dvrtrace::logical {

struct Network {
  std::string id, name;
  std::string type;               // "vxlan", "vlan", "flat", "gre", "geneve", "local"
  std::string physical_network;
  std::optional<std::uint32_t> segmentation_id;
  std::optional<std::uint32_t> mtu;
  bool external = false;
  Provenance at;
};

struct HostRoute { Prefix destination; Ip nexthop; };

struct Subnet {
  std::string id, name, network_id;
  Prefix cidr;
  std::optional<Ip> gateway;
  std::string ipv6_address_mode, ipv6_ra_mode;
  bool dhcp = false;
  std::vector<HostRoute> host_routes;
  Provenance at;
};

struct FixedIp { std::string subnet_id; Ip ip; };
struct AddressPair { std::optional<Mac> mac; Prefix ip; };

struct Port {
  std::string id, name, network_id;
  Mac mac;
  std::vector<FixedIp> fixed_ips;
  std::string device_id, device_owner;   // "compute:nova", "network:router_interface_distributed", ...
  std::string host;                      // binding:host_id; "" when not bound
  std::string vif_type, vnic_type, status;
  bool admin_up = true;
  std::optional<bool> port_security;
  std::vector<std::string> security_groups;
  std::vector<AddressPair> allowed_pairs;
  std::optional<bool> hybrid_plug;       // binding:vif_details: Nova puts a Linux bridge before it
  Provenance at;
};

// Where the copies of a distributed port are, which itself is bound to no host.
struct DistributedBinding { std::string port_id, host, router_id, status; Provenance at; };

struct Router {
  std::string id, name;
  bool distributed = false, ha = false;
  std::string external_network_id;
  std::optional<bool> enable_snat;
  std::vector<FixedIp> external_ips;
  std::vector<HostRoute> routes;
  std::optional<std::uint32_t> ha_vr_id;  // of VRRP
  Provenance at;
};

// An agent that has a router: all of them with their HA port where the router is HA; else the one of its SNAT.
struct RouterAgent { std::string router_id, agent_id, ha_port_id, state; Provenance at; };

struct FloatingIp {
  std::string id, network_id, port_id, router_id;
  Ip floating_ip;
  std::optional<Ip> fixed_ip;
  Provenance at;
};

struct SecurityGroupRule {
  std::string id, group_id, direction, ethertype;  // "ingress"/"egress", "IPv4"/"IPv6"
  std::string protocol;                            // "" any; a name or a number
  std::optional<int> port_min, port_max;           // ICMP: type, code
  std::optional<Prefix> remote_ip;
  std::string remote_group_id, remote_address_group_id;
  Provenance at;
};
struct AddressGroup { std::string id, name; std::vector<Prefix> addresses; Provenance at; };

struct SecurityGroup { std::string id, name; bool stateful = true; std::vector<SecurityGroupRule> rules; Provenance at; };

struct Agent {
  std::string id, type, binary, host;
  bool alive = true;
  // agent_mode, tunneling_ip, ...; lists as "vxlan,gre", maps of texts as "external:br-ex,provider:br-vlan"
  std::map<std::string, std::string> configuration;
  Provenance at;
};

struct DvrHostMac { std::string host; Mac mac; Provenance at; };

struct Model {
  std::vector<Network> networks;
  std::vector<Subnet> subnets;
  std::vector<Port> ports;
  std::vector<Router> routers;
  std::vector<FloatingIp> floating_ips;
  std::vector<SecurityGroup> security_groups;
  std::vector<Agent> agents;
  std::vector<AddressGroup> address_groups;
  std::vector<DvrHostMac> dvr_macs;
  std::vector<DistributedBinding> distributed_bindings;  // of the database alone
  std::vector<RouterAgent> router_agents;                // of the database alone
  // Concluded from the hosts, not told by Neutron: security groups are not known, nor is what no host shows.
  bool derived = false;
  bool empty() const { return networks.empty() && ports.empty() && routers.empty() && subnets.empty(); }
};

}  // namespace dvrtrace::logical
