// check: what of a host is not as Neutron's agents program it, and what no agent would leave so.
//
//   Expectation expected{plan, program(plan), {}, read_texts(...)};
//   std::vector<Candidate> candidates = check_host(found, expected, sources);
//   order(candidates);
#pragma once

#include <map>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "src/base/source.h"
#include "src/snapshot/host.h"
#include "src/trace/finding.h"
#include "tracer/check/compare_bridges.h"
#include "tracer/check/comparison.h"
#include "tracer/reference/expected.h"
#include "tracer/reference/plan.h"

namespace dvrtrace::check {

// What the reference expects of one host: its plan, and the dumps and what they were read as, less the flows that were found
// word for word.
struct Expectation {
  reference::Plan plan;
  reference::Host reference;
  std::map<std::string, std::vector<bool>> settled;  // by bridge: the found flows that are as expected
  HostSnapshot snapshot;
};

// A finding with what it was made of, so that a copy of the host can be mended by it (mend.h).
struct Candidate {
  Finding finding;
  int rank = 50;  // what breaks more has a lower one
  std::variant<std::monostate, BridgeDifference, Difference> difference;
};

// Deviations from the reference and broken invariants of one host, each object once.
std::vector<Candidate> check_host(const HostSnapshot& found, const Expectation& expected, const Sources& sources);
// Broken invariants of one host alone, where no reference can be made.
std::vector<Candidate> check_host(const HostSnapshot& found, const logical::Model& model);

// What the others follow from comes first: severity, then rank, then by host and place. What only follows from a device that
// is down, in the same namespace, becomes a note.
void order(std::vector<Candidate>& candidates);

}  // namespace dvrtrace::check
