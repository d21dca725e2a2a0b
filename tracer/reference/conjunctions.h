// Conjunctions: the ids by which the flows of remote groups hold together.
//
// Neutron numbers them in the order in which it meets the groups, so two hosts have different numbers for one thing. The numbers
// here are those of the found conjunctions that say most nearly the same; thereby a flow that is missing or changed stands out
// alone, and all others compare equal as they are. Conjunctions that are found nowhere get numbers that nobody has.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "src/openflow/match.h"
#include "tracer/reference/plan.h"

namespace dvrtrace::reference {

// A group's rules that name one remote group, of one direction and one IP version: they share eight ids, two for each of four
// priorities, the second for new connections.
struct Conjunction {
  std::string group, remote;
  bool ingress = true;
  Family family = Family::V4;
  auto operator<=>(const Conjunction&) const = default;
};

// One of a conjunction's clauses, before its id is known. A flow that is of several conjunctions has a clause for each.
struct Clause {
  unsigned table = 72;
  unsigned offset = 0;  // of the priority
  bool fresh = false;   // for new connections
  unsigned dimension = 1;
  std::string match;
  std::uint64_t asks = 0;                 // of the match, whatever its words: see asked_by()
  std::size_t of = 0;                     // the conjunction's index
  std::span<const std::size_t> concerns;  // of Model::ports
};

// A number for what a match asks of packets: two that read the same have the same.
std::uint64_t asked_by(const openflow::Match& match);
// The match that a text reads as.
openflow::Match read_clause(const std::string& match);

class ConjunctionIds {
 public:
  // `conjunctions`: each once, ascending.
  ConjunctionIds(const Plan& plan, const std::vector<Conjunction>& conjunctions, const std::vector<Clause>& clauses);
  std::uint32_t id(std::size_t of, unsigned offset, bool fresh) const { return bases_[of] + 2 * offset + (fresh ? 1 : 0); }

 private:
  std::vector<std::uint32_t> bases_;  // of each conjunction
};

}  // namespace dvrtrace::reference
