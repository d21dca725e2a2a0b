// Why a bridge let nothing out: read off the last flow that was hit.
#pragma once

#include <string>

#include "src/trace/trace.h"

namespace dvrtrace {

struct DropReason {
  Verdict verdict = Verdict::Dropped;
  Reason reason = Reason::DropFlow;
  std::string text;
  Provenance at;
};

// `complete`: the dump of the bridge's flows is; in a truncated one a miss proves nothing.
DropReason explain_drop(const Hop& hop, bool complete);

}  // namespace dvrtrace
