#include "src/report/name_things.h"

#include <fmt/format.h>

#include <string_view>
#include <unordered_map>
#include <vector>

namespace dvrtrace {
namespace {

constexpr std::size_t kIdOfDevice = 11;  // characters of a port's UUID in the names of its devices
constexpr std::size_t kShortId = 8;      // of a UUID without a name: enough to look it up

// Objects by their UUID.
template <class Object>
class ById {
 public:
  explicit ById(const std::vector<Object>& objects) {
    for (const Object& object : objects) by_id_.emplace(object.id, &object);
  }
  const Object* find(const std::string& id) const {
    const auto found = by_id_.find(id);
    return found == by_id_.end() || id.empty() ? nullptr : found->second;
  }

 private:
  std::unordered_map<std::string_view, const Object*> by_id_;
};

class Naming {
 public:
  explicit Naming(const Network& network)
      : network_(network),
        model_(network.logical()),
        networks_(model_.networks),
        ports_(model_.ports),
        routers_(model_.routers) {}

  Glossary run() {
    networks();
    for (std::size_t host = 0; host < network_.size(); ++host) {
      local_vlans(network_.index(host));
      domains(network_.index(host));
    }
    ports();
    routers();
    for (const logical::FloatingIp& floating : model_.floating_ips) {
      const logical::Port* port = ports_.find(floating.port_id);
      glossary_.addresses.emplace(floating.floating_ip,
                                  port == nullptr ? "floating IP" : "floating IP of " + title(*port));
    }
    for (const logical::DvrHostMac& mac : model_.dvr_macs)
      glossary_.macs.emplace(mac.mac, "DVR MAC of " + mac.host);
    return std::move(glossary_);
  }

 private:
  static std::string short_name(const std::string& name, const std::string& id) {
    return name.empty() ? id.substr(0, kShortId) : name;
  }

  std::string network_name(const std::string& id) const {
    const logical::Network* network = networks_.find(id);
    return network == nullptr ? id.substr(0, kShortId) : short_name(network->name, id);
  }
  static std::string title(const logical::Port& port) { return short_name(port.name, port.id); }

  void networks() {
    for (const logical::Network& network : model_.networks) {
      if (!network.segmentation_id) continue;
      const std::string name = short_name(network.name, network.id);
      if (network.type == "vlan")
        glossary_.provider_vlans.emplace(static_cast<std::uint16_t>(*network.segmentation_id), name);
      else
        glossary_.vnis.emplace(*network.segmentation_id, name);
    }
  }

  // Neutron's agent writes the network and its segment beside each port that it serves.
  void local_vlans(const HostSnapshot& host) {
    for (const OvsBridge& bridge : host.ovs.value.bridges) {
      for (const OvsPort& port : bridge.ports) {
        const auto net = port.other_config.find("net_uuid");
        if (net == port.other_config.end() || !port.tag || *port.tag == kDeadVlan.value) continue;
        glossary_.local_vlans.emplace(Glossary::HostVlan{host.name, *port.tag}, network_name(net->second));
        const auto segment = port.other_config.find("segmentation_id");
        const auto type = port.other_config.find("network_type");
        if (segment == port.other_config.end() || type == port.other_config.end() || !model_.networks.empty())
          continue;
        const std::uint64_t id = std::strtoull(segment->second.c_str(), nullptr, 10);
        if (type->second == "vlan")
          glossary_.provider_vlans.emplace(static_cast<std::uint16_t>(id), network_name(net->second));
        else if (type->second != "flat" && type->second != "local")
          glossary_.vnis.emplace(id, network_name(net->second));
      }
    }
  }

  void domains(const HostSnapshot& host) {
    for (const Domain& domain : host.domains) {
      const std::string name = domain.instance_name.empty() ? domain.name : domain.instance_name;
      for (const DomainInterface& nic : domain.interfaces) {
        glossary_.macs.emplace(nic.mac, name);
        if (!nic.tap.empty()) glossary_.devices.emplace(nic.tap, name);
      }
    }
  }

  void ports() {
    for (const logical::Port& port : model_.ports) {
      std::string what = title(port);
      if (port.device_owner.find("router_interface") != std::string::npos)
        what = fmt::format("gateway of {}{}", network_name(port.network_id), of_router(port));
      else if (port.device_owner == "network:router_centralized_snat")
        what = fmt::format("SNAT port of {}{}", network_name(port.network_id), of_router(port));
      else if (port.device_owner == "network:router_gateway")
        what = fmt::format("external gateway{}", of_router(port));
      else if (port.device_owner == "network:floatingip_agent_gateway")
        what = "floating IP gateway of " + port.host;
      else if (port.device_owner == "network:dhcp")
        what = "DHCP port of " + network_name(port.network_id);
      else if (port.name.empty() && !port.device_owner.starts_with("compute:"))
        continue;
      glossary_.macs.emplace(port.mac, what);
      glossary_.ports.emplace(port.id.substr(0, kIdOfDevice), std::move(what));
    }
  }

  std::string of_router(const logical::Port& port) const {
    const logical::Router* router = routers_.find(port.device_id);
    return router == nullptr ? "" : fmt::format(" (router {})", short_name(router->name, router->id));
  }

  void routers() {
    for (const logical::Router& router : model_.routers) {
      if (router.name.empty()) continue;
      glossary_.namespaces.emplace("qrouter-" + router.id, "router " + router.name);
      glossary_.namespaces.emplace("snat-" + router.id, "SNAT of router " + router.name);
    }
    for (const logical::Network& network : model_.networks) {
      if (network.name.empty()) continue;
      glossary_.namespaces.emplace("fip-" + network.id, "floating IPs of " + network.name);
      glossary_.namespaces.emplace("qdhcp-" + network.id, "DHCP of " + network.name);
    }
  }

  const Network& network_;
  const logical::Model& model_;
  const ById<logical::Network> networks_;
  const ById<logical::Port> ports_;
  const ById<logical::Router> routers_;
  Glossary glossary_;
};

}  // namespace

Glossary name_things(const Network& network) { return Naming(network).run(); }

}  // namespace dvrtrace
