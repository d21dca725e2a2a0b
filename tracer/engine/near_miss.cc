#include "tracer/engine/near_miss.h"

#include <algorithm>

namespace dvrtrace {

using openflow::FieldId;
using openflow::FieldInfo;

namespace {

// How a packet differs from a match. Fields that share a place are one; the name is of the one that the packet has,
// or the first.
std::vector<std::string> differing(const openflow::Match& match, const openflow::FlowKey& key) {
  std::vector<std::string> names;
  std::vector<std::pair<std::uint8_t, std::uint8_t>> places;
  for (const openflow::MatchWord& word : match.words) {
    const std::uint64_t wrong = (key.words[word.index] ^ word.value) & word.mask;
    if (wrong == 0) continue;
    for (std::size_t id = 0; id < openflow::kFields; ++id) {
      const FieldInfo& field = openflow::info(static_cast<FieldId>(id));
      const openflow::Bits128 mask = match.mask_of(field.id), have = openflow::get(key, field.id),
                              want = match.value_of(field.id);
      const bool differs =
          ((have.low ^ want.low) & mask.low) != 0 || ((have.high ^ want.high) & mask.high) != 0;
      const bool here = field.word == word.index || (field.bits > 64 && field.word + 1u == word.index);
      if (!differs || !here || !openflow::exists(key, field.needs)) continue;
      const std::pair place(field.word, field.shift);
      if (std::ranges::find(places, place) != places.end()) continue;
      places.push_back(place);
      names.emplace_back(field.name);
    }
    if (names.size() > kFarthest) break;
  }
  return names;
}

}  // namespace

std::vector<NearMiss> near_misses(const Classifier& table, const openflow::FlowKey& key, std::size_t limit) {
  std::vector<NearMiss> nearest;
  std::size_t fewest = kFarthest;
  for (const openflow::FlowRow* row : table.rows()) {
    if (row->flow.actions.empty()) continue;
    std::vector<std::string> fields = differing(row->flow.match, key);
    if (fields.empty() || fields.size() > fewest) continue;
    if (fields.size() < fewest) nearest.clear();
    fewest = fields.size();
    nearest.push_back({row, std::move(fields)});
  }
  std::ranges::stable_sort(nearest, std::greater<>{},
                           [](const NearMiss& miss) { return miss.row->flow.priority; });
  if (nearest.size() > limit) nearest.resize(limit);
  return nearest;
}

}  // namespace dvrtrace
