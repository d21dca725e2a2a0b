// fip-: one per external network, shared by all routers of the host (neutron/agent/l3/dvr_fip_ns.py).
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "tracer/reference/namespaces.h"
#include "tracer/reference/netns_writer.h"

namespace dvrtrace::reference {

using namespace logical;

namespace {

using Routers = std::vector<const L3Router*>;

class FipNamespace {
 public:
  FipNamespace(const L3Plan& l3, const std::string& network_id, Routers routers)
      : l3_(l3),
        plan_(*l3.plan),
        network_id_(network_id),
        routers_(std::move(routers)),
        netns_("fip-" + network_id, "FIP-NETNS", routers_.empty()) {}

  void add(Host& host) {
    for (const WiredPort& port : plan_.ports) {
      const Port& logical = plan_.logical_port(port);
      if (port.role == Role::FipGateway && logical.network_id == network_id_)
        gateway_ = router_port(plan_, port.port, "fg-");
    }
    if (gateway_) {
      add_gateway(*gateway_);
    } else {
      host.caveats.push_back(
          {"fip-gateway",
           fmt::format("the port of the fip namespace on network {} is not known: what leads to and by "
                       "it is not expected",
                       network_id_)});
    }
    for (const L3Router* router : routers_) add_router(*router);
    add_common_sysctls(l3_.practice, netns_);
    add_forwarding6(plan_, "1", netns_);
    if (l3_.practice.fip_nonlocal_bind == Does::Yes)
      netns_.sysctl("FIP-NONLOCAL", "net.ipv4.ip_nonlocal_bind", "1");
    add_fip_iptables(l3_, netns_);
    netns_.finish(host);
  }

 private:
  std::vector<std::size_t> concerned() const {
    std::vector<std::size_t> ports;
    for (const L3Router* router : routers_) {
      for (const RouterFloatingIp& floating : router->local) {
        if (floating.port) ports.push_back(*floating.port);
      }
    }
    return ports;
  }

  void add_gateway(const RouterPort& gateway) {
    netns_.device("FIP-FG", {gateway.device, {}, gateway.logical->mac, gateway.mtu, {}})
        .concerns(concerned());
    for (const PortAddress& address : gateway.addresses) {
      netns_.address("FIP-FG-ADDRESS", address.ip, address.length()).concerns(concerned());
    }
    netns_.link_local(gateway.logical->mac);
    netns_.sysctl("FIP-PROXY-ARP", fmt::format("net.ipv4.conf.{}.proxy_arp", gateway.device), "1")
        .concerns(concerned());
    if (l3_.practice.proxy_delay == Does::Yes)
      netns_.sysctl("FIP-PROXY-DELAY", fmt::format("net.ipv4.neigh.{}.proxy_delay", gateway.device), "1");
    for (const PortAddress& address : gateway.addresses) {
      const auto& way = address.subnet->gateway;
      if (!way) continue;
      if (!address.subnet->cidr.contains(*way))
        netns_.route("FIP-GATEWAY-ROUTE", host_prefix(*way), fmt::format("dev {}", gateway.device));
      if (l3_.practice.table_per_router != Does::Yes)
        netns_
            .route("FIP-DEFAULT", everything(way->family),
                   fmt::format("via {} dev {}", to_string(*way), gateway.device))
            .optional(l3_.practice.table_per_router == Does::Maybe);
    }
    if (l3_.practice.onlink_subnets == Does::No) return;
    for (const std::size_t index : plan_.cloud->subnets_of_network(network_id_)) {
      const Subnet& subnet = plan_.model().subnets[index];
      const bool own = std::ranges::any_of(
          gateway.addresses, [&](const PortAddress& address) { return address.subnet == &subnet; });
      if (own) continue;
      netns_.route("FIP-ONLINK", subnet.cidr, fmt::format("dev {}", gateway.device))
          .optional(subnet.cidr.ip().v6() || l3_.practice.onlink_subnets == Does::Maybe);
    }
  }

  void add_router(const L3Router& router) {
    const RouterLink& link = *router.link;
    std::vector<std::size_t> ports;
    for (const RouterFloatingIp& floating : router.local) {
      if (floating.port) ports.push_back(*floating.port);
    }
    netns_.device("FIP-FPR", {link.fpr, "if2", link.fpr_mac, link.mtu, {}}).concerns(ports);
    netns_.address("FIP-FPR-ADDRESS", link.fpr_ip, 31).concerns(ports);
    netns_.link_local(link.fpr_mac);
    netns_.neighbour("FIP-PEER-NEIGH", link.rfp_ip, link.fpr, link.rfp_mac).optional().concerns(ports);
    add_table(router, link, ports);
    const std::string way = fmt::format("via {} dev {}", to_string(link.rfp_ip), link.fpr);
    for (const RouterFloatingIp& floating : router.local) {
      Writer::Added added = netns_.route("FIP-ROUTE", host_prefix(floating.floating), way);
      if (floating.port) added.concerns(*floating.port);
    }
    for (const RouterPort& port : router.interfaces) {
      if (!router.leaves_fast(port)) continue;
      for (const PortAddress& address : port.addresses) {
        if (address.ip.v4()) netns_.route("FIP-FAST-EXIT", address.subnet->cidr, way).concerns(port.behind);
      }
    }
  }

  // What a router sends goes to the outside by a table of its own.
  void add_table(const L3Router& router, const RouterLink& link, const std::vector<std::size_t>& ports) {
    if (l3_.practice.table_per_router == Does::No || !gateway_) return;
    const bool maybe = l3_.practice.table_per_router == Does::Maybe;
    netns_.rule("FIP-RULE", link.table(), "from all iif " + link.fpr, link.table())
        .optional(maybe)
        .concerns(ports);
    for (const PortAddress& address : gateway_->addresses) {
      const auto& way = address.subnet->gateway;
      if (!way) continue;
      // No rule leads IPv6 to the table.
      netns_
          .route("FIP-DEFAULT", everything(way->family),
                 fmt::format("via {} dev {}", to_string(*way), gateway_->device), link.table())
          .optional(maybe || way->v6())
          .concerns(ports);
    }
    for (const HostRoute& route : router.logical->routes) {
      const bool outside = std::ranges::any_of(gateway_->addresses, [&](const PortAddress& address) {
        return address.subnet->cidr.contains(route.nexthop);
      });
      if (!outside) continue;
      netns_
          .route("FIP-EXTRA-ROUTE", route.destination,
                 fmt::format("via {} dev {}", to_string(route.nexthop), gateway_->device), link.table())
          .optional(maybe)
          .concerns(ports);
    }
  }

  const L3Plan& l3_;
  const Plan& plan_;
  const std::string& network_id_;
  const Routers routers_;
  std::optional<RouterPort> gateway_;
  NetnsWriter netns_;
};

}  // namespace

void add_fip_namespaces(const L3Plan& l3, Host& host) {
  std::map<std::string, Routers> networks;
  // The port stays until the server takes it back, and the namespace with it.
  for (const std::size_t index : l3.plan->fip_gateways)
    networks[l3.plan->logical_port(l3.plan->ports[index]).network_id];
  for (const L3Router& router : l3.routers) {
    if (router.link) networks[router.logical->external_network_id].push_back(&router);
  }
  for (const auto& [id, routers] : networks) FipNamespace(l3, id, routers).add(host);
}

}  // namespace dvrtrace::reference
