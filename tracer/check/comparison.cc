#include "tracer/check/comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "src/base/text.h"
#include "src/kernel/print.h"
#include "tracer/check/compare_iptables.h"
#include "tracer/check/rows.h"

namespace dvrtrace::check {
namespace {

using kernel::Address;
using kernel::Link;
using kernel::Neighbour;
using kernel::PolicyRule;
using kernel::Route;

bool is_agents(std::string_view netns) {
  return netns.starts_with("qrouter-") || netns.starts_with("fip-") || netns.starts_with("snat-") ||
         netns.starts_with("qdhcp-");
}

// A device of a port's Linux bridge: nothing else is named so.
bool is_hybrid_device(std::string_view name) {
  return name.starts_with("qbr") || name.starts_with("qvb") || name.starts_with("qvo");
}

class Namespaces {
 public:
  Namespaces(const HostSnapshot& found, const HostSnapshot& expected, const Sources& sources)
      : found_(found), expected_(expected), sources_(sources) {}

  Comparison compare() {
    compare_names();
    for (const NamespaceSnapshot& expected : expected_.namespaces) {
      const NamespaceSnapshot* found = found_.find_namespace(expected.name);
      if (found != nullptr && is_there(expected.name)) compare(*found, expected);
    }
    return std::move(comparison_);
  }

 private:
  // No list and no dump: whether a namespace is there is not known.
  bool is_listed(const std::string& netns) const {
    const auto& names = found_.namespace_names;
    return !names.present() || std::ranges::find(names.value, netns) != names.value.end();
  }
  bool is_there(const std::string& netns) const { return netns.empty() || is_listed(netns); }

  void compare_names() {
    Rows found, expected;
    for (const NamespaceSnapshot& netns : expected_.namespaces) {
      if (!netns.name.empty())
        expected.push_back({netns.name,
                            {},
                            netns.name,
                            netns.links.value.empty() ? Provenance{} : netns.links.value.front().at});
    }
    for (const NamespaceSnapshot& netns : found_.namespaces) {
      if (is_agents(netns.name) && is_listed(netns.name)) found.push_back({netns.name, {}, netns.name, {}});
    }
    const bool whole = found_.namespace_names.complete();
    if (!expected.empty() || !found.empty())
      compare_rows(found, expected, {ObjectKind::Namespace, {}, {}, whole}, comparison_);
  }

  void compare(const NamespaceSnapshot& found, const NamespaceSnapshot& expected) {
    compare_links(found, expected);
    compare_rules(found.rules4, expected.rules4, found.name, "4");
    compare_rules(found.rules6, expected.rules6, found.name, "6");
    compare_routes(found.routes4, expected.routes4, found.name, "4");
    compare_routes(found.routes6, expected.routes6, found.name, "6");
    compare_neighbours(found, expected);
    compare_iptables(found.iptables4, expected.iptables4, found.name, sources_, comparison_);
    compare_iptables(found.iptables6, expected.iptables6, found.name, sources_, comparison_);
    compare_ipsets(found, expected);
    compare_sysctls(found, expected);
  }

  template <class T>
  static bool comparable(const Part<T>& found, const Part<T>& expected) {
    return found.present() && expected.present();
  }

  // --- devices and addresses ---

  static std::string state_of(const Link& link) {
    std::string text = link.name;
    if (link.mac) text += " lladdr " + to_string(*link.mac);
    if (link.mtu != 0) text += fmt::format(" mtu {}", link.mtu);
    if (!link.master.empty()) text += " master " + link.master;
    return text + (link.up ? " up" : " down");
  }

  // What of a link the other side does not say either is not compared.
  static Link told_by(Link link, const Link* other) {
    if (other == nullptr) return link;
    if (!other->mac) link.mac.reset();
    if (other->mtu == 0) link.mtu = 0;
    return link;
  }

  static const Link* find(const std::vector<Sourced<Link>>& links, std::string_view name) {
    const auto at = std::ranges::find(
        links, name, [](const Sourced<Link>& link) { return std::string_view(link.value.name); });
    return at == links.end() ? nullptr : &at->value;
  }

  void compare_links(const NamespaceSnapshot& found, const NamespaceSnapshot& expected) {
    if (!comparable(found.links, expected.links)) return;
    Rows links, expected_links, addresses, expected_addresses;
    const bool root = found.name.empty();
    for (const Sourced<Link>& link : expected.links.value) {
      if (link.value.loopback) continue;
      const Link* other = find(found.links.value, link.value.name);
      expected_links.push_back(
          {link.value.name, state_of(told_by(link.value, other)), state_of(link.value), link.at});
      if (other != nullptr) add_addresses(link.value, expected_addresses);
    }
    for (const Sourced<Link>& link : found.links.value) {
      const Link* other = find(expected.links.value, link.value.name);
      if (link.value.loopback || (root && other == nullptr && !is_hybrid_device(link.value.name))) continue;
      links.push_back({link.value.name, state_of(told_by(link.value, other)), state_of(link.value), link.at});
      if (!root && other != nullptr) add_addresses(link.value, addresses);
    }
    const bool whole = found.links.complete();
    compare_rows(links, expected_links, {ObjectKind::Link, found.name, {}, whole}, comparison_);
    compare_rows(addresses, expected_addresses, {ObjectKind::Address, found.name, {}, whole}, comparison_);
  }

  static void add_addresses(const Link& link, Rows& rows) {
    for (const Sourced<Address>& address : link.addresses) {
      if (kernel_made(address.value, link)) continue;
      const std::string ip = to_string(address.value.ip), length = std::to_string(address.value.length);
      rows.push_back(
          {link.name + " " + ip, length, fmt::format("{}/{} dev {}", ip, length, link.name), address.at});
    }
  }

  // --- rules, routes, neighbours ---

  using RuleList = Part<std::vector<Sourced<PolicyRule>>>;
  void compare_rules(const RuleList& found, const RuleList& expected, const std::string& netns,
                     std::string family) {
    if (!comparable(found, expected)) return;
    const auto rows = [](const RuleList& rules) {
      Rows rows;
      for (const Sourced<PolicyRule>& rule : rules.value) {
        PolicyRule selectors = rule.value;
        selectors.from_text.clear(), selectors.to_text.clear();
        const std::string text = to_string(rule.value);
        rows.push_back({to_string(selectors), std::to_string(rule.value.priority),
                        fmt::format("{}: {}", rule.value.priority, text), rule.at});
      }
      return rows;
    };
    compare_rows(rows(found), rows(expected), {ObjectKind::Rule, netns, std::move(family), found.complete()},
                 comparison_);
  }

  using RouteList = Part<std::vector<Sourced<Route>>>;
  static std::string ways(const Route& route) {
    std::set<std::string> ways;
    for (const kernel::Nexthop& hop : route.nexthops) {
      ways.insert(fmt::format("{} {} {}", hop.via ? to_string(*hop.via) : "", hop.device, hop.weight));
    }
    return fmt::format("{}", fmt::join(ways, ","));
  }
  // A route that the kernel made counts where the reference expects it.
  void compare_routes(const RouteList& found, const RouteList& expected, const std::string& netns,
                      std::string family) {
    if (!comparable(found, expected)) return;
    const auto row_of = [](const Sourced<Route>& route) {
      std::string text = to_string(route.value);
      if (route.value.table != kernel::kTableMain)
        text += " table " + kernel::route_table_name(route.value.table);
      return Row{fmt::format("{} {} {}", route.value.table, static_cast<int>(route.value.type),
                             to_string(route.value.destination)),
                 ways(route.value), std::move(text), route.at};
    };
    Rows rows, expected_rows;
    std::set<std::string> wanted;
    for (const Sourced<Route>& route : expected.value) {
      expected_rows.push_back(row_of(route));
      wanted.insert(expected_rows.back().about + expected_rows.back().says);
    }
    for (const Sourced<Route>& route : found.value) {
      Row row = row_of(route);
      if (!kernel_made(route.value) || wanted.contains(row.about + row.says)) rows.push_back(std::move(row));
    }
    compare_rows(rows, expected_rows, {ObjectKind::Route, netns, std::move(family), found.complete()},
                 comparison_);
  }

  static bool is_permanent(const Neighbour& neighbour) {
    return neighbour.state == kernel::NeighbourState::Permanent && !neighbour.proxy;
  }
  // A wrong MAC that was learnt counts where a permanent entry should be: it shows what became of that. A right one is no
  // substitute, since it is forgotten, and does no harm.
  void compare_neighbours(const NamespaceSnapshot& found, const NamespaceSnapshot& expected) {
    if (!comparable(found.neighbours, expected.neighbours)) return;
    Rows rows, expected_rows;
    const auto row_of = [](const Sourced<Neighbour>& entry) {
      const Neighbour& value = entry.value;
      const std::string about = fmt::format("{} dev {}", to_string(value.ip), value.device);
      const std::string mac = value.mac ? to_string(*value.mac) : "none";
      return Row{about, mac,
                 fmt::format("{} lladdr {} {}", about, mac, is_permanent(value) ? "PERMANENT" : "learnt"),
                 entry.at};
    };
    std::multimap<std::string, std::string> wanted;  // the MACs of each
    for (const Sourced<Neighbour>& entry : expected.neighbours.value) {
      expected_rows.push_back(row_of(entry));
      wanted.emplace(expected_rows.back().about, expected_rows.back().says);
    }
    for (const Sourced<Neighbour>& entry : found.neighbours.value) {
      if (entry.value.proxy) continue;
      Row row = row_of(entry);
      const auto [first, last] = wanted.equal_range(row.about);
      const bool wrong = first != last && entry.value.mac &&
                         std::none_of(first, last, [&](const auto& mac) { return mac.second == row.says; });
      if (is_permanent(entry.value) || wrong) rows.push_back(std::move(row));
    }
    compare_rows(rows, expected_rows, {ObjectKind::Neighbour, found.name, {}, found.neighbours.complete()},
                 comparison_);
  }

  // --- ipsets, sysctls ---

  static void add_members(const kernel::Ipset& set, Rows& rows) {
    const std::string type = set.family == Family::V4 ? "inet" : "inet6";
    rows.push_back({set.name, type, fmt::format("{} family {}", set.name, type), set.at});
    for (const Sourced<Prefix>& member : set.prefixes) {
      const std::string text = to_string(member.value);
      rows.push_back({set.name + " " + text, {}, set.name + " " + text, member.at});
    }
  }
  void compare_ipsets(const NamespaceSnapshot& found, const NamespaceSnapshot& expected) {
    if (!comparable(found.ipsets, expected.ipsets)) return;
    Rows rows, expected_rows;
    for (const kernel::Ipset& set : expected.ipsets.value) add_members(set, expected_rows);
    for (const kernel::Ipset& set : found.ipsets.value) {
      if (set.name.starts_with("NIPv")) add_members(set, rows);
    }
    compare_rows(rows, expected_rows, {ObjectKind::Ipset, found.name, {}, found.ipsets.complete()},
                 comparison_);
  }

  // A kernel without a feature has no setting for it.
  void compare_sysctls(const NamespaceSnapshot& found, const NamespaceSnapshot& expected) {
    if (!comparable(found.sysctls, expected.sysctls)) return;
    Rows rows, expected_rows;
    for (const auto& [key, value] : expected.sysctls.value) {
      const auto at = found.sysctls.value.find(key);
      if (at == found.sysctls.value.end()) continue;
      expected_rows.push_back({key, value.value, fmt::format("{} = {}", key, value.value), value.at});
      rows.push_back({key, at->second.value, fmt::format("{} = {}", key, at->second.value), at->second.at});
    }
    compare_rows(rows, expected_rows, {ObjectKind::Sysctl, found.name, {}, true}, comparison_);
  }

  const HostSnapshot& found_;
  const HostSnapshot& expected_;
  const Sources& sources_;
  Comparison comparison_;
};

}  // namespace

std::string_view name_of(ObjectKind kind) {
  static constexpr std::string_view kNames[kObjectKinds] = {
      "namespace", "link", "address", "ip-rule", "route", "neighbour", "iptables-rule", "ipset", "sysctl"};
  return kNames[static_cast<std::size_t>(kind)];
}

Comparison compare_namespaces(const HostSnapshot& found, const HostSnapshot& expected,
                              const Sources& sources) {
  return Namespaces(found, expected, sources).compare();
}

bool kernel_made(const kernel::Route& route) {
  if (route.table == kernel::kTableLocal) return true;
  if (route.table != kernel::kTableMain || route.type != kernel::RouteType::Unicast) return false;
  const bool connected =
      std::ranges::none_of(route.nexthops, [](const kernel::Nexthop& hop) { return hop.via.has_value(); });
  if (!connected || route.destination.length() == 0) return false;
  // `route -n` does not tell who made a route.
  const Ip& to = route.destination.ip();
  return route.protocol == "kernel" ||
         (route.protocol.empty() && to.v6() && (to.link_local() || to.multicast()));
}

bool kernel_made(const kernel::Address& address, const kernel::Link& link) {
  return link.mac && address.ip.v6() && address.ip == eui64_link_local(link.mac->value);
}

}  // namespace dvrtrace::check
