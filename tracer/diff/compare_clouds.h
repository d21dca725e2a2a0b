// Two clouds compared, in the steps that a command takes:
//
//   CloudChanges changes = compare_clouds(before, after, sources);
//   std::vector<Asked> asked = ask_both(before, after, questions);       // none where nothing changed
//   SnapshotDiff diff = conclude(before, after, changes, questions, asked);
//
// What explains a changed path is tried: in a copy of the host one change is undone, with those that follow
// from it, and the path is asked again.
#pragma once

#include <span>
#include <vector>

#include "src/base/source.h"
#include "src/model/network.h"
#include "src/trace/diff.h"
#include "tracer/diff/changes.h"
#include "tracer/diff/paths.h"

namespace dvrtrace::diff {

struct CloudChanges {
  std::vector<HostChanges> hosts;
  std::vector<NotCompared> not_compared;
  bool any() const;
  // Whether some device got another MTU: then large packets may fare otherwise.
  bool of_mtu() const;
};

// Hosts by their names, on all cores. A host that one side lacks is no change: it may not have been saved.
// `sources` holds the texts of both.
CloudChanges compare_clouds(const Network& before, const Network& after, const Sources& sources);

SnapshotDiff conclude(const Network& before, const Network& after, const CloudChanges& changes,
                      std::span<const Ask> questions, std::span<const Asked> asked);

}  // namespace dvrtrace::diff
