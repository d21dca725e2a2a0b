// Snapshot: what was read from all hosts, and Neutron's own objects where they were given.
#pragma once

#include <vector>

#include "src/logical/model.h"
#include "src/snapshot/host.h"

namespace dvrtrace {

// How much of a host is read. A trace in a cloud of a thousand hosts needs the small files of all
// of them, to find out where an address lives, and the large ones of the two or three that the
// packet visits.
enum class Depth {
  Index,       // the OVS database, links and addresses of every namespace, libvirt, configuration
  Full,        // all that the engine uses: of several files that say the same, the preferred one
  Everything,  // every file that is understood; what disagrees between them is reported
};

struct Snapshot {
  std::vector<HostSnapshot> hosts;
  logical::Model logical;
  bool partial = false;  // the cloud has other hosts, which were left out because nothing should need them
};

}  // namespace dvrtrace
