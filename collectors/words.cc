#include "collectors/words.h"

#include <fmt/format.h>

#include "src/base/text.h"

namespace dvrtrace {

void Words::find(std::uint32_t at) {
  while (at < end_ && is_blank(bytes_[at])) ++at;
  next_ = {at, at};
  while (next_.end < end_ && !is_blank(bytes_[next_.end])) ++next_.end;
}

namespace {

std::string message(std::string_view expected, std::string_view found) {
  constexpr std::size_t kLongest = 60;  // of what is quoted from the dump
  if (found.empty()) return fmt::format("expected {}, found the end of the line", expected);
  const std::string_view more = found.size() > kLongest ? "..." : "";
  return fmt::format("expected {}, found '{}{}'", expected, printable(found.substr(0, kLongest)), more);
}

}  // namespace

LineState report_fault(const SourceText& text, Span at, std::string_view expected, std::string_view hint,
                       ReadLog& log) {
  log.diagnostics.error(text.provenance(at), message(expected, text.at(at)), std::string(hint));
  return LineState::Unrecognised;
}

LineState report_fault(const SourceText& text, const Words& words, std::string_view hint, ReadLog& log) {
  return report_fault(text, words.place(), words.expected(), hint, log);
}

void report_odd_word(const SourceText& text, Span at, std::string_view expected, std::string_view hint,
                     ReadLog& log) {
  log.diagnostics.warning(text.provenance(at), message(expected, text.at(at)), std::string(hint));
}

}  // namespace dvrtrace
