// qrouter-: a router on every host that it serves (neutron/agent/l3/dvr_local_router.py and router_info.py).
#include <fmt/format.h>

#include <algorithm>

#include "tracer/reference/namespaces.h"
#include "tracer/reference/netns_writer.h"

namespace dvrtrace::reference {

using namespace logical;

namespace {

constexpr std::uint32_t kFipTable = 16, kFastExitPriority = 80000;

class RouterNamespace {
 public:
  RouterNamespace(const L3Plan& l3, const L3Router& router)
      : l3_(l3), plan_(*l3.plan), router_(router), netns_(router.netns, "QR-NETNS") {}

  void add(Host& host) {
    for (const RouterPort& port : router_.interfaces) add_interface(port);
    if (router_.link) add_link(*router_.link);
    for (const RouterPort& port : router_.interfaces) add_snat(port);
    for (const RouterFloatingIp& floating : router_.local) add_floating_ip(floating);
    for (const RouterFloatingIp& floating : router_.central) add_central(floating);
    add_extra_routes();
    for (const RouterPort& port : router_.interfaces) add_neighbours(port);
    add_sysctls();
    add_router_iptables(l3_, router_, netns_);
    netns_.finish(host);
  }

 private:
  // Where keepalived decides which host is active, the agent stops the kernel from making link-locals in all the router's namespaces.
  bool link_locals() const { return !(router_.ha_here && l3_.practice.no_ha_link_locals == Does::Yes); }

  void add_interface(const RouterPort& port) {
    netns_.device("QR-DEVICE", {port.device, {}, port.logical->mac, port.mtu, {}}).concerns(port.behind);
    for (const PortAddress& address : port.addresses) {
      netns_.address("QR-ADDRESS", address.ip, address.length()).concerns(port.behind);
    }
    if (link_locals()) netns_.link_local(port.logical->mac);
  }

  void add_link(const RouterLink& link) {
    netns_.device("QR-RFP", {link.rfp, "if2", link.rfp_mac, link.mtu, {}}).concerns(floating_ports());
    netns_.address("QR-RFP-ADDRESS", link.rfp_ip, 31).concerns(floating_ports());
    if (link_locals()) netns_.link_local(link.rfp_mac);
    if (l3_.practice.floating_on_rfp == Does::Yes) {
      for (const RouterFloatingIp& floating : router_.local) {
        netns_.address("QR-RFP-FIP", floating.floating, 32).concerns(ports_of(floating));
      }
    }
    netns_
        .route("QR-FIP-ROUTE", everything(Family::V4),
               fmt::format("via {} dev {}", to_string(link.fpr_ip), link.rfp), kFipTable)
        .concerns(floating_ports());
    if (l3_.practice.rfp_default6 == Does::Yes) {
      netns_.route("QR-RFP-DEFAULT6", everything(Family::V6),
                   fmt::format("via {} dev {}", to_string(link_local_of(link.fpr_mac)), link.rfp));
    }
    // Entered once with the link: a device that was down for a moment has lost it, and learns.
    netns_.neighbour("QR-PEER-NEIGH", link.fpr_ip, link.rfp, link.fpr_mac)
        .optional()
        .concerns(floating_ports());
  }

  // A subnet's traffic to the outside goes to the host of the SNAT port, unless it needs no NAT.
  void add_snat(const RouterPort& port) {
    if (!router_.has_gateway()) return;
    for (const PortAddress& address : port.addresses) {
      if (address.ip.v4() && router_.leaves_fast(port)) {
        netns_.rule("QR-FAST-EXIT", kFastExitPriority, "from " + to_string(address.subnet->cidr), kFipTable)
            .concerns(port.behind);
        continue;
      }
      const PortAddress* snat = router_.snat_address(address);
      if (snat == nullptr) continue;
      const std::uint32_t index = snat_index(address.ip, address.length());
      netns_
          .rule("QR-SNAT-RULE", index, fmt::format("from {}/{}", to_string(address.ip), address.length()),
                index, address.ip.family)
          .concerns(port.behind);
      netns_
          .route("QR-SNAT-ROUTE", everything(address.ip.family),
                 fmt::format("via {} dev {}", to_string(snat->ip), port.device), index)
          .concerns(port.behind);
      netns_.sysctl("QR-REDIRECTS", fmt::format("net.ipv4.conf.{}.send_redirects", port.device), "0");
    }
  }

  void add_floating_ip(const RouterFloatingIp& floating) {
    if (!router_.link || !floating.priority) return;
    netns_.rule("QR-FIP-RULE", *floating.priority, "from " + to_string(floating.fixed), kFipTable)
        .concerns(ports_of(floating));
  }

  // After a restart the agent enters rules for centralised floating IPs too, which do no harm where table 16 is empty.
  void add_central(const RouterFloatingIp& floating) {
    if (l3_.practice.central_rules == Does::No || plan_.found == nullptr) return;
    const NamespaceSnapshot* found = plan_.found->find_namespace(router_.netns);
    if (found == nullptr) return;
    for (const Sourced<kernel::PolicyRule>& rule : found->rules4.value) {
      if (rule.value.table != kFipTable || rule.value.from != host_prefix(floating.fixed)) continue;
      netns_.rule("QR-FIP-RULE-CENTRAL", rule.value.priority, "from " + to_string(floating.fixed), kFipTable)
          .optional();
    }
  }

  // Those whose next hop is on a subnet of the router; the others are in the fip and snat namespaces.
  void add_extra_routes() {
    for (const HostRoute& route : router_.logical->routes) {
      for (const RouterPort& port : router_.interfaces) {
        const bool leads_there = std::ranges::any_of(port.addresses, [&](const PortAddress& address) {
          return address.subnet->cidr.contains(route.nexthop);
        });
        if (!leads_there) continue;
        netns_.route("QR-EXTRA-ROUTE", route.destination,
                     fmt::format("via {} dev {}", to_string(route.nexthop), port.device));
        break;
      }
    }
  }

  // --- neighbours ---

  struct Entry {
    std::size_t port;
    Ip ip;
    Mac mac;
    bool sure;
  };

  static bool is_router_interface(Role role) {
    return role == Role::DistributedRouter || role == Role::LegacyRouter;
  }

  void add_entries(const PortAddress& address, std::vector<Entry>& entries) const {
    for (const std::size_t index : plan_.cloud->ports_of_network(address.subnet->network_id)) {
      const Port& port = plan_.cloud->port(index);
      const Role role = role_of(port.device_owner);
      const bool own_snat = role == Role::Snat && port.device_id == router_.id();
      if (is_router_interface(role) || role == Role::LoadBalancer || role == Role::Nowhere) continue;
      if (port.host.empty() && !own_snat) continue;
      const bool sure = own_snat || (l3_.practice.keeps_neighbours == Does::Yes && port.status == "ACTIVE");
      for (const FixedIp& fixed : port.fixed_ips) {
        if (fixed.subnet_id == address.subnet->id) entries.push_back({index, fixed.ip, port.mac, sure});
      }
      if (l3_.practice.pair_neighbours == Does::No) continue;
      for (const AddressPair& pair : port.allowed_pairs) {
        if (!pair.ip.host() || !address.subnet->cidr.contains(pair.ip.ip())) continue;
        entries.push_back({index, pair.ip.ip(), pair.mac.value_or(port.mac),
                           sure && l3_.practice.pair_neighbours == Does::Yes});
      }
    }
  }

  void add_neighbours(const RouterPort& port) {
    for (const PortAddress& address : port.addresses) {
      std::vector<Entry> entries;
      add_entries(address, entries);
      std::ranges::stable_sort(entries, {},
                               [](const Entry& entry) { return std::pair(entry.ip, entry.mac); });
      for (std::size_t i = 0; i < entries.size();) {
        std::size_t end = i + 1;
        while (end < entries.size() && entries[end].ip == entries[i].ip) ++end;
        add_neighbours(port, std::span(entries).subspan(i, end - i));
        i = end;
      }
    }
  }

  // Several ports may use one address: whichever was entered last is there.
  void add_neighbours(const RouterPort& port, std::span<const Entry> entries) {
    const std::uint32_t either = entries.size() > 1 ? netns_.new_either() : 0;
    for (const Entry& entry : entries) {
      const bool repeated = &entry != entries.data() && (&entry - 1)->mac == entry.mac;
      if (repeated) continue;
      const bool snat = role_of(plan_.cloud->port(entry.port).device_owner) == Role::Snat;
      Writer::Added added =
          netns_.neighbour(snat ? "QR-SNAT-NEIGH" : "QR-NEIGH", entry.ip, port.device, entry.mac);
      added.optional(!entry.sure).either(either);
      if (snat) {
        added.concerns(port.behind);
      } else {
        added.concerns(entry.port);
      }
    }
  }

  // --- settings ---

  void add_sysctls() {
    add_common_sysctls(l3_.practice, netns_);
    add_forwarding6(plan_, router_.ha_here ? "0" : "1", netns_);
    if (router_.ha_here && l3_.practice.no_ha_link_locals == Does::Yes)
      netns_.sysctl("QR-HA-LINK-LOCAL", "net.ipv6.conf.all.addr_gen_mode", "1");
    if (router_.has_gateway()) netns_.sysctl("QR-REDIRECTS", "net.ipv4.conf.all.send_redirects", "0");
  }

  // --- whom it concerns ---

  static std::vector<std::size_t> ports_of(const RouterFloatingIp& floating) {
    return floating.port ? std::vector{*floating.port} : std::vector<std::size_t>();
  }
  std::vector<std::size_t> floating_ports() const {
    std::vector<std::size_t> ports;
    for (const RouterFloatingIp& floating : router_.local) {
      if (floating.port) ports.push_back(*floating.port);
    }
    return ports;
  }

  const L3Plan& l3_;
  const Plan& plan_;
  const L3Router& router_;
  NetnsWriter netns_;
};

}  // namespace

void add_router_namespace(const L3Plan& l3, const L3Router& router, Host& host) {
  RouterNamespace(l3, router).add(host);
}

}  // namespace dvrtrace::reference
