#include "tracer/reference/conjunctions.h"

#include <fmt/format.h>

#include <algorithm>

#include "src/openflow/flow.h"

namespace dvrtrace::reference {

namespace {

constexpr std::uint32_t kIdsEach = 8;

using Signature = std::set<std::string>;

// What a clause says, whatever its id.
std::string sign(unsigned table, unsigned offset, bool fresh, unsigned dimension,
                 const openflow::Match& match) {
  return fmt::format("{}/{}/{}/{}/{}", table, offset, fresh, dimension, to_string(match));
}

std::map<Conjunction, Signature> expected_signatures(const std::vector<Clause>& clauses) {
  std::map<Conjunction, Signature> signatures;
  openflow::Names names;
  for (const Clause& clause : clauses) {
    const auto line = openflow::read_flow_line(fmt::format("{} actions=drop", clause.match), 0, names);
    const std::string text =
        sign(clause.table, clause.offset, clause.fresh, clause.dimension, line.row.flow.match);
    for (const Conjunction& of : clause.of) signatures[of].insert(text);
  }
  return signatures;
}

std::map<std::uint32_t, Signature> found_signatures(const Plan& plan) {
  std::map<std::uint32_t, Signature> signatures;
  const BridgeDumps* dumps =
      plan.found == nullptr ? nullptr : plan.found->find_bridge(plan.options.integration_bridge);
  if (dumps == nullptr) return signatures;
  for (const openflow::FlowRow& row : dumps->flows.value.flows) {
    for (const openflow::Action& action : row.flow.actions) {
      const auto* part = std::get_if<openflow::Conjunction>(&action.variant());
      if (part == nullptr) continue;
      const std::uint32_t within = part->id % kIdsEach;
      signatures[part->id - within].insert(
          sign(row.flow.table.value, within / 2, within % 2 != 0, part->clause, row.flow.match));
    }
  }
  return signatures;
}

double likeness(const Signature& a, const Signature& b) {
  std::size_t both = 0;
  for (const std::string& text : a) both += b.contains(text) ? 1 : 0;
  const std::size_t all = a.size() + b.size() - both;
  return all == 0 ? 0 : static_cast<double>(both) / static_cast<double>(all);
}

}  // namespace

ConjunctionIds::ConjunctionIds(const Plan& plan, const std::vector<Clause>& clauses) {
  const auto expected = expected_signatures(clauses);
  auto found = found_signatures(plan);
  struct Pair {
    double likeness;
    const Conjunction* of;
    std::uint32_t base;
  };
  std::vector<Pair> pairs;
  for (const auto& [of, signature] : expected) {
    for (const auto& [base, other] : found) {
      if (const double value = likeness(signature, other); value > 0) pairs.push_back({value, &of, base});
    }
  }
  std::stable_sort(pairs.begin(), pairs.end(),
                   [](const Pair& a, const Pair& b) { return a.likeness > b.likeness; });
  std::set<std::uint32_t> used;
  for (const Pair& pair : pairs) {
    if (bases_.contains(*pair.of) || used.contains(pair.base)) continue;
    bases_.emplace(*pair.of, pair.base);
    used.insert(pair.base);
  }
  std::uint32_t next = plan.practice.first_conjunction;
  for (const auto& [of, signature] : expected) {
    if (bases_.contains(of)) continue;
    while (used.contains(next) || found.contains(next)) next += kIdsEach;
    bases_.emplace(of, next);
    used.insert(next);
  }
}

}  // namespace dvrtrace::reference
