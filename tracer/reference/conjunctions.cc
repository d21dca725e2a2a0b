#include "tracer/reference/conjunctions.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <unordered_map>
#include <unordered_set>
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

std::uint64_t sign(unsigned table, unsigned offset, bool fresh, unsigned dimension, std::uint64_t asks) {
  return mix(mix(table, offset << 16 | dimension << 8 | (fresh ? 1u : 0u)), asks);
}

void settle(Signature& signature) {
  std::ranges::sort(signature);
  const auto same = std::ranges::unique(signature);
  signature.erase(same.begin(), same.end());
}

std::vector<Signature> expected_signatures(std::size_t conjunctions, const std::vector<Clause>& clauses) {
  std::vector<Signature> signatures(conjunctions);
  for (const Clause& clause : clauses)
    signatures[clause.of].push_back(
        sign(clause.table, clause.offset, clause.fresh, clause.dimension, clause.asks));
  for (Signature& signature : signatures) settle(signature);
  return signatures;
}

// By base: the lowest of a conjunction's ids.
using FoundSignatures = std::unordered_map<std::uint32_t, Signature>;

FoundSignatures found_signatures(const Plan& plan) {
  FoundSignatures signatures;
  const BridgeDumps* dumps =
      plan.found == nullptr ? nullptr : plan.found->find_bridge(plan.options.integration_bridge);
  if (dumps == nullptr) return signatures;
  for (const openflow::FlowRow& row : dumps->flows.value.flows) {
    std::optional<std::uint64_t> asks;
    for (const openflow::Action& action : row.flow.actions) {
      const auto* part = std::get_if<openflow::Conjunction>(&action.variant());
      if (part == nullptr) continue;
      if (!asks) asks = asked_by(row.flow.match);
      const std::uint32_t within = part->id % kIdsEach;
      signatures[part->id - within].push_back(
          sign(row.flow.table.value, within / 2, within % 2 != 0, part->clause, *asks));
    }
  }
  for (auto& [base, signature] : signatures) settle(signature);
  return signatures;
}

// How alike an expected conjunction and found ones are; those that have nothing in common are not told of.
struct Pair {
  double likeness;
  std::size_t of;
  std::uint32_t base;
};

std::vector<Pair> alike(const std::vector<Signature>& expected, const FoundSignatures& found) {
  std::vector<std::pair<std::uint64_t, std::uint32_t>> said;  // by which bases
  for (const auto& [base, signature] : found) {
    for (const std::uint64_t hash : signature) said.emplace_back(hash, base);
  }
  std::ranges::sort(said);
  std::vector<Pair> pairs;
  std::vector<std::uint32_t> common;  // the base of each clause that both have
  for (std::size_t of = 0; of < expected.size(); ++of) {
    common.clear();
    auto at = said.begin();  // both ascend
    for (const std::uint64_t hash : expected[of]) {
      at = std::ranges::lower_bound(at, said.end(), std::pair(hash, 0u));
      for (; at != said.end() && at->first == hash; ++at) common.push_back(at->second);
    }
    std::ranges::sort(common);
    for (auto base = common.begin(); base != common.end();) {
      const auto next = std::find_if(base, common.end(), [&](std::uint32_t other) { return other != *base; });
      const auto both = static_cast<std::size_t>(next - base);
      const std::size_t all = expected[of].size() + found.at(*base).size() - both;
      pairs.push_back({static_cast<double>(both) / static_cast<double>(all), of, *base});
      base = next;
    }
  }
  std::ranges::stable_sort(pairs, std::ranges::greater{}, &Pair::likeness);
  return pairs;
}

}  // namespace

std::uint64_t asked_by(const openflow::Match& match) {
  std::uint64_t hash = match.words.size();
  for (const openflow::MatchWord& word : match.words)
    hash = mix(mix(mix(hash, word.index), word.mask), word.value);
  for (const std::string& text : match.unmodelled) hash = mix(hash, std::hash<std::string>{}(text));
  return hash;
}

openflow::Match read_clause(const std::string& match) {
  openflow::Names names;
  return openflow::read_flow_line(match + " actions=drop", 0, names).row.flow.match;
}

ConjunctionIds::ConjunctionIds(const Plan& plan, const std::vector<Conjunction>& conjunctions,
                               const std::vector<Clause>& clauses)
    : bases_(conjunctions.size()) {
  const std::vector<Signature> expected = expected_signatures(conjunctions.size(), clauses);
  const FoundSignatures found = found_signatures(plan);
  std::vector<bool> known(conjunctions.size());
  std::unordered_set<std::uint32_t> used;
  for (const Pair& pair : alike(expected, found)) {
    if (known[pair.of] || !used.insert(pair.base).second) continue;
    bases_[pair.of] = pair.base;
    known[pair.of] = true;
  }
  std::uint32_t next = plan.practice.first_conjunction;
  for (std::size_t of = 0; of < conjunctions.size(); ++of) {
    if (known[of]) continue;
    while (used.contains(next) || found.contains(next)) next += kIdsEach;
    bases_[of] = next;
    used.insert(next);
  }
}

}  // namespace dvrtrace::reference
