#include "tracer/reference/l3_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "tracer/reference/l3_found.h"

namespace dvrtrace::reference {

using namespace logical;

namespace {

constexpr std::uint32_t kFirstPriority = 32768, kPriorities = 40000;
constexpr std::uint32_t kFastExitPriority = 80000;
constexpr std::uint32_t kNoScope = 1024u << 16;
constexpr std::uint32_t kWidePool = 0xa9fe4000, kNarrowPool = 0xa9fe1e00;

// A fixed MAC for a device whose own is not known: locally administered, of its name and its router's.
Mac made_up_mac(std::string_view id, std::string_view device) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const std::string_view part : {id, device}) {
    for (const char c : part) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  }
  return Mac{(hash & 0xfcffffffffff) | 0x020000000000};
}

class Planner {
 public:
  explicit Planner(const Plan& plan) : plan_(plan), found_(plan.found) {
    l3_.plan = &plan;
    l3_.practice = l3_practice_of(plan.release, plan.release_guessed);
    l3_.numbers = found_.numbers();
    l3_.prefix =
        found_.chain_prefix("qrouter-").value_or(found_.chain_prefix("snat-").value_or("neutron-l3-agent"));
  }

  L3Plan make() {
    for (const PlannedRouter& planned : plan_.routers) {
      if (planned.distributed) add_router(planned);
    }
    for (L3Router& router : l3_.routers) {
      place_floating_ips(router);
      read_fast_exit(router);
    }
    for (L3Router& router : l3_.routers) link(router);
    number_links();
    number_floating_ips();
    for (L3Router& router : l3_.routers) read_marks(router);
    return std::move(l3_);
  }

 private:
  void add_router(const PlannedRouter& planned) {
    L3Router router;
    router.planned = &planned;
    router.logical = &plan_.model().routers[planned.router];
    router.netns = "qrouter-" + router.id();
    router.snat = router.logical->enable_snat.value_or(true);
    for (const std::size_t index : plan_.cloud->ports_of_device(router.id())) {
      const Port& port = plan_.cloud->port(index);
      switch (role_of(port.device_owner)) {
        case Role::DistributedRouter:
          router.interfaces.push_back(router_port(plan_, index, "qr-"));
          break;
        case Role::Snat:
          router.snat_ports.push_back(router_port(plan_, index, "sg-"));
          break;
        case Role::Gateway:
          router.gateway = router_port(plan_, index, "qg-");
          break;
        case Role::Ha:
          if (port.host == plan_.host) router.ha_port = router_port(plan_, index, "ha-");
          break;
        default:
          break;
      }
    }
    for (auto* ports : {&router.interfaces, &router.snat_ports})
      std::ranges::sort(*ports, {}, &RouterPort::device);
    router.ha_here = planned.ha && router.ha_port.has_value();
    if (router.ha_here) router.active = is_active(router);
    l3_.routers.push_back(std::move(router));
  }

  std::optional<bool> is_active(const L3Router& router) const {
    if (const auto active = found_.active(router.id())) return active;
    for (const RouterAgent& bound : plan_.model().router_agents) {
      if (bound.router_id == router.id() && bound.ha_port_id == router.ha_port->logical->id &&
          !bound.state.empty())
        return bound.state == "active";
    }
    return std::nullopt;
  }

  // --- floating IPs ---

  std::string_view agent_mode(std::string_view host) const {
    if (host == plan_.host) return plan_.options.agent_mode;
    const Agent* agent = plan_.cloud->agent(host, "l3-agent");
    if (agent == nullptr) return {};
    const auto mode = agent->configuration.find("agent_mode");
    return mode == agent->configuration.end() ? std::string_view() : std::string_view(mode->second);
  }

  // The host of a port; of one that is bound to none that of the only active port which may use its address.
  std::string_view host_of(const Port& port, const Ip& fixed) const {
    if (!port.host.empty()) return port.host;
    std::set<std::string_view> hosts;
    for (const std::size_t index : plan_.cloud->ports_of_network(port.network_id)) {
      const Port& other = plan_.cloud->port(index);
      if (other.host.empty() || other.status != "ACTIVE") continue;
      const bool may_use = std::ranges::any_of(
          other.allowed_pairs, [&](const AddressPair& pair) { return pair.ip == host_prefix(fixed); });
      if (may_use) hosts.insert(other.host);
    }
    return hosts.size() == 1 ? *hosts.begin() : std::string_view();
  }

  static std::optional<Ip> fixed_of(const FloatingIp& floating, const Port* port) {
    if (floating.fixed_ip) return floating.fixed_ip;
    if (port == nullptr) return std::nullopt;
    for (const FixedIp& fixed : port->fixed_ips) {
      if (fixed.ip.v4()) return fixed.ip;
    }
    return std::nullopt;
  }

  void place_floating_ips(L3Router& router) {
    for (const FloatingIp& floating : plan_.model().floating_ips) {
      if (floating.router_id != router.id()) continue;
      const auto index = plan_.cloud->find_port(floating.port_id);
      const Port* port = index ? &plan_.cloud->port(*index) : nullptr;
      const auto fixed = fixed_of(floating, port);
      if (!fixed) continue;
      const std::string_view host = port == nullptr ? std::string_view() : host_of(*port, *fixed);
      const bool no_external = agent_mode(host) == "dvr_no_external";
      if (host.empty() || no_external) {
        if (l3_.practice.central_floating != Does::No)
          router.central.push_back({floating.floating_ip, *fixed, index, std::nullopt});
      } else if (host == plan_.host && l3_.distributes()) {
        router.local.push_back({floating.floating_ip, *fixed, index, std::nullopt});
      }
    }
    for (auto* list : {&router.local, &router.central})
      std::ranges::sort(*list, {}, &RouterFloatingIp::floating);
  }

  void number_floating_ips() {
    std::set<std::uint32_t> used;
    std::vector<std::pair<L3Router*, RouterFloatingIp*>> left;
    for (L3Router& router : l3_.routers) {
      for (RouterFloatingIp& floating : router.local) {
        floating.priority = found_.floating_priority(router.netns, floating.fixed, floating.floating);
        const bool in_range = floating.priority && *floating.priority >= kFirstPriority &&
                              *floating.priority < kFirstPriority + kPriorities;
        if (!in_range || !used.insert(*floating.priority).second) left.emplace_back(&router, &floating);
      }
    }
    std::uint32_t next = kFirstPriority;
    for (auto& [router, floating] : left) {
      while (used.contains(next)) ++next;
      used.insert(next);
      floating->priority = next;
    }
  }

  // --- the veth pair ---

  void link(L3Router& router) {
    if (!l3_.distributes() || !router.has_gateway() || !router.planned->here) return;
    if (l3_.practice.link_with_gateway == Does::No && router.local.empty()) return;
    RouterLink link;
    link.rfp = "rfp-" + router.id().substr(0, 10);
    link.fpr = "fpr-" + router.id().substr(0, 10);
    link.mtu = router.gateway->mtu;
    const std::string fip = "fip-" + router.logical->external_network_id;
    link.rfp_mac = found_.mac_of(router.netns, link.rfp).value_or(made_up_mac(router.id(), link.rfp));
    link.fpr_mac = found_.mac_of(fip, link.fpr).value_or(made_up_mac(router.id(), link.fpr));
    router.link = link;
  }

  void number_links() {
    std::set<std::uint32_t> used;
    std::vector<RouterLink*> left;
    for (L3Router& router : l3_.routers) {
      if (!router.link) continue;
      const std::string fip = "fip-" + router.logical->external_network_id;
      const auto found =
          found_.link_address(router.id(), router.netns, fip, router.link->rfp, router.link->fpr);
      if (found && used.insert(found->v4_value()).second) {
        set_address(*router.link, found->v4_value());
      } else {
        left.push_back(&*router.link);
      }
    }
    std::uint32_t next = l3_.practice.wide_pool == Does::No ? kNarrowPool : kWidePool;
    for (RouterLink* link : left) {
      while (used.contains(next)) next += 2;
      used.insert(next);
      set_address(*link, next);
    }
  }

  static void set_address(RouterLink& link, std::uint32_t even) {
    link.rfp_ip = ipv4(even);
    link.fpr_ip = ipv4(even + 1);
  }

  // --- address scopes ---

  // Neutron's objects tell neither the scope of a subnet nor that of the outside: what the agent concluded is found.
  void read_fast_exit(L3Router& router) {
    if (l3_.practice.fast_exit == Does::No || !router.has_gateway()) return;
    for (const RouterPort& port : router.interfaces) {
      for (const PortAddress& address : port.addresses) {
        if (address.ip.v4() && found_.has_rule(router.netns, kFastExitPriority, address.subnet->cidr))
          router.fast_exit[port.device] = true;
      }
    }
  }

  void read_marks(L3Router& router) {
    const auto add = [&](std::string_view netns, const std::string& device) {
      router.marks[device] = found_.scope_mark(netns, device).value_or(kNoScope);
    };
    for (const RouterPort& port : router.interfaces) add(router.netns, port.device);
    if (router.link) add(router.netns, router.link->rfp);
    for (const RouterPort& port : router.snat_ports) add("snat-" + router.id(), port.device);
    if (router.gateway) add("snat-" + router.id(), router.gateway->device);
  }

  const Plan& plan_;
  const L3Found found_;
  L3Plan l3_;
};

// The CRC that Python's zlib computes (IEEE 802.3).
std::uint32_t crc32(std::string_view bytes) {
  std::uint32_t crc = 0xffffffff;
  for (const char c : bytes) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0u);
  }
  return ~crc;
}

}  // namespace

bool RouterPort::has(Family family) const {
  return std::ranges::any_of(addresses,
                             [&](const PortAddress& address) { return address.ip.family == family; });
}

const PortAddress* L3Router::snat_address(const PortAddress& of) const {
  for (const RouterPort& port : snat_ports) {
    for (const PortAddress& address : port.addresses) {
      if (address.subnet == of.subnet) return &address;
    }
  }
  return nullptr;
}

std::uint32_t L3Router::mark_of(std::string_view device) const {
  const auto mark = marks.find(device);
  return mark == marks.end() ? kNoScope : mark->second;
}

L3Plan make_l3_plan(const Plan& plan) { return Planner(plan).make(); }

const Subnet* find_subnet(const Plan& plan, std::string_view id) {
  const auto index = plan.cloud->find_subnet(id);
  return index ? &plan.model().subnets[*index] : nullptr;
}

std::uint32_t mtu_of(const Plan& plan, std::string_view network_id) {
  const auto index = plan.cloud->find_network(network_id);
  return index ? plan.model().networks[*index].mtu.value_or(0) : 0;
}

namespace {

// What Neutron's objects do not tell is taken as found.
std::uint32_t found_mtu(const HostSnapshot* host, std::string_view device) {
  if (host == nullptr) return 0;
  for (const NamespaceSnapshot& netns : host->namespaces) {
    for (const Sourced<kernel::Link>& link : netns.links.value) {
      if (link.value.name == device) return link.value.mtu;
    }
  }
  return 0;
}

}  // namespace

RouterPort router_port(const Plan& plan, std::size_t index, std::string_view prefix) {
  const Port& port = plan.cloud->port(index);
  RouterPort made;
  made.port = index;
  made.logical = &port;
  made.device = fmt::format("{}{}", prefix, port.id.substr(0, 11));
  made.mtu = mtu_of(plan, port.network_id);
  if (made.mtu == 0) made.mtu = found_mtu(plan.found, made.device);
  for (const FixedIp& fixed : port.fixed_ips) {
    if (const Subnet* subnet = find_subnet(plan, fixed.subnet_id))
      made.addresses.push_back({fixed.ip, subnet});
  }
  for (const WiredPort& other : plan.ports) {
    if (other.role == Role::Compute && plan.logical_port(other).network_id == port.network_id)
      made.behind.push_back(other.port);
  }
  return made;
}

std::uint32_t snat_index(const Ip& ip, unsigned length) {
  if (ip.v4()) return ip.v4_value();
  const std::uint32_t crc = crc32(fmt::format("{}/{}", to_string(ip), length));
  const std::uint32_t index = (crc >> 30) ^ (crc & 0x3fffffff);
  return index < kFirstPriority ? index + 0x3fffffff : index;
}

}  // namespace dvrtrace::reference
