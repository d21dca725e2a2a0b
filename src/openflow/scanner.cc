#include "src/openflow/scanner.h"

namespace dvrtrace::openflow {

std::string_view Scanner::value() {
  const char* from = at_;
  int depth = 0;
  bool quoted = false;
  for (; at_ != end_; ++at_) {
    if (!quoted) {
      while (is(*at_, kPlainChar)) {
        if (++at_ == end_) return {from, static_cast<std::size_t>(at_ - from)};
      }
    }
    const char c = *at_;
    if (quoted) {
      if (c == '\\' && at_ + 1 != end_)
        ++at_;
      else if (c == '"')
        quoted = false;
      continue;
    }
    if (c == '"')
      quoted = true;
    else if (c == '(')
      ++depth;
    else if (c == ')' && depth-- == 0)
      break;
    else if (depth == 0 && separator(c))
      break;
  }
  return {from, static_cast<std::size_t>(at_ - from)};
}

std::optional<std::string_view> Scanner::parenthesised() {
  if (!take('(')) return std::nullopt;
  const char* from = at_;
  int depth = 1;
  bool quoted = false;
  for (; at_ != end_; ++at_) {
    const char c = *at_;
    if (quoted) {
      if (c == '\\' && at_ + 1 != end_)
        ++at_;
      else if (c == '"')
        quoted = false;
    } else if (c == '"') {
      quoted = true;
    } else if (c == '(') {
      ++depth;
    } else if (c == ')' && --depth == 0) {
      const std::string_view inside{from, static_cast<std::size_t>(at_ - from)};
      ++at_;
      return inside;
    }
  }
  fail(offset(), offset(), "expected ')' before the end");
  return std::nullopt;
}

std::optional<std::uint64_t> Scanner::number() {
  std::uint64_t value = 0;
  int base = 10;
  const char* from = at_;
  if (end_ - at_ > 2 && at_[0] == '0' && (at_[1] == 'x' || at_[1] == 'X')) {
    base = 16;
    from += 2;
  }
  const auto [stop, error] = std::from_chars(from, end_, value, base);
  if (error != std::errc{} || stop == from) return std::nullopt;
  at_ = stop;
  return value;
}

std::optional<std::string> Scanner::quoted() {
  if (!take('"')) return std::nullopt;
  std::string name;
  while (at_ != end_ && *at_ != '"') {
    if (*at_ == '\\' && at_ + 1 != end_) ++at_;
    name += *at_++;
  }
  if (!take('"')) return std::nullopt;
  return name;
}

std::string quote(std::string_view text) {
  constexpr std::size_t kLongest = 40;
  return "'" + std::string(text.substr(0, kLongest)) + (text.size() > kLongest ? "...'" : "'");
}

}  // namespace dvrtrace::openflow
