// The ports of all bridges as `ovs-appctl dpif/show` prints them, with full names, OpenFlow and
// datapath numbers side by side; and plain lists of names (`ovs-vsctl list-br`, `list-ports BR`).
#pragma once

#include <string>
#include <vector>

#include "src/base/diagnostics.h"
#include "src/base/source.h"
#include "src/snapshot/host.h"

namespace dvrtrace {

// Total: any bytes give ports.
std::vector<DpifPort> read_dpif_show(const SourceText& text, ReadLog& log);

// A name a line.
std::vector<std::string> read_name_list(const SourceText& text, ReadLog& log);

}  // namespace dvrtrace
