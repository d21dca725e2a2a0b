// Small things that every reader of text needs. All are total and work on bytes.
#pragma once

#include <charconv>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dvrtrace {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }
constexpr bool is_alpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

std::string_view trim(std::string_view text);
// Takes `prefix` off the front of `text` and says whether it was there.
bool consume(std::string_view& text, std::string_view prefix);
// The part before the first `separator`, which is taken off `text` together with it; all of `text`
// when there is none.
std::string_view take_until(std::string_view& text, char separator);
// The next word (a run of anything but blanks), taken off `text` with the blanks before it. ""
// when there is none left.
std::string_view take_word(std::string_view& text);
std::vector<std::string_view> split(std::string_view text, char separator);
std::vector<std::string_view> words_of(std::string_view text);
std::string to_lower(std::string_view text);

// A whole text as a number: decimal, or hexadecimal with 0x. None when anything is left over, when
// it is empty or does not fit.
template <std::unsigned_integral T = std::uint64_t>
std::optional<T> number(std::string_view text) {
  int base = 10;
  if (text.size() > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
    base = 16;
    text.remove_prefix(2);
  }
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{} || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

// Hexadecimal digits without a prefix.
std::optional<std::uint64_t> hex_number(std::string_view digits);

// The text with every control character, escape sequence and malformed UTF-8 byte made visible
// (as \x1b), so that a name out of a dump cannot speak to the terminal.
std::string printable(std::string_view text);

// A time in seconds since 1970 as "2026-11-21 21:20:36", UTC.
std::string in_utc(double seconds);

}  // namespace dvrtrace
