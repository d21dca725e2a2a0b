// mend: a copy of a host in which one finding is repaired, to see what would be without it.
#pragma once

#include "src/snapshot/host.h"
#include "tracer/check/check.h"

namespace dvrtrace::check {

// Makes the row of the candidate in `host`, a copy of what was found, what the reference has for it. False when it is of a kind
// that cannot be mended row by row.
bool mend(HostSnapshot& host, const HostSnapshot* expected, const Candidate& candidate);

}  // namespace dvrtrace::check
