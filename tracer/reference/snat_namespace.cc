// snat-: where a router's traffic without a floating IP is translated (neutron/agent/l3/dvr_edge_router.py, dvr_snat_ns.py and
// keepalived.py). Of an HA router it is on several hosts, and keepalived gives the active one its addresses and routes.
#include <fmt/format.h>

#include <algorithm>

#include "tracer/reference/namespaces.h"
#include "tracer/reference/netns_writer.h"

namespace dvrtrace::reference {

using namespace logical;

namespace {

class SnatNamespace {
 public:
  SnatNamespace(const L3Plan& l3, const L3Router& router)
      : l3_(l3), plan_(*l3.plan), router_(router), netns_("snat-" + router.id(), "SNAT-NETNS") {}

  void add(Host& host) {
    if (router_.ha_port) add_ha();
    for (const RouterPort& port : router_.snat_ports) add_port("SNAT-SG", port);
    if (router_.gateway) add_gateway(*router_.gateway);
    add_sysctls();
    add_snat_iptables(l3_, router_, netns_);
    netns_.finish(host);
  }

 private:
  bool has_addresses() const { return !router_.ha_here || router_.active.value_or(true); }
  // Which host of an HA router is the active one may not be known.
  bool maybe() const { return router_.ha_here && !router_.active; }

  void add_ha() {
    const RouterPort& port = *router_.ha_port;
    netns_.device("SNAT-HA", {port.device, {}, port.logical->mac, port.mtu, {}});
    for (const PortAddress& address : port.addresses)
      netns_.address("SNAT-HA-ADDRESS", address.ip, address.length());
    if (has_addresses() && router_.logical->ha_vr_id) {
      netns_.address("SNAT-VIP", ipv4(0xa9fe0000 + *router_.logical->ha_vr_id), 24).optional(maybe());
    } else if (has_addresses()) {
      add_found_vip(port.device);
    }
    netns_.link_local(port.logical->mac);
  }

  // Neutron's API does not tell the router's number of VRRP.
  void add_found_vip(const std::string& device) {
    const Prefix pool(ipv4(0xa9fe0000), 24);
    const NamespaceSnapshot* found =
        plan_.found == nullptr ? nullptr : plan_.found->find_namespace("snat-" + router_.id());
    if (found == nullptr) return;
    for (const Sourced<kernel::Link>& link : found->links.value) {
      if (link.value.name != device) continue;
      for (const Sourced<kernel::Address>& address : link.value.addresses) {
        if (pool.contains(address.value.ip) && address.value.length == 24)
          netns_.address("SNAT-VIP", address.value.ip, 24).optional();
      }
    }
  }

  void add_port(std::string_view rule, const RouterPort& port) {
    netns_.device(rule, {port.device, {}, port.logical->mac, port.mtu, {}}).concerns(port.behind);
    if (!has_addresses()) return;
    for (const PortAddress& address : port.addresses) {
      netns_.address("SNAT-ADDRESS", address.ip, address.length()).optional(maybe()).concerns(port.behind);
    }
    netns_.link_local(port.logical->mac);
  }

  void add_gateway(const RouterPort& gateway) {
    add_port("SNAT-QG", gateway);
    if (has_addresses()) {
      for (const RouterFloatingIp& floating : router_.central) {
        Writer::Added added = netns_.address("SNAT-FIP-ADDRESS", floating.floating, 32);
        added.optional(maybe());
        if (floating.port) added.concerns(*floating.port);
      }
      add_forwarding_addresses();
      add_routes(gateway);
    }
    const bool gateway6 = std::ranges::any_of(gateway.addresses, [](const PortAddress& address) {
      return address.ip.v6() && address.subnet->gateway.has_value();
    });
    // Of an HA router the value changes with its state.
    if (!router_.ha_here || router_.active == false)
      netns_.sysctl("SNAT-ACCEPT-RA", fmt::format("net.ipv6.conf.{}.accept_ra", gateway.device),
                    router_.ha_here || gateway6 ? "0" : "2");
  }

  // A floating IP that belongs to a router and to no port has ports of it forwarded; the forwardings themselves are not read.
  void add_forwarding_addresses() {
    for (const FloatingIp& floating : plan_.model().floating_ips) {
      if (floating.router_id == router_.id() && floating.port_id.empty())
        netns_.address("SNAT-FORWARDING-ADDRESS", floating.floating_ip, 32).optional();
    }
  }

  void add_routes(const RouterPort& gateway) {
    for (const PortAddress& address : gateway.addresses) {
      const auto& way = address.subnet->gateway;
      if (!way) continue;
      if (!address.subnet->cidr.contains(*way))
        netns_.route("SNAT-GATEWAY-ROUTE", host_prefix(*way), fmt::format("dev {}", gateway.device))
            .optional(maybe());
      netns_
          .route("SNAT-DEFAULT", everything(way->family),
                 fmt::format("via {} dev {}", to_string(*way), gateway.device))
          .optional(maybe());
    }
    add_further_subnets(gateway);
    for (const HostRoute& route : router_.logical->routes) {
      const std::string* device = device_to(route.nexthop);
      if (device == nullptr) continue;
      netns_
          .route("SNAT-EXTRA-ROUTE", route.destination,
                 fmt::format("via {} dev {}", to_string(route.nexthop), *device))
          .optional(maybe());
    }
  }

  void add_further_subnets(const RouterPort& gateway) {
    for (const std::size_t index : plan_.cloud->subnets_of_network(gateway.logical->network_id)) {
      const Subnet& subnet = plan_.model().subnets[index];
      const bool own = std::ranges::any_of(
          gateway.addresses, [&](const PortAddress& address) { return address.subnet == &subnet; });
      if (own) continue;
      netns_.route("SNAT-ONLINK", subnet.cidr, fmt::format("dev {}", gateway.device))
          .optional(maybe() || subnet.cidr.ip().v6() || l3_.practice.onlink_subnets != Does::Yes);
    }
  }

  const std::string* device_to(const Ip& ip) const {
    const auto leads_there = [&](const RouterPort& port) {
      return std::ranges::any_of(
          port.addresses, [&](const PortAddress& address) { return address.subnet->cidr.contains(ip); });
    };
    if (router_.gateway && leads_there(*router_.gateway)) return &router_.gateway->device;
    const auto port = std::ranges::find_if(router_.snat_ports, leads_there);
    return port == router_.snat_ports.end() ? nullptr : &port->device;
  }

  void add_sysctls() {
    add_common_sysctls(l3_.practice, netns_);
    add_forwarding6(plan_, "1", netns_);
    if (l3_.practice.strict_tcp == Does::Yes)
      netns_.sysctl("SNAT-STRICT-TCP", "net.netfilter.nf_conntrack_tcp_loose", "0");
    if (l3_.practice.snat_nonlocal_bind != Does::Maybe && plan_.release >= kMitaka)
      netns_.sysctl("SNAT-NONLOCAL", "net.ipv4.ip_nonlocal_bind",
                    l3_.practice.snat_nonlocal_bind == Does::Yes ? "1" : "0");
  }

  const L3Plan& l3_;
  const Plan& plan_;
  const L3Router& router_;
  NetnsWriter netns_;
};

}  // namespace

void add_snat_namespace(const L3Plan& l3, const L3Router& router, Host& host) {
  SnatNamespace(l3, router).add(host);
}

}  // namespace dvrtrace::reference
