// Reads routes: `ip route`, `ip -6 route`, as JSON, and `route -n` of net-tools.
#pragma once

#include <vector>

#include "src/base/diagnostics.h"
#include "src/base/source.h"
#include "src/kernel/routing.h"

namespace dvrtrace {

// Total: any bytes give routes. `family` and `table` are what the command asked for, since the text
// of `ip route show table 16` names neither. A route of the other family in the same text, as
// `ip route show table all` has, is of its own; so is a table that a row names. The place of a
// multipath route spans its "nexthop" lines.
std::vector<Sourced<kernel::Route>> read_ip_route(const SourceText& text, Family family,
                                                  kernel::RouteTable table, ReadLog& log);
std::vector<Sourced<kernel::Route>> read_ip_route_json(const SourceText& text, Family family,
                                                       kernel::RouteTable table, ReadLog& log);

// `route -n`, `route -6 -n` and `netstat -rn`: the main table.
std::vector<Sourced<kernel::Route>> read_route_n(const SourceText& text, ReadLog& log);

}  // namespace dvrtrace
