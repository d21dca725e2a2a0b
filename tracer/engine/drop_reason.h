// Why a bridge let nothing out: read off the last flow that was hit.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "src/trace/trace.h"

namespace dvrtrace {

// A lookup in a table of the bridge.
struct TableLookup {
  TableId table;
  bool missed = false;               // no flow matched
  std::string_view match, actions;   // of the flow that was hit, as the dump has them
  Provenance at;
};

struct DropReason {
  Verdict verdict = Verdict::Dropped;
  Reason reason = Reason::DropFlow;
  std::string text;
  Provenance at;
};

// `lookups`: in the order of the packet's way. `complete`: the dump of the bridge's flows is; in a truncated one a miss proves nothing.
DropReason explain_drop(std::span<const TableLookup> lookups, bool complete);

}  // namespace dvrtrace
