// Reads network devices and their addresses: `ip addr`, `ip link`, with -d, -s, -o, and as JSON.
#pragma once

#include <vector>

#include "src/base/diagnostics.h"
#include "src/base/source.h"
#include "src/kernel/link.h"

namespace dvrtrace {

// Total: any bytes give links. A link keeps the place of its first line, an address that of its own.
// `ip -o addr` names devices without their flags: such a link has only its index, name and addresses.
std::vector<Sourced<kernel::Link>> read_ip_addr(const SourceText& text, ReadLog& log);
std::vector<Sourced<kernel::Link>> read_ip_addr_json(const SourceText& text, ReadLog& log);

}  // namespace dvrtrace
