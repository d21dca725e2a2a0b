#include "tracer/check/marks.h"

#include <algorithm>
#include <utility>

namespace dvrtrace::check {
namespace {

// The lines that are alternatives of each other: the dump, and their number in it.
using Alternative = std::pair<SourceId, std::uint32_t>;

template <class Any>
std::vector<Any> without_explained(std::span<const Any> differences, const Marks& marks) {
  const auto missing_line = [&](const Any& difference) {
    return difference.deviation == Deviation::Missing ? marks.line(difference.expected_at) : nullptr;
  };
  std::map<Alternative, std::size_t> missing;  // of each set of alternatives
  for (const Any& difference : differences) {
    const reference::Line* line = missing_line(difference);
    if (line != nullptr && line->either != 0) ++missing[{difference.expected_at.source, line->either}];
  }
  const auto fulfilled = [&](SourceId source, const reference::Line& line) {
    return missing[{source, line.either}] < marks.alternatives(source, line.either);
  };
  std::vector<Any> left;
  for (const Any& difference : differences) {
    const reference::Line* line = missing_line(difference);
    if (line != nullptr && line->need == reference::Need::Optional) continue;
    if (line != nullptr && line->either != 0 && fulfilled(difference.expected_at.source, *line)) continue;
    left.push_back(difference);
  }
  return left;
}

}  // namespace

void Marks::add(SourceId source, const reference::Dump& dump) {
  Text& text = texts_[source];
  text.dump = &dump;
  std::uint32_t at = 0;
  for (const reference::Line& line : dump.lines) {
    text.begins.push_back(at);
    at += static_cast<std::uint32_t>(line.text.size() + 1);
  }
}

const reference::Line* Marks::line(const Provenance& at) const {
  const auto text = texts_.find(at.source);
  if (text == texts_.end()) return nullptr;
  const std::vector<std::uint32_t>& begins = text->second.begins;
  const auto next = std::ranges::upper_bound(begins, at.span.begin);
  if (next == begins.begin()) return nullptr;
  return &text->second.dump->lines[static_cast<std::size_t>(next - begins.begin()) - 1];
}

std::size_t Marks::alternatives(SourceId source, std::uint32_t either) const {
  const auto text = texts_.find(source);
  if (text == texts_.end()) return 0;
  return static_cast<std::size_t>(
      std::ranges::count(text->second.dump->lines, either, &reference::Line::either));
}

std::vector<Difference> unexplained(std::span<const Difference> differences, const Marks& marks) {
  return without_explained(differences, marks);
}

std::vector<BridgeDifference> unexplained(std::span<const BridgeDifference> differences, const Marks& marks) {
  return without_explained(differences, marks);
}

}  // namespace dvrtrace::check
