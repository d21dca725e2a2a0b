#include "tracer/check/alike.h"

#include <algorithm>
#include <bit>
#include <functional>
#include <utility>

namespace dvrtrace::check {
namespace {

using reference::FlowWords;

// Two flows with one match are rare, so the actions need not be hashed.
std::uint32_t hash_of(const FlowWords& flow) {
  const std::uint64_t place = flow.table * 65536ULL + flow.priority;
  const std::uint64_t hash = (std::hash<std::string_view>{}(flow.match) ^ place) * 0x9e3779b97f4a7c15ULL;
  return static_cast<std::uint32_t>(hash >> 32);
}

FlowWords words_of(const openflow::FlowRow& row, std::string_view text) {
  const auto cut = [&](Span span) { return text.substr(span.begin, span.end - span.begin); };
  return {row.flow.table.value, row.flow.priority, cut(row.match_span), cut(row.actions_span)};
}

}  // namespace

Alike::Found::Found(const openflow::FlowTable& table, std::string_view text)
    : table_(table),
      text_(text),
      taken_(table.flows.size()),
      slots_(std::bit_ceil(2 * table.flows.size() + 1)) {
  for (std::size_t row = 0; row < table.flows.size(); ++row) {
    const openflow::FlowRow& flow = table.flows[row];
    if (openflow::learned(flow.flow) || flow.actions_span.end > text.size()) continue;
    const std::uint32_t hash = hash_of(words_of(flow, text));
    std::size_t at = hash % slots_.size();
    while (slots_[at].row != 0) at = (at + 1) % slots_.size();
    slots_[at] = {hash, static_cast<std::uint32_t>(row + 1)};
  }
}

bool Alike::Found::take_equal(const FlowWords& flow) {
  const std::uint32_t hash = hash_of(flow);
  for (std::size_t at = hash % slots_.size(); slots_[at].row != 0; at = (at + 1) % slots_.size()) {
    const std::size_t row = slots_[at].row - 1;
    if (slots_[at].hash != hash || taken_[row] || words_of(table_.flows[row], text_) != flow) continue;
    return taken_[row] = true;
  }
  return false;
}

Alike::Found* Alike::find(std::string_view bridge) {
  if (const auto known = bridges_.find(bridge); known != bridges_.end()) return &known->second;
  const BridgeDumps* dumps = found_.find_bridge(bridge);
  if (dumps == nullptr || dumps->flows.source == kNoSource) return nullptr;
  const std::string_view text = sources_.text(dumps->flows.source).bytes;
  return &bridges_.try_emplace(std::string(bridge), dumps->flows.value, text).first->second;
}

bool Alike::settles(std::string_view bridge, const FlowWords& flow) {
  if (bridge != last_) last_found_ = find(last_ = bridge);
  return last_found_ != nullptr && last_found_->take_equal(flow);
}

std::map<std::string, std::vector<bool>> Alike::take() {
  std::map<std::string, std::vector<bool>> settled;
  for (auto& [bridge, found] : bridges_) settled.emplace(bridge, found.taken());
  bridges_.clear();
  last_.clear();
  return settled;
}

}  // namespace dvrtrace::check
