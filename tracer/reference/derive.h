// derive(): Neutron's objects as far as the hosts themselves tell them, where Neutron was not asked.
#pragma once

#include <vector>

#include "src/logical/model.h"
#include "src/snapshot/snapshot.h"
#include "tracer/reference/expected.h"

namespace dvrtrace::reference {

// `caveats` gets what could not be told, and what is therefore not judged.
logical::Model derive(const Snapshot& snapshot, std::vector<Caveat>& caveats);

}  // namespace dvrtrace::reference
