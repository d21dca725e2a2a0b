// What changed between two snapshots as one JSON document, schema dvrtrace.diff/1 (docs/diff.md). Fields are
// added, never changed, within a version.
#pragma once

#include <string>
#include <vector>

#include "src/report/trace_json.h"
#include "src/trace/diff.h"

namespace dvrtrace {

struct DiffContext {
  const Sources& sources;
  std::string tool;
  std::vector<JsonInput> before, after;
  std::vector<Diagnostic> diagnostics;
};

std::string print_json(const SnapshotDiff& diff, const DiffContext& context);

}  // namespace dvrtrace
