#include "tracer/check/mend.h"

#include <algorithm>

#include "src/base/text.h"

namespace dvrtrace::check {
namespace {

// Enough for any packet of the tenant in any tunnel.
constexpr std::uint32_t kLargeMtu = 9000;

template <class Rows>
auto find_at(Rows& rows, const Provenance& at) {
  return at.known() ? std::ranges::find(rows, at, [](const auto& row) { return row.at; }) : rows.end();
}

// The found row gives way to the expected one; one that is missing is put before the first for which `later` holds.
template <class Rows, class Later>
bool exchange(Rows& rows, const Rows* expected, const Provenance& found_at, const Provenance& expected_at,
              Later later) {
  auto place = find_at(rows, found_at);
  const bool had = place != rows.end();
  if (had) place = rows.erase(place);
  if (expected == nullptr) return had;
  const auto want = find_at(*expected, expected_at);
  if (want == expected->end()) return had;
  if (!had) place = std::ranges::find_if(rows, [&](const auto& row) { return later(row, *want); });
  rows.insert(place, *want);
  return true;
}

template <class Rows>
bool exchange(Rows& rows, const Rows* expected, const Provenance& found_at, const Provenance& expected_at) {
  return exchange(rows, expected, found_at, expected_at, [](const auto&, const auto&) { return false; });
}

NamespaceSnapshot* find_namespace(HostSnapshot& host, std::string_view name) {
  const auto found = std::ranges::find(host.namespaces, name, &NamespaceSnapshot::name);
  return found == host.namespaces.end() ? nullptr : &*found;
}

bool mend_flow(HostSnapshot& host, const HostSnapshot* expected, const BridgeDifference& difference) {
  const auto bridge = std::ranges::find(host.bridges, difference.bridge, &BridgeDumps::bridge);
  if (bridge == host.bridges.end()) return false;
  const BridgeDumps* want = expected == nullptr ? nullptr : expected->find_bridge(difference.bridge);
  return exchange(bridge->flows.value.flows, want == nullptr ? nullptr : &want->flows.value.flows,
                  difference.found_at, difference.expected_at);
}

// "tag=2", "remote_ip=172.31.0.12"
bool mend_port(HostSnapshot& host, const BridgeDifference& difference) {
  if (difference.deviation != Deviation::Different) return false;
  std::string_view value = difference.expected;
  const std::string_view key = take_until(value, '=');
  for (OvsBridge& bridge : host.ovs.value.bridges) {
    if (bridge.name != difference.bridge) continue;
    for (OvsPort& port : bridge.ports) {
      if (port.name != difference.name) continue;
      if (key == "tag") {
        port.tag = number<std::uint16_t>(value);
        if (port.vlan_mode == "trunk") port.vlan_mode.clear(), port.trunks.clear();
        return true;
      }
      for (OvsInterface& interface : port.interfaces) {
        if (key == "admin_state")
          interface.admin_up = interface.link_up = true;
        else
          interface.options[std::string(key)] = std::string(value);
      }
      return true;
    }
  }
  return false;
}

bool mend_link(NamespaceSnapshot& netns, const NamespaceSnapshot* expected, const Difference& difference) {
  if (difference.deviation != Deviation::Different || expected == nullptr) return false;
  const auto have = find_at(netns.links.value, difference.found_at);
  const auto want = find_at(expected->links.value, difference.expected_at);
  if (have == netns.links.value.end() || want == expected->links.value.end()) return false;
  kernel::Link& link = have->value;
  if (want->value.up && !link.up) {
    link.lower_up = true;
    for (auto& other : netns.links.value) {
      if (other.value.peer == link.name) other.value.lower_up = true;
    }
  }
  link.up = want->value.up;
  link.master = want->value.master;
  if (want->value.mtu != 0) link.mtu = want->value.mtu;
  if (want->value.mac) link.mac = want->value.mac;
  for (auto& port : netns.bridge_ports.value) {
    if (port.value.device == link.name) port.value.bridge = link.master;
  }
  return true;
}

bool mend_address(NamespaceSnapshot& netns, const NamespaceSnapshot* expected, const Difference& difference) {
  std::string_view words = difference.object;
  std::string_view device;
  while (!words.empty()) {
    if (take_word(words) == "dev") device = take_word(words);
  }
  const auto find = [&](auto& links) {
    return std::ranges::find(links, device,
                             [](const auto& link) { return std::string_view(link.value.name); });
  };
  const auto have = find(netns.links.value);
  if (have == netns.links.value.end()) return false;
  const std::vector<Sourced<kernel::Address>>* want = nullptr;
  if (expected != nullptr) {
    const auto link = find(expected->links.value);
    if (link != expected->links.value.end()) want = &link->value.addresses;
  }
  return exchange(have->value.addresses, want, difference.found_at, difference.expected_at);
}

bool mend_iptables(Part<kernel::Iptables>& part, const Part<kernel::Iptables>* expected,
                   const Difference& difference) {
  if (difference.order) return false;
  for (kernel::IptablesTable& table : part.value.tables) {
    if (table.name != difference.table) continue;
    for (kernel::Chain& chain : table.chains) {
      if (chain.name != difference.chain) continue;
      const kernel::IptablesTable* want_table =
          expected == nullptr ? nullptr : expected->value.find(difference.table);
      const kernel::Chain* want = want_table == nullptr ? nullptr : want_table->find(difference.chain);
      // A missing rule goes to the place that it has in the reference's chain.
      if (difference.deviation != Deviation::Missing || want == nullptr)
        return exchange(chain.rules, want == nullptr ? nullptr : &want->rules, difference.found_at,
                        difference.expected_at);
      const auto rule = find_at(want->rules, difference.expected_at);
      if (rule == want->rules.end()) return false;
      const auto place =
          std::min(rule - want->rules.begin(), static_cast<std::ptrdiff_t>(chain.rules.size()));
      chain.rules.insert(chain.rules.begin() + place, *rule);
      return true;
    }
  }
  return false;
}

bool mend_ipset(NamespaceSnapshot& netns, const NamespaceSnapshot* expected, const Difference& difference) {
  std::string_view words = difference.object;
  const std::string_view name = take_word(words);
  const auto find = [&](auto& sets) { return std::ranges::find(sets, name, &kernel::Ipset::name); };
  const auto have = find(netns.ipsets.value);
  if (have == netns.ipsets.value.end()) return false;
  const std::vector<Sourced<Prefix>>* want = nullptr;
  if (expected != nullptr) {
    const auto set = find(expected->ipsets.value);
    if (set != expected->ipsets.value.end()) want = &set->prefixes;
  }
  return exchange(have->prefixes, want, difference.found_at, difference.expected_at);
}

bool mend_sysctl(NamespaceSnapshot& netns, const NamespaceSnapshot* expected, const std::string& key) {
  const auto have = netns.sysctls.value.find(key);
  if (have == netns.sysctls.value.end() || expected == nullptr) return false;
  const auto want = expected->sysctls.value.find(key);
  if (want == expected->sysctls.value.end()) return false;
  have->second.value = want->second.value;
  return true;
}

bool mend_namespace(HostSnapshot& host, const HostSnapshot* expected, const Difference& difference) {
  NamespaceSnapshot* netns = find_namespace(host, difference.netns);
  if (netns == nullptr) return false;
  const NamespaceSnapshot* want = expected == nullptr ? nullptr : expected->find_namespace(difference.netns);
  const bool v6 = difference.family == "6";
  const auto part = [&](auto of4, auto of6) {
    auto& have = v6 ? netns->*of6 : netns->*of4;
    const auto* other = want == nullptr ? nullptr : &(v6 ? want->*of6 : want->*of4).value;
    return std::pair(&have.value, other);
  };
  switch (difference.kind) {
    case ObjectKind::Namespace:
      return false;
    case ObjectKind::Link:
      return mend_link(*netns, want, difference);
    case ObjectKind::Address:
      return mend_address(*netns, want, difference);
    case ObjectKind::Rule: {
      const auto [have, other] = part(&NamespaceSnapshot::rules4, &NamespaceSnapshot::rules6);
      return exchange(
          *have, other, difference.found_at, difference.expected_at,
          [](const auto& row, const auto& rule) { return row.value.priority > rule.value.priority; });
    }
    case ObjectKind::Route: {
      const auto [have, other] = part(&NamespaceSnapshot::routes4, &NamespaceSnapshot::routes6);
      return exchange(*have, other, difference.found_at, difference.expected_at);
    }
    case ObjectKind::Neighbour:
      return exchange(netns->neighbours.value, want == nullptr ? nullptr : &want->neighbours.value,
                      difference.found_at, difference.expected_at);
    case ObjectKind::IptablesRule:
      return mend_iptables(v6 ? netns->iptables6 : netns->iptables4,
                           want == nullptr ? nullptr
                           : v6            ? &want->iptables6
                                           : &want->iptables4,
                           difference);
    case ObjectKind::Ipset:
      return mend_ipset(*netns, want, difference);
    case ObjectKind::Sysctl: {
      std::string_view words = difference.object;
      return mend_sysctl(*netns, want, std::string(take_word(words)));
    }
  }
  return false;
}

// What an invariant found: a device or a setting.
bool mend_invariant(HostSnapshot& host, const Finding& finding) {
  NamespaceSnapshot* netns =
      finding.place_kind == "namespace" ? find_namespace(host, finding.place) : nullptr;
  if (netns == nullptr) return false;
  if (finding.object_kind == "sysctl") {
    const auto have = netns->sysctls.value.find(finding.name);
    if (have == netns->sysctls.value.end()) return false;
    have->second.value = have->first.ends_with("rp_filter") ? "2" : "1";
    return true;
  }
  if (finding.object_kind == "link") {
    const auto link = find_at(netns->links.value, finding.at);
    if (link == netns->links.value.end()) return false;
    link->value.up = link->value.lower_up = true;
    if (link->value.mtu < kLargeMtu) link->value.mtu = kLargeMtu;
    return true;
  }
  if (finding.object_kind == "ip-rule")
    return exchange(netns->rules4.value,
                    static_cast<const std::vector<Sourced<kernel::PolicyRule>>*>(nullptr), finding.at, {});
  return false;
}

}  // namespace

bool mend(HostSnapshot& host, const HostSnapshot* expected, const Candidate& candidate) {
  if (const auto* difference = std::get_if<Difference>(&candidate.difference))
    return mend_namespace(host, expected, *difference);
  if (const auto* difference = std::get_if<BridgeDifference>(&candidate.difference)) {
    return difference->object == BridgeObject::Flow ? mend_flow(host, expected, *difference)
                                                    : mend_port(host, *difference);
  }
  return mend_invariant(host, candidate.finding);
}

}  // namespace dvrtrace::check
