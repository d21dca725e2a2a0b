#include "collectors/bundle/database_log.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>

#include "src/base/source.h"
#include "src/base/text.h"

namespace dvrtrace::redact {

namespace {

std::string sha1(std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  if (EVP_Digest(text.data(), text.size(), digest.data(), &length, EVP_sha1(), nullptr) != 1) return {};
  std::string hex;
  for (unsigned i = 0; i < length; ++i) hex += fmt::format("{:02x}", digest[i]);
  return hex;
}

// A line and its end, from an offset on; none at the end of the text.
std::string_view line_at(std::string_view text, std::size_t at) {
  const std::size_t end = text.find('\n', at);
  return text.substr(std::min(at, text.size()), end == std::string_view::npos ? end : end + 1 - at);
}

std::string sums_of(std::string_view record) { return fmt::format("{} {}", record.size(), sha1(record)); }

// "OVSDB JSON " of a record's head, before its length.
std::string_view kind_of(std::string_view head) {
  if (!head.starts_with("OVSDB ")) return {};
  const std::size_t blank = head.find(' ', 6);
  return blank == std::string_view::npos ? std::string_view{} : head.substr(0, blank + 1);
}

}  // namespace

std::string with_right_sums(std::string_view original, std::string_view replaced) {
  std::string text;
  text.reserve(replaced.size());
  std::size_t before = 0, now = 0;
  while (now < replaced.size()) {
    const std::string_view old_head = line_at(original, before), head = line_at(replaced, now);
    before += old_head.size();
    now += head.size();
    const std::string_view kind = kind_of(old_head);
    const std::string_view old_record = line_at(original, before), record = line_at(replaced, now);
    const bool was_right = !kind.empty() && trim(old_head.substr(kind.size())) == sums_of(old_record);
    if (was_right)
      text += fmt::format("{}{}\n", kind, sums_of(record));
    else
      text += head;
    if (kind.empty()) continue;
    text += record;
    before += old_record.size();
    now += record.size();
  }
  return text;
}

}  // namespace dvrtrace::redact
