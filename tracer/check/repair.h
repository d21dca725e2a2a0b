// repair: the commands that would undo a difference. They are shown, and never run.
#pragma once

#include <string>

#include "src/snapshot/host.h"
#include "tracer/check/compare_bridges.h"
#include "tracer/check/comparison.h"

namespace dvrtrace::check {

// A line each; "" where no command of the host's own repairs it.
std::string repair_of(const BridgeDifference& difference);
// `expected`: for the place of a rule in its chain.
std::string repair_of(const Difference& difference, const HostSnapshot& expected);

}  // namespace dvrtrace::check
