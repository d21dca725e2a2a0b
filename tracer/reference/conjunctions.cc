#include "tracer/reference/conjunctions.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "src/openflow/flow.h"

namespace dvrtrace::reference {

namespace {

constexpr std::uint32_t kIdsEach = 8;

// What the clauses of a conjunction say, whatever its id: a hash of each, ascending, each once.
using Signature = std::vector<std::uint64_t>;

constexpr std::uint64_t mix(std::uint64_t hash, std::uint64_t word) {
  hash = (hash ^ word) * 0x9e3779b97f4a7c15ULL;
  return hash ^ hash >> 29;
}

std::uint64_t sign(unsigned table, unsigned offset, bool fresh, unsigned dimension, const openflow::Match& match) {
  std::uint64_t hash = mix(table, offset << 16 | dimension << 8 | (fresh ? 1u : 0u));
  for (const openflow::MatchWord& word : match.words) hash = mix(mix(mix(hash, word.index), word.mask), word.value);
  for (const std::string& text : match.unmodelled) hash = mix(hash, std::hash<std::string>{}(text));
  return hash;
}

template <class Key>
using Signatures = std::map<Key, Signature>;

template <class Key>
void settle(Signatures<Key>& signatures) {
  for (auto& [key, signature] : signatures) {
    std::ranges::sort(signature);
    const auto same = std::ranges::unique(signature);
    signature.erase(same.begin(), same.end());
  }
}

Signatures<Conjunction> expected_signatures(const std::vector<Clause>& clauses) {
  Signatures<Conjunction> signatures;
  openflow::Names names;
  for (const Clause& clause : clauses) {
    const auto line = openflow::read_flow_line(clause.match + " actions=drop", 0, names);
    const std::uint64_t hash = sign(clause.table, clause.offset, clause.fresh, clause.dimension, line.row.flow.match);
    for (const Conjunction& of : clause.of) signatures[of].push_back(hash);
  }
  settle(signatures);
  return signatures;
}

Signatures<std::uint32_t> found_signatures(const Plan& plan) {
  Signatures<std::uint32_t> signatures;
  const BridgeDumps* dumps =
      plan.found == nullptr ? nullptr : plan.found->find_bridge(plan.options.integration_bridge);
  if (dumps == nullptr) return signatures;
  for (const openflow::FlowRow& row : dumps->flows.value.flows) {
    for (const openflow::Action& action : row.flow.actions) {
      const auto* part = std::get_if<openflow::Conjunction>(&action.variant());
      if (part == nullptr) continue;
      const std::uint32_t within = part->id % kIdsEach;
      signatures[part->id - within].push_back(
          sign(row.flow.table.value, within / 2, within % 2 != 0, part->clause, row.flow.match));
    }
  }
  settle(signatures);
  return signatures;
}

// How alike an expected conjunction and found ones are; those that have nothing in common are not told of.
struct Pair {
  double likeness;
  const Conjunction* of;
  std::uint32_t base;
};

std::vector<Pair> alike(const Signatures<Conjunction>& expected, const Signatures<std::uint32_t>& found) {
  std::vector<std::pair<std::uint64_t, std::uint32_t>> said;  // by which bases
  for (const auto& [base, signature] : found) {
    for (const std::uint64_t hash : signature) said.emplace_back(hash, base);
  }
  std::ranges::sort(said);
  std::vector<Pair> pairs;
  for (const auto& [of, signature] : expected) {
    std::map<std::uint32_t, std::size_t> common;
    for (const std::uint64_t hash : signature) {
      for (auto at = std::ranges::lower_bound(said, std::pair(hash, 0u)); at != said.end() && at->first == hash; ++at) ++common[at->second];
    }
    for (const auto& [base, both] : common) {
      const std::size_t all = signature.size() + found.at(base).size() - both;
      pairs.push_back({static_cast<double>(both) / static_cast<double>(all), &of, base});
    }
  }
  std::ranges::stable_sort(pairs, std::ranges::greater{}, &Pair::likeness);
  return pairs;
}

}  // namespace

ConjunctionIds::ConjunctionIds(const Plan& plan, const std::vector<Clause>& clauses) {
  const auto expected = expected_signatures(clauses);
  const auto found = found_signatures(plan);
  std::set<std::uint32_t> used;
  for (const Pair& pair : alike(expected, found)) {
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
