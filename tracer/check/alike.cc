#include "tracer/check/alike.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <functional>
#include <optional>
#include <utility>

namespace dvrtrace::check {
namespace {

// What is compared of a flow, as it is written.
struct Words {
  unsigned table = 0, priority = 0;
  std::string_view match, actions;
  bool operator==(const Words&) const = default;
};

std::size_t hash_of(const Words& words) {
  const std::hash<std::string_view> hash;
  constexpr std::size_t kOdd = 0x9e3779b97f4a7c15;
  return (hash(words.match) * kOdd + hash(words.actions)) * kOdd + words.table * 65536ul + words.priority;
}

bool take(std::string_view& text, std::string_view word) {
  if (!text.starts_with(word)) return false;
  text.remove_prefix(word.size());
  return true;
}

std::optional<unsigned> take_number(std::string_view& text) {
  unsigned number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

// A line as the reference writes it: " cookie=0x1, table=1, priority=2,dl_vlan=3 actions=drop".
std::optional<Words> words_of(std::string_view line) {
  line.remove_prefix(std::min(line.size(), line.find(", table=")));
  if (!take(line, ", table=")) return std::nullopt;
  const auto table = take_number(line);
  if (!table || !take(line, ", priority=")) return std::nullopt;
  const auto priority = take_number(line);
  const std::size_t end = line.find(" actions=");
  if (!priority || end == std::string_view::npos) return std::nullopt;
  std::string_view match = line.substr(0, end);
  if (!match.empty() && !take(match, ",")) return std::nullopt;
  line.remove_prefix(end);
  take(line, " actions=");
  return Words{*table, *priority, match, line};
}

Words words_of(const openflow::FlowRow& row, std::string_view text) {
  const auto cut = [&](Span span) { return text.substr(span.begin, span.end - span.begin); };
  return {row.flow.table.value, row.flow.priority, cut(row.match_span), cut(row.actions_span)};
}

class FoundFlows {
 public:
  FoundFlows(const openflow::FlowTable& table, std::string_view text) : table_(table), text_(text), taken_(table.flows.size()) {
    by_hash_.reserve(table.flows.size());
    for (std::size_t row = 0; row < table.flows.size(); ++row) {
      const openflow::FlowRow& flow = table.flows[row];
      if (!openflow::learned(flow.flow) && flow.actions_span.end <= text.size())
        by_hash_.emplace_back(hash_of(words_of(flow, text)), row);
    }
    std::ranges::sort(by_hash_);
  }

  bool take_equal(const Words& words) {
    const std::size_t hash = hash_of(words);
    auto at = std::ranges::lower_bound(by_hash_, std::pair(hash, std::size_t{0}));
    for (; at != by_hash_.end() && at->first == hash; ++at) {
      if (taken_[at->second] || words_of(table_.flows[at->second], text_) != words) continue;
      return taken_[at->second] = true;
    }
    return false;
  }

  std::vector<bool> taken() { return std::move(taken_); }

 private:
  const openflow::FlowTable& table_;
  std::string_view text_;
  std::vector<bool> taken_;
  std::vector<std::pair<std::size_t, std::size_t>> by_hash_;  // and the row
};

}  // namespace

Alike without_alike(reference::Dump expected, const openflow::FlowTable& found, std::string_view text) {
  FoundFlows flows(found, text);
  std::erase_if(expected.lines, [&](const reference::Line& line) {
    if (line.either != 0) return false;
    const auto words = words_of(line.text);
    return words && flows.take_equal(*words);
  });
  return {std::move(expected), flows.taken()};
}

}  // namespace dvrtrace::check
