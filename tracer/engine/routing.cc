#include "tracer/engine/routing.h"

#include <fmt/format.h>

#include <algorithm>

namespace dvrtrace {
namespace {

using kernel::PolicyRule;
using kernel::Route;
using kernel::RouteType;

bool device_matches(const std::string& wanted, const std::string& device) {
  return wanted.empty() || wanted == device;
}

bool in_range(std::optional<std::uint16_t> first, std::optional<std::uint16_t> last, std::uint16_t port) {
  return !first || (port >= *first && port <= last.value_or(*first));
}

bool selects(const PolicyRule& rule, const RouteQuery& query) {
  const bool matches =
      (!rule.from || rule.from->contains(query.source)) &&
      (!rule.to || rule.to->contains(query.destination)) &&
      device_matches(rule.iif, query.iif.empty() ? "lo" : query.iif) && device_matches(rule.oif, query.oif) &&
      (!rule.fwmark || (query.mark & rule.fwmask) == (*rule.fwmark & rule.fwmask)) &&
      (!rule.tos || *rule.tos == query.tos) && (!rule.ip_proto || *rule.ip_proto == query.protocol) &&
      in_range(rule.sport_first, rule.sport_last, query.source_port) &&
      in_range(rule.dport_first, rule.dport_last, query.destination_port);
  return matches != rule.inverted;
}

class Lookup {
 public:
  Lookup(const Namespace& netns, const std::string& host, const RouteQuery& query)
      : netns_(netns), host_(host), query_(query) {}

  RouteDecision run() {
    const bool v6 = query_.destination.v6();
    const auto& rules = v6 ? netns_.rules6 : netns_.rules4;
    const bool present =
        netns_.dumps != nullptr && (v6 ? netns_.dumps->rules6.present() : netns_.dumps->rules4.present());
    if (!present) return without_rules();
    std::uint32_t skip_to = 0;
    for (const auto* rule : rules) {
      if (rule->value.priority < skip_to || !selects(rule->value, query_)) continue;
      if (!rule->value.unmodelled.empty()) {
        return unknown(fmt::format("a policy rule has a part that is not understood: {}",
                                   rule->value.unmodelled.front()),
                       "");
      }
      decision_.rule = rule;
      switch (rule->value.action) {
        case PolicyRule::Action::Nop:
          continue;
        case PolicyRule::Action::Goto:
          skip_to = rule->value.target;
          continue;
        case PolicyRule::Action::Blackhole:
          return ended(RouteDecision::Kind::Blackhole);
        case PolicyRule::Action::Unreachable:
          return ended(RouteDecision::Kind::Unreachable);
        case PolicyRule::Action::Prohibit:
          return ended(RouteDecision::Kind::Prohibit);
        case PolicyRule::Action::Lookup:
          if (in_table(rule->value.table, rule->value.suppress_prefixlength)) return std::move(decision_);
          decision_.passed.push_back(rule->value.table);
      }
    }
    decision_.rule = nullptr;
    return routes_known() ? ended(RouteDecision::Kind::NoRoute) : missing_routes();
  }

 private:
  RouteDecision ended(RouteDecision::Kind kind) {
    decision_.kind = kind;
    return std::move(decision_);
  }
  RouteDecision unknown(std::string text, std::string needs) {
    decision_.kind = RouteDecision::Kind::Unknown;
    decision_.text = std::move(text);
    decision_.needs = std::move(needs);
    return std::move(decision_);
  }
  bool routes_known() const {
    return netns_.dumps != nullptr &&
           (query_.destination.v6() ? netns_.dumps->routes6.complete() : netns_.dumps->routes4.complete());
  }
  RouteDecision missing_routes() {
    return unknown(
        fmt::format("the routes of {} are not (all) in the snapshot",
                    netns_.name.empty() ? "the root namespace" : netns_.name),
        in_namespace(netns_, host_,
                     query_.destination.v6() ? "ip -6 route show table all" : "ip route show table all"));
  }

  // Old reports have no `ip rule`: the kernel's own three rules are certain, what others there are is not.
  RouteDecision without_rules() {
    for (const kernel::RouteTable table : {kernel::kTableLocal, kernel::kTableMain}) {
      if (in_table(table, std::nullopt)) return std::move(decision_);
    }
    return unknown("no policy rules are in the snapshot, and main has no route",
                   in_namespace(netns_, host_, query_.destination.v6() ? "ip -6 rule" : "ip rule"));
  }

  bool in_table(kernel::RouteTable table, std::optional<int> suppress) {
    if (table == kernel::kTableLocal && netns_.addresses.contains(query_.destination)) {
      // Also where the dump leaves the local table out.
      decision_.kind = RouteDecision::Kind::Local;
      decision_.route = best(table, suppress);
      return true;
    }
    const Sourced<Route>* found = best(table, suppress);
    if (found == nullptr) return false;
    decision_.route = found;
    switch (found->value.type) {
      case RouteType::Unicast:
        return unicast(found->value);
      case RouteType::Local:
      case RouteType::Anycast:
        decision_.kind = RouteDecision::Kind::Local;
        return true;
      case RouteType::Broadcast:
      case RouteType::Multicast:
        decision_.kind = RouteDecision::Kind::Local;
        decision_.broadcast = true;
        return true;
      case RouteType::Unreachable:
        decision_.kind = RouteDecision::Kind::Unreachable;
        return true;
      case RouteType::Blackhole:
        decision_.kind = RouteDecision::Kind::Blackhole;
        return true;
      case RouteType::Prohibit:
        decision_.kind = RouteDecision::Kind::Prohibit;
        return true;
      case RouteType::Throw:
        return false;
    }
    return false;
  }

  bool unicast(const Route& route) {
    decision_.kind = RouteDecision::Kind::Route;
    const auto usable =
        std::ranges::find_if(route.nexthops, [](const kernel::Nexthop& hop) { return !hop.dead; });
    if (usable == route.nexthops.end()) return false;
    decision_.nexthop = *usable;
    decision_.multipath = route.nexthops.size() > 1;
    return true;
  }

  const Sourced<Route>* best(kernel::RouteTable table, std::optional<int> suppress) const {
    const auto found = netns_.tables.find(Namespace::table_key(query_.destination.family, table));
    if (found == netns_.tables.end()) return nullptr;
    for (const auto* route : found->second.routes) {
      if (!route->value.destination.contains(query_.destination)) continue;
      if (route->value.from && !route->value.from->contains(query_.source)) continue;
      if (suppress && static_cast<int>(route->value.destination.length()) <= *suppress) return nullptr;
      if (!query_.oif.empty() && !route->value.nexthops.empty() &&
          route->value.nexthops.front().device != query_.oif)
        continue;
      // IPv6's multicast routes stand beside unicast ones for every device: they decide nothing here.
      if (route->value.type == RouteType::Multicast && !query_.destination.multicast()) continue;
      return route;
    }
    return nullptr;
  }

  const Namespace& netns_;
  const std::string& host_;
  const RouteQuery& query_;
  RouteDecision decision_;
};

}  // namespace

std::string in_namespace(const Namespace& netns, const std::string& host, const std::string& command) {
  if (netns.name.empty()) return fmt::format("{} on {}", command, host);
  return fmt::format("ip netns exec {} {} on {}", netns.name, command, host);
}

RouteDecision route(const Namespace& netns, const std::string& host, const RouteQuery& query) {
  return Lookup(netns, host, query).run();
}

}  // namespace dvrtrace
