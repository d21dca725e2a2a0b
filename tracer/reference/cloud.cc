#include "tracer/reference/cloud.h"

#include <algorithm>
#include <set>

namespace dvrtrace::reference {

using namespace logical;

namespace {

constexpr std::string_view kNetworkOwner = "network:";

template <class T>
void index_by_id(const std::vector<T>& objects, std::unordered_map<std::string_view, std::size_t>& index) {
  index.reserve(objects.size());
  for (std::size_t i = 0; i < objects.size(); ++i) index.emplace(objects[i].id, i);
}

void sort_unique(std::vector<std::string>& hosts) {
  std::sort(hosts.begin(), hosts.end());
  hosts.erase(std::unique(hosts.begin(), hosts.end()), hosts.end());
}

}  // namespace

Role role_of(std::string_view owner) {
  if (owner == "network:dhcp") return Role::Dhcp;
  if (owner == "network:router_interface_distributed") return Role::DistributedRouter;
  if (owner == "network:router_interface" || owner == "network:ha_router_replicated_interface")
    return Role::LegacyRouter;
  if (owner == "network:router_centralized_snat") return Role::Snat;
  if (owner == "network:router_gateway") return Role::Gateway;
  if (owner == "network:floatingip_agent_gateway") return Role::FipGateway;
  if (owner == "network:router_ha_interface") return Role::Ha;
  if (owner == "network:floatingip" || owner == "network:local_ip" || owner == "network:reserved")
    return Role::Nowhere;
  if (owner == "trunk:subport") return Role::Subport;
  if (owner == "neutron:LOADBALANCER" || owner == "neutron:LOADBALANCERV2") return Role::LoadBalancer;
  if (owner.starts_with("compute:")) return Role::Compute;
  return owner.starts_with(kNetworkOwner) ? Role::Service : Role::Other;
}

std::string_view device_prefix(Role role) {
  switch (role) {
    case Role::DistributedRouter:
    case Role::LegacyRouter:
      return "qr-";
    case Role::Snat:
      return "sg-";
    case Role::Gateway:
      return "qg-";
    case Role::FipGateway:
      return "fg-";
    case Role::Ha:
      return "ha-";
    case Role::Subport:
      return "spi-";
    default:
      return "tap";
  }
}

bool dvr_serviced(Role role) {
  return role == Role::Compute || role == Role::Dhcp || role == Role::Subport || role == Role::LoadBalancer;
}

Cloud::Cloud(const Model& model) : model_(&model) {
  index_by_id(model.networks, networks_);
  index_by_id(model.subnets, subnets_);
  index_by_id(model.ports, ports_);
  index_by_id(model.routers, routers_);
  index_by_id(model.security_groups, groups_);
  index_by_id(model.address_groups, address_groups_);
  for (std::size_t i = 0; i < model.subnets.size(); ++i)
    network_subnets_[model.subnets[i].network_id].push_back(i);
  for (std::size_t i = 0; i < model.floating_ips.size(); ++i) {
    if (!model.floating_ips[i].port_id.empty()) port_floating_[model.floating_ips[i].port_id].push_back(i);
  }
  for (const Agent& agent : model.agents) {
    agents_[agent.host].push_back(&agent);
    const auto value = agent.configuration.find("tunneling_ip");
    if (value == agent.configuration.end()) continue;
    if (const auto ip = parse_ip(value->second)) tunnel_ips_.emplace(*ip, agent.host);
  }
  index_ports();
  place_central();
  if (bindings_known()) {
    place_by_bindings();
  } else {
    place_by_ports();
  }
}

std::optional<std::size_t> Cloud::find(const Index& index, std::string_view id) {
  const auto found = index.find(id);
  return found == index.end() ? std::nullopt : std::optional(found->second);
}

std::span<const std::size_t> Cloud::list(const Lists& lists, std::string_view id) {
  const auto found = lists.find(id);
  return found == lists.end() ? std::span<const std::size_t>() : std::span<const std::size_t>(found->second);
}

std::optional<std::size_t> Cloud::find_address(std::string_view network_id, const Ip& ip) const {
  for (const std::size_t index : ports_of_network(network_id)) {
    for (const FixedIp& fixed : model_->ports[index].fixed_ips) {
      if (fixed.ip == ip) return index;
    }
  }
  return std::nullopt;
}

void Cloud::index_ports() {
  for (std::size_t i = 0; i < model_->ports.size(); ++i) {
    const Port& port = model_->ports[i];
    network_ports_[port.network_id].push_back(i);
    if (!port.device_id.empty()) device_ports_[port.device_id].push_back(i);
    if (!port.host.empty()) host_ports_[port.host].push_back(i);
    for (const std::string& group : port.security_groups) group_ports_[group].push_back(i);
  }
}

const Agent* Cloud::agent(std::string_view host, std::string_view part) const {
  const auto found = agents_.find(host);
  if (found == agents_.end()) return nullptr;
  for (const Agent* agent : found->second) {
    if (agent->binary.find(part) != std::string::npos) return agent;
  }
  return nullptr;
}

std::optional<Ip> Cloud::tunnel_ip(std::string_view host) const {
  const auto found = agents_.find(host);
  if (found == agents_.end()) return std::nullopt;
  for (const Agent* agent : found->second) {
    const auto value = agent->configuration.find("tunneling_ip");
    if (value != agent->configuration.end()) return parse_ip(value->second);
  }
  return std::nullopt;
}

std::string_view Cloud::host_of_tunnel_ip(const Ip& ip) const {
  const auto found = tunnel_ips_.find(ip);
  return found == tunnel_ips_.end() ? std::string_view() : found->second;
}

// --- where routers are -----------------------------------------------------------------------------------

void Cloud::place_central() {
  for (const Router& router : model_->routers) {
    std::vector<std::string>& hosts = central_hosts_[router.id];
    for (const std::size_t index : ports_of_device(router.id)) {
      const Port& port = model_->ports[index];
      const Role role = role_of(port.device_owner);
      const bool tells = router.ha
                             ? role == Role::Ha
                             : role == Role::Gateway || role == Role::Snat || role == Role::LegacyRouter;
      if (tells && !port.host.empty()) hosts.push_back(port.host);
    }
    if (hosts.empty()) {
      for (const RouterAgent& bound : model_->router_agents) {
        if (bound.router_id != router.id) continue;
        for (const Agent& agent : model_->agents) {
          if (agent.id == bound.agent_id) hosts.push_back(agent.host);
        }
      }
    }
    sort_unique(hosts);
  }
}

void Cloud::place_by_bindings() {
  for (const DistributedBinding& binding : model_->distributed_bindings) {
    const auto port = find_port(binding.port_id);
    if (!port || role_of(model_->ports[*port].device_owner) != Role::DistributedRouter) continue;
    // The binding's own router_id is empty in some releases.
    if (const auto router = find_router(model_->ports[*port].device_id))
      router_hosts_[model_->routers[*router].id].push_back(binding.host);
  }
  for (auto& [id, hosts] : router_hosts_) sort_unique(hosts);
}

void Cloud::place_by_ports() {
  std::unordered_map<std::string_view, std::vector<std::string_view>> routers_of_subnet;
  std::unordered_map<std::string_view, std::set<std::string_view>> hosts_of;  // by router
  for (const Router& router : model_->routers) {
    if (!router.distributed) continue;
    hosts_of[router.id];
    for (const std::size_t index : ports_of_device(router.id)) {
      if (role_of(model_->ports[index].device_owner) != Role::DistributedRouter) continue;
      for (const FixedIp& fixed : model_->ports[index].fixed_ips)
        routers_of_subnet[fixed.subnet_id].push_back(router.id);
    }
    if (!router.external_network_id.empty()) {
      for (const std::string& host : central_hosts(router.id)) hosts_of[router.id].insert(host);
    }
  }
  for (const Port& port : model_->ports) {
    if (port.host.empty() || port.vif_type == "binding_failed" || !dvr_serviced(role_of(port.device_owner)))
      continue;
    for (const FixedIp& fixed : port.fixed_ips) {
      const auto found = routers_of_subnet.find(fixed.subnet_id);
      if (found == routers_of_subnet.end()) continue;
      for (const std::string_view id : found->second) hosts_of[id].insert(port.host);
    }
  }
  // A router goes along with those that share a subnet with it, until nothing changes.
  for (bool changed = true; changed;) {
    changed = false;
    for (const auto& [subnet, ids] : routers_of_subnet) {
      for (const std::string_view one : ids) {
        for (const std::string_view other : ids) {
          const std::size_t before = hosts_of[other].size();
          if (one != other) hosts_of[other].insert(hosts_of[one].begin(), hosts_of[one].end());
          changed = changed || hosts_of[other].size() != before;
        }
      }
    }
  }
  for (const auto& [id, hosts] : hosts_of) router_hosts_[id] = {hosts.begin(), hosts.end()};
}

namespace {

std::span<const std::string> hosts_in(
    const std::unordered_map<std::string_view, std::vector<std::string>>& lists, std::string_view id) {
  const auto found = lists.find(id);
  return found == lists.end() ? std::span<const std::string>() : std::span<const std::string>(found->second);
}

}  // namespace

std::span<const std::string> Cloud::hosts_of_router(std::string_view id) const {
  return hosts_in(router_hosts_, id);
}

std::span<const std::string> Cloud::central_hosts(std::string_view id) const {
  return hosts_in(central_hosts_, id);
}

bool Cloud::router_on(std::string_view id, std::string_view host) const {
  const auto hosts = hosts_of_router(id);
  return std::binary_search(hosts.begin(), hosts.end(), host);
}

bool Cloud::central_on(std::string_view id, std::string_view host) const {
  const auto hosts = central_hosts(id);
  return std::binary_search(hosts.begin(), hosts.end(), host);
}

std::span<const std::string> Cloud::hosts_of_port(std::size_t index) const {
  const Port& port = model_->ports[index];
  switch (role_of(port.device_owner)) {
    case Role::Nowhere:
      return {};
    case Role::DistributedRouter:
      return hosts_of_router(port.device_id);
    case Role::LegacyRouter:
    case Role::Snat:
    case Role::Gateway: {
      const auto router = find_router(port.device_id);
      if (router && model_->routers[*router].ha) return central_hosts(port.device_id);
      break;
    }
    default:
      break;
  }
  if (port.host.empty() || port.vif_type == "binding_failed" || port.vif_type == "unbound") return {};
  return {&port.host, 1};
}

}  // namespace dvrtrace::reference
