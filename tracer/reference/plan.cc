#include "tracer/reference/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <span>
#include <unordered_map>

#include "src/base/text.h"
#include "tracer/reference/found_numbers.h"
#include "tracer/reference/options.h"
#include "tracer/reference/plan_names.h"

namespace dvrtrace::reference {

using namespace logical;

namespace {

Segmentation segmentation_of(const std::string& type) {
  if (type == "vlan") return Segmentation::Vlan;
  if (type == "flat") return Segmentation::Flat;
  if (type == "gre") return Segmentation::Gre;
  if (type == "geneve") return Segmentation::Geneve;
  if (type == "local") return Segmentation::Local;
  return Segmentation::Vxlan;
}

std::string_view type_name(Segmentation type) {
  return type == Segmentation::Gre ? "gre" : type == Segmentation::Geneve ? "geneve" : "vxlan";
}

// What the client lists without --long has no status.
bool is_active(const Port& port) { return port.status == "ACTIVE" || port.status.empty(); }

// A number that no other thing of its kind has.
template <class Rep>
Rep take_free(std::set<Rep>& used) {
  Rep next = 1;
  while (used.contains(next)) ++next;
  used.insert(next);
  return next;
}

class Planner {
 public:
  Planner(const Cloud& cloud, const HostSnapshot* found, std::string_view host, const Settings& settings)
      : cloud_(cloud), found_(found) {
    plan_.cloud = &cloud;
    plan_.found = found;
    plan_.host = host;
    plan_.release = settings.release ? *settings.release
                    : found          ? guess_release(*found).value_or(kNewest)
                                     : kNewest;
    plan_.release_guessed = !settings.release && found != nullptr;
    plan_.options = options_of(cloud, found, host);
    plan_.practice = practice_of(plan_.release, native());
    if (found != nullptr) adapt(plan_.practice, *found);
    numbers_.emplace(plan_);
  }

  Plan make() {
    read_database();
    take_macs();
    place_bridges();
    place_ports();
    place_networks();
    place_tunnels();
    place_routers();
    return std::move(plan_);
  }

 private:
  struct FoundPort {
    const OvsPort* port = nullptr;
    const OvsInterface* interface = nullptr;
  };

  bool native() const {
    if (plan_.release >= kTrain) return true;
    if (plan_.release < kLiberty) return false;
    if (found_ != nullptr && found_->ovs.present()) {
      for (const OvsBridge& bridge : found_->ovs.value.bridges) {
        if (bridge.name == plan_.options.integration_bridge) return bridge.has_controller;
      }
    }
    return plan_.release >= kNewton;
  }

  // --- what is found ---

  void read_database() {
    if (found_ == nullptr || !found_->ovs.present()) return;
    for (const OvsBridge& bridge : found_->ovs.value.bridges) {
      std::set<std::uint32_t>& used = used_ofports_[bridge.name];
      for (const OvsPort& port : bridge.ports) {
        for (const OvsInterface& interface : port.interfaces) {
          if (interface.ofport && *interface.ofport > 0)
            used.insert(static_cast<std::uint32_t>(*interface.ofport));
          by_name_[bridge.name].emplace(interface.name, FoundPort{&port, &interface});
          if (bridge.name != plan_.options.integration_bridge) continue;
          const auto id = interface.external_ids.find("iface-id");
          if (id != interface.external_ids.end()) by_id_.emplace(id->second, FoundPort{&port, &interface});
        }
      }
    }
  }

  const FoundPort* find_device(std::string_view bridge, std::string_view device) const {
    const auto names = by_name_.find(bridge);
    if (names == by_name_.end()) return nullptr;
    const auto found = names->second.find(device);
    return found == names->second.end() ? nullptr : &found->second;
  }

  // Its found number; where Open vSwitch's database lacks it that of `ovs-ofctl show`; else the one that flows have for it
  // (`told`), else a free one.
  Ofport ofport_of(const std::string& bridge, const OvsInterface* interface, std::string_view device,
                   std::optional<Ofport> told, bool& found) {
    found = true;
    if (interface != nullptr && interface->ofport && *interface->ofport > 0)
      return Ofport{static_cast<std::uint32_t>(*interface->ofport)};
    const BridgeDumps* dumps = found_ == nullptr ? nullptr : found_->find_bridge(bridge);
    if (dumps != nullptr) {
      for (const auto& port : dumps->features.value.ports) {
        if (port.value.name == device.substr(0, 15)) return port.value.number;
      }
    }
    found = false;
    if (told && used_ofports_[bridge].insert(told->value).second) return *told;
    return Ofport{take_free(used_ofports_[bridge])};
  }

  // --- one thing after the other ---

  void take_macs() {
    for (const DvrHostMac& known : cloud_.model().dvr_macs) {
      if (known.host == plan_.host) {
        plan_.dvr_mac = known.mac;
      } else {
        plan_.others.push_back({known.host, known.mac});
      }
    }
    std::sort(plan_.others.begin(), plan_.others.end(),
              [](const RemoteHost& a, const RemoteHost& b) { return a.mac < b.mac; });
    if (plan_.options.dvr && !plan_.dvr_mac)
      caveat("dvr-mac", "the DVR MAC of the host is not known: flows with it are not expected");
  }

  void place_bridges() {
    for (const auto& [physical, name] : plan_.options.bridge_mappings) {
      PhysicalBridge bridge;
      bridge.physical_network = physical;
      bridge.name = name;
      bridge.int_device = patch_name("int-", name);
      bridge.phy_device = patch_name("phy-", name);
      const FoundPort* in = find_device(plan_.options.integration_bridge, bridge.int_device);
      const FoundPort* out = find_device(name, bridge.phy_device);
      bool in_found = false, out_found = false;
      bridge.int_port = ofport_of(plan_.options.integration_bridge, in ? in->interface : nullptr,
                                  bridge.int_device, std::nullopt, in_found);
      bridge.phy_port = ofport_of(name, out ? out->interface : nullptr, bridge.phy_device,
                                  numbers_->phy_port(name), out_found);
      bridge.found = in_found && out_found;
      plan_.bridges.push_back(std::move(bridge));
    }
    std::sort(plan_.bridges.begin(), plan_.bridges.end(),
              [](const auto& a, const auto& b) { return a.name < b.name; });
    if (!plan_.tunnelling()) return;
    bool found = false;
    const FoundPort* tun = find_device(plan_.options.integration_bridge, "patch-tun");
    const FoundPort* in = find_device(plan_.options.tunnel_bridge, "patch-int");
    plan_.patch_tun = ofport_of(plan_.options.integration_bridge, tun ? tun->interface : nullptr, "patch-tun",
                                numbers_->patch_tun(), found);
    plan_.patch_int = ofport_of(plan_.options.tunnel_bridge, in ? in->interface : nullptr, "patch-int",
                                numbers_->patch_int(), found);
  }

  // The ports that Neutron has on this host, or whose copies it has here.
  std::vector<std::size_t> candidates() const {
    const auto bound = cloud_.ports_of_host(plan_.host);
    std::vector<std::size_t> ports(bound.begin(), bound.end());
    for (const Router& router : cloud_.model().routers) {
      const auto device = cloud_.ports_of_device(router.id);
      const bool here = router_here(router), central = cloud_.central_on(router.id, plan_.host);
      if (here || central) ports.insert(ports.end(), device.begin(), device.end());
    }
    for (const auto& [id, found] : by_id_) {
      if (const auto port = cloud_.find_port(id)) ports.push_back(*port);
    }
    std::sort(ports.begin(), ports.end());
    ports.erase(std::unique(ports.begin(), ports.end()), ports.end());
    return ports;
  }

  // Without the database's bindings a router that is found counts as rightly there: it goes only with its last port's deletion.
  bool router_here(const Router& router) const {
    if (!router.distributed) return cloud_.central_on(router.id, plan_.host);
    if (cloud_.router_on(router.id, plan_.host)) return true;
    if (cloud_.bindings_known()) return false;
    for (const std::size_t index : cloud_.ports_of_device(router.id)) {
      const Port& port = cloud_.port(index);
      if (role_of(port.device_owner) == Role::DistributedRouter && by_id_.contains(port.id)) return true;
    }
    return false;
  }

  bool belongs_here(const Port& port, Role role) const {
    const auto router = cloud_.find_router(port.device_id);
    const bool ha = router && cloud_.model().routers[*router].ha;
    switch (role) {
      case Role::Nowhere:
        return false;
      case Role::DistributedRouter:
        return router && router_here(cloud_.model().routers[*router]);
      case Role::LegacyRouter:
      case Role::Snat:
      case Role::Gateway:
        if (ha) return cloud_.central_on(port.device_id, plan_.host);
        break;
      default:
        break;
    }
    if (port.host != plan_.host || port.vif_type == "binding_failed" || port.vif_type == "unbound")
      return false;
    // A port that is down and not plugged in is one whose instance is off.
    return is_active(port) || by_id_.contains(port.id);
  }

  void place_ports() {
    for (const std::size_t index : candidates()) {
      const Port& port = cloud_.port(index);
      const Role role = role_of(port.device_owner);
      if (!belongs_here(port, role) || !cloud_.find_network(port.network_id)) continue;
      WiredPort wired;
      wired.port = index;
      wired.role = role;
      wired.filter = filter_of(port);
      wired.dead = !port.admin_up;
      const auto found = by_id_.find(port.id);
      const OvsInterface* interface = found == by_id_.end() ? nullptr : found->second.interface;
      const bool hybrid =
          plugged_from_outside(role) && port.hybrid_plug.value_or(plan_.options.firewall == Firewall::Hybrid);
      wired.device = interface != nullptr
                         ? interface->name
                         : fmt::format("{}{}", hybrid ? "qvo" : device_prefix(role), port.id.substr(0, 11));
      if (!external_bridge_device(port, role, interface))
        wired.ofport = ofport_of(plan_.options.integration_bridge, interface, wired.device,
                                 numbers_->port_of(port.mac), wired.found);
      plan_.ports.push_back(std::move(wired));
    }
    std::sort(plan_.ports.begin(), plan_.ports.end(), [&](const WiredPort& a, const WiredPort& b) {
      return cloud_.port(a.port).id < cloud_.port(b.port).id;
    });
  }

  // With external_network_bridge, until Rocky, fg- and qg- are on the external bridge itself and no agent programs them.
  bool external_bridge_device(const Port& port, Role role, const OvsInterface* interface) const {
    if (interface != nullptr || plan_.release > kRocky || (role != Role::Gateway && role != Role::FipGateway))
      return false;
    const std::string device = fmt::format("{}{}", device_prefix(role), port.id.substr(0, 11));
    return std::any_of(by_name_.begin(), by_name_.end(),
                       [&](const auto& bridge) { return bridge.second.contains(device); });
  }

  Filter filter_of(const Port& port) const {
    if (port.device_owner.starts_with("network:")) return Filter::Trusted;
    return port.port_security.value_or(true) ? Filter::Filtered : Filter::Unfiltered;
  }

  // --- networks ---

  void place_networks() {
    std::map<std::string_view, std::size_t> order;  // by id
    for (const WiredPort& port : plan_.ports) {
      if (port.ofport.value != 0) order.emplace(cloud_.port(port.port).network_id, 0);
    }
    std::set<std::uint16_t> used;
    for (auto& [id, place] : order) {
      place = plan_.networks.size();
      PlannedNetwork network;
      network.network = *cloud_.find_network(id);
      const Network& logical = cloud_.model().networks[network.network];
      network.type = segmentation_of(logical.type);
      network.segment = logical.segmentation_id.value_or(0);
      for (std::size_t i = 0; i < plan_.bridges.size(); ++i) {
        const bool physical = network.type == Segmentation::Vlan || network.type == Segmentation::Flat;
        if (physical && plan_.bridges[i].physical_network == logical.physical_network) network.bridge = i;
      }
      plan_.networks.push_back(std::move(network));
    }
    std::erase_if(plan_.ports, [](const WiredPort& port) { return port.ofport.value == 0; });
    for (std::size_t i = 0; i < plan_.ports.size(); ++i) {
      WiredPort& port = plan_.ports[i];
      port.network = order.at(cloud_.port(port.port).network_id);
      plan_.networks[port.network].ports.push_back(i);
    }
    for (PlannedNetwork& network : plan_.networks) find_vlan(network, used);
    for (PlannedNetwork& network : plan_.networks) {
      if (!network.found) network.vlan = LocalVlan{take_free(used)};
    }
  }

  static constexpr unsigned kTagVote = 2, kNotedVote = 3, kFlowVote = 2;

  std::vector<Mac> macs_of(const PlannedNetwork& network) const {
    std::vector<Mac> macs;
    for (const std::size_t port : cloud_.ports_of_network(cloud_.model().networks[network.network].id))
      macs.push_back(cloud_.port(port).mac);
    return macs;
  }

  // The local VLAN that most signs give to the network: the tags of its ports, what the agent noted beside them, and the flows
  // that translate it. One changed port must not change the plan.
  void find_vlan(PlannedNetwork& network, std::set<std::uint16_t>& used) const {
    std::map<std::uint16_t, unsigned> votes;
    for (const std::size_t index : network.ports) {
      const auto found = by_id_.find(cloud_.port(plan_.ports[index].port).id);
      if (found == by_id_.end()) continue;
      const OvsPort& port = *found->second.port;
      if (port.tag) votes[*port.tag] += kTagVote;
      const auto noted = port.other_config.find("tag");
      if (noted == port.other_config.end()) continue;
      if (const auto tag = number<std::uint16_t>(noted->second)) votes[*tag] += kNotedVote;
    }
    if (const auto tag = numbers_->translated_vlan(network)) votes[*tag] += kFlowVote;
    if (const auto tag = numbers_->vlan_of_macs(macs_of(network))) votes[*tag] += kFlowVote;
    votes.erase(0);
    votes.erase(kDeadVlan.value);
    if (votes.empty()) return;
    const auto most = std::max_element(votes.begin(), votes.end(),
                                       [](const auto& a, const auto& b) { return a.second < b.second; });
    network.vlan = LocalVlan{most->first};
    network.found = true;
    used.insert(most->first);
  }

  // --- tunnels and what is behind them ---

  void place_tunnels() {
    if (!plan_.tunnelling()) return;
    index_tunnels();
    for (const std::string& type : plan_.options.tunnel_types) {
      for (const Agent& agent : cloud_.model().agents) {
        if (agent.host != plan_.host && agent.configuration.contains("tunneling_ip")) {
          if (const auto ip = cloud_.tunnel_ip(agent.host)) add_tunnel(type, *ip, agent.host);
        }
      }
    }
    for (PlannedNetwork& network : plan_.networks) {
      if (network.tunnelled()) place_remote(network);
    }
    number_tunnels();
  }

  void add_tunnel(const std::string& type, const Ip& ip, const std::string& host) {
    if (!tunnel_to_[type].emplace(host, tunnels_.size()).second) return;
    Tunnel tunnel;
    tunnel.type = type;
    tunnel.remote_ip = ip;
    tunnel.host = host;
    tunnel.device = tunnel_name(type, ip, plan_.release);
    tunnel.needed = !plan_.options.l2_population;
    const FoundPort* port = find_device(plan_.options.tunnel_bridge, tunnel.device);
    if (port == nullptr) port = find_tunnel(type, ip);
    if (port != nullptr) tunnel.device = port->interface->name;
    tunnel.found = port != nullptr && port->interface->ofport && *port->interface->ofport > 0;
    if (tunnel.found) tunnel.ofport = Ofport{static_cast<std::uint32_t>(*port->interface->ofport)};
    tunnels_.push_back(std::move(tunnel));
  }

  // The tunnels that are found, by type and other end; of two alike the first by name.
  void index_tunnels() {
    const auto names = by_name_.find(plan_.options.tunnel_bridge);
    if (names == by_name_.end()) return;
    for (const auto& [name, port] : names->second) {
      const auto remote = port.interface->options.find("remote_ip");
      if (remote == port.interface->options.end()) continue;
      if (const auto ip = parse_ip(remote->second)) found_tunnels_[port.interface->type].emplace(*ip, port);
    }
  }

  const FoundPort* find_tunnel(const std::string& type, const Ip& ip) const {
    const auto of_type = found_tunnels_.find(type);
    if (of_type == found_tunnels_.end()) return nullptr;
    const auto found = of_type->second.find(ip);
    return found == of_type->second.end() ? nullptr : &found->second;
  }

  // l2population floods to every host with an active port of the network, and announces one by one the ports that are bound
  // to one host.
  void place_remote(PlannedNetwork& network) {
    const std::string_view type = type_name(network.type);
    const auto& tunnel_to = tunnel_to_[std::string(type)];
    if (!plan_.options.l2_population) {
      for (std::size_t i = 0; i < tunnels_.size(); ++i) {
        if (tunnels_[i].type == type) network.flood.push_back(i);
      }
      return;
    }
    std::set<std::size_t> flood;
    for (const std::size_t index : cloud_.ports_of_network(cloud_.model().networks[network.network].id)) {
      const Port& port = cloud_.port(index);
      const Role role = role_of(port.device_owner);
      for (const std::string& host : active_hosts(index, role)) {
        if (host == plan_.host) continue;
        const auto found = tunnel_to.find(host);
        if (found == tunnel_to.end()) continue;
        const std::size_t tunnel = found->second;
        tunnels_[tunnel].needed = true;
        flood.insert(tunnel);
        if (host == port.host && announced(port, role)) network.remote.push_back({index, tunnel});
      }
    }
    network.flood.assign(flood.begin(), flood.end());
  }

  std::span<const std::string> active_hosts(std::size_t index, Role role) const {
    const auto hosts = cloud_.hosts_of_port(index);
    const bool copies = role == Role::DistributedRouter || hosts.size() > 1;  // whose own status says nothing
    return copies || is_active(cloud_.port(index)) ? hosts : std::span<const std::string>();
  }

  bool announced(const Port& port, Role role) const {
    if (role == Role::DistributedRouter) return false;
    if (plan_.practice.announce_ha_members || (role != Role::Snat && role != Role::LegacyRouter)) return true;
    const auto router = cloud_.find_router(port.device_id);
    return !router || !cloud_.model().routers[*router].ha;
  }

  // The tunnels that are there or should be, by ofport; and the networks' references to them changed accordingly.
  void number_tunnels() {
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < tunnels_.size(); ++i) {
      Tunnel& tunnel = tunnels_[i];
      if (!tunnel.needed && !tunnel.found) continue;
      order.push_back(i);
      if (tunnel.found) continue;
      std::vector<Mac> macs;
      for (const std::size_t port : cloud_.ports_of_host(tunnel.host)) macs.push_back(cloud_.port(port).mac);
      bool found = false;
      tunnel.ofport =
          ofport_of(plan_.options.tunnel_bridge, nullptr, tunnel.device, numbers_->tunnel_of(macs), found);
    }
    std::sort(order.begin(), order.end(),
              [&](std::size_t a, std::size_t b) { return tunnels_[a].ofport < tunnels_[b].ofport; });
    std::vector<std::size_t> place_of(tunnels_.size());
    for (std::size_t i = 0; i < order.size(); ++i) {
      place_of[order[i]] = i;
      plan_.tunnels.push_back(std::move(tunnels_[order[i]]));
    }
    for (PlannedNetwork& network : plan_.networks) {
      for (std::size_t& tunnel : network.flood) tunnel = place_of[tunnel];
      for (RemotePort& remote : network.remote) remote.tunnel = place_of[remote.tunnel];
      std::sort(network.flood.begin(), network.flood.end());
    }
  }

  // --- routers ---

  void place_routers() {
    for (std::size_t i = 0; i < cloud_.model().routers.size(); ++i) {
      const Router& router = cloud_.model().routers[i];
      PlannedRouter planned;
      planned.router = i;
      planned.distributed = router.distributed;
      planned.ha = router.ha;
      planned.here = router_here(router);
      // A distributed router has an snat namespace only where it has a gateway.
      planned.central = cloud_.central_on(router.id, plan_.host) &&
                        (!router.distributed || !router.external_network_id.empty());
      if (!planned.here && !planned.central) continue;
      if (found_ != nullptr) {
        const auto state =
            found_->state_files.find(fmt::format("var/lib/neutron/ha_confs/{}/state", router.id));
        if (state != found_->state_files.end()) planned.ha_state = state->second;
      }
      plan_.routers.push_back(std::move(planned));
    }
    std::sort(plan_.routers.begin(), plan_.routers.end(),
              [&](const PlannedRouter& a, const PlannedRouter& b) {
                return cloud_.model().routers[a.router].id < cloud_.model().routers[b.router].id;
              });
    for (std::size_t i = 0; i < plan_.ports.size(); ++i) attach(i);
  }

  void attach(std::size_t index) {
    const Port& port = cloud_.port(plan_.ports[index].port);
    const Role role = plan_.ports[index].role;
    if (role == Role::FipGateway) plan_.fip_gateways.push_back(index);
    const auto id = [&](const PlannedRouter& router) -> const std::string& {
      return cloud_.model().routers[router.router].id;
    };
    auto at = std::ranges::lower_bound(plan_.routers, port.device_id, {}, id);
    for (; at != plan_.routers.end() && id(*at) == port.device_id; ++at) {
      PlannedRouter& router = *at;
      if (role == Role::DistributedRouter || role == Role::LegacyRouter) router.interfaces.push_back(index);
      if (role == Role::Snat) router.snat_ports.push_back(index);
      if (role == Role::Gateway) router.gateway = index;
      if (role == Role::Ha) router.ha_port = index;
    }
  }

  void caveat(std::string code, std::string text) {
    plan_.caveats.push_back({std::move(code), std::move(text)});
  }

  const Cloud& cloud_;
  const HostSnapshot* found_;
  Plan plan_;
  std::map<std::string, std::map<std::string_view, FoundPort>, std::less<>> by_name_;  // of each bridge
  std::map<std::string_view, FoundPort> by_id_;  // Neutron's ports on br-int
  std::map<std::string, std::set<std::uint32_t>, std::less<>> used_ofports_;
  std::map<std::string_view, std::unordered_map<Ip, FoundPort>> found_tunnels_;
  std::vector<Tunnel> tunnels_;
  std::map<std::string, std::unordered_map<std::string_view, std::size_t>>
      tunnel_to_;                        // by type and host, of tunnels_
  std::optional<FoundNumbers> numbers_;  // refers to plan_
};

}  // namespace

Plan make_plan(const Cloud& cloud, const HostSnapshot* found, std::string_view host,
               const Settings& settings) {
  return Planner(cloud, found, host, settings).make();
}

const WiredPort* Plan::find(std::string_view port_id) const {
  const auto place =
      std::lower_bound(ports.begin(), ports.end(), port_id, [&](const WiredPort& port, std::string_view id) {
        return std::string_view(logical_port(port).id) < id;
      });
  return place != ports.end() && logical_port(*place).id == port_id ? &*place : nullptr;
}

const PlannedNetwork* Plan::find_network(std::string_view network_id) const {
  const auto found_at = std::find_if(networks.begin(), networks.end(), [&](const PlannedNetwork& network) {
    return logical_network(network).id == network_id;
  });
  return found_at == networks.end() ? nullptr : &*found_at;
}

std::uint64_t Plan::cookie(std::string_view bridge) const {
  if (!practice.cookies) return 0;
  std::map<std::uint64_t, std::size_t> votes;
  const BridgeDumps* dumps = found == nullptr ? nullptr : found->find_bridge(bridge);
  if (dumps != nullptr) {
    for (const openflow::FlowRow& row : dumps->flows.value.flows) ++votes[row.flow.cookie];
  }
  const auto most = std::max_element(votes.begin(), votes.end(),
                                     [](const auto& a, const auto& b) { return a.second < b.second; });
  return most == votes.end() ? 1 : most->first;
}

}  // namespace dvrtrace::reference
