#include "src/model/classifier.h"

#include <algorithm>
#include <bit>
#include <map>

namespace dvrtrace {
namespace {

using openflow::Action;
using openflow::Conjunction;
using openflow::FlowKey;
using openflow::FlowRow;

bool is_conjunctive(const openflow::Flow& flow) {
  return std::ranges::any_of(flow.actions, [](const Action& action) {
    return std::holds_alternative<Conjunction>(action.variant());
  });
}

constexpr std::uint64_t mix(std::uint64_t hash, std::uint64_t word) {
  hash = (hash ^ word) * 0x9e3779b97f4a7c15ULL;
  return hash ^ hash >> 32;
}

std::uint64_t hash_match(const openflow::Match& match) {
  std::uint64_t hash = 0;
  for (const openflow::MatchWord& word : match.words) hash = mix(hash, word.value);
  return hash;
}

bool same_mask(const std::vector<std::pair<std::uint32_t, std::uint64_t>>& mask,
               const openflow::Match& match) {
  return mask.size() == match.words.size() &&
         std::equal(mask.begin(), mask.end(), match.words.begin(),
                    [](const auto& part, const openflow::MatchWord& word) {
                      return part.first == word.index && part.second == word.mask;
                    });
}

}  // namespace

void Classifier::Group::add(const FlowRow* row) {
  auto at = std::ranges::find_if(
      subtables, [&](const Subtable& subtable) { return same_mask(subtable.mask, row->flow.match); });
  if (at == subtables.end()) {
    Subtable subtable;
    for (const openflow::MatchWord& word : row->flow.match.words)
      subtable.mask.emplace_back(word.index, word.mask);
    at = subtables.insert(subtables.end(), std::move(subtable));
  }
  at->highest = std::max(at->highest, row->flow.priority);
  at->entries.push_back({hash_match(row->flow.match), row, kEnd});
}

void Classifier::Group::finish() {
  for (Subtable& subtable : subtables) {
    std::ranges::stable_sort(subtable.entries, std::ranges::greater{},
                             [](const Entry& entry) { return entry.row->flow.priority; });
    subtable.slots.assign(std::bit_ceil(subtable.entries.size() * 2), kEnd);
    // From the last to the first, so that a slot's list begins with the highest priority.
    for (std::size_t i = subtable.entries.size(); i-- > 0;) {
      std::uint32_t& slot = subtable.slots[subtable.entries[i].hash & (subtable.slots.size() - 1)];
      subtable.entries[i].next = slot;
      slot = static_cast<std::uint32_t>(i);
    }
  }
  std::ranges::stable_sort(subtables, std::ranges::greater{}, &Subtable::highest);
}

void Classifier::add(const FlowRow* row) {
  rows_.push_back(row);
  ++count_;
  if (!row->flow.match.unmodelled.empty()) {
    add_unread(row->flow.priority);
    return;
  }
  (is_conjunctive(row->flow) ? conjunctive_ : plain_).add(row);
}

void Classifier::add_unread(std::uint16_t priority) { unread_ = std::max(unread_.value_or(0), priority); }

void Classifier::finish() {
  plain_.finish();
  conjunctive_.finish();
}

std::uint64_t Classifier::hash_key(const Subtable& subtable, const FlowKey& key) {
  std::uint64_t hash = 0;
  for (const auto& [word, mask] : subtable.mask) hash = mix(hash, key.words[word] & mask);
  return hash;
}

Classifier::Found Classifier::best(const Group& group, const FlowKey& key) const {
  Found found;
  for (const Subtable& subtable : group.subtables) {
    if (found.row != nullptr && subtable.highest < found.row->flow.priority) break;
    const std::uint64_t hash = hash_key(subtable, key);
    for (std::uint32_t at = subtable.slots[hash & (subtable.slots.size() - 1)]; at != kEnd;
         at = subtable.entries[at].next) {
      const Entry& entry = subtable.entries[at];
      if (entry.hash != hash || !entry.row->flow.match.matches(key)) continue;
      if (found.row == nullptr || entry.row->flow.priority > found.row->flow.priority) {
        found.row = entry.row;
        found.rival = nullptr;
      } else if (entry.row->flow.priority == found.row->flow.priority) {
        found.rival = entry.row;
        if (entry.row->at.span.begin < found.row->at.span.begin) std::swap(found.row, found.rival);
      }
      break;  // the others of this slot are no better
    }
  }
  return found;
}

std::vector<const FlowRow*> Classifier::clauses(const FlowKey& key, int floor) const {
  std::vector<const FlowRow*> matching;
  for (const Subtable& subtable : conjunctive_.subtables) {
    if (static_cast<int>(subtable.highest) <= floor) break;
    const std::uint64_t hash = hash_key(subtable, key);
    for (std::uint32_t at = subtable.slots[hash & (subtable.slots.size() - 1)]; at != kEnd;
         at = subtable.entries[at].next) {
      const Entry& entry = subtable.entries[at];
      if (entry.hash == hash && static_cast<int>(entry.row->flow.priority) > floor &&
          entry.row->flow.match.matches(key)) {
        matching.push_back(entry.row);
      }
    }
  }
  std::ranges::stable_sort(matching, std::ranges::greater{},
                           [](const FlowRow* row) { return row->flow.priority; });
  return matching;
}

namespace {

// The id of a conjunction all of whose clauses are among flows of one priority.
std::optional<std::uint32_t> complete_id(std::vector<const FlowRow*>::const_iterator first,
                                         std::vector<const FlowRow*>::const_iterator last) {
  struct Clauses {
    std::uint64_t seen = 0;
    std::uint8_t wanted = 0;
  };
  std::map<std::uint32_t, Clauses> by_id;
  for (; first != last; ++first) {
    for (const Action& action : (*first)->flow.actions) {
      const auto* conjunction = std::get_if<Conjunction>(&action.variant());
      if (conjunction == nullptr) continue;
      Clauses& clauses = by_id[conjunction->id];
      clauses.seen |= std::uint64_t{1} << (conjunction->clause - 1);
      clauses.wanted = conjunction->clauses;
    }
  }
  for (const auto& [id, clauses] : by_id) {
    if (clauses.seen == openflow::ones64(clauses.wanted)) return id;
  }
  return std::nullopt;
}

}  // namespace

Classifier::Found Classifier::lookup(const FlowKey& key) const {
  Found found = best(plain_, key);
  if (!conjunctive_.subtables.empty()) {
    // A plain flow beats conjunctions of its own priority.
    const auto matching = clauses(key, found.row == nullptr ? -1 : found.row->flow.priority);
    for (auto first = matching.begin(); first != matching.end();) {
      const auto last = std::find_if(first, matching.end(), [&](const FlowRow* row) {
        return row->flow.priority != (*first)->flow.priority;
      });
      if (const auto id = complete_id(first, last)) {
        FlowKey with_id = key;
        set64(with_id, openflow::FieldId::ConjId, *id);
        const Found by_id = best(plain_, with_id);
        if (by_id.row != nullptr) {
          found = by_id;
          break;
        }
      }
      first = last;
    }
  }
  found.undecided = unread_ && (found.row == nullptr || *unread_ >= found.row->flow.priority);
  return found;
}

}  // namespace dvrtrace
