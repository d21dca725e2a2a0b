// What decides where a namespace sends a packet: policy rules, routes, neighbours.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "src/net/ip.h"
#include "src/net/mac.h"

namespace dvrtrace::kernel {

using RouteTable = std::uint32_t;
inline constexpr RouteTable kTableDefault = 253, kTableMain = 254, kTableLocal = 255;

// "main", "254", "167772417"; names of rt_tables other than the kernel's own are not known here.
std::optional<RouteTable> parse_route_table(std::string_view text);
std::string route_table_name(RouteTable table);

// One line of `ip rule`. Every given selector must match.
struct PolicyRule {
  enum class Action { Lookup, Goto, Nop, Blackhole, Unreachable, Prohibit };

  Family family = Family::V4;
  std::uint32_t priority = 0;
  bool inverted = false;                 // "not"
  std::optional<Prefix> from, to;        // none: all
  // The selectors as written, with their host bits: Neutron writes "from 10.0.1.1/24".
  std::string from_text, to_text;
  std::string iif, oif;                  // "" any
  std::optional<std::uint32_t> fwmark;
  std::uint32_t fwmask = 0xffffffff;
  std::optional<std::uint8_t> tos;
  std::optional<std::uint8_t> ip_proto;
  std::optional<std::uint16_t> sport_first, sport_last, dport_first, dport_last;
  std::optional<int> suppress_prefixlength;
  Action action = Action::Lookup;
  RouteTable table = 0;                  // Lookup
  std::uint32_t target = 0;              // Goto: priority of the rule to go on with
  std::vector<std::string> unmodelled;   // selectors that could decide and are not understood
  bool operator==(const PolicyRule&) const = default;
};

enum class RouteType { Unicast, Local, Broadcast, Multicast, Anycast, Unreachable, Blackhole, Prohibit, Throw };

struct Nexthop {
  std::optional<Ip> via;
  std::string device;
  std::uint32_t weight = 1;
  bool onlink = false, dead = false, linkdown = false;
  bool operator==(const Nexthop&) const = default;
};

struct Route {
  RouteType type = RouteType::Unicast;
  Prefix destination;
  RouteTable table = kTableMain;
  std::vector<Nexthop> nexthops;        // more than one: multipath; empty for blackhole and the like
  std::optional<Ip> source;             // "src", the preferred source
  std::optional<Prefix> from;           // IPv6 source-specific routes
  std::uint32_t metric = 0;
  std::string protocol, scope;
  std::optional<std::uint32_t> mtu;
  std::vector<std::string> unmodelled;  // attributes that could decide and are not understood
  bool operator==(const Route&) const = default;
};

enum class NeighbourState { Permanent, Noarp, Reachable, Stale, Delay, Probe, Failed, Incomplete, None };

struct Neighbour {
  Ip ip;
  std::string device;
  std::optional<Mac> mac;
  NeighbourState state = NeighbourState::None;
  bool proxy = false, router = false;
  std::optional<std::uint32_t> age;  // seconds since it became what it is; evidence, not meaning
  bool operator==(const Neighbour& other) const {
    return ip == other.ip && device == other.device && mac == other.mac && state == other.state &&
           proxy == other.proxy && router == other.router;
  }
};

}  // namespace dvrtrace::kernel
