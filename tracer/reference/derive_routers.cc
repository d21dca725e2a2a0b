#include <fmt/format.h>

#include <algorithm>

#include "tracer/reference/derivation.h"

namespace dvrtrace::reference {

using namespace logical;

namespace {

constexpr std::string_view kMetadata = "169.254.169.254";
constexpr unsigned kVirtualLength = 24;

// What the rules of one namespace translate.
struct Translation {
  Ip outside, inside;
  std::string device;
};

// The floating IPs of a namespace's nat table: by the rules for what comes in, and by those for what goes out.
std::vector<Translation> translations_of(const NamespaceSnapshot& netns) {
  std::vector<Translation> found;
  const kernel::IptablesTable* nat = netns.iptables4.value.find("nat");
  if (nat == nullptr) return found;
  for (const kernel::Chain& chain : nat->chains) {
    for (const auto& rule : chain.rules) {
      const auto* to = std::get_if<kernel::NatTo>(&rule.value.target);
      if (to == nullptr || !to->first || to->ports) continue;
      for (const kernel::Match& match : rule.value.matches) {
        const auto* address = std::get_if<kernel::AddressMatch>(&match);
        if (address == nullptr || address->inverted || !address->prefix.host() ||
            address->source == to->destination)
          continue;
        const Ip named = address->prefix.ip();
        found.push_back(to->destination ? Translation{named, *to->first, {}}
                                        : Translation{*to->first, named, {}});
      }
    }
  }
  return found;
}

class RouterDeriver {
 public:
  explicit RouterDeriver(Derivation& all) : all_(all) {}

  void derive() {
    for (const HostSnapshot& host : all_.snapshot.hosts) {
      for (const NamespaceSnapshot& netns : host.namespaces) read(host, netns);
    }
    for (const HostSnapshot& host : all_.snapshot.hosts) {
      for (const NamespaceSnapshot& netns : host.namespaces) read_external(netns);
    }
    settle();
    for (const HostSnapshot& host : all_.snapshot.hosts) {
      for (const NamespaceSnapshot& netns : host.namespaces) read_floating(netns);
    }
  }

 private:
  Port* port_of(const HostSnapshot& host, const std::string& device) {
    const auto at = all_.port_of_device.find({host.name, device});
    return at == all_.port_of_device.end() ? nullptr : &all_.port(at->second);
  }

  void read(const HostSnapshot& host, const NamespaceSnapshot& netns) {
    const std::size_t dash = netns.name.find('-');
    if (dash == std::string::npos) return;
    const std::string kind = netns.name.substr(0, dash), id = netns.name.substr(dash + 1);
    const bool router = kind == "qrouter" || kind == "snat";
    if (router && !all_.router(id).distributed) all_.router(id).distributed = kind == "snat";
    for (const auto& link : netns.links.value) {
      if (router && (link.value.name.starts_with("rfp-"))) all_.router(id).distributed = true;
      Port* port = port_of(host, link.value.name);
      if (port == nullptr) continue;
      if (link.value.mtu != 0) all_.network(port->network_id).mtu = link.value.mtu;
      if (kind == "qdhcp") {
        port->device_owner = "network:dhcp";
        port->device_id = fmt::format("dhcp{}-{}", host.name, id);
      }
      if (router) port->device_id = id;
      if (router && port->device_owner == "network:router_ha_interface") all_.router(id).ha = true;
      if (kind == "fip") port->device_id = "l3@" + host.name;
      read_addresses(host, kind, *port, link.value);
    }
  }

  void read_addresses(const HostSnapshot& host, const std::string& kind, Port& port,
                      const kernel::Link& link) {
    const bool ha = port.device_owner == "network:router_ha_interface";
    for (const auto& address : link.addresses) {
      const Ip ip = address.value.ip;
      if (ip == parse_ip(kMetadata) || (ip.link_local() && (!ha || ip.v6()))) continue;
      // A virtual address of VRRP stands beside the interface's own.
      if (ha && address.value.length == kVirtualLength) continue;
      const unsigned length = address.value.length;
      if (length == (ip.v4() ? 32U : 128U) && kind != "qrouter") continue;  // a floating IP
      const std::string subnet_id = all_.subnet(port.network_id, ip, length);
      all_.add_fixed_ip(port, ip, subnet_id);
      port.host = host.name;  // of an HA router the one that has the addresses
      if (Subnet* subnet = all_.find_subnet(subnet_id)) note_subnet(*subnet, port, ip);
    }
  }

  static void note_subnet(Subnet& subnet, const Port& port, const Ip& ip) {
    if (port.device_owner == "network:dhcp") subnet.dhcp = true;
    if (port.device_owner == "network:router_interface" && !subnet.gateway) subnet.gateway = ip;
  }

  // External networks: who uses them, and by which gateway.
  void read_external(const NamespaceSnapshot& netns) {
    const bool fip = netns.name.starts_with("fip-"), snat = netns.name.starts_with("snat-");
    if (!fip && !snat) return;
    if (fip) {
      const std::string id = netns.name.substr(4);
      all_.network(id).external = true;
      for (const auto& link : netns.links.value) {
        if (link.value.name.starts_with("fpr-")) set_external(link.value.name.substr(4), id);
      }
    }
    for (const auto* routes : {&netns.routes4.value, &netns.routes6.value}) {
      for (const auto& route : *routes) take_gateway(route.value);
    }
  }

  void set_external(std::string_view router_start, const std::string& network_id) {
    for (Router& router : all_.model.routers) {
      if (router.id.starts_with(router_start)) router.external_network_id = network_id;
    }
  }

  void take_gateway(const kernel::Route& route) {
    if (route.destination.length() != 0 || route.nexthops.empty() || !route.nexthops.front().via) return;
    const std::string& device = route.nexthops.front().device;
    if (!device.starts_with("fg-") && !device.starts_with("qg-")) return;
    const Ip via = *route.nexthops.front().via;
    for (Subnet& subnet : all_.model.subnets) {
      if (subnet.cidr.contains(via) && !subnet.gateway && all_.network(subnet.network_id).external)
        subnet.gateway = via;
    }
  }

  // What only all hosts together tell.
  void settle() {
    for (const auto& [id, hosts] : all_.hosts_of_port) {
      Port& port = all_.port(id);
      if (port.device_owner == "network:router_gateway") {
        all_.network(port.network_id).external = true;
        Router* router = known_router(port.device_id);
        if (router == nullptr) continue;
        router->external_network_id = port.network_id;
        router->external_ips = port.fixed_ips;
      }
      if (port.device_owner == "network:router_interface" && hosts.size() > 1) {
        if (Router* router = known_router(port.device_id)) router->distributed = true;
      }
    }
    for (Port& port : all_.model.ports) {
      const Router* router = known_router(port.device_id);
      if (router == nullptr || port.device_owner != "network:router_interface") continue;
      if (router->distributed) {
        port.device_owner = "network:router_interface_distributed";
        port.host.clear();
      }
    }
    for (const HostSnapshot& host : all_.snapshot.hosts) {
      for (const NamespaceSnapshot& netns : host.namespaces) {
        if (netns.name.starts_with("snat-")) take_snat(netns);
      }
    }
  }

  Router* known_router(const std::string& id) {
    for (Router& router : all_.model.routers) {
      if (router.id == id) return &router;
    }
    return nullptr;
  }

  // A router without any source translation was asked for without.
  void take_snat(const NamespaceSnapshot& netns) {
    Router* router = known_router(netns.name.substr(5));
    const kernel::IptablesTable* nat = netns.iptables4.value.find("nat");
    if (router == nullptr || nat == nullptr || !netns.iptables4.complete()) return;
    bool translates = false;
    for (const kernel::Chain& chain : nat->chains) {
      for (const auto& rule : chain.rules) {
        const auto* to = std::get_if<kernel::NatTo>(&rule.value.target);
        translates = translates || (to != nullptr && !to->destination);
      }
    }
    router->enable_snat = router->enable_snat.value_or(false) || translates;
  }

  void read_floating(const NamespaceSnapshot& netns) {
    const bool qrouter = netns.name.starts_with("qrouter-"), snat = netns.name.starts_with("snat-");
    if (!qrouter && !snat) return;
    const std::string id = netns.name.substr(netns.name.find('-') + 1);
    const Router* router = known_router(id);
    if (router == nullptr) return;
    for (const Translation& translation : translations_of(netns)) {
      const bool known = std::any_of(
          all_.model.floating_ips.begin(), all_.model.floating_ips.end(),
          [&](const FloatingIp& floating) { return floating.floating_ip == translation.outside; });
      if (known) continue;
      FloatingIp floating;
      floating.id = to_string(translation.outside);
      floating.floating_ip = translation.outside;
      floating.fixed_ip = translation.inside;
      floating.router_id = id;
      floating.network_id = router->external_network_id;
      all_.model.floating_ips.push_back(std::move(floating));
    }
  }

  Derivation& all_;
};

}  // namespace

void derive_routers(Derivation& all) { RouterDeriver(all).derive(); }

}  // namespace dvrtrace::reference
