// dvrtrace capture --run: the planned captures taken on the hosts.
#pragma once

#include <string>
#include <vector>

#include "src/cli/failure.h"
#include "src/cli/options.h"
#include "src/model/network.h"
#include "src/trace/trace.h"
#include "tracer/verify/plan.h"

namespace dvrtrace::cli {

// Where a probe can be sent from instead of the trace's beginning, as an endpoint HOST:NETNS: that itself
// where it is a namespace, else the DHCP namespace of its network, on its own host if there, else the first
// namespace on its way.
tl::expected<std::string, Failure> probe_source(const Network& network, const Trace& trace);

// Takes the captures, and sends the probe when options ask for it, and says on standard error what came of
// each. Gives the folder with them. Fails when there is not one.
tl::expected<std::string, Failure> take_captures(const Options& options, const Trace& trace,
                                                 const std::vector<verify::PlannedCapture>& plan,
                                                 const verify::PlanBounds& bounds);

}  // namespace dvrtrace::cli
