#include "collectors/failed_command.h"

#include <algorithm>
#include <array>

#include "collectors/ovs_lines.h"
#include "src/base/source.h"
#include "src/base/text.h"

namespace dvrtrace {

namespace {

// The message of a failure is short; only help texts are longer.
constexpr std::size_t kLongestFailure = 16384, kMostLines = 8;

constexpr std::array<std::string_view, 8> kPrograms = {
    "ovs-ofctl: ",    "ovs-vsctl: ", "ovs-appctl: ", "ovs-dpctl: ",
    "ovsdb-client: ", "timeout: ",   "[timeout]",    "Error: "};
// clang-format off
constexpr std::array<std::string_view, 27> kPhrases = {
    "No such file or directory", "command not found", "Permission denied", "Operation not permitted",
    "Connection refused", "Cannot open network namespace", "setting the network namespace",
    "RTNETLINK answers", "Cannot open netlink socket", "Cannot send dump request", "Invalid argument",
    "Cannot find device", "does not exist.", "can't initialize", "Could not fetch rule set",
    "failed to connect", "connection failed", "version negotiation failed", "server returned an error",
    "is not a valid command", "no such bridge", "no such bond", "no bridge named", "timed out",
    "Operation failed", "Kernel error received", "executable file not found"};
// clang-format on
constexpr std::array<std::string_view, 5> kHelp = {"Usage:", "usage:", "is unknown, try",
                                                   "unrecognized option", "Unknown option"};

template <class List>
bool holds(const List& phrases, std::string_view line) {
  return std::ranges::any_of(
      phrases, [&](std::string_view phrase) { return line.find(phrase) != std::string_view::npos; });
}

bool starts_failure(std::string_view line) {
  return std::ranges::any_of(kPrograms,
                             [&](std::string_view program) { return line.starts_with(program); }) ||
         (line.starts_with("exec of ") && line.find(" failed") != std::string_view::npos) ||
         holds(kPhrases, line);
}

// JSON, XML, iptables-save and saved scripts may hold any phrase, and never start a message.
bool starts_dump(char first) { return std::string_view("[{<#*:").find(first) != std::string_view::npos; }

}  // namespace

std::optional<std::string_view> failed_command(std::string_view text) {
  if (text.size() > kLongestFailure) return std::nullopt;
  std::string_view log, first;
  std::size_t lines = 0;
  for (const Span span : lines_of(text)) {
    const std::string_view line = trim(text.substr(span.begin, span.end - span.begin));
    if (line.empty()) continue;
    if (is_ovs_log_line(line)) {
      log = line;
      continue;
    }
    if (lines++ == 0) first = line;
  }
  if (lines == 0) return log.empty() ? std::nullopt : std::optional(log);
  if (first.starts_with("[timeout]")) return first;
  if (starts_dump(first.front())) return std::nullopt;
  if (holds(kHelp, first) || (lines <= kMostLines && starts_failure(first))) return first;
  // ovs-appctl prints the switch's answer first, and then that it was an error.
  const std::size_t last = text.find("\novs-appctl: ");
  if (last != std::string_view::npos && lines <= kMostLines) return first;
  return std::nullopt;
}

bool is_binary(std::string_view text) {
  constexpr std::size_t kSample = 65536;
  const std::string_view sample = text.substr(0, kSample);
  if (sample.find('\0') == std::string_view::npos) return false;
  const auto nuls = static_cast<std::size_t>(std::ranges::count(sample, '\0'));
  return nuls * 32 >= sample.size();
}

}  // namespace dvrtrace
