// Routing: which route a namespace takes for a packet (fib_lookup of the kernel).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "src/model/network.h"
#include "tracer/engine/packet.h"

namespace dvrtrace {

struct RouteQuery {
  Ip source, destination;
  std::string iif;  // "" for what the namespace itself sends
  std::string oif;  // asked for by the sender; "" any
  std::uint32_t mark = 0;
  std::uint8_t tos = 0, protocol = 0;
  std::uint16_t source_port = 0, destination_port = 0;
};

struct RouteDecision {
  enum class Kind { Route, Local, NoRoute, Unreachable, Prohibit, Blackhole, Unknown };
  Kind kind = Kind::NoRoute;
  const Sourced<kernel::PolicyRule>* rule = nullptr;  // none: the address alone decided
  const Sourced<kernel::Route>* route = nullptr;
  kernel::Nexthop nexthop;  // Kind::Route
  bool multipath = false, broadcast = false;
  std::vector<kernel::RouteTable> passed;  // that rules named before, and that had no route
  std::string text, needs;  // Unknown: why, and what would settle it
};

RouteDecision route(const Namespace& netns, const std::string& host, const RouteQuery& query);

// The command that shows a namespace's X: "ip netns exec qrouter-... ip rule on cmp1".
std::string in_namespace(const Namespace& netns, const std::string& host, const std::string& command);

}  // namespace dvrtrace
