#include "tracer/check/compare_ports.h"

#include <fmt/format.h>

#include <algorithm>

namespace dvrtrace::check {
namespace {

using reference::Plan;
using reference::Tunnel;
using reference::WiredPort;

class PortComparison {
 public:
  explicit PortComparison(const Plan& plan) : plan_(plan) {}

  std::vector<BridgeDifference> compare() {
    if (plan_.found == nullptr || !plan_.found->ovs.present()) return {};
    for (const reference::PhysicalBridge& bridge : plan_.bridges) {
      // Which bridges belong to physical networks is then a guess.
      if (has_bridge(bridge.name) && !plan_.model().derived)
        patch(bridge.found, plan_.options.integration_bridge, bridge.int_device);
    }
    for (const WiredPort& port : plan_.ports) compare(port);
    for (const Tunnel& tunnel : plan_.tunnels) compare(tunnel);
    return std::move(differences_);
  }

 private:
  struct Found {
    const OvsPort* port = nullptr;
    const OvsInterface* interface = nullptr;
  };

  bool has_bridge(std::string_view name) const {
    return std::ranges::find(bridges(), name, &OvsBridge::name) != bridges().end();
  }
  const std::vector<OvsBridge>& bridges() const { return plan_.found->ovs.value.bridges; }

  template <class Fits>
  Found find(std::string_view bridge_name, Fits fits) const {
    for (const OvsBridge& bridge : bridges()) {
      if (bridge.name != bridge_name) continue;
      for (const OvsPort& port : bridge.ports) {
        for (const OvsInterface& interface : port.interfaces) {
          if (fits(interface)) return {&port, &interface};
        }
      }
    }
    return {};
  }

  BridgeDifference& add(BridgeObject object, Deviation deviation, std::string_view bridge, std::string name) {
    BridgeDifference& difference = differences_.emplace_back();
    difference.object = object;
    difference.deviation = deviation;
    difference.bridge = bridge;
    difference.name = std::move(name);
    return difference;
  }

  void patch(bool found, std::string_view bridge, const std::string& device) {
    if (!found) add(BridgeObject::Patch, Deviation::Missing, bridge, device).expected = "type=patch";
  }

  void compare(const WiredPort& wired) {
    const logical::Port& port = plan_.logical_port(wired);
    const std::string& bridge = plan_.options.integration_bridge;
    const Found found = find(bridge, [&](const OvsInterface& interface) {
      const auto id = interface.external_ids.find("iface-id");
      return id != interface.external_ids.end() ? id->second == port.id : interface.name == wired.device;
    });
    if (found.port == nullptr) {
      if (port.status != "ACTIVE") return;
      auto& missing = add(BridgeObject::Port, Deviation::Missing, bridge, wired.device);
      missing.expected = fmt::format("tag={}, iface-id={}", plan_.vlan_of(wired).value, port.id);
      missing.concerns = {wired.port};
      return;
    }
    const auto differs = [&](std::string expected, std::string have) {
      auto& difference = add(BridgeObject::Port, Deviation::Different, bridge, found.port->name);
      difference.expected = std::move(expected);
      difference.found = std::move(have);
      difference.found_at = found.port->at;
      difference.concerns = {wired.port};
    };
    const std::uint16_t tag = wired.dead ? kDeadVlan.value : plan_.vlan_of(wired).value;
    if (found.port->tag.value_or(0) != tag) {
      differs(fmt::format("tag={}", tag),
              found.port->tag ? fmt::format("tag={}", *found.port->tag) : "no tag");
    }
    if (found.interface->ofport == -1)
      differs("an ofport", fmt::format("ofport=-1 {}", found.interface->error));
    // The switch does not see into namespaces: what it has there shows as down.
    if (found.interface->admin_up == false && found.interface->type.empty())
      differs("admin_state=up", "admin_state=down");
  }

  void compare(const Tunnel& tunnel) {
    const std::string& bridge = plan_.options.tunnel_bridge;
    const Found found = find(bridge, [&](const OvsInterface& each) { return each.name == tunnel.device; });
    if (found.port == nullptr) {
      if (!tunnel.needed || !has_bridge(bridge)) return;
      add(BridgeObject::Tunnel, Deviation::Missing, bridge, tunnel.device).expected =
          fmt::format("type={}, remote_ip={}", tunnel.type, to_string(tunnel.remote_ip));
      return;
    }
    const StringMap& options = found.interface->options;
    const auto differs = [&](std::string expected, std::string have) {
      auto& difference = add(BridgeObject::Tunnel, Deviation::Different, bridge, tunnel.device);
      difference.expected = std::move(expected);
      difference.found = std::move(have);
      difference.found_at = found.interface->at;
    };
    const auto address = [&](const char* key, const Ip& expected) {
      const auto value = options.find(key);
      if (value == options.end() || value->second == "flow" || parse_ip(value->second) == expected) return;
      differs(fmt::format("{}={}", key, to_string(expected)), fmt::format("{}={}", key, value->second));
    };
    if (found.interface->type != tunnel.type) differs("type=" + tunnel.type, "type=" + found.interface->type);
    address("remote_ip", tunnel.remote_ip);
    if (plan_.options.local_ip) address("local_ip", *plan_.options.local_ip);
    for (const char* key : {"in_key", "out_key"}) {
      const auto value = options.find(key);
      if (value == options.end() || value->second != "flow")
        differs(fmt::format("{}=flow", key), value == options.end()
                                                 ? fmt::format("no {}", key)
                                                 : fmt::format("{}={}", key, value->second));
    }
    if (found.interface->ofport == -1)
      differs("an ofport", fmt::format("ofport=-1 {}", found.interface->error));
  }

  const Plan& plan_;
  std::vector<BridgeDifference> differences_;
};

}  // namespace

std::string_view name_of(BridgeObject object) {
  switch (object) {
    case BridgeObject::Flow:
      return "flow";
    case BridgeObject::Port:
      return "port";
    case BridgeObject::Tunnel:
      return "tunnel";
    case BridgeObject::Patch:
      return "port";
  }
  return "port";
}

std::vector<BridgeDifference> compare_ports(const Plan& plan) { return PortComparison(plan).compare(); }

}  // namespace dvrtrace::check
