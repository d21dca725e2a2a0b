#include "tracer/verify/tally.h"

#include <fmt/format.h>

#include <algorithm>

namespace dvrtrace::verify {
namespace {

// What tells kinds of sightings apart; ports and TTLs of single packets do not.
std::string kind_of(const Points& points, const Sighting& sighting) {
  const Headers& h = sighting.headers;
  std::string kind = fmt::format("{}|{}|{}|{}|{}|{}", to_string(points.at(sighting.point)), h.eth_src.value,
                                 h.eth_dst.value, h.vlan.value_or(0), h.ip_src ? to_string(*h.ip_src) : "",
                                 h.ip_dst ? to_string(*h.ip_dst) : "");
  if (h.encapsulation) {
    kind += fmt::format("|{}|{}|{}|{}", h.encapsulation->type, h.encapsulation->vni,
                        to_string(h.encapsulation->source), to_string(h.encapsulation->destination));
  }
  return kind;
}

}  // namespace

// --- coverage ------------------------------------------------------------------------------------------

void Coverage::add(std::uint32_t from, std::uint32_t length) {
  std::uint32_t to = from + length;
  if (to < from) to = 0xffffffff;  // around the end of the numbers: the first part
  auto at = ranges_.upper_bound(from);
  if (at != ranges_.begin() && std::prev(at)->second >= from) --at;
  while (at != ranges_.end() && at->first <= to) {
    from = std::min(from, at->first);
    to = std::max(to, at->second);
    at = ranges_.erase(at);
  }
  ranges_[from] = to;
  if (ranges_.size() > kMost) ranges_.erase(ranges_.begin());
}

bool Coverage::covers(std::uint32_t from, std::uint32_t length) const {
  const auto at = ranges_.upper_bound(from);
  return at != ranges_.begin() && std::prev(at)->second >= from + length && from + length > from;
}

// --- a packet ------------------------------------------------------------------------------------------

void Tally::add(const Packet& packet, const Judged& judged) {
  ++packets;
  add_way(packet, judged);
  add_differences(packet, judged);
  add_extras(packet, judged);
}

bool Tally::covered(const Packet& packet, std::size_t crossing) const {
  if (!packet.identity.segment) return false;
  const auto at = coverage_.find(expected_.points[crossing]);
  return at != coverage_.end() && at->second.covers(packet.identity.sequence, packet.identity.payload);
}

void Tally::add_way(const Packet& packet, const Judged& judged) {
  const std::vector<Crossing>& crossings = expected_.direction->crossings;
  last_.reset();
  std::vector<std::size_t> merged;
  for (std::size_t i = 0; i < crossings.size(); ++i) {
    if (!crossings[i].on_path || !captured_[expected_.points[i]]) continue;
    if (judged.at[i].sighting) {
      last_ = i;
    } else if (covered(packet, i)) {
      merged.push_back(i);
      last_ = i;
    }
  }
  bool before_saw = true;
  std::optional<std::size_t> before;  // the last crossing that saw this very packet
  for (std::size_t i = 0; i < crossings.size(); ++i) {
    if (!captured_[expected_.points[i]]) continue;
    CrossingTally& tally = crossings_[i];
    const bool here = judged.at[i].sighting.has_value(),
               in_merged = std::ranges::find(merged, i) != merged.end();
    if (here || in_merged) ++tally.seen;
    if (in_merged) ++tally.merged;
    if (!crossings[i].on_path) continue;
    const bool behind = last_ && *last_ > i;
    if (before_saw) ++tally.passed_before;
    if (before_saw && !here && !in_merged && !behind) ++tally.lost;
    if (!here && !in_merged && behind) ++tally.holes;
    before_saw = here || in_merged || behind;
    if (!here) continue;
    if (before)
      times_[{*before, i}].add(packet.sightings[*judged.at[i].sighting].time -
                               packet.sightings[*judged.at[*before].sighting].time);
    before = i;
  }
  ++reached_[last_.value_or(kNone)];
  for (std::size_t i = 0; i < crossings.size(); ++i) {
    if (!crossings[i].on_path && judged.at[i].sighting)
      note_beyond(packet, judged, *judged.at[i].sighting, true);
  }
}

void Tally::note_beyond(const Packet& packet, const Judged& judged, std::size_t sighting, bool predicted) {
  if (last_ && !judged.at[*last_].sighting) return;
  const Sighting& from = last_ ? packet.sightings[*judged.at[*last_].sighting] : packet.sightings.front();
  const Sighting& to = packet.sightings[sighting];
  beyond_[{last_.value_or(kNone), to.point, predicted}].add(to.time - from.time);
}

void Tally::add_differences(const Packet& packet, const Judged& judged) {
  for (std::size_t i = 0; i < judged.at.size(); ++i) {
    if (!judged.at[i].sighting) continue;
    const Sighting& sighting = packet.sightings[*judged.at[i].sighting];
    CrossingTally& tally = crossings_[i];
    if (packet.identity.segment && sighting.payload != packet.identity.payload) ++tally.merged;
    if (judged.at[i].differences == 0) {
      ++tally.intact;
      continue;
    }
    for (unsigned bit = 0; bit < kFields; ++bit) {
      const auto field = static_cast<Field>(1U << bit);
      if ((judged.at[i].differences & field) == 0 || tally.altered.size() >= kMostKinds) continue;
      FieldText text =
          text_of(field, expected_.direction->crossings[i].packet, sighting.headers, judged.ttl_shift);
      Alteration& alteration = tally.altered[{field, text.found}];
      if (alteration.packets++ == 0)
        alteration = {std::move(text.name), std::move(text.expected), std::move(text.found), 1};
    }
  }
  for (const std::size_t sighting : judged.duplicates) {
    const std::vector<std::size_t>& here = expected_.at(packet.sightings[sighting].point);
    if (!here.empty()) ++crossings_[here.front()].duplicates;
  }
}

void Tally::add_extras(const Packet& packet, const Judged& judged) {
  // A copy: the packet went on to the end of the way as well, as far as that was captured.
  std::optional<std::size_t> end;
  for (std::size_t i = 0; i < judged.at.size(); ++i) {
    if (expected_.direction->crossings[i].on_path && captured_[expected_.points[i]]) end = i;
  }
  for (const std::size_t index : judged.extra) {
    const Sighting& sighting = packet.sightings[index];
    const std::string kind = kind_of(points_, sighting);
    if (extras_.size() >= kMostKinds && !extras_.contains(kind)) continue;
    ExtraTally& extra = extras_[kind];
    if (extra.packets++ == 0) {
      extra.point = sighting.point;
      extra.packet = sighting.headers;
    }
    if (last_ && last_ == end) ++extra.copies;
    // The latest crossing of the same host that saw it before, else the last of all.
    std::optional<std::size_t> after;
    for (std::size_t i = 0; i < judged.at.size(); ++i) {
      if (!expected_.direction->crossings[i].on_path || !judged.at[i].sighting) continue;
      const Sighting& there = packet.sightings[*judged.at[i].sighting];
      if (points_.host(there.point) == points_.host(sighting.point) && there.time <= sighting.time) after = i;
    }
    if (!after) after = last_;
    if (after && (!extra.after || *after > *extra.after)) extra.after = after;
    note_beyond(packet, judged, index, false);
  }
}

}  // namespace dvrtrace::verify
