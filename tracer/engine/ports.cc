#include "tracer/engine/ports.h"

#include <algorithm>

#include "src/openflow/field.h"

namespace dvrtrace {

std::string CloudPort::title() const {
  if (!instance_name.empty()) return instance_name;
  if (!name.empty()) return name;
  if (!device.empty()) return device;
  return id.substr(0, 11);
}

bool CloudPort::has(const Ip& ip) const {
  return std::ranges::find(ips, ip) != ips.end() || std::ranges::find(others, ip) != others.end();
}

void Ports::use_address(std::size_t port, const Ip& ip) {
  if (!ports_[port].has(ip)) ports_[port].others.push_back(ip);
}

Ports::Ports(const Network& network) : network_(network), by_device_(network.size()) {
  from_neutron();
  from_databases();
  from_libvirt();
  from_namespaces();
  looked_ = std::ranges::all_of(ports_, [](const CloudPort& port) { return !port.vm || !port.ips.empty(); });
}

std::size_t Ports::find_or_add(const std::string& id, Mac mac) {
  if (!id.empty()) {
    if (const auto found = by_id_.find(id); found != by_id_.end()) return found->second;
    by_id_.emplace(id, ports_.size());
  }
  CloudPort port;
  port.id = id;
  port.mac = mac;
  ports_.push_back(std::move(port));
  return ports_.size() - 1;
}

std::size_t Ports::find(std::string_view id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? kNowhere : found->second;
}

void Ports::add_subnet(CloudSubnet subnet) {
  subnets_of_[subnet.network_id].push_back(subnets_.size());
  subnets_.push_back(std::move(subnet));
}

void Ports::from_neutron() {
  const logical::Model& model = network_.logical();
  for (std::size_t network = 0; network < model.networks.size(); ++network)
    networks_.emplace(model.networks[network].id, network);
  for (const logical::Port& port : model.ports) {
    CloudPort& known = ports_[find_or_add(port.id, port.mac)];
    known.name = port.name;
    known.owner = port.device_owner;
    known.network_id = port.network_id;
    known.at = port.at;
    if (port.device_owner.starts_with("compute:")) known.instance_uuid = port.device_id;
    for (const logical::FixedIp& fixed : port.fixed_ips) known.ips.push_back(fixed.ip);
    for (const logical::AddressPair& pair : port.allowed_pairs) {
      const bool single = pair.ip.length() == (pair.ip.ip().v4() ? 32 : 128);
      if (single) known.others.push_back(pair.ip.ip());
    }
    if (const std::size_t host = network_.find_host(port.host); host != kNowhere) known.host = host;
  }
  for (const logical::Subnet& subnet : model.subnets)
    add_subnet({subnet.network_id, subnet.cidr, subnet.gateway, subnet.host_routes});
  for (const logical::FloatingIp& floating : model.floating_ips)
    floating_.push_back({floating.floating_ip, floating.fixed_ip, floating.port_id});
  std::unordered_map<std::string_view, std::size_t> routers;
  for (const logical::Router& router : model.routers) routers.emplace(router.id, routers.size());
  router_networks_.resize(model.routers.size());
  for (const logical::Port& port : model.ports) {
    if (port.device_owner.find("router_interface") == std::string::npos) continue;
    if (const auto router = routers.find(port.device_id); router != routers.end())
      router_networks_[router->second].push_back(port.network_id);
  }
}

void Ports::from_databases() {
  for (std::size_t host = 0; host < network_.size(); ++host) {
    for (const OvsBridge& bridge : network_.index(host).ovs.value.bridges) {
      for (const OvsPort& row : bridge.ports) {
        for (const OvsInterface& interface : row.interfaces) {
          const auto id = interface.external_ids.find("iface-id");
          if (id == interface.external_ids.end()) continue;
          const auto mac_text = interface.external_ids.find("attached-mac");
          const auto mac =
              mac_text == interface.external_ids.end() ? std::nullopt : parse_mac(mac_text->second);
          const std::size_t index = find_or_add(id->second, mac.value_or(Mac{}));
          CloudPort& port = ports_[index];
          const auto net = row.other_config.find("net_uuid");
          if (port.network_id.empty() && net != row.other_config.end()) port.network_id = net->second;
          if (interface.type == "internal")
            continue;  // a namespace's device, on as many hosts as have the router
          if (mac) port.mac = *mac;
          port.vm = true;
          port.host = host;
          port.bridge = bridge.name;
          port.device = interface.name;
          if (!port.at.known()) port.at = interface.at;
          const auto vm = interface.external_ids.find("vm-uuid");
          if (vm == interface.external_ids.end()) {
            if (const auto older = interface.external_ids.find("vm-id");
                older != interface.external_ids.end())
              port.instance_uuid = older->second;
          } else {
            port.instance_uuid = vm->second;
          }
          by_device_[host][interface.name] = index;
        }
      }
    }
  }
}

void Ports::from_libvirt() {
  for (std::size_t host = 0; host < network_.size(); ++host) {
    for (const Domain& domain : network_.index(host).domains) {
      for (const DomainInterface& nic : domain.interfaces) {
        std::size_t index = kNowhere;
        if (const auto found = by_id_.find(nic.port_id); !nic.port_id.empty() && found != by_id_.end())
          index = found->second;
        if (index == kNowhere) {
          const auto same = std::ranges::find_if(ports_, [&](const CloudPort& port) {
            return port.vm && port.mac == nic.mac && port.host == host;
          });
          if (same != ports_.end()) index = static_cast<std::size_t>(same - ports_.begin());
        }
        if (index == kNowhere) {
          index = find_or_add(nic.port_id, nic.mac);
          ports_[index].vm = true;
          ports_[index].host = host;
          ports_[index].device = nic.tap;
        }
        CloudPort& port = ports_[index];
        port.instance_name = domain.instance_name.empty() ? domain.name : domain.instance_name;
        port.instance_uuid = domain.uuid;
        if (!nic.tap.empty()) by_device_[host].emplace(nic.tap, index);
      }
    }
  }
}

// Routers' networks and gateways, for clouds whose Neutron objects were not given.
void Ports::from_namespaces() {
  const bool has_subnets = !subnets_.empty(), has_routers = !router_networks_.empty();
  if (has_subnets && has_routers) return;
  for (std::size_t host = 0; host < network_.size(); ++host) {
    const HostSnapshot& snapshot = network_.index(host);
    for (const NamespaceSnapshot& netns : snapshot.namespaces) {
      if (!netns.name.starts_with("qrouter-")) continue;
      std::vector<std::string> networks;
      for (const auto& link : netns.links.value) {
        if (!link.value.name.starts_with("qr-")) continue;
        std::string network_id;
        for (const OvsBridge& bridge : snapshot.ovs.value.bridges) {
          for (const OvsPort& row : bridge.ports) {
            const auto net = row.other_config.find("net_uuid");
            if (row.name == link.value.name && net != row.other_config.end()) network_id = net->second;
          }
        }
        if (network_id.empty()) continue;
        networks.push_back(network_id);
        for (const auto& address : link.value.addresses) {
          if (address.value.ip.link_local() || has_subnets) continue;
          const Prefix cidr = address.value.network();
          const bool known = std::ranges::any_of(subnets_, [&](const CloudSubnet& subnet) {
            return subnet.network_id == network_id && subnet.cidr == cidr;
          });
          if (!known) add_subnet({network_id, cidr, address.value.ip, {}});
        }
      }
      if (!has_routers) router_networks_.push_back(std::move(networks));
    }
  }
}

std::size_t Ports::behind(std::size_t host, std::string_view device) const {
  const TextMap<std::size_t>& devices = by_device_[host];
  if (const auto found = devices.find(device); found != devices.end()) return found->second;
  // tap1234, qvo1234 and qvb1234 are one port's.
  if (device.size() <= 3) return kNowhere;
  for (const std::string_view prefix : {"tap", "qvo", "qvb"}) {
    const auto other = devices.find(std::string(prefix).append(device.substr(3)));
    if (other != devices.end()) return other->second;
  }
  return kNowhere;
}

const CloudSubnet* Ports::subnet_with(std::string_view network_id, const Ip& ip) const {
  const auto of_network = subnets_of_.find(network_id);
  if (of_network == subnets_of_.end()) return nullptr;
  for (const std::size_t subnet : of_network->second) {
    if (subnets_[subnet].cidr.contains(ip)) return &subnets_[subnet];
  }
  return nullptr;
}

bool Ports::routed(const std::string& network, const std::string& other) const {
  return std::ranges::any_of(router_networks_, [&](const std::vector<std::string>& networks) {
    return std::ranges::find(networks, network) != networks.end() &&
           std::ranges::find(networks, other) != networks.end();
  });
}

std::string Ports::network_name(const std::string& id) const {
  const auto known = networks_.find(id);
  if (known == networks_.end()) return id;
  const std::string& name = network_.logical().networks[known->second].name;
  return name.empty() ? id : name;
}

void Ports::add_address(Mac mac, const Ip& ip) {
  if (ip.link_local() || ip.zero()) return;
  const auto [first, last] = by_mac_.equal_range(mac);
  for (auto each = first; each != last; ++each) {
    CloudPort& port = ports_[each->second];
    if (std::ranges::find(port.ips, ip) == port.ips.end()) port.ips.push_back(ip);
  }
}

void Ports::look_for_addresses() {
  if (looked_) return;
  network_.ask_every_host();
  for (std::size_t host = 0; host < network_.size(); ++host) look_for_addresses_on(host);
  looked_ = true;
}

void Ports::look_for_addresses_on(std::size_t index) {
  if (looked_ || !looked_on_.insert(index).second) return;
  if (by_mac_.empty()) {
    for (std::size_t i = 0; i < ports_.size(); ++i) by_mac_.emplace(ports_[i].mac, i);
  }
  const Host& host = network_.host(index);
  // Port security: a source MAC with the address it may use (tables 24 and 71 of br-int).
  for (const Bridge& bridge : host.bridges) {
    for (const auto& table : bridge.tables) {
      if (table == nullptr) continue;
      for (const openflow::FlowRow* row : table->rows()) {
        const openflow::Match& match = row->flow.match;
        if (match.mask_of(openflow::FieldId::EthSrc) != openflow::ones128(48) ||
            match.mask_of(openflow::FieldId::IpSrc) != openflow::ones128(32))
          continue;
        add_address(Mac{match.value_of(openflow::FieldId::EthSrc).low},
                    ipv4(static_cast<std::uint32_t>(match.value_of(openflow::FieldId::IpSrc).low)));
      }
    }
  }
  for (const Namespace& netns : host.namespaces) {
    if (!netns.name.starts_with("qrouter-") || netns.dumps == nullptr) continue;
    for (const auto& neighbour : netns.dumps->neighbours.value) {
      if (neighbour.value.mac && neighbour.value.state == kernel::NeighbourState::Permanent)
        add_address(*neighbour.value.mac, neighbour.value.ip);
    }
  }
}

}  // namespace dvrtrace
