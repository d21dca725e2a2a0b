#include "tracer/diff/renumber.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>
#include <unordered_set>

#include "src/base/text.h"
#include "tracer/check/rule_text.h"
#include "tracer/diff/conjunctions.h"
#include "tracer/diff/flow_numbers.h"
#include "tracer/reference/canonical.h"

namespace dvrtrace::diff {
namespace {

using openflow::Flow;
using openflow::FlowRow;
using openflow::FlowTable;

constexpr std::uint32_t kFreshPort = 0xfeff, kFreshVlan = 4094, kFreshId = 0xfffffeff;
constexpr std::uint32_t kNoneReserved = 0xffffffff;

bool has_number(const BridgePort& port) { return port.number < kFirstReservedPort; }

const Bridge* find(const Host& host, std::string_view name) {
  const std::size_t at = host.find_bridge(name);
  return at == kNowhere ? nullptr : &host.bridges[at];
}

// What tells which network a local VLAN stands for: each sign with the VLANs that bear it, and how much it
// says.
class VlanSigns {
 public:
  explicit VlanSigns(const Host& host) : host_(host), integration_(integration_bridge(host.snapshot)) {
    for (const OvsBridge& bridge : host.snapshot.ovs.value.bridges) {
      if (bridge.name == integration_) ports(bridge);
    }
    for (const std::string& name : local_vlan_bridges(host)) {
      const BridgeDumps* dumps = host.snapshot.find_bridge(name);
      if (dumps == nullptr) continue;
      if (name == integration_)
        wires(dumps->flows.value);
      else
        tunnels(dumps->flows.value);
    }
  }

  using Weights = std::map<std::uint32_t, unsigned>;
  const std::map<std::string, Weights>& signs() const { return signs_; }
  const std::set<std::uint32_t>& vlans() const { return vlans_; }
  const std::set<std::uint32_t>& segments() const { return segments_; }  // VLANs of physical networks

 private:
  static constexpr unsigned kStrong = 4, kWeak = 1;

  void add(std::string sign, std::uint32_t vlan, unsigned weight) {
    if (vlan == 0 || vlan >= kDeadVlan.value) return;
    unsigned& known = signs_[std::move(sign)][vlan];
    known = std::max(known, weight);
    vlans_.insert(vlan);
  }

  // The agent notes its own number beside the port; a tag that somebody changed by hand is another.
  void ports(const OvsBridge& bridge) {
    for (const OvsPort& port : bridge.ports) {
      if (!port.tag) continue;
      add("port " + port.name, *port.tag, kWeak);
      const auto network = port.other_config.find("net_uuid");
      if (network == port.other_config.end()) continue;
      const auto noted = port.other_config.find("tag");
      const auto vlan =
          noted == port.other_config.end() ? std::nullopt : number<std::uint16_t>(noted->second);
      add("network " + network->second, vlan.value_or(*port.tag), kStrong);
      const auto type = port.other_config.find("network_type"),
                 segment = port.other_config.find("segmentation_id");
      if (type == port.other_config.end() || type->second != "vlan" || segment == port.other_config.end())
        continue;
      if (const auto tag = number<std::uint16_t>(segment->second)) segments_.insert(*tag);
    }
  }

  void tunnels(const FlowTable& flows) {
    for (const FlowRow& row : flows.flows) {
      const auto in = number_in(row.flow.match, openflow::FieldId::DlVlan);
      if (const auto key = number_in(row.flow.match, openflow::FieldId::TunId)) {
        if (const auto vlan = vlan_set(row.flow.actions)) add(fmt::format("key {}", *key), *vlan, kStrong);
      } else if (const auto set = key_set(row.flow.actions); set && in) {
        add(fmt::format("key {}", *set), *in, kStrong);
      }
    }
  }

  // From a physical network's bridge: its VLAN, or none.
  void wires(const FlowTable& flows) {
    const Bridge* bridge = find(host_, integration_);
    if (bridge == nullptr) return;
    for (const FlowRow& row : flows.flows) {
      const auto vlan = vlan_set(row.flow.actions);
      const auto in = number_in(row.flow.match, openflow::FieldId::InPort);
      if (!vlan || !in) continue;
      const BridgePort* port = bridge->port(Ofport{*in});
      const auto tag = number_in(row.flow.match, openflow::FieldId::DlVlan);
      if (port == nullptr) continue;
      add(fmt::format("segment {} of {}", tag.value_or(0), port->name), *vlan, kStrong);
      if (tag) segments_.insert(*tag);
    }
  }

  const Host& host_;
  std::string integration_;
  std::map<std::string, Weights> signs_;
  std::set<std::uint32_t> vlans_, segments_;
};

std::size_t hash_of(const Flow& flow) {
  Flow plain = flow;
  plain.cookie = 0;
  plain.actions = reference::canonical_actions(flow.actions);
  return std::hash<std::string>()(to_string(plain));
}

std::optional<std::uint64_t> learnt_cookie(const FlowTable& flows) {
  for (const FlowRow& row : flows.flows) {
    for (const openflow::Action& action : row.flow.actions) {
      if (const auto* learn = std::get_if<openflow::Learn>(&action.variant())) return learn->spec->cookie;
    }
  }
  return std::nullopt;
}

class Renumbering {
 public:
  Renumbering(const Host& before, const Host& after)
      : before_(before),
        after_(after),
        vlans_(local_vlans(before, after)),
        segments_(VlanSigns(before).segments()),
        integration_(integration_bridge(before.snapshot)),
        local_(local_vlan_bridges(before)) {
    for (const Bridge& bridge : before.bridges)
      ports_.emplace(bridge.name, port_numbers(&bridge, find(after, bridge.name)));
  }

  HostSnapshot run() {
    HostSnapshot host = before_.snapshot;
    for (OvsBridge& bridge : host.ovs.value.bridges) database(bridge);
    for (BridgeDumps& dumps : host.bridges) bridge(dumps);
    for (NamespaceSnapshot& netns : host.namespaces) {
      const NamespaceSnapshot* now = after_.snapshot.find_namespace(netns.name);
      if (now == nullptr) continue;
      zones(netns.iptables4.value, now->iptables4.value);
      zones(netns.iptables6.value, now->iptables6.value);
    }
    return host;
  }

 private:
  NumberMap& ports_of(const std::string& bridge) {
    return ports_.try_emplace(bridge, port_numbers(nullptr, nullptr)).first->second;
  }

  void database(OvsBridge& bridge) {
    NumberMap& ports = ports_of(bridge.name);
    for (OvsPort& port : bridge.ports) {
      if (bridge.name == integration_ && port.tag && *port.tag != 0)
        port.tag = static_cast<std::uint16_t>(vlans_(*port.tag));
      for (OvsInterface& interface : port.interfaces) {
        if (interface.ofport && *interface.ofport > 0)
          interface.ofport = ports(static_cast<std::uint32_t>(*interface.ofport));
      }
    }
  }

  void bridge(BridgeDumps& dumps) {
    const BridgeDumps* now = after_.snapshot.find_bridge(dumps.bridge);
    NumberMap& ports = ports_of(dumps.bridge);
    for (Sourced<PortDesc>& port : dumps.features.value.ports)
      port.value.number.value = ports(port.value.number.value);
    if (now == nullptr) return;
    FlowNumbers numbers;
    numbers.port = [&](std::uint32_t port) { return ports(port); };
    numbers.registers = dumps.bridge == integration_;
    numbers.learnt_cookie = learnt_cookie(now->flows.value);
    const bool local = local_.contains(dumps.bridge);
    if (local) numbers.vlan = numbers.local = [&](std::uint32_t vlan) { return vlans_(vlan); };
    NumberMap groups = group_numbers(dumps.groups.value, now->groups.value, numbers);
    numbers.group = [&](std::uint32_t group) { return groups(group); };
    for (Sourced<openflow::Group>& group : dumps.groups.value) renumber(group.value, numbers);

    if (local && vlans_.changes())
      exchange_in_doubt(dumps.flows.value, now->flows.value, numbers);
    else
      for (FlowRow& row : dumps.flows.value.flows) exchange_all(row.flow, numbers, numbers);

    NumberMap conjunctions = conjunction_numbers(dumps.flows.value, now->flows.value);
    if (!conjunctions.changes()) return;
    FlowNumbers ids;
    ids.conjunction = [&](std::uint32_t id) { return conjunctions(id); };
    for (FlowRow& row : dumps.flows.value.flows) exchange_all(row.flow, ids, ids);
  }

  static void exchange_all(Flow& flow, const FlowNumbers& in_match, const FlowNumbers& in_actions) {
    renumber(flow.match, in_match);
    renumber(flow.actions, in_actions);
  }

  // A tag may be a physical network's, with a number that is also a local one: taken for what makes the flow
  // one that is there now.
  void exchange_in_doubt(FlowTable& flows, const FlowTable& now, const FlowNumbers& numbers) {
    std::unordered_set<std::size_t> there;
    for (const FlowRow& row : now.flows) there.insert(hash_of(row.flow));
    FlowNumbers on_the_wire = numbers;
    on_the_wire.vlan = [&](std::uint32_t vlan) { return segments_.contains(vlan) ? vlan : vlans_(vlan); };
    for (FlowRow& row : flows.flows) {
      const std::pair<const FlowNumbers*, const FlowNumbers*> readings[] = {{&numbers, &numbers},
                                                                            {&on_the_wire, &numbers},
                                                                            {&numbers, &on_the_wire},
                                                                            {&on_the_wire, &on_the_wire}};
      std::optional<Flow> first;
      for (const auto& [in_match, in_actions] : readings) {
        Flow flow = row.flow;
        exchange_all(flow, *in_match, *in_actions);
        const bool found = there.contains(hash_of(flow));
        if (!first || found) first = std::move(flow);
        if (found) break;
      }
      row.flow = std::move(*first);
    }
  }

  // By what they do. One with its old number is taken for itself.
  static NumberMap group_numbers(const std::vector<Sourced<openflow::Group>>& before,
                                 const std::vector<Sourced<openflow::Group>>& after,
                                 const FlowNumbers& numbers) {
    NumberMap map(kFreshId, kNoneReserved);
    const auto id_of = [](const Sourced<openflow::Group>& group) { return group.value.id; };
    for (const auto& group : after) map.use(group.value.id);
    std::set<std::uint32_t> taken;
    for (const auto& group : before) {
      if (std::ranges::find(after, group.value.id, id_of) == after.end()) continue;
      map.set(group.value.id, group.value.id);
      taken.insert(group.value.id);
    }
    for (const auto& group : before) {
      if (map.knows(group.value.id)) continue;
      openflow::Group wanted = group.value;
      renumber(wanted, numbers);
      const auto same = std::ranges::find_if(after, [&](const Sourced<openflow::Group>& each) {
        wanted.id = each.value.id;
        return !taken.contains(each.value.id) && wanted == each.value;
      });
      if (same == after.end()) {
        map.gone(group.value.id);
      } else {
        map.set(group.value.id, same->value.id);
        taken.insert(same->value.id);
      }
    }
    return map;
  }

  // Zones of the hybrid firewall: a device has one, and which is chance.
  static void zones(kernel::Iptables& before, const kernel::Iptables& after) {
    const auto each_zone = [](auto& tables, auto visit) {
      for (auto& table : tables.tables) {
        for (auto& chain : table.chains) {
          for (auto& rule : chain.rules) {
            auto* ct = std::get_if<kernel::Ct>(&rule.value.target);
            if (ct == nullptr || !ct->zone) continue;
            kernel::IptablesRule other = rule.value;
            std::get<kernel::Ct>(other.target).zone.reset();
            visit(table.name + " " + chain.name + " " + check::meaning_of(other), *ct);
          }
        }
      }
    };
    std::map<std::string, std::uint16_t> now;
    each_zone(after, [&](std::string rule, const kernel::Ct& ct) { now.emplace(std::move(rule), *ct.zone); });
    std::map<std::uint16_t, std::uint16_t> exchanged;
    each_zone(before, [&](const std::string& rule, const kernel::Ct& ct) {
      if (const auto at = now.find(rule); at != now.end()) exchanged.emplace(*ct.zone, at->second);
    });
    each_zone(before, [&](const std::string&, kernel::Ct& ct) {
      if (const auto at = exchanged.find(*ct.zone); at != exchanged.end()) ct.zone = at->second;
    });
  }

  const Host& before_;
  const Host& after_;
  NumberMap vlans_;
  std::set<std::uint32_t> segments_;
  std::string integration_;
  std::set<std::string> local_;
  std::map<std::string, NumberMap> ports_;
};

}  // namespace

bool NumberMap::changes() const {
  return std::ranges::any_of(map_, [](const auto& pair) { return pair.first != pair.second; });
}

std::uint32_t NumberMap::take_fresh() {
  while (used_.contains(fresh_)) --fresh_;
  used_.insert(fresh_);
  return fresh_--;
}

NumberMap port_numbers(const Bridge* before, const Bridge* after) {
  NumberMap map(kFreshPort, kFirstReservedPort.value);
  if (before == nullptr || after == nullptr || !before->known_ports || !after->known_ports) return map;
  for (const BridgePort& port : after->ports) {
    if (has_number(port)) map.use(port.number.value);
  }
  for (const BridgePort& port : before->ports) {
    if (!has_number(port)) continue;
    const auto now = std::ranges::find(after->ports, port.name, &BridgePort::name);
    if (now != after->ports.end() && has_number(*now))
      map.set(port.number.value, now->number.value);
    else
      map.gone(port.number.value);
  }
  return map;
}

NumberMap local_vlans(const Host& before, const Host& after) {
  const VlanSigns was(before), is(after);
  NumberMap map(kFreshVlan, kDeadVlan.value);
  for (const std::uint32_t vlan : is.vlans()) map.use(vlan);
  std::map<std::pair<std::uint32_t, std::uint32_t>, unsigned> scores;
  for (const auto& [sign, weights] : was.signs()) {
    const auto now = is.signs().find(sign);
    if (now == is.signs().end()) continue;
    for (const auto& [vlan, weight] : weights) {
      for (const auto& [other, other_weight] : now->second)
        scores[{vlan, other}] += std::min(weight, other_weight);
    }
  }
  using Pair = std::tuple<int, bool, std::uint32_t, std::uint32_t>;  // the best first
  std::set<Pair> pairs;
  for (const auto& [pair, score] : scores)
    pairs.emplace(-static_cast<int>(score), pair.first != pair.second, pair.first, pair.second);
  std::set<std::uint32_t> taken;
  for (const auto& [score, differ, vlan, now] : pairs) {
    if (map.knows(vlan) || taken.contains(now)) continue;
    map.set(vlan, now);
    taken.insert(now);
  }
  for (const std::uint32_t vlan : was.vlans()) {
    if (!map.knows(vlan)) map.gone(vlan);
  }
  return map;
}

std::string integration_bridge(const HostSnapshot& host) {
  if (const auto named = host.config.values.find("ovs.integration_bridge"); named != host.config.values.end())
    return named->second.value;
  for (const OvsBridge& bridge : host.ovs.value.bridges) {
    const auto served = [](const OvsPort& port) { return port.other_config.contains("net_uuid"); };
    if (std::ranges::any_of(bridge.ports, served)) return bridge.name;
  }
  return "br-int";
}

std::set<std::string> local_vlan_bridges(const Host& host) {
  std::set<std::string> names{integration_bridge(host.snapshot)};
  const Bridge* integration = find(host, *names.begin());
  if (integration == nullptr) return names;
  for (const BridgePort& port : integration->ports) {
    if (port.peer_bridge != kNowhere) names.insert(host.bridges[port.peer_bridge].name);
  }
  return names;
}

HostSnapshot renumbered(const Host& before, const Host& after) { return Renumbering(before, after).run(); }

}  // namespace dvrtrace::diff
