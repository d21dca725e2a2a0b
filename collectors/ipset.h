// Reader of `ipset list` and `ipset save`: the sets that iptables rules match addresses against.
#pragma once

#include <vector>

#include "src/base/diagnostics.h"
#include "src/base/source.h"
#include "src/kernel/state.h"

namespace dvrtrace {

// Total: any bytes give a value. A member that cannot be read as an address, and every member of a
// set of another type than hash:ip, hash:net or bitmap:ip, is kept in Ipset::others. A set whose
// members the listing leaves out (`ipset list -t`) is not returned: it would look empty.
std::vector<kernel::Ipset> read_ipset(const SourceText& text, ReadLog& log);

}  // namespace dvrtrace
