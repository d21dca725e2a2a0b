// Cloud: Neutron's objects, found by id and by what they belong to. Made once and shared by the plans of all hosts.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "src/logical/model.h"

namespace dvrtrace::reference {

// What Neutron does with a port, by its device owner.
enum class Role {
  Compute,            // an instance's
  Dhcp,
  Subport,            // of a trunk
  LoadBalancer,       // LBaaS's VIP
  DistributedRouter,  // qr- on every host with the router
  LegacyRouter,       // qr- of a router that is not distributed
  Snat,               // sg-
  Gateway,            // qg-
  FipGateway,         // fg-
  Ha,                 // ha-
  Nowhere,            // an address alone: floating IPs, reserved ports
  Service,            // any other "network:..."
  Other,              // whatever else is plugged from outside
};
Role role_of(std::string_view device_owner);
// "qr-", "tap", ...; what the agents put before the first 11 characters of the port's id.
std::string_view device_prefix(Role role);
// The ports that bring a distributed router to their host.
bool dvr_serviced(Role role);
// Plugged in by Nova or the like, and not by an agent of Neutron.
inline bool plugged_from_outside(Role role) { return role == Role::Compute || role == Role::Other; }

class Cloud {
 public:
  explicit Cloud(const logical::Model& model);

  const logical::Model& model() const { return *model_; }
  const logical::Port& port(std::size_t index) const { return model_->ports[index]; }

  std::optional<std::size_t> find_network(std::string_view id) const { return find(networks_, id); }
  std::optional<std::size_t> find_subnet(std::string_view id) const { return find(subnets_, id); }
  std::optional<std::size_t> find_port(std::string_view id) const { return find(ports_, id); }
  std::optional<std::size_t> find_router(std::string_view id) const { return find(routers_, id); }
  std::optional<std::size_t> find_group(std::string_view id) const { return find(groups_, id); }
  std::optional<std::size_t> find_address_group(std::string_view id) const { return find(address_groups_, id); }
  // The port with this address on this network.
  std::optional<std::size_t> find_address(std::string_view network_id, const Ip& ip) const;

  // Indices of Model::ports.
  std::span<const std::size_t> ports_of_network(std::string_view id) const { return list(network_ports_, id); }
  std::span<const std::size_t> ports_of_device(std::string_view id) const { return list(device_ports_, id); }
  std::span<const std::size_t> ports_of_host(std::string_view host) const { return list(host_ports_, host); }
  std::span<const std::size_t> members_of_group(std::string_view id) const { return list(group_ports_, id); }
  std::span<const std::size_t> subnets_of_network(std::string_view id) const { return list(network_subnets_, id); }
  std::span<const std::size_t> floating_ips_of_port(std::string_view id) const { return list(port_floating_, id); }

  const logical::Agent* agent(std::string_view host, std::string_view binary_part) const;
  // Where a host ends its tunnels: its Open vSwitch agent's tunneling_ip.
  std::optional<Ip> tunnel_ip(std::string_view host) const;
  // The host of the Open vSwitch agent with this tunneling_ip.
  std::string_view host_of_tunnel_ip(const Ip& ip) const;

  // --- where routers are ---

  // The hosts with copies of a distributed router, ascending. Of the database's bindings where it was given, else
  // concluded: serviced ports on its subnets, its SNAT, or another router on a subnet of a router that is there.
  std::span<const std::string> hosts_of_router(std::string_view id) const;
  bool router_on(std::string_view id, std::string_view host) const;
  // The hosts with the router's snat namespace (or, undistributed, the router): one, or all of an HA router.
  std::span<const std::string> central_hosts(std::string_view id) const;
  bool central_on(std::string_view id, std::string_view host) const;
  // The hosts where a port is plugged in: its own, or all that have its router.
  std::span<const std::string> hosts_of_port(std::size_t port) const;
  bool bindings_known() const { return !model_->distributed_bindings.empty(); }

 private:
  using Index = std::unordered_map<std::string_view, std::size_t>;
  using Lists = std::unordered_map<std::string_view, std::vector<std::size_t>>;
  using HostLists = std::unordered_map<std::string_view, std::vector<std::string>>;

  static std::optional<std::size_t> find(const Index& index, std::string_view id);
  static std::span<const std::size_t> list(const Lists& lists, std::string_view id);
  void index_ports();
  void place_central();
  void place_by_bindings();
  void place_by_ports();

  const logical::Model* model_;
  Index networks_, subnets_, ports_, routers_, groups_, address_groups_;
  Lists network_ports_, device_ports_, host_ports_, group_ports_, network_subnets_, port_floating_;
  HostLists router_hosts_, central_hosts_;
  std::unordered_map<std::string_view, std::vector<const logical::Agent*>> agents_;
  std::unordered_map<Ip, std::string_view> tunnel_ips_;
};

}  // namespace dvrtrace::reference
