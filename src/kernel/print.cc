#include "src/kernel/print.h"

#include <fmt/format.h>

namespace dvrtrace::kernel {
namespace {

std::string prefix_text(const Prefix& prefix) { return prefix.host() ? dvrtrace::to_string(prefix.ip()) : dvrtrace::to_string(prefix); }

std::string range_text(std::uint16_t first, std::uint16_t last) { return first == last ? std::to_string(first) : fmt::format("{}-{}", first, last); }

std::string_view type_text(RouteType type) {
  switch (type) {
    case RouteType::Unicast: return "";
    case RouteType::Local: return "local ";
    case RouteType::Broadcast: return "broadcast ";
    case RouteType::Multicast: return "multicast ";
    case RouteType::Anycast: return "anycast ";
    case RouteType::Unreachable: return "unreachable ";
    case RouteType::Blackhole: return "blackhole ";
    case RouteType::Prohibit: return "prohibit ";
    case RouteType::Throw: return "throw ";
  }
  return "";
}

std::string nexthop_text(const Nexthop& hop) {
  std::string out;
  if (hop.via) out += " via " + dvrtrace::to_string(*hop.via);
  if (!hop.device.empty()) out += " dev " + hop.device;
  if (hop.onlink) out += " onlink";
  return out;
}

}  // namespace

std::string to_string(const PolicyRule& rule) {
  std::string out = rule.inverted ? "not from " : "from ";
  out += !rule.from_text.empty() ? rule.from_text : rule.from ? prefix_text(*rule.from) : "all";
  if (rule.to) out += " to " + (rule.to_text.empty() ? prefix_text(*rule.to) : rule.to_text);
  if (rule.fwmark) {
    out += fmt::format(" fwmark {:#x}", *rule.fwmark);
    if (rule.fwmask != 0xffffffff) out += fmt::format("/{:#x}", rule.fwmask);
  }
  if (!rule.iif.empty()) out += " iif " + rule.iif;
  if (!rule.oif.empty()) out += " oif " + rule.oif;
  if (rule.tos) out += fmt::format(" tos {:#x}", *rule.tos);
  if (rule.ip_proto) out += fmt::format(" ipproto {}", *rule.ip_proto);
  if (rule.sport_first) out += " sport " + range_text(*rule.sport_first, rule.sport_last.value_or(*rule.sport_first));
  if (rule.dport_first) out += " dport " + range_text(*rule.dport_first, rule.dport_last.value_or(*rule.dport_first));
  for (const std::string& part : rule.unmodelled) out += " " + part;
  switch (rule.action) {
    case PolicyRule::Action::Lookup: out += " lookup " + route_table_name(rule.table); break;
    case PolicyRule::Action::Goto: out += fmt::format(" goto {}", rule.target); break;
    case PolicyRule::Action::Nop: out += " nop"; break;
    case PolicyRule::Action::Blackhole: out += " blackhole"; break;
    case PolicyRule::Action::Unreachable: out += " unreachable"; break;
    case PolicyRule::Action::Prohibit: out += " prohibit"; break;
  }
  if (rule.suppress_prefixlength) out += fmt::format(" suppress_prefixlength {}", *rule.suppress_prefixlength);
  return out;
}

std::string to_string(const Route& route) {
  std::string out(type_text(route.type));
  out += route.destination.length() == 0 ? "default" : prefix_text(route.destination);
  if (route.from) out += " from " + prefix_text(*route.from);
  if (route.nexthops.size() == 1) out += nexthop_text(route.nexthops.front());
  if (!route.protocol.empty()) out += " proto " + route.protocol;
  if (!route.scope.empty()) out += " scope " + route.scope;
  if (route.source) out += " src " + dvrtrace::to_string(*route.source);
  if (route.metric != 0) out += fmt::format(" metric {}", route.metric);
  if (route.mtu) out += fmt::format(" mtu {}", *route.mtu);
  if (route.nexthops.size() > 1) {
    for (const Nexthop& hop : route.nexthops) out += fmt::format(" nexthop{} weight {}", nexthop_text(hop), hop.weight);
  }
  for (const std::string& part : route.unmodelled) out += " " + part;
  return out;
}

}  // namespace dvrtrace::kernel
