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
  Namespaces(const HostSnapshot& found, const HostSnapshot& expected, const Sources& sources, Extent extent)
      : found_(found), expected_(expected), sources_(sources), whole_(extent == Extent::Whole) {}

  Comparison compare() {
    if (whole_)
      compare_lists();
    else
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

  // Both hosts' namespaces, whoever made them.
  void compare_lists() {
    const auto& names = found_.namespace_names;
    const auto& expected_names = expected_.namespace_names;
    if (!comparable(names, expected_names)) return;
    const auto rows = [](const HostSnapshot& host) {
      Rows all;
      for (const std::string& name : host.namespace_names.value) {
        const NamespaceSnapshot* netns = host.find_namespace(name);
        const bool shown = netns != nullptr && !netns->links.value.empty();
        all.push_back({name, {}, name, shown ? netns->links.value.front().at : Provenance{}});
      }
      return all;
    };
    Setting setting{ObjectKind::Namespace, {}, {}, names.complete()};
    setting.expected_whole = expected_names.complete();
    compare_rows(rows(found_), rows(expected_), setting, comparison_);
  }

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
    const Extent extent = whole_ ? Extent::Whole : Extent::Programmed;
    compare_iptables(found.iptables4, expected.iptables4, found.name, sources_, extent, comparison_);
    compare_iptables(found.iptables6, expected.iptables6, found.name, sources_, extent, comparison_);
    compare_ipsets(found, expected);
    compare_sysctls(found, expected);
  }

  template <class T>
  static bool comparable(const Part<T>& found, const Part<T>& expected) {
    return found.present() && expected.present();
  }

  template <class T>
  static Setting setting_of(ObjectKind kind, const std::string& netns, std::string family,
                            const Part<T>& found, const Part<T>& expected) {
    Setting setting{kind, netns, std::move(family), found.complete()};
    setting.expected_whole = expected.complete();
    return setting;
  }

  // Lists that say the same need no closer look, and most do: all that is left of them is their count.
  void count_equal(ObjectKind kind, std::size_t rows) {
    comparison_.of(kind).expected += rows;
    comparison_.of(kind).found += rows;
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

  // A MAC is learnt anew by whoever asks, and the kernel draws one for each new veth: it counts where the
  // device is spoken to.
  static bool is_spoken_to(const Link& link) {
    return link.kind != "veth" && std::ranges::any_of(link.addresses, [](const Sourced<Address>& address) {
             return !address.value.ip.link_local();
           });
  }

  // All that decides whether and how a frame passes, the ports of Linux bridges included.
  static std::string whole_state_of(const NamespaceSnapshot& netns, const Link& own, const Link* other,
                                    bool ports_told) {
    Link link = told_by(own, other);
    if (!is_spoken_to(own) && (other == nullptr || !is_spoken_to(*other))) link.mac.reset();
    std::string text = state_of(link);
    if (link.up && !link.lower_up) text += " no-carrier";
    if (!link.arp) text += " noarp";
    if (link.vlan_id) text += fmt::format(" vlan {}", *link.vlan_id);
    if (link.vlan_filtering == true) text += " vlan_filtering";
    if (link.bridge_ageing == 0u) text += " ageing 0";
    for (const std::string& more : link.unmodelled) text += " " + more;
    if (!ports_told) return text;
    for (const auto& port : netns.bridge_ports.value) {
      if (port.value.device != link.name) continue;
      if (port.value.state != "forwarding") text += " state " + port.value.state;
      if (!port.value.learning) text += " learning off";
      if (!port.value.flood) text += " flood off";
      for (const std::string& more : port.value.unmodelled) text += " " + more;
    }
    return text;
  }

  static const Link* find(const std::vector<Sourced<Link>>& links, std::string_view name) {
    const auto at = std::ranges::find(
        links, name, [](const Sourced<Link>& link) { return std::string_view(link.value.name); });
    return at == links.end() ? nullptr : &at->value;
  }

  void compare_whole_links(const NamespaceSnapshot& found, const NamespaceSnapshot& expected) {
    if (!comparable(found.links, expected.links)) return;
    const bool ports_told = comparable(found.bridge_ports, expected.bridge_ports);
    Rows links[2], addresses[2];
    const NamespaceSnapshot* sides[2] = {&found, &expected};
    for (std::size_t side = 0; side < 2; ++side) {
      for (const Sourced<Link>& link : sides[side]->links.value) {
        const Link* other = find(sides[1 - side]->links.value, link.value.name);
        if (!link.value.loopback) {
          const std::string state = whole_state_of(*sides[side], link.value, other, ports_told);
          links[side].push_back({link.value.name, state, state, link.at});
        }
        if (other != nullptr) add_addresses(link.value, addresses[side]);
      }
    }
    compare_rows(links[0], links[1],
                 setting_of(ObjectKind::Link, found.name, {}, found.links, expected.links), comparison_);
    compare_rows(addresses[0], addresses[1],
                 setting_of(ObjectKind::Address, found.name, {}, found.links, expected.links), comparison_);
  }

  void compare_links(const NamespaceSnapshot& found, const NamespaceSnapshot& expected) {
    if (whole_) {
      compare_whole_links(found, expected);
      return;
    }
    if (!comparable(found.links, expected.links)) return;
    const bool root = found.name.empty();
    if (!root && found.links.value == expected.links.value) {
      count_equal_links(found.links.value);
      return;
    }
    Rows links, expected_links, addresses, expected_addresses;
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

  void count_equal_links(const std::vector<Sourced<Link>>& links) {
    std::size_t devices = 0, addresses = 0;
    for (const Sourced<Link>& link : links) {
      if (link.value.loopback) continue;
      ++devices;
      addresses += static_cast<std::size_t>(std::ranges::count_if(
          link.value.addresses, [&](const auto& each) { return !kernel_made(each.value, link.value); }));
    }
    count_equal(ObjectKind::Link, devices);
    count_equal(ObjectKind::Address, addresses);
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
    if (found.value == expected.value) {
      count_equal(ObjectKind::Rule, found.value.size());
      return;
    }
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
    compare_rows(rows(found), rows(expected),
                 setting_of(ObjectKind::Rule, netns, std::move(family), found, expected), comparison_);
  }

  using RouteList = Part<std::vector<Sourced<Route>>>;
  static std::string ways(const Route& route) {
    std::set<std::string> ways;
    for (const kernel::Nexthop& hop : route.nexthops) {
      ways.insert(fmt::format("{} {} {}", hop.via ? to_string(*hop.via) : "", hop.device, hop.weight));
    }
    return fmt::format("{}", fmt::join(ways, ","));
  }
  // `ip route` alone shows the main table; one that shows them all shows the kernel's own, too.
  static bool has_all_tables(const RouteList& routes) {
    return std::ranges::any_of(
        routes.value, [](const Sourced<Route>& route) { return route.value.table == kernel::kTableLocal; });
  }
  // What follows from addresses goes with them, but for the way to a connected network, which can be taken
  // away by itself.
  void compare_whole_routes(const RouteList& found, const RouteList& expected, const std::string& netns,
                            std::string family) {
    const bool all_tables = has_all_tables(found) && has_all_tables(expected);
    const auto rows = [&](const RouteList& routes) {
      Rows rows;
      for (const Sourced<Route>& sourced : routes.value) {
        const Route& route = sourced.value;
        const Ip& to = route.destination.ip();
        if (route.table == kernel::kTableLocal || to.multicast() || (to.v6() && to.link_local())) continue;
        if (!all_tables && route.table != kernel::kTableMain) continue;
        std::string text = to_string(route);
        if (route.table != kernel::kTableMain) text += " table " + kernel::route_table_name(route.table);
        rows.push_back({fmt::format("{} {} {} {} {}", route.table, static_cast<int>(route.type),
                                    to_string(route.destination), route.metric,
                                    route.from ? to_string(*route.from) : ""),
                        fmt::format("{} mtu {} {}", ways(route), route.mtu.value_or(0),
                                    fmt::join(route.unmodelled, " ")),
                        std::move(text), sourced.at});
      }
      return rows;
    };
    compare_rows(rows(found), rows(expected),
                 setting_of(ObjectKind::Route, netns, std::move(family), found, expected), comparison_);
  }
  // A route that the kernel made counts where the reference expects it.
  void compare_routes(const RouteList& found, const RouteList& expected, const std::string& netns,
                      std::string family) {
    if (!comparable(found, expected)) return;
    if (whole_) {
      compare_whole_routes(found, expected, netns, std::move(family));
      return;
    }
    if (found.value == expected.value) {
      count_equal(ObjectKind::Route, found.value.size());
      return;
    }
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
    const auto permanent = [](const Sourced<Neighbour>& entry) { return is_permanent(entry.value); };
    if (found.neighbours.value == expected.neighbours.value &&
        std::ranges::all_of(found.neighbours.value, permanent)) {
      count_equal(ObjectKind::Neighbour, found.neighbours.value.size());
      return;
    }
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
      if (whole_ && !is_permanent(entry.value)) continue;
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
    compare_rows(rows, expected_rows,
                 setting_of(ObjectKind::Neighbour, found.name, {}, found.neighbours, expected.neighbours),
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
  static void add_other_members(const kernel::Ipset& set, Rows& rows) {
    for (const Sourced<Prefix>& member : set.exceptions) {
      const std::string text = fmt::format("{} {} nomatch", set.name, to_string(member.value));
      rows.push_back({text, {}, text, member.at});
    }
    for (const std::string& member : set.others)
      rows.push_back({set.name + " " + member, {}, set.name + " " + member, set.at});
  }
  void compare_ipsets(const NamespaceSnapshot& found, const NamespaceSnapshot& expected) {
    if (!comparable(found.ipsets, expected.ipsets)) return;
    Rows rows, expected_rows;
    for (const kernel::Ipset& set : expected.ipsets.value) add_members(set, expected_rows);
    for (const kernel::Ipset& set : found.ipsets.value) {
      if (whole_ || set.name.starts_with("NIPv")) add_members(set, rows);
    }
    if (whole_) {
      for (const kernel::Ipset& set : expected.ipsets.value) add_other_members(set, expected_rows);
      for (const kernel::Ipset& set : found.ipsets.value) add_other_members(set, rows);
    }
    compare_rows(rows, expected_rows,
                 setting_of(ObjectKind::Ipset, found.name, {}, found.ipsets, expected.ipsets), comparison_);
  }

  // A kernel without a feature has no setting for it.
  void compare_sysctls(const NamespaceSnapshot& found, const NamespaceSnapshot& expected) {
    if (!comparable(found.sysctls, expected.sysctls)) return;
    Rows rows, expected_rows;
    for (const auto& [key, value] : expected.sysctls.value) {
      const auto at = found.sysctls.value.find(key);
      if (at == found.sysctls.value.end() || (whole_ && !bears_on_forwarding(key))) continue;
      expected_rows.push_back({key, value.value, fmt::format("{} = {}", key, value.value), value.at});
      rows.push_back({key, at->second.value, fmt::format("{} = {}", key, at->second.value), at->second.at});
    }
    compare_rows(rows, expected_rows, {ObjectKind::Sysctl, found.name, {}, true}, comparison_);
  }

  const HostSnapshot& found_;
  const HostSnapshot& expected_;
  const Sources& sources_;
  bool whole_;
  Comparison comparison_;
};

}  // namespace

std::string_view name_of(ObjectKind kind) {
  static constexpr std::string_view kNames[kObjectKinds] = {
      "namespace", "link", "address", "ip-rule", "route", "neighbour", "iptables-rule", "ipset", "sysctl"};
  return kNames[static_cast<std::size_t>(kind)];
}

Comparison compare_namespaces(const HostSnapshot& found, const HostSnapshot& expected, const Sources& sources,
                              Extent extent) {
  return Namespaces(found, expected, sources, extent).compare();
}

bool bears_on_forwarding(std::string_view setting) {
  constexpr std::string_view kEnds[] = {
      "ip_forward",       ".forwarding",   ".mc_forwarding",  ".rp_filter",  ".proxy_arp",
      ".proxy_arp_pvlan", ".proxy_ndp",    ".arp_ignore",     ".arp_filter", ".arp_announce",
      ".accept_local",    ".disable_ipv6", ".route_localnet", ".accept_ra"};
  return setting.starts_with("net.bridge.bridge-nf-") ||
         std::ranges::any_of(kEnds, [&](std::string_view end) { return setting.ends_with(end); });
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
