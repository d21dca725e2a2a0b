// Reads Linux bridges, the qbr- bridges of the hybrid firewall among them: `bridge link`,
// `bridge fdb`, and `brctl show` and `showmacs` of bridge-utils.
#pragma once

#include <string>
#include <vector>

#include "src/base/diagnostics.h"
#include "src/base/source.h"
#include "src/kernel/state.h"

namespace dvrtrace {

// All total: any bytes give rows.

// With -d and -s. The place of a port spans its line of details.
std::vector<Sourced<kernel::BridgePort>> read_bridge_link(const SourceText& text, ReadLog& log);
std::vector<Sourced<kernel::BridgePort>> read_bridge_link_json(const SourceText& text, ReadLog& log);

// Entries of devices that are in no bridge ("self") have an empty `bridge`. An entry of a VXLAN
// device, which names a remote host, is Unmodelled and gives no row.
std::vector<Sourced<kernel::BridgeFdbEntry>> read_bridge_fdb(const SourceText& text, ReadLog& log);
std::vector<Sourced<kernel::BridgeFdbEntry>> read_bridge_fdb_json(const SourceText& text, ReadLog& log);

// A port's state is not known ("") where the bridge speaks STP.
std::vector<Sourced<kernel::BridgePort>> read_brctl_show(const SourceText& text, ReadLog& log);

// `brctl showmacs BRIDGE`: the ports only have their numbers.
std::vector<Sourced<kernel::BridgeFdbEntry>> read_brctl_showmacs(const SourceText& text,
                                                                 std::string_view bridge, ReadLog& log);

}  // namespace dvrtrace
