// What changed between two snapshots as text: whose packets fare otherwise, and then each change, what
// explains most of it first.
#pragma once

#include <string>

#include "src/base/source.h"
#include "src/report/step_text.h"
#include "src/report/style.h"
#include "src/trace/diff.h"

namespace dvrtrace {

// Brief: counts and kinds; path: each change with its evidence; full: every path, and all that was not
// compared.
std::string print_text(const SnapshotDiff& diff, const Sources& sources, const Style& style, Detail detail);

// The first line alone.
std::string print_summary(const SnapshotDiff& diff, const Style& style);

}  // namespace dvrtrace
