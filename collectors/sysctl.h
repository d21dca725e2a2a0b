// Reads kernel settings: `sysctl -a`, `sysctl KEY`.
#pragma once

#include "src/base/diagnostics.h"
#include "src/base/source.h"
#include "src/kernel/state.h"

namespace dvrtrace {

// Total: any bytes give settings, of which those that bear on forwarding are kept. Keys stay as written: in "net.ipv4.conf.eth0/100.rp_filter" the
// slash stands for a dot in the device's name. Of a key written twice the later value holds.
kernel::Sysctls read_sysctl(const SourceText& text, ReadLog& log);

}  // namespace dvrtrace
