// Changes: what of one host is otherwise in meaning than it was.
//
// Counters, ages, order, cookies, and the numbers that agents and switches give out (renumber.h) do not
// count, nor what traffic makes come and go: learnt flows, MACs, neighbours and connections. What one side's
// dumps do not tell is no change.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "src/base/source.h"
#include "src/model/network.h"
#include "src/trace/diff.h"
#include "tracer/check/compare_bridges.h"
#include "tracer/check/comparison.h"

namespace dvrtrace::diff {

// What a change is about, for undoing it: a flow, a row of a namespace, or a thing of the switch's database.
struct SwitchPort {
  std::string bridge, name;
};
struct SwitchBridge {
  std::string name;
};
using Subject =
    std::variant<std::monostate, check::BridgeDifference, check::Difference, SwitchPort, SwitchBridge>;

struct Found {
  Change change;
  Subject subject;
  std::vector<Provenance> cited;  // rows of either side that steps cite when they are decided by it
};

struct HostChanges {
  std::size_t before = kNowhere, after = kNowhere;  // of the networks' hosts
  HostSnapshot was;  // as before, in the numbers of after; empty where nothing changed
  std::vector<Found> changes;
  std::vector<NotCompared> not_compared;
};

// `sources` holds the texts of both.
HostChanges compare(const Host& before, const Host& after, const Sources& sources);

// Of the OVS databases: bridges and their ports. `was`: before in the numbers of after.
std::vector<Found> compare_switches(const Host& before, const Host& after, const HostSnapshot& was);

}  // namespace dvrtrace::diff
