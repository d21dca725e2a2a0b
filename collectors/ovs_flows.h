// `ovs-ofctl dump-flows BR` in every dialect, and `ovs-ofctl dump-groups BR`.
//
//   OpenFlow 1.0 with NXM   NXST_FLOW reply (xid=0x4):          the default
//   OpenFlow 1.1 to 1.5     OFPST_FLOW reply (OF1.3) (xid=0x2):
//   --names, --no-stats, --sort                                  no header
//   ovs-appctl bridge/dump-flows, add-flows files                no header
//
// The order of the lines means nothing and is kept only for evidence.
#pragma once

#include <vector>

#include "src/base/diagnostics.h"
#include "src/base/source.h"
#include "src/openflow/flow.h"
#include "src/openflow/group.h"

namespace dvrtrace {

// Total: any bytes give a table. Rows that do not read are in its `unread`.
openflow::FlowTable read_flow_dump(const SourceText& text, ReadLog& log);

std::vector<Sourced<openflow::Group>> read_group_dump(const SourceText& text, openflow::Names& names, ReadLog& log);

}  // namespace dvrtrace
