// Conjunctions: the ids by which the flows of remote groups hold together.
//
// Neutron numbers them in the order in which it meets the groups, so two hosts have different numbers for one thing. The numbers
// here are those of the found conjunctions that say most nearly the same; thereby a flow that is missing or changed stands out
// alone, and all others compare equal as they are. Conjunctions that are found nowhere get numbers that nobody has.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

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

// One of a conjunction's clauses, before its id is known.
struct Clause {
  unsigned table = 72;
  unsigned offset = 0;    // of the priority
  bool fresh = false;     // for new connections
  unsigned dimension = 1;
  std::string match;
  std::set<Conjunction> of;
  std::set<std::size_t> concerns;
};

class ConjunctionIds {
 public:
  ConjunctionIds(const Plan& plan, const std::vector<Clause>& clauses);
  std::uint32_t id(const Conjunction& of, unsigned offset, bool fresh) const {
    return bases_.at(of) + 2 * offset + (fresh ? 1 : 0);
  }

 private:
  std::map<Conjunction, std::uint32_t> bases_;
};

}  // namespace dvrtrace::reference
