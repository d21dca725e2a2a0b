// Why a bridge let nothing out: read off the last flow that was hit.
#pragma once

#include <span>
#include <string>

#include "src/trace/trace.h"

namespace dvrtrace {

struct DropReason {
  Verdict verdict = Verdict::Dropped;
  Reason reason = Reason::DropFlow;
  std::string text;
  Provenance at;
};

// `lookups`: the flows that were hit, and the tables that had none, in order. `complete`: the dump of the bridge's flows is; in a truncated one a miss proves nothing.
DropReason explain_drop(std::span<const Step> lookups, bool complete);

}  // namespace dvrtrace
