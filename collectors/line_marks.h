// LineMarks: gives every line of a text its one state, when what was read is spans and not lines.
//
// JSON and XML may stand in one line or in thousands. A line that several marks touch takes the
// gravest of their states: a line half read is not a line read.
#pragma once

#include <string_view>
#include <vector>

#include "src/base/diagnostics.h"
#include "src/base/source.h"

namespace dvrtrace {

class LineMarks {
 public:
  // Marks come in the order of the text and do not overlap.
  void mark(Span span, LineState state) { marks_.push_back({span, state}); }
  // Counts all lines of `text`; those that no mark touches are Ignored.
  void count(const SourceText& text, LineCounts& counts) const;

 private:
  struct Mark {
    Span span;
    LineState state;
  };
  std::vector<Mark> marks_;
};

Span span_between(std::size_t begin, std::size_t end);
// From `at` to the end of the text; what is missing there is blamed on the last thing that is not.
Span rest_of(const SourceText& text, std::size_t at);
// The place of `part`, which points into the text.
Span span_of(const SourceText& text, std::string_view part);

}  // namespace dvrtrace
