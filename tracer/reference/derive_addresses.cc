#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "tracer/reference/cloud.h"
#include "tracer/reference/derivation.h"

namespace dvrtrace::reference {

using namespace logical;
using openflow::FieldId;
using openflow::Flow;
using openflow::FlowRow;

namespace {

const openflow::FlowTable* flows_of(const HostSnapshot& host, std::string_view bridge) {
  const BridgeDumps* dumps = host.find_bridge(bridge);
  return dumps == nullptr ? nullptr : &dumps->flows.value;
}

bool asks(const Flow& flow, FieldId field) {
  const auto mask = flow.match.mask_of(field);
  return mask.low != 0 || mask.high != 0;
}
Mac mac_of(const Flow& flow, FieldId field) { return Mac{flow.match.value_of(field).low}; }

std::optional<std::uint16_t> tag_of(const Flow& flow) {
  const std::uint64_t tci = flow.match.value_of(FieldId::VlanTci).low;
  return (tci & 0x1000) != 0 ? std::optional(static_cast<std::uint16_t>(tci & 0xfff)) : std::nullopt;
}

std::optional<Mac> mac_set(const Flow& flow, FieldId field) {
  for (const openflow::Action& action : flow.actions) {
    const auto* set = std::get_if<openflow::SetField>(&action.variant());
    if (set != nullptr && set->field == field) return Mac{set->value.low};
  }
  return std::nullopt;
}

// The addresses that a flow asks for in a field, IPv4's or IPv6's by the other argument.
std::optional<Prefix> prefix_of(const Flow& flow, FieldId field, Family family) {
  const auto mask = flow.match.mask_of(field), value = flow.match.value_of(field);
  if (mask.low == 0 && mask.high == 0) return std::nullopt;
  const auto bits = static_cast<unsigned>(std::popcount(mask.low) + std::popcount(mask.high));
  return family == Family::V4 ? Prefix(ipv4(static_cast<std::uint32_t>(value.low)), bits)
                              : Prefix(ipv6(value.high, value.low), bits);
}

class AddressDeriver {
 public:
  explicit AddressDeriver(Derivation& all) : all_(all) {}

  void derive() {
    take_macs();
    for (const HostSnapshot& host : all_.snapshot.hosts) {
      take_neighbours(host);
      take_responders(host);
      take_checks(host);
      take_filter(host);
    }
    give_addresses();
    name_floating();
    take_remote_ports();
  }

 private:
  // --- DVR MACs ---

  void take_macs() {
    std::map<std::string, std::map<Mac, unsigned>> own;
    std::map<Mac, std::set<std::string>> seen;
    for (const HostSnapshot& host : all_.snapshot.hosts) {
      for (const BridgeDumps& bridge : host.bridges) {
        for (const FlowRow& row : bridge.flows.value.flows) {
          if (openflow::learned(row.flow)) continue;
          if (const auto mac = own_mac(bridge.bridge, row.flow)) ++own[host.name][*mac];
          if (const auto mac = other_mac(bridge.bridge, row.flow)) seen[*mac].insert(host.name);
        }
      }
    }
    std::set<Mac> known;
    for (const auto& [host, votes] : own) {
      const auto most = std::max_element(votes.begin(), votes.end(),
                                         [](const auto& a, const auto& b) { return a.second < b.second; });
      all_.model.dvr_macs.push_back({host, most->first, {}});
      known.insert(most->first);
    }
    // What one host alone knows is left from a host that is no more.
    for (const auto& [mac, hosts] : seen) {
      if (known.contains(mac) || hosts.size() * 2 <= all_.snapshot.hosts.size()) continue;
      all_.model.dvr_macs.push_back({"unknown-" + to_string(mac), mac, {}});
      all_.caveat("unknown-host",
                  fmt::format("the host with the DVR MAC {} is not among the inputs", to_string(mac)));
    }
  }

  static std::optional<Mac> own_mac(std::string_view bridge, const Flow& flow) {
    if (bridge == "br-int") {
      const bool to_own =
          flow.table.value == 0 && (flow.priority == 5 || flow.priority == 99) && asks(flow, FieldId::EthDst);
      return to_own ? std::optional(mac_of(flow, FieldId::EthDst)) : std::nullopt;
    }
    return flow.table.value == 1 && flow.priority == 1 && asks(flow, FieldId::EthSrc)
               ? mac_set(flow, FieldId::EthSrc)
               : std::nullopt;
  }

  static std::optional<Mac> other_mac(std::string_view bridge, const Flow& flow) {
    if (!asks(flow, FieldId::EthSrc)) return std::nullopt;
    const unsigned table = flow.table.value, priority = flow.priority;
    const bool is = bridge == "br-int"   ? table == 0 && (priority == 2 || priority == 4)
                    : bridge == "br-tun" ? table == 9 && priority == 1
                                         : table == 3 && priority == 2;
    return is ? std::optional(mac_of(flow, FieldId::EthSrc)) : std::nullopt;
  }

  // --- who has which address ---

  struct Claim {
    unsigned votes = 0;
    bool announced = false;  // by l2population, which knows fixed addresses alone
  };

  void vote(const std::string& network_id, const Ip& ip, Mac mac, unsigned votes, bool announced = false) {
    if (!all_.port_of_mac.contains({network_id, mac})) return;
    Claim& claim = claims_[{network_id, ip}][mac];
    claim.votes += votes;
    claim.announced = claim.announced || announced;
  }

  void take_neighbours(const HostSnapshot& host) {
    for (const NamespaceSnapshot& netns : host.namespaces) {
      if (!netns.name.starts_with("qrouter-")) continue;
      for (const auto& row : netns.neighbours.value) {
        const kernel::Neighbour& neighbour = row.value;
        const auto port = all_.port_of_device.find({host.name, neighbour.device});
        if (port == all_.port_of_device.end() || !neighbour.mac || neighbour.ip.link_local()) continue;
        if (neighbour.state != kernel::NeighbourState::Permanent) continue;
        vote(all_.port(port->second).network_id, neighbour.ip, *neighbour.mac, 1);
      }
    }
  }

  void take_responders(const HostSnapshot& host) {
    const auto* flows = flows_of(host, "br-tun");
    if (flows == nullptr) return;
    for (const FlowRow& row : flows->flows) {
      const auto vlan = tag_of(row.flow);
      if (row.flow.table.value != 21 || !vlan) continue;
      const auto network = all_.network_of_vlan.find({host.name, *vlan});
      const auto mac = mac_set(row.flow, FieldId::ArpSha);
      const auto ip = prefix_of(row.flow, FieldId::ArpTpa, Family::V4);
      if (network == all_.network_of_vlan.end() || !mac || !ip || !ip->host()) continue;
      vote(network->second, ip->ip(), *mac, 1, true);
      announcing_.insert(*mac);
    }
  }

  // What a port may send as, by the firewall or by the check of ARP.
  void take_checks(const HostSnapshot& host) {
    const auto* flows = flows_of(host, "br-int");
    if (flows == nullptr) return;
    for (const FlowRow& row : flows->flows) {
      const Flow& flow = row.flow;
      if ((flow.table.value != 71 && flow.table.value != 24) || !asks(flow, FieldId::InPort)) continue;
      const auto id = all_.port_of_ofport.find(
          {host.name, Ofport{static_cast<std::uint32_t>(flow.match.value_of(FieldId::InPort).low)}});
      if (id == all_.port_of_ofport.end()) continue;
      const Port& port = all_.port(id->second);
      const Mac mac = asks(flow, FieldId::EthSrc) ? mac_of(flow, FieldId::EthSrc) : port.mac;
      for (const auto& prefix : sources_of(flow)) {
        if (!prefix.ip().zero() && !(prefix.ip().v6() && prefix.ip().link_local()))
          allowed_[id->second][{mac, prefix}] += 1;
      }
    }
  }

  static std::vector<Prefix> sources_of(const Flow& flow) {
    std::vector<Prefix> sources;
    const std::uint64_t type = flow.match.value_of(FieldId::EthType).low;
    if (type == 0x0806) {
      if (const auto prefix = prefix_of(flow, FieldId::ArpSpa, Family::V4)) sources.push_back(*prefix);
    } else if (type == 0x0800) {
      if (const auto prefix = prefix_of(flow, FieldId::IpSrc, Family::V4)) sources.push_back(*prefix);
    } else if (type == 0x86dd) {
      for (const FieldId field : {FieldId::Ipv6Src, FieldId::NdTarget}) {
        if (const auto prefix = prefix_of(flow, field, Family::V6)) sources.push_back(*prefix);
      }
    }
    return sources;
  }

  // Whether a port's frames go through the firewall, or its sources are checked.
  void take_filter(const HostSnapshot& host) {
    const auto* flows = flows_of(host, "br-int");
    if (flows == nullptr || flows->flows.empty()) return;
    std::map<Ofport, bool> filtered;
    bool firewall = false;
    for (const FlowRow& row : flows->flows) {
      const Flow& flow = row.flow;
      firewall = firewall || flow.table.value == 71;
      if (!asks(flow, FieldId::InPort)) continue;
      const Ofport port{static_cast<std::uint32_t>(flow.match.value_of(FieldId::InPort).low)};
      const unsigned table = flow.table.value;
      if (table == 71 || table == 24 || table == 25) filtered[port] = true;
    }
    for (const auto& [key, id] : all_.port_of_ofport) {
      if (key.first != host.name || role_of(all_.port(id).device_owner) != Role::Compute) continue;
      all_.port(id).port_security = filtered.contains(key.second);
    }
  }

  void give_addresses() {
    for (const auto& [key, macs] : claims_) {
      const auto& [network_id, ip] = key;
      const auto most = std::max_element(macs.begin(), macs.end(), [](const auto& a, const auto& b) {
        return a.second.votes < b.second.votes;
      });
      Port& port = all_.port(all_.port_of_mac.at({network_id, most->first}));
      // A pair's address is not announced, where the port's own ones are.
      const bool pair = ip.v4() && !most->second.announced && announcing_.contains(port.mac);
      if (!pair && port.device_owner.starts_with("compute:"))
        all_.add_fixed_ip(port, ip, all_.subnet_of(network_id, ip));
      if (pair) allowed_[port.id][{port.mac, host_prefix(ip)}] += 1;
    }
    for (const auto& [id, sources] : allowed_) give_pairs(all_.port(id), sources);
  }

  void give_pairs(Port& port, const std::map<std::pair<Mac, Prefix>, unsigned>& sources) {
    for (const auto& [source, votes] : sources) {
      const Mac mac = source.first;
      const Prefix& prefix = source.second;
      const bool own = mac == port.mac && prefix.host();
      const bool fixed = own && std::any_of(port.fixed_ips.begin(), port.fixed_ips.end(),
                                            [&](const FixedIp& known) { return known.ip == prefix.ip(); });
      if (fixed) continue;
      // An address that nothing else knows is the port's own where it has no other of that family.
      const bool none = std::none_of(port.fixed_ips.begin(), port.fixed_ips.end(), [&](const FixedIp& known) {
        return known.ip.family == prefix.ip().family;
      });
      if (own && none) {
        all_.add_fixed_ip(port, prefix.ip(), all_.subnet_of(port.network_id, prefix.ip()));
      } else {
        port.allowed_pairs.push_back({mac, prefix});
      }
    }
  }

  // The port of a floating IP: of the networks of its router, the one with the address.
  void name_floating() {
    for (FloatingIp& floating : all_.model.floating_ips) {
      std::set<std::string> networks;
      for (const Port& port : all_.model.ports) {
        if (port.device_id == floating.router_id) networks.insert(port.network_id);
      }
      for (const Port& port : all_.model.ports) {
        const bool has = std::any_of(port.fixed_ips.begin(), port.fixed_ips.end(),
                                     [&](const FixedIp& fixed) { return fixed.ip == floating.fixed_ip; });
        if (has && networks.contains(port.network_id)) floating.port_id = port.id;
      }
    }
  }

  // --- hosts that are not among the inputs ---

  void take_remote_ports() {
    for (const HostSnapshot& host : all_.snapshot.hosts) {
      const auto* flows = flows_of(host, "br-tun");
      if (flows == nullptr) continue;
      const std::map<Ofport, Ip> unknown = unknown_tunnels(host);
      for (const FlowRow& row : flows->flows) {
        if (row.flow.table.value == 20 && !openflow::learned(row.flow)) take_remote(host, row.flow, unknown);
      }
    }
  }

  std::map<Ofport, Ip> unknown_tunnels(const HostSnapshot& host) {
    std::map<Ofport, Ip> tunnels;
    for (const OvsBridge& bridge : host.ovs.value.bridges) {
      for (const OvsPort& port : bridge.ports) {
        for (const OvsInterface& interface : port.interfaces) {
          const auto remote = interface.options.find("remote_ip");
          if (remote == interface.options.end() || !interface.ofport || *interface.ofport <= 0) continue;
          const auto ip = parse_ip(remote->second);
          const bool known = ip && std::any_of(all_.vtep.begin(), all_.vtep.end(),
                                               [&](const auto& each) { return each.second == *ip; });
          if (ip && !known) tunnels.emplace(Ofport{static_cast<std::uint32_t>(*interface.ofport)}, *ip);
        }
      }
    }
    return tunnels;
  }

  void take_remote(const HostSnapshot& host, const Flow& flow, const std::map<Ofport, Ip>& unknown) {
    const auto vlan = tag_of(flow);
    const Mac mac = mac_of(flow, FieldId::EthDst);
    const auto network = vlan ? all_.network_of_vlan.find({host.name, *vlan}) : all_.network_of_vlan.end();
    if (network == all_.network_of_vlan.end() || mac.zero() ||
        all_.port_of_mac.contains({network->second, mac}))
      return;
    for (const openflow::Action& action : flow.actions) {
      const auto* output = std::get_if<openflow::Output>(&action.variant());
      const auto tunnel = output == nullptr ? unknown.end() : unknown.find(output->port);
      if (tunnel == unknown.end()) continue;
      const std::string remote = "host-" + to_string(tunnel->second);
      Port& port = all_.port(fmt::format("unknown-{}", to_string(mac)));
      port.network_id = network->second;
      port.mac = mac;
      port.host = remote;
      port.status = "ACTIVE";
      add_agent(remote, tunnel->second);
      all_.port_of_mac[{network->second, mac}] = port.id;
    }
  }

  void add_agent(const std::string& host, const Ip& ip) {
    for (const Agent& agent : all_.model.agents) {
      if (agent.host == host) return;
    }
    Agent agent;
    agent.id = "openvswitch@" + host;
    agent.binary = "neutron-openvswitch-agent";
    agent.host = host;
    agent.configuration["tunneling_ip"] = to_string(ip);
    all_.model.agents.push_back(std::move(agent));
    all_.caveat("unknown-host",
                fmt::format("the host with the tunnel address {} is not among the inputs", to_string(ip)));
  }

  Derivation& all_;
  std::map<std::pair<std::string, Ip>, std::map<Mac, Claim>> claims_;          // by network and address
  std::map<std::string, std::map<std::pair<Mac, Prefix>, unsigned>> allowed_;  // by port
  std::set<Mac> announcing_;
};

}  // namespace

void derive_addresses(Derivation& all) { AddressDeriver(all).derive(); }

}  // namespace dvrtrace::reference
