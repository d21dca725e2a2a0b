// SnapshotDiff: what changed in meaning between two snapshots, and whose way it changed, as a value.
//
// Like a trace it holds copies of the names that it needs. Changes name each other, and the paths they lie
// on, by index.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/source.h"
#include "src/net/ids.h"
#include "src/trace/trace.h"

namespace dvrtrace {

enum class ChangeKind { Added, Removed, Altered };
std::string_view name(ChangeKind kind);  // "added"

// One thing of one host that is otherwise than it was. Place and object are named as a finding's are.
struct Change {
  ChangeKind kind = ChangeKind::Altered;
  std::string host;
  std::string place_kind;  // "bridge", "namespace", "host"; of a namespace "" is the root namespace
  std::string place;
  std::string object_kind;  // "flow", "port", "tunnel", "bridge", "group", "link", "ip-rule", "route", ...
  std::string object;       // in the words of the tool that prints it
  std::optional<TableId> table;  // of a flow
  std::string name;              // of a port, link or sysctl; ""
  std::string before, after;     // in each snapshot's own numbers; "" where there is none
  Provenance before_at, after_at;
  std::vector<std::size_t> paths;      // of SnapshotDiff::paths: those it lies on, ascending
  std::optional<std::size_t> follows;  // of SnapshotDiff::changes: the one that it goes with
  std::size_t
      tried = 0,
      restored =
          0;  // undone alone: the changed paths that were asked again, and those that were then as before
};

// How one side answers a question.
struct PathAnswer {
  std::string failure;  // why it could not be asked; "" it could
  Verdict verdict = Verdict::Unknown;
  Reason reason = Reason::HiddenState;
  std::string stopped;  // the host and place where it ends, when it does not arrive: "br-int on cmp1"
  std::vector<std::string> way;  // the places on the way, NAT and tunnel ends between them, both directions
};

// What of a path changed, from coarse to fine. Rows: the same way, decided by other rows.
enum class PathEffect { Verdict, Way, Rows };
std::string_view name(PathEffect effect);  // "verdict"

struct ChangedPath {
  std::string from, to, packet;  // as `from` asks them
  PathEffect effect = PathEffect::Verdict;
  PathAnswer before, after;
  std::vector<std::size_t> causes;  // of SnapshotDiff::changes, those that count most first
  // None of the changes: what the hosts had learnt of the traffic differs (MAC tables, neighbours,
  // connections).
  bool by_learnt_state = false;
};

// What one side does not tell.
struct NotCompared {
  std::string host;  // "" the cloud
  std::string what, why;
};

struct SnapshotDiff {
  std::vector<Change>
      changes;  // what explains the changed paths first; what goes with another right after it
  std::vector<ChangedPath> paths;       // changed verdicts first
  std::size_t asked = 0, left_out = 0;  // questions; those that were too many
  std::vector<NotCompared> not_compared;
  bool any() const;  // something changed
};

}  // namespace dvrtrace
