// Plan: what concerns one host of Neutron's objects, joined with what was found there.
//
// Says where each thing is and under which number (ofport, local VLAN, tunnel port) and nothing about flows or rules, which
// the other files of this folder make of it. Numbers that Neutron or Open vSwitch choose freely are the found ones, and are
// allotted in a fixed order where nothing was found.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/logical/model.h"
#include "src/net/ids.h"
#include "src/snapshot/host.h"
#include "tracer/reference/cloud.h"
#include "tracer/reference/expected.h"
#include "tracer/reference/practice.h"
#include "tracer/reference/release.h"

namespace dvrtrace::reference {

struct Settings {
  std::optional<Release> release;  // none: as guess_release() finds, else the newest
};

enum class Firewall { OpenVSwitch, Hybrid, None };

// The agents' options, from their configuration files, else from what they tell the server, else from what is found.
struct Options {
  bool dvr = true, l2_population = true, arp_responder = true;
  bool direct_egress = false;      // explicitly_egress_direct
  std::optional<bool> arp_spoofing_check;  // prevent_arp_spoofing, which counts until Ocata
  bool metadata_proxy = true;
  std::vector<std::string> tunnel_types;
  std::map<std::string, std::string> bridge_mappings;  // physical network: bridge
  std::optional<Ip> local_ip;
  std::string integration_bridge = "br-int", tunnel_bridge = "br-tun";
  std::string agent_mode;                              // of the L3 agent: "dvr", "dvr_snat", "legacy", ...; "" not known
  Firewall firewall = Firewall::None;
};

enum class Filter {
  Filtered,    // by the security groups
  Trusted,     // owned by "network:..."
  Unfiltered,  // port security is off
};

enum class Segmentation { Vxlan, Gre, Geneve, Vlan, Flat, Local };

struct RemoteHost { std::string name; Mac mac; };

// A port of br-int that is Neutron's, or should be there.
struct WiredPort {
  std::size_t port = 0;     // of Model::ports
  std::size_t network = 0;  // of Plan::networks
  Role role = Role::Compute;
  Filter filter = Filter::Filtered;
  std::string device;       // on br-int: "tap...", "qvo...", "qr-..."
  Ofport ofport;
  bool found = false;       // in the database of Open vSwitch; else device and ofport are as planned
  bool dead = false;        // administratively down
};

struct Tunnel {
  std::string type;         // "vxlan"
  Ip remote_ip;
  std::string host;         // "" when no agent has the address
  std::string device;
  Ofport ofport;
  bool found = false;
  bool needed = false;      // a network of this host has ports behind it
};

// A port of a network that is here, on another host.
struct RemotePort {
  std::size_t port = 0;     // of Model::ports
  std::size_t tunnel = 0;   // of Plan::tunnels
};

struct PlannedNetwork {
  std::size_t network = 0;  // of Model::networks
  LocalVlan vlan;
  bool found = false;       // vlan is the found one
  Segmentation type = Segmentation::Vxlan;
  std::uint32_t segment = 0;
  std::optional<std::size_t> bridge;      // of Plan::bridges: VLAN and flat networks
  std::vector<std::size_t> ports;         // of Plan::ports
  std::vector<std::size_t> flood;         // of Plan::tunnels, ascending
  std::vector<RemotePort> remote;         // announced one by one by l2population
  bool tunnelled() const { return type == Segmentation::Vxlan || type == Segmentation::Gre || type == Segmentation::Geneve; }
};

struct PhysicalBridge {
  std::string physical_network, name;
  std::string int_device, phy_device;     // the patch ports' names on br-int and on the bridge
  Ofport int_port, phy_port;
  bool found = false;
};

struct PlannedRouter {
  std::size_t router = 0;                 // of Model::routers
  bool distributed = false, ha = false;
  bool here = false;                      // a qrouter namespace is here
  bool central = false;                   // the snat namespace is here, or the router as a whole where it is not distributed
  std::vector<std::size_t> interfaces;    // of Plan::ports: qr-
  std::vector<std::size_t> snat_ports;    // of Plan::ports: sg-; empty where the router is not `central`
  std::optional<std::size_t> gateway;     // of Plan::ports: qg-
  std::optional<std::size_t> ha_port;     // of Plan::ports
  std::string ha_state;                   // found: "primary", "master", "backup", ...; "" not found
};

struct Plan {
  const Cloud* cloud = nullptr;
  const HostSnapshot* found = nullptr;
  std::string host;
  Release release;
  bool release_guessed = false;           // its series is known, its number is not
  Practice practice;
  Options options;
  std::optional<Mac> dvr_mac;
  std::vector<RemoteHost> others;         // with their DVR MACs, ascending by MAC
  std::vector<WiredPort> ports;           // ascending by the port's id
  std::vector<PlannedNetwork> networks;   // ascending by the network's id
  std::vector<Tunnel> tunnels;            // ascending by ofport
  std::vector<PhysicalBridge> bridges;    // ascending by name
  std::vector<PlannedRouter> routers;     // ascending by id
  std::vector<std::size_t> fip_gateways;  // of `ports`: fg-
  Ofport patch_tun, patch_int;
  std::vector<Caveat> caveats;

  const logical::Model& model() const { return cloud->model(); }
  const logical::Port& logical_port(const WiredPort& port) const { return model().ports[port.port]; }
  const logical::Network& logical_network(const PlannedNetwork& network) const { return model().networks[network.network]; }
  LocalVlan vlan_of(const WiredPort& port) const { return networks[port.network].vlan; }
  bool tunnelling() const { return !options.tunnel_types.empty(); }
  // Of `ports`, by Neutron's id. None when it is not on this host.
  const WiredPort* find(std::string_view port_id) const;
  const PlannedNetwork* find_network(std::string_view network_id) const;
  // The cookie of the agent's flows on a bridge: the most frequent one found, else a fixed one.
  std::uint64_t cookie(std::string_view bridge) const;
};

Plan make_plan(const Cloud& cloud, const HostSnapshot* found, std::string_view host, const Settings& settings);

// The link-local address of a MAC; MACs of IPv4-only ports have one too.
inline Ip link_local_of(Mac mac) { return eui64_link_local(mac.value); }

}  // namespace dvrtrace::reference
