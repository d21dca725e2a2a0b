#include "collectors/line_marks.h"

#include <algorithm>
#include <cstdint>

namespace dvrtrace {

namespace {

int gravity(LineState state) {
  switch (state) {
    case LineState::Ignored:
      return 0;
    case LineState::Modelled:
      return 1;
    case LineState::Unmodelled:
      return 2;
    case LineState::Unrecognised:
      return 3;
  }
  return 3;
}

}  // namespace

void LineMarks::count(const SourceText& text, LineCounts& counts) const {
  auto mark = marks_.begin();
  for (const Span line : lines_of(text.bytes)) {
    LineState state = LineState::Ignored;
    while (mark != marks_.end() && mark->span.end <= line.begin) ++mark;
    for (auto it = mark; it != marks_.end() && it->span.begin < std::max(line.end, line.begin + 1); ++it) {
      if (gravity(it->state) > gravity(state)) state = it->state;
    }
    counts.count(state);
  }
}

Span span_between(std::size_t begin, std::size_t end) {
  return {static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(std::max(begin, end))};
}

Span rest_of(const SourceText& text, std::size_t at) {
  const std::size_t last = text.bytes.find_last_not_of(" \t\r\n");
  if (last == std::string_view::npos) return span_between(0, text.bytes.size());
  return span_between(std::min(at, last), text.bytes.size());
}

Span span_of(const SourceText& text, std::string_view part) {
  const auto begin = static_cast<std::size_t>(part.data() - text.bytes.data());
  return span_between(begin, begin + part.size());
}

}  // namespace dvrtrace
