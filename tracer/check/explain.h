// explain: which findings a trace is as it is because of.
//
// A finding explains a trace if the packet would go otherwise without it. That is tried: each one is mended in a copy of its
// host, and the same question is asked again.
#pragma once

#include <vector>

#include "src/model/network.h"
#include "src/trace/finding.h"
#include "src/trace/trace.h"
#include "tracer/check/check.h"
#include "tracer/engine/ask.h"

namespace dvrtrace::check {

// The candidates of one host, and what they were measured by.
struct Checked {
  std::size_t host = kNowhere;               // of the network
  const Expectation* expectation = nullptr;  // none: invariants alone
  std::vector<Candidate> candidates;
};

// The hosts that a trace led through, ascending.
std::vector<std::size_t> visited_hosts(const Network& network, const Trace& trace);

// The findings that bear on the trace: first what changes its verdict, then what changes its way, then what decides otherwise on
// the same way; last what is wrong in the places that the packet passes without touching it. Of each the gravest first.
std::vector<Finding> explain(const Network& network, const Ask& asked, const Trace& trace, const std::vector<Checked>& hosts);

}  // namespace dvrtrace::check
