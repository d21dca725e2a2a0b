// Reads tracked connections: `conntrack -L` of the kernel's tables, and Open vSwitch's own account
// of its datapath's, `ovs-appctl dpctl/dump-conntrack`.
#pragma once

#include <vector>

#include "src/base/diagnostics.h"
#include "src/base/source.h"
#include "src/kernel/state.h"

namespace dvrtrace {

// Total: any bytes give connections. conntrack prints its summary to stderr, and where both outputs
// share a file the summary may stand in the middle of a row: the row is put together again, and its
// place spans both lines.
std::vector<Sourced<kernel::Connection>> read_conntrack(const SourceText& text, ReadLog& log);

// With and without -m. The userspace datapath tells no status, so `unreplied` and `assured` stay false.
std::vector<Sourced<kernel::Connection>> read_dpctl_conntrack(const SourceText& text, ReadLog& log);

}  // namespace dvrtrace
