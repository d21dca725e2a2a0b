#include "tracer/reference/options.h"

#include <algorithm>

#include "src/base/text.h"
#include "tracer/reference/flow_signs.h"
#include "tracer/reference/mappings.h"

namespace dvrtrace::reference {

namespace {

// One agent's options, from where they are said best.
class OptionReader {
 public:
  OptionReader(const Cloud& cloud, const HostSnapshot* found, std::string_view host)
      : found_(found), agent_(cloud.agent(host, "openvswitch")), l3_(cloud.agent(host, "l3-agent")) {
    configured_ = found != nullptr && value("agent.tunnel_types").has_value();
  }

  Options read() {
    if (const auto name = value("ovs.integration_bridge")) options_.integration_bridge = *name;
    if (const auto name = value("ovs.tunnel_bridge")) options_.tunnel_bridge = *name;
    read_tunnels();
    read_mappings();
    options_.dvr = flag("agent.enable_distributed_routing", "enable_distributed_routing", shows_dvr());
    options_.l2_population =
        !options_.tunnel_types.empty() && flag("agent.l2_population", "l2_population", shows_l2_population());
    // Distributed routing and tunnels together force it on, from Train; before it was recommended only.
    options_.arp_responder =
        options_.l2_population && flag("agent.arp_responder", "arp_responder_enabled", shows_arp_responder());
    options_.direct_egress = flag("agent.explicitly_egress_direct", "", false);
    if (const auto check = value("agent.prevent_arp_spoofing")) options_.arp_spoofing_check = is_true(*check);
    options_.agent_mode =
        value("DEFAULT.agent_mode").value_or(told(l3_, "agent_mode").value_or(shown_mode()));
    options_.metadata_proxy = flag("DEFAULT.enable_metadata_proxy", "", true);
    read_firewall();
    return std::move(options_);
  }

 private:
  std::optional<std::string> value(std::string_view key) const {
    if (found_ == nullptr) return std::nullopt;
    const auto entry = found_->config.values.find(key);
    return entry == found_->config.values.end() ? std::nullopt : std::optional(entry->second.value);
  }

  static std::optional<std::string> told(const logical::Agent* agent, const std::string& key) {
    if (agent == nullptr) return std::nullopt;
    const auto entry = agent->configuration.find(key);
    return entry == agent->configuration.end() ? std::nullopt : std::optional(entry->second);
  }

  bool flag(std::string_view key, const std::string& report, bool otherwise) const {
    if (const auto text = value(key)) return is_true(*text);
    if (!report.empty()) {
      if (const auto text = told(agent_, report)) return is_true(*text);
    }
    return configured_ ? default_of(key, otherwise) : otherwise;
  }

  // What a configuration file that does not name the option leaves it at.
  static bool default_of(std::string_view key, bool otherwise) {
    return key == "agent.enable_distributed_routing" || key == "agent.l2_population" ||
                   key == "agent.arp_responder"
               ? false
               : otherwise;
  }

  const OvsBridge* bridge(std::string_view name) const {
    if (found_ == nullptr || !found_->ovs.present()) return nullptr;
    const auto& bridges = found_->ovs.value.bridges;
    const auto at = std::find_if(bridges.begin(), bridges.end(),
                                 [&](const OvsBridge& known) { return known.name == name; });
    return at == bridges.end() ? nullptr : &*at;
  }

  void read_tunnels() {
    auto types = value("agent.tunnel_types");
    if (!types) types = told(agent_, "tunnel_types");
    if (types) {
      for (const std::string_view type : split(*types, ',')) {
        if (!trim(type).empty()) options_.tunnel_types.emplace_back(trim(type));
      }
    } else if (const OvsBridge* tun = bridge(options_.tunnel_bridge)) {
      take_tunnel_types(*tun);
    }
    auto ip = value("ovs.local_ip");
    if (!ip) ip = told(agent_, "tunneling_ip");
    if (ip) options_.local_ip = parse_ip(trim(*ip));
  }

  void take_tunnel_types(const OvsBridge& tun) {
    for (const OvsPort& port : tun.ports) {
      for (const OvsInterface& interface : port.interfaces) {
        if (!interface.options.contains("remote_ip")) continue;
        auto& types = options_.tunnel_types;
        if (std::find(types.begin(), types.end(), interface.type) == types.end())
          types.push_back(interface.type);
        const auto local = interface.options.find("local_ip");
        if (local != interface.options.end() && !options_.local_ip)
          options_.local_ip = parse_ip(local->second);
      }
    }
    if (options_.tunnel_types.empty()) options_.tunnel_types.push_back("vxlan");
  }

  void read_mappings() {
    auto mappings = value("ovs.bridge_mappings");
    if (!mappings) mappings = told(agent_, "bridge_mappings");
    if (mappings) {
      for (std::string_view entry : split(*mappings, ',')) {
        const std::string_view physical = trim(take_until(entry, ':'));
        if (!physical.empty() && !trim(entry).empty())
          options_.bridge_mappings.emplace(physical, trim(entry));
      }
    } else if (const OvsBridge* integration = bridge(options_.integration_bridge)) {
      options_.bridge_mappings = found_mappings(*found_, *integration);
    }
  }

  bool shows_dvr() const {
    if (found_ == nullptr) return true;
    const FlowSigns flows(*found_, options_.integration_bridge);
    return flows.empty() || flows.has_table(1);
  }
  bool shows_l2_population() const {
    if (found_ == nullptr) return true;
    const FlowSigns flows(*found_, options_.tunnel_bridge);
    return flows.empty() || flows.has(20, 2) || flows.has_table(9);
  }
  bool shows_arp_responder() const {
    if (found_ == nullptr) return true;
    const FlowSigns flows(*found_, options_.tunnel_bridge);
    return flows.empty() || flows.has_table(21);
  }

  std::string shown_mode() const {
    if (found_ == nullptr || !options_.dvr) return {};
    const auto has = [&](std::string_view prefix) {
      return std::any_of(found_->namespaces.begin(), found_->namespaces.end(),
                         [&](const NamespaceSnapshot& netns) { return netns.name.starts_with(prefix); });
    };
    if (has("snat-")) return "dvr_snat";
    return has("qrouter-") || has("fip-") ? "dvr" : "";
  }

  void read_firewall() {
    const std::string driver = to_lower(value("securitygroup.firewall_driver").value_or(""));
    if (driver.find("openvswitch") != std::string::npos || driver.find("ovs") != std::string::npos) {
      options_.firewall =
          driver.find("hybrid") == std::string::npos ? Firewall::OpenVSwitch : Firewall::Hybrid;
    } else if (driver.find("iptables") != std::string::npos) {
      options_.firewall = Firewall::Hybrid;
    } else if (driver.empty()) {
      options_.firewall = shown_firewall();
    }
    if (const auto enabled = value("securitygroup.enable_security_group"); enabled && !is_true(*enabled))
      options_.firewall = Firewall::None;
  }

  Firewall shown_firewall() const {
    if (const auto hybrid = told(agent_, "ovs_hybrid_plug"); hybrid && is_true(*hybrid))
      return Firewall::Hybrid;
    if (found_ == nullptr) return agent_ != nullptr ? Firewall::OpenVSwitch : Firewall::None;
    const FlowSigns flows(*found_, options_.integration_bridge);
    if (flows.has_table(71) || flows.has_table(81)) return Firewall::OpenVSwitch;
    if (const OvsBridge* integration = bridge(options_.integration_bridge)) {
      for (const OvsPort& port : integration->ports) {
        if (port.name.starts_with("qvo")) return Firewall::Hybrid;
      }
    }
    return Firewall::None;
  }

  const HostSnapshot* found_;
  const logical::Agent* agent_;
  const logical::Agent* l3_;
  bool configured_ = false;
  Options options_;
};

}  // namespace

bool is_true(std::string_view text) {
  const std::string word = to_lower(trim(text));
  return word == "true" || word == "yes" || word == "on" || word == "1" || word == "t" || word == "y";
}

Options options_of(const Cloud& cloud, const HostSnapshot* found, std::string_view host) {
  return OptionReader(cloud, found, host).read();
}

}  // namespace dvrtrace::reference
