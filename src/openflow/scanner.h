// Scanner: the text of one flow, match or action list, with a place in it. Internal to the readers
// of src/openflow. The first thing that cannot be read is kept as the error; after it, the scanner
// is at its end, so that readers need not check after every step.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "src/base/text.h"

namespace dvrtrace::openflow {

struct ReadError {
  std::uint32_t begin = 0, end = 0;  // within the text given to the reader
  std::string message;
};

// What a character may be part of, by its code: the scanner looks at every byte of every dump.
enum CharClass : std::uint8_t {
  kWordChar = 1,    // of a word, but for the '-' that may begin an arrow
  kPlainChar = 2,   // of a value, without a meaning of its own
  kSeparator = 4,
};
consteval std::array<std::uint8_t, 256> char_classes() {
  std::array<std::uint8_t, 256> classes{};
  for (unsigned code = 0; code < 256; ++code) {
    const char c = static_cast<char>(code);
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    const bool word = letter || (c >= '0' && c <= '9') || c == '_' || c == '.';
    const bool separator = c == ',' || c == ' ' || c == '\t' || c == '\n' || c == '\r';
    const bool plain = !separator && c != '"' && c != '(' && c != ')';
    classes[code] = static_cast<std::uint8_t>((word ? kWordChar : 0) | (plain ? kPlainChar : 0) | (separator ? kSeparator : 0));
  }
  return classes;
}
inline constexpr std::array<std::uint8_t, 256> kCharClasses = char_classes();
constexpr bool is(char c, CharClass of) { return (kCharClasses[static_cast<unsigned char>(c)] & of) != 0; }

class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text), at_(text.data()), end_(text.data() + text.size()) {}

  bool done() const { return at_ == end_; }
  char peek() const { return at_ == end_ ? '\0' : *at_; }
  void advance() { if (at_ != end_) ++at_; }
  bool take(char c) {
    if (at_ == end_ || *at_ != c) return false;
    ++at_;
    return true;
  }
  bool take(std::string_view word) {
    if (!rest().starts_with(word)) return false;
    at_ += word.size();
    return true;
  }
  std::string_view rest() const { return {at_, static_cast<std::size_t>(end_ - at_)}; }
  std::uint32_t offset() const { return static_cast<std::uint32_t>(at_ - text_.data()); }
  void move_to(std::uint32_t offset) { at_ = text_.data() + offset; }
  std::string_view text() const { return text_; }

  // Separators between the parts of a match or of an action list, as ovs-ofctl takes them.
  static bool separator(char c) { return is(c, kSeparator); }
  void skip_separators() { while (at_ != end_ && separator(*at_)) ++at_; }

  // A run of letters, digits, '_', '.' and '-'.
  std::string_view word() {
    const char* from = at_;
    while (at_ != end_ && (is(*at_, kWordChar) || *at_ == '-')) {
      if (*at_ == '-' && at_ + 1 != end_ && at_[1] == '>') break;  // "...->field"
      ++at_;
    }
    return {from, static_cast<std::size_t>(at_ - from)};
  }
  // Everything up to the next separator or closing parenthesis outside quotes and parentheses.
  std::string_view value();
  // What stands between the parenthesis here and the one that closes it; the scanner ends behind it.
  std::optional<std::string_view> parenthesised();
  std::optional<std::uint64_t> number();
  // A "quoted name", with its JSON escapes undone.
  std::optional<std::string> quoted();

  bool failed() const { return error_.has_value(); }
  const std::optional<ReadError>& error() const { return error_; }
  void fail(std::uint32_t begin, std::uint32_t end, std::string message) {
    if (!error_) error_ = ReadError{begin, end, std::move(message)};
    at_ = end_;
  }
  void fail_at(std::string_view part, std::string message) {
    const auto begin = static_cast<std::uint32_t>(part.data() - text_.data());
    fail(begin, begin + static_cast<std::uint32_t>(part.size()), std::move(message));
  }

 private:
  std::string_view text_;
  const char* at_;
  const char* end_;
  std::optional<ReadError> error_;
};

// "'text'" cut to a length that a message can bear.
std::string quote(std::string_view text);

}  // namespace dvrtrace::openflow
