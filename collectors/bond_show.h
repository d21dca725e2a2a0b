// The bonds of a host as `ovs-appctl bond/show` prints them: which member is active, which are enabled.
#pragma once

#include <vector>

#include "src/base/diagnostics.h"
#include "src/base/source.h"
#include "src/snapshot/host.h"

namespace dvrtrace {

// Total: any bytes give bonds. Members were slaves before Open vSwitch 2.14.
std::vector<Sourced<OvsBondState>> read_bond_show(const SourceText& text, ReadLog& log);

}  // namespace dvrtrace
