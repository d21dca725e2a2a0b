// The ports of a bridge as `ovs-ofctl show BR` and `ovs-ofctl dump-ports-desc BR` print them: OpenFlow
// numbers, names (cut to 15 characters by the protocol), MACs, configuration and state.
#pragma once

#include "src/base/diagnostics.h"
#include "src/base/source.h"
#include "src/snapshot/host.h"

namespace dvrtrace {

// Reads either command's output in any version of OpenFlow. Total: any bytes give features.
BridgeFeatures read_ofctl_show(const SourceText& text, ReadLog& log);

// "normal", "drop", "nx-match" as `ovs-ofctl get-frags BR` prints it; "" when it is no such word.
std::string read_fragment_mode(const SourceText& text, ReadLog& log);

// "LOCAL", "65534" or "7" as a port number of 16 bits; none when it is neither number nor word.
std::optional<Ofport> parse_ofport(std::string_view text);

}  // namespace dvrtrace
