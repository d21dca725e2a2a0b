// Words: the words of one line of a dump, each with its place.
//
// A reader takes words from the front and says what it expected as soon as another word stands
// there. The first fault is kept with its place; report_fault() makes the diagnostic of it.
//
//   Words words(text, line);
//   const std::string_view device = words.value("a device");
//   if (words.faulty()) report_fault(text, words, kHint, log);  // "expected a device, found ..."
#pragma once

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "src/base/diagnostics.h"
#include "src/base/source.h"

namespace dvrtrace {

class Words {
 public:
  Words(const SourceText& text, Span line)
      : bytes_(text.bytes), last_{line.begin, line.begin}, end_(line.end) {
    find(line.begin);
  }

  std::string_view peek() const { return slice(next_); }  // "" at the end of the line
  bool done() const { return next_.begin == next_.end; }
  std::string_view next() {
    last_ = next_;
    find(next_.end);
    return slice(last_);
  }
  bool take(std::string_view word) {
    if (peek() != word) return false;
    next();
    return true;
  }
  // The next word, whatever it is; a fault when there is none.
  std::string_view value(std::string_view expected) {
    if (done()) {
      next();
      fault(expected);
      return {};
    }
    return next();
  }
  void skip_rest() {
    while (!done()) next();
  }

  // Says that `expected` should stand where the word taken last stands. Returns "no value".
  std::nullopt_t fault(std::string_view expected) {
    if (expected_.empty()) {
      expected_ = expected;
      place_ = last_;
    }
    return std::nullopt;
  }
  bool faulty() const { return !expected_.empty(); }
  std::string_view expected() const { return expected_; }
  Span place() const { return place_; }
  Span last() const { return last_; }

 private:
  std::string_view slice(Span span) const { return bytes_.substr(span.begin, span.end - span.begin); }
  void find(std::uint32_t at);

  std::string_view bytes_;
  Span last_, next_, place_;
  std::uint32_t end_;
  std::string_view expected_;  // a literal; "" while there is no fault
};

template <std::size_t N>
bool among(const std::array<std::string_view, N>& list, std::string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

// Report that something else stands at a place than was expected. The first two give the state of a
// line that could not be read; after an odd word the rest of the line can be.
LineState report_fault(const SourceText& text, const Words& words, std::string_view hint, ReadLog& log);
LineState report_fault(const SourceText& text, Span at, std::string_view expected, std::string_view hint,
                       ReadLog& log);
void report_odd_word(const SourceText& text, Span at, std::string_view expected, std::string_view hint,
                     ReadLog& log);

}  // namespace dvrtrace
