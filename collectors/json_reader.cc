#include "collectors/json_reader.h"

#include <array>
#include <cstdint>
#include <cstring>
#include <optional>

#include "src/base/text.h"

namespace dvrtrace {

namespace {

constexpr auto npos = std::string_view::npos;

// What stands between values, by its code: passing over values looks at every byte of large texts.
enum : std::uint8_t { kBlank = 1, kSeparator = 2 };
constexpr std::array<std::uint8_t, 256> kBetween = [] {
  std::array<std::uint8_t, 256> between{};
  for (const char c : {' ', '\t', '\r', '\n'}) between[static_cast<unsigned char>(c)] = kBlank;
  for (const char c : {',', ':'}) between[static_cast<unsigned char>(c)] = kSeparator;
  return between;
}();

bool is_json_blank(char c) { return kBetween[static_cast<unsigned char>(c)] == kBlank; }

bool starts_scalar(char c) { return is_digit(c) || c == '-' || c == 't' || c == 'f' || c == 'n'; }

bool continues_scalar(char c) { return is_digit(c) || is_alpha(c) || c == '-' || c == '+' || c == '.'; }

void append_utf8(std::string& out, std::uint32_t code) {
  const auto byte = [&](std::uint32_t value) { out += static_cast<char>(value); };
  if (code < 0x80) {
    byte(code);
  } else if (code < 0x800) {
    byte(0xc0 | code >> 6);
    byte(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    byte(0xe0 | code >> 12);
    byte(0x80 | (code >> 6 & 0x3f));
    byte(0x80 | (code & 0x3f));
  } else {
    byte(0xf0 | code >> 18);
    byte(0x80 | (code >> 12 & 0x3f));
    byte(0x80 | (code >> 6 & 0x3f));
    byte(0x80 | (code & 0x3f));
  }
}

std::optional<std::uint32_t> unicode_escape(std::string_view text) {
  if (text.size() < 6 || text[0] != '\\' || text[1] != 'u') return std::nullopt;
  const auto code = hex_number(text.substr(2, 4));
  if (!code) return std::nullopt;
  return static_cast<std::uint32_t>(*code);
}

// "\uXXXX", or two of them that make a surrogate pair. Returns the bytes used; 0 when malformed.
std::size_t append_unicode_escape(std::string& out, std::string_view text) {
  const auto first = unicode_escape(text);
  if (!first) return 0;
  if (*first < 0xd800 || *first >= 0xe000) {
    append_utf8(out, *first);
    return 6;
  }
  const auto second = unicode_escape(text.substr(6));
  if (*first >= 0xdc00 || !second || *second < 0xdc00 || *second >= 0xe000) {
    append_utf8(out, 0xfffd);  // half a pair
    return 6;
  }
  append_utf8(out, 0x10000 + ((*first - 0xd800) << 10) + (*second - 0xdc00));
  return 12;
}

char simple_escape(char c) {
  switch (c) {
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    default:
      return c;
  }
}

}  // namespace

std::string json_unescape(std::string_view escaped) {
  std::string out;
  out.reserve(escaped.size());
  while (!escaped.empty()) {
    const std::size_t backslash = escaped.find('\\');
    out += escaped.substr(0, backslash);
    if (backslash == npos || backslash + 1 >= escaped.size()) break;
    escaped.remove_prefix(backslash);
    if (const std::size_t used = append_unicode_escape(out, escaped)) {
      escaped.remove_prefix(used);
      continue;
    }
    out += simple_escape(escaped[1]);
    escaped.remove_prefix(2);
  }
  return out;
}

void JsonReader::fail(std::size_t at) {
  if (!failed_) at_ = at;
  failed_ = true;
}

char JsonReader::peek() {
  if (failed_) return '\0';
  while (at_ < bytes_.size() && is_json_blank(bytes_[at_])) ++at_;
  return at_ < bytes_.size() ? bytes_[at_] : '\0';
}

std::size_t JsonReader::at() {
  peek();
  return at_;
}

bool JsonReader::enter(char open) {
  if (peek() != open || failed_) return false;
  ++at_;
  return true;
}

bool JsonReader::next(char close) {
  char c = peek();
  if (c == ',') {
    ++at_;
    c = peek();
  }
  if (failed_) return false;
  if (c == close) {
    ++at_;
    return false;
  }
  if (at_ >= bytes_.size()) fail(at_);
  return !failed_;
}

std::string JsonReader::key() {
  if (peek() != '"') {
    fail(at_);
    return {};
  }
  std::string name = text();
  if (peek() == ':') {
    ++at_;
  } else {
    fail(at_);
  }
  return name;
}

std::string JsonReader::text() {
  const std::string_view raw = skip();
  if (raw.size() < 2 || raw.front() != '"') return std::string(raw);
  return json_unescape(raw.substr(1, raw.size() - 2));
}

std::string_view JsonReader::skip() {
  const Span span = skip_span();
  return bytes_.substr(span.begin, span.end - span.begin);
}

Span JsonReader::skip_span() {
  peek();
  const std::size_t begin = at_;
  const std::size_t end = failed_ ? npos : end_of_value(begin);
  if (failed_ || end == npos) {
    const auto where = static_cast<std::uint32_t>(begin);
    return {where, where};
  }
  at_ = end;
  return {static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)};
}

// After the closing quote; npos when there is none.
std::size_t JsonReader::end_of_string(std::size_t at) const {
  const char* const begin = bytes_.data() + ++at;
  if (at > bytes_.size()) return npos;
  // Most strings have no escapes.
  const void* const quote = std::memchr(begin, '"', bytes_.size() - at);
  if (quote == nullptr) return npos;
  const auto length = static_cast<std::size_t>(static_cast<const char*>(quote) - begin);
  if (std::memchr(begin, '\\', length) == nullptr) return at + length + 1;
  for (; at < bytes_.size(); ++at) {
    if (bytes_[at] == '"') return at + 1;
    if (bytes_[at] == '\\') ++at;
  }
  return npos;
}

std::size_t JsonReader::end_of_scalar(std::size_t at) const {
  if (at >= bytes_.size() || !starts_scalar(bytes_[at])) return npos;
  while (at < bytes_.size() && continues_scalar(bytes_[at])) ++at;
  return at;
}

// Brackets are remembered in the bits of one word, which is what bounds the depth.
std::size_t JsonReader::end_of_value(std::size_t at) {
  static_assert(kMaxDepth == 64);
  std::uint64_t objects = 0;
  unsigned depth = 0;
  do {
    const std::uint8_t passed = depth > 0 ? kBlank | kSeparator : kBlank;
    while (at < bytes_.size() && (kBetween[static_cast<unsigned char>(bytes_[at])] & passed) != 0) ++at;
    const char c = at < bytes_.size() ? bytes_[at] : '\0';
    if (c == '[' || c == '{') {
      if (depth == kMaxDepth) return fail(at), npos;
      objects = objects << 1 | (c == '{' ? 1 : 0);
      ++depth;
      ++at;
    } else if (c == ']' || c == '}') {
      if (depth == 0 || (objects & 1) != (c == '}' ? 1u : 0u)) return fail(at), npos;
      objects >>= 1;
      --depth;
      ++at;
    } else {
      const std::size_t end = c == '"' ? end_of_string(at) : end_of_scalar(at);
      if (end == npos) return fail(at), npos;
      at = end;
    }
  } while (depth > 0);
  return at;
}

}  // namespace dvrtrace
