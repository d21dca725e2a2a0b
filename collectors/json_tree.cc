#include "collectors/json_tree.h"

#include <array>
#include <cmath>
#include <cstdlib>
#include <optional>

#include "collectors/json_reader.h"
#include "src/base/text.h"
#include "src/base/utf8.h"

namespace dvrtrace {

namespace {

// Bytes of a string that stand for themselves: all but its end, escapes, controls and what is not ASCII.
constexpr std::array<bool, 256> plain_bytes() {
  std::array<bool, 256> plain{};
  for (unsigned code = 0x20; code < 0x80; ++code) plain[code] = code != '"' && code != '\\';
  return plain;
}
constexpr std::array<bool, 256> kPlain = plain_bytes();

bool is_surrogate(std::uint64_t code, std::uint64_t first) { return code >= first && code < first + 0x400; }

std::optional<std::uint64_t> code_of(const char* at, const char* end) {
  if (end - at < 6 || at[0] != '\\' || at[1] != 'u') return std::nullopt;
  return hex_number({at + 2, 4});
}

// The length of the escape at `at`; 0 when it is none. Half a surrogate pair is none.
std::size_t escape_length(const char* at, const char* end) {
  if (end - at < 2) return 0;
  if (at[1] != 'u') return std::string_view("\"\\/bfnrt").find(at[1]) == std::string_view::npos ? 0 : 2;
  const auto code = code_of(at, end);
  if (!code || is_surrogate(*code, 0xdc00)) return 0;
  if (!is_surrogate(*code, 0xd800)) return 6;
  const auto low = code_of(at + 6, end);
  return low && is_surrogate(*low, 0xdc00) ? 12 : 0;
}

}  // namespace

std::size_t JsonTree::read(std::string_view bytes, std::size_t at) {
  nodes_.clear();
  own_.clear();
  at_ = bytes.data() + at;
  end_ = bytes.data() + bytes.size();
  return value({}, 0) ? static_cast<std::size_t>(at_ - bytes.data()) : 0;
}

bool JsonTree::add(std::string text, JsonValue& added) {
  const std::string& kept = own_.emplace_back(std::move(text));
  const std::size_t before = nodes_.size();
  at_ = kept.data();
  end_ = kept.data() + kept.size();
  bool whole = value({}, 0);
  skip_blanks();
  whole = whole && at_ == end_;
  if (!whole) nodes_.resize(before);
  added = {this, static_cast<std::uint32_t>(before)};
  return whole;
}

JsonValue JsonTree::add_object(const std::vector<std::pair<std::string_view, std::string_view>>& members) {
  const auto first = static_cast<std::uint32_t>(nodes_.size());
  nodes_.push_back({Kind::Object, static_cast<std::uint32_t>(first + 1 + members.size()), {}, {}});
  for (const auto& [key, text] : members) {
    const auto end = static_cast<std::uint32_t>(nodes_.size() + 1);
    nodes_.push_back({Kind::Text, end, own_.emplace_back(key), own_.emplace_back(text)});
  }
  return {this, first};
}

void JsonTree::skip_blanks() {
  while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\t' || *at_ == '\r')) ++at_;
}

// The nodes of what is in a value follow its own.
bool JsonTree::value(std::string_view key, unsigned depth) {
  skip_blanks();
  if (at_ == end_) return false;
  const std::size_t place = nodes_.size();
  Node& node = nodes_.emplace_back();
  node.key = key;
  node.kind = Kind::Null;
  bool read = false;
  switch (*at_) {
    case '{':
    case '[':
      node.kind = *at_ == '{' ? Kind::Object : Kind::Array;
      if (depth == kMaxDepth) return false;
      read = *at_++ == '{' ? members(depth + 1) : elements(depth + 1);
      break;
    case '"':
      node.kind = Kind::Text;
      read = string(node.text);
      break;
    case 't':
      read = word("true", Kind::True);
      break;
    case 'f':
      read = word("false", Kind::False);
      break;
    case 'n':
      read = word("null", Kind::Null);
      break;
    default:
      node.kind = Kind::Number;
      read = number(node.text);
  }
  nodes_[place].end = static_cast<std::uint32_t>(nodes_.size());
  return read;
}

bool JsonTree::members(unsigned depth) {
  skip_blanks();
  if (at_ != end_ && *at_ == '}') return ++at_, true;
  while (true) {
    skip_blanks();
    std::string_view key;
    if (at_ == end_ || *at_ != '"' || !string(key)) return false;
    skip_blanks();
    if (at_ == end_ || *at_++ != ':' || !value(key, depth)) return false;
    skip_blanks();
    if (at_ == end_) return false;
    const char c = *at_++;
    if (c == '}') return true;
    if (c != ',') return false;
  }
}

bool JsonTree::elements(unsigned depth) {
  skip_blanks();
  if (at_ != end_ && *at_ == ']') return ++at_, true;
  while (true) {
    if (!value({}, depth)) return false;
    skip_blanks();
    if (at_ == end_) return false;
    const char c = *at_++;
    if (c == ']') return true;
    if (c != ',') return false;
  }
}

bool JsonTree::string(std::string_view& out) {
  const char* const begin = ++at_;
  bool escapes = false;
  for (;;) {
    while (at_ != end_ && kPlain[static_cast<unsigned char>(*at_)]) ++at_;
    if (at_ == end_) return false;
    if (*at_ == '"') break;
    const bool escape = *at_ == '\\';
    const std::size_t length = escape ? escape_length(at_, end_)
                               : static_cast<unsigned char>(*at_) < 0x20
                                   ? 0
                                   : utf8_length({at_, static_cast<std::size_t>(end_ - at_)});
    if (length == 0) return false;
    escapes = escapes || escape;
    at_ += length;
  }
  out = {begin, static_cast<std::size_t>(at_++ - begin)};
  if (escapes) out = own_.emplace_back(json_unescape(out));
  return true;
}

bool JsonTree::number(std::string_view& out) {
  const char* const begin = at_;
  const auto digits = [&] {
    const char* const first = at_;
    while (at_ != end_ && is_digit(*at_)) ++at_;
    return at_ != first;
  };
  const auto take = [&](char a, char b) {
    const bool there = at_ != end_ && (*at_ == a || *at_ == b);
    at_ += there ? 1 : 0;
    return there;
  };
  take('-', '-');
  if (!take('0', '0') && !digits()) return false;
  if (take('.', '.') && !digits()) return false;
  const bool exponent = take('e', 'E');
  if (exponent) {
    take('+', '-');
    if (!digits()) return false;
  }
  out = {begin, static_cast<std::size_t>(at_ - begin)};
  // A number that no double holds is none.
  constexpr std::size_t kMayBeTooLarge = 300;
  return (!exponent && out.size() < kMayBeTooLarge) ||
         std::isfinite(std::strtod(std::string(out).c_str(), nullptr));
}

bool JsonTree::word(std::string_view word, Kind kind) {
  if (!std::string_view(at_, static_cast<std::size_t>(end_ - at_)).starts_with(word)) return false;
  nodes_.back().kind = kind;
  nodes_.back().text = {at_, word.size()};
  at_ += word.size();
  return true;
}

}  // namespace dvrtrace
