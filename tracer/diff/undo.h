// Undo: a copy of a host in which one change was taken back, to see what hangs on it.
#pragma once

#include "src/snapshot/host.h"
#include "tracer/diff/changes.h"

namespace dvrtrace::diff {

// Makes in `host`, a copy of what is there after, the subject of the change what it was. `was`: before in the
// numbers of after. False where the change is of a kind that cannot be taken back by itself.
bool undo(HostSnapshot& host, const HostSnapshot& was, const Found& found);

}  // namespace dvrtrace::diff
