// Reads neighbours: `ip neigh`, with and without -s, as JSON, and `arp -n` of net-tools.
#pragma once

#include <vector>

#include "src/base/diagnostics.h"
#include "src/base/source.h"
#include "src/kernel/routing.h"

namespace dvrtrace {

// Total: any bytes give neighbours. Proxy entries ("proxy") are among them.
std::vector<Sourced<kernel::Neighbour>> read_ip_neigh(const SourceText& text, ReadLog& log);
std::vector<Sourced<kernel::Neighbour>> read_ip_neigh_json(const SourceText& text, ReadLog& log);

// arp does not say how fresh an entry is: complete ones are Permanent or Stale.
std::vector<Sourced<kernel::Neighbour>> read_arp_n(const SourceText& text, ReadLog& log);

}  // namespace dvrtrace
