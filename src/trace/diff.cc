#include "src/trace/diff.h"

#include <algorithm>

namespace dvrtrace {

std::string_view name(ChangeKind kind) {
  switch (kind) {
    case ChangeKind::Added:
      return "added";
    case ChangeKind::Removed:
      return "removed";
    case ChangeKind::Altered:
      return "altered";
  }
  return "altered";
}

std::string_view name(PathEffect effect) {
  switch (effect) {
    case PathEffect::Verdict:
      return "verdict";
    case PathEffect::Way:
      return "way";
    case PathEffect::Rows:
      return "rows";
  }
  return "rows";
}

bool SnapshotDiff::any() const {
  return !changes.empty() ||
         std::ranges::any_of(paths, [](const ChangedPath& path) { return !path.by_learnt_state; });
}

}  // namespace dvrtrace
