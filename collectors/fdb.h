// The MAC table of a bridge as `ovs-appctl fdb/show BR` prints it.
#pragma once

#include <string_view>
#include <vector>

#include "src/base/diagnostics.h"
#include "src/base/source.h"
#include "src/snapshot/host.h"

namespace dvrtrace {

// From Open vSwitch 4.0 on the command shows several bridges, their names in a first column that is
// filled only where the name changes; then the rows of `bridge` are taken. Total: any bytes give a
// table. `port` of a bond is the number of one of its members.
std::vector<Sourced<FdbEntry>> read_fdb_show(const SourceText& text, std::string_view bridge, ReadLog& log);

}  // namespace dvrtrace
