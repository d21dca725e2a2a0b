#include "collectors/sysctl.h"

#include <algorithm>

#include "collectors/words.h"
#include "src/base/text.h"

namespace dvrtrace {
namespace {

constexpr std::string_view kHint = "the settings are incomplete: what depends on this one ends unknown";

// A key that could not be read is as good as one that was not asked for.
bool is_complaint(std::string_view line) {
  if (!consume(line, "sysctl: ")) return false;
  return line.starts_with("permission denied on key") || line.starts_with("reading key") ||
         line.starts_with("unable to open directory");
}

struct Setting {
  std::string_view key, value;
};

// "net.ipv4.ip_forward = 1", "net.ipv4.ip_forward=1"
std::optional<Setting> read_setting(std::string_view line) {
  const std::size_t equals = line.find('=');
  if (equals == std::string_view::npos) return std::nullopt;
  const Setting setting{trim(line.substr(0, equals)), trim(line.substr(equals + 1))};
  const bool one_word = std::ranges::none_of(setting.key, is_blank);
  const bool path = std::ranges::any_of(setting.key, [](char c) { return c == '.' || c == '/'; });
  return one_word && path ? std::optional(setting) : std::nullopt;
}

// A value may be empty, but not where the text breaks off.
bool breaks_off(const SourceText& text, Span line, const Setting& setting) {
  return setting.value.empty() && line.end == text.bytes.size();
}

LineState read_line(const SourceText& text, Span line, kernel::Sysctls& sysctls, ReadLog& log) {
  const std::string_view bytes = text.at(line);
  if (trim(bytes).empty() || is_complaint(bytes)) return LineState::Ignored;
  const auto setting = read_setting(bytes);
  if (!setting || breaks_off(text, line, *setting))
    return report_fault(text, line, "'key = value'", kHint, log);
  // sysctl sorts its keys.
  sysctls.insert_or_assign(sysctls.end(), std::string(setting->key),
                           Sourced<std::string>{std::string(setting->value), text.provenance(line)});
  return LineState::Modelled;
}

}  // namespace

kernel::Sysctls read_sysctl(const SourceText& text, ReadLog& log) {
  kernel::Sysctls sysctls;
  for (const Span line : lines_of(text.bytes)) log.lines.count(read_line(text, line, sysctls, log));
  return sysctls;
}

}  // namespace dvrtrace
