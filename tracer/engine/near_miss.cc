#include "tracer/engine/near_miss.h"

#include <fmt/format.h>

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

void tell_near_misses(const Network& network, Recorder& recorder, std::size_t stop) {
  const auto missed = recorder.missed.find(stop);
  Hop& hop = recorder.direction.hops[stop];
  if (missed == recorder.missed.end() || hop.steps.empty()) return;
  const auto& [host, bridge, table, key] = missed->second;
  const auto& classifier = network.host(host).bridges[bridge].tables[table.value];
  if (classifier == nullptr) return;
  bool only_the_network = true;  // is it its VLAN or VNI alone that is not known?
  const auto nearest = near_misses(*classifier, key);
  for (const NearMiss& miss : nearest) {
    const std::string fields = fmt::format("{}", fmt::join(miss.fields, ", "));
    only_the_network =
        only_the_network && (fields == "tun_id" || fields == "dl_vlan" || fields == "vlan_tci");
    hop.steps.insert(hop.steps.end() - 1,
                     Noted{fmt::format("nearly met in table {}, but for {}: priority={} {}", table.value,
                                       fields, miss.row->flow.priority, to_string(miss.row->flow.match)),
                           miss.row->at});
  }
  auto* stopped = std::get_if<Stopped>(&hop.steps.back());
  const bool by_default =
      stopped != nullptr && (stopped->reason == Reason::DropFlow || stopped->reason == Reason::TableMiss);
  if (!nearest.empty() && only_the_network && by_default) stopped->reason = Reason::VlanUnknown;
}

}  // namespace dvrtrace
