// The tree that `ovs-vsctl show` prints: bridges, their ports and interfaces, tags and options. It
// has no OpenFlow port numbers, no vlan_mode, no external_ids.
#pragma once

#include "src/base/diagnostics.h"
#include "src/base/source.h"
#include "src/snapshot/host.h"

namespace dvrtrace {

// Total: any bytes give a database. Names are taken quoted and bare, as the releases differ; the
// words lead, so indentation that a web page ate is not missed.
OvsDatabase read_ovs_vsctl_show(const SourceText& text, ReadLog& log);

}  // namespace dvrtrace
