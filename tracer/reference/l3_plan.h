// L3Plan: the routers of one host as the L3 agent sees them: devices, addresses, the veth pair to the fip namespace, floating
// IPs and where they live, SNAT ports, marks. What the agent chose freely is the found choice, by the most of the signs for it, so
// that one changed thing does not change the plan; a fixed one where nothing was found.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tracer/reference/l3_practice.h"
#include "tracer/reference/plan.h"

namespace dvrtrace::reference {

// An address of a port, with the subnet it is of.
struct PortAddress {
  Ip ip;
  const logical::Subnet* subnet = nullptr;
  unsigned length() const { return subnet->cidr.length(); }
};

struct RouterPort {
  std::size_t port = 0;  // of Model::ports
  const logical::Port* logical = nullptr;
  std::string device;     // "qr-...", "sg-...", ...
  std::uint32_t mtu = 0;  // 0: not known
  std::vector<PortAddress> addresses;
  std::vector<std::size_t> behind;  // of Model::ports: the instances on this host that use it
  bool has(Family family) const;
};

// The pair of veth devices between a router's namespace and the fip namespace.
struct RouterLink {
  std::string rfp, fpr;
  Ip rfp_ip, fpr_ip;  // of a /31
  Mac rfp_mac, fpr_mac;
  std::uint32_t mtu = 0;
  std::uint32_t table() const { return fpr_ip.v4_value(); }  // of the fip namespace
};

struct RouterFloatingIp {
  Ip floating, fixed;
  std::optional<std::size_t> port;        // of Model::ports: the fixed address's
  std::optional<std::uint32_t> priority;  // of the rule; none for a centralised one
};

struct L3Router {
  const PlannedRouter* planned = nullptr;
  const logical::Router* logical = nullptr;
  std::string netns;                   // "qrouter-..."
  std::vector<RouterPort> interfaces;  // qr-
  std::vector<RouterPort> snat_ports;  // sg-, also where their namespace is elsewhere
  std::optional<RouterPort> gateway;   // qg-, as well
  std::optional<RouterPort> ha_port;   // of this host
  std::optional<RouterLink> link;
  std::vector<RouterFloatingIp> local;    // distributed, and here
  std::vector<RouterFloatingIp> central;  // in the snat namespace, wherever that is
  bool snat = true;                       // enable_snat
  bool ha_here = false;                   // this host may become the active one
  std::optional<bool> active;             // of an HA router, on this host; none: not known
  const std::string& id() const { return logical->id; }
  bool has_gateway() const { return gateway.has_value(); }
  // The SNAT port on the subnet of an interface's address.
  const PortAddress* snat_address(const PortAddress& of) const;
  bool leaves_fast(const RouterPort& port) const { return fast_exit.contains(port.device); }
  std::map<std::string, bool, std::less<>>
      fast_exit;  // by interface, where its subnets leave by table 16 without NAT
  std::map<std::string, std::uint32_t, std::less<>> marks;  // by device: of its address scope
  std::uint32_t mark_of(std::string_view device) const;
};

// Numbers that the agent's configuration sets.
struct L3Numbers {
  std::uint32_t metadata_mark = 1, ingress_mark = 2;
  std::uint16_t metadata_port = 9697;
};

struct L3Plan {
  const Plan* plan = nullptr;
  L3Practice practice;
  L3Numbers numbers;
  std::string prefix;             // of the agent's chains: "neutron-l3-agent"
  std::vector<L3Router> routers;  // those that are here, ascending by id
  const logical::Model& model() const { return plan->model(); }
  // Only a host that takes floating IPs to the outside itself has a gateway port for them.
  bool distributes() const {
    const std::string& mode = plan->options.agent_mode;
    return mode == "dvr" || mode == "dvr_snat" || (mode.empty() && !plan->fip_gateways.empty());
  }
};

L3Plan make_l3_plan(const Plan& plan);

// The port of Model::ports as a device of a namespace.
RouterPort router_port(const Plan& plan, std::size_t port, std::string_view prefix);
const logical::Subnet* find_subnet(const Plan& plan, std::string_view id);
std::uint32_t mtu_of(const Plan& plan, std::string_view network_id);

// The table, and the priority, of the rule that brings a subnet's traffic to its SNAT port.
std::uint32_t snat_index(const Ip& ip, unsigned length);

}  // namespace dvrtrace::reference
