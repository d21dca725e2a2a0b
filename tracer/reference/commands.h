// Commands: a namespace's dumps as input of the tools that would program it.
//
// What iptables-restore and ipset restore take is what iptables-save and ipset save print, so the dumps serve as they are. `ip` takes
// commands: ip_batch() makes them, for `ip -batch -` in the namespace, where the devices already are, and then those of the other
// family for `ip -6 -batch -`: only the option tells it what family a rule is of. What the kernel makes of its own accord is left
// out.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "src/net/ip.h"
#include "tracer/reference/expected.h"

namespace dvrtrace::reference {

std::vector<std::string> ip_batch(const Host& host, std::string_view netns, Family family);

}  // namespace dvrtrace::reference
