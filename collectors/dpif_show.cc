#include "collectors/dpif_show.h"

#include "collectors/ofctl_show.h"
#include "collectors/ovs_lines.h"
#include "collectors/words.h"
#include "src/base/text.h"

namespace dvrtrace {

namespace {

constexpr auto npos = std::string_view::npos;
constexpr std::string_view kHint = "the ports of the bridges are incomplete";

// "patch: peer=patch-tun, x=y" between the parentheses of a port line.
void read_type(std::string_view text, DpifPort& port) {
  port.type = trim(take_until(text, ':'));
  while (!trim(text).empty()) {
    std::string_view option = trim(take_until(text, ','));
    const std::string_view key = take_until(option, '=');
    port.options.insert_or_assign(std::string(key), std::string(option));
  }
}

// "qr-0123 7/12: (internal)". A name may hold blanks.
std::optional<DpifPort> read_port(std::string_view text) {
  const std::size_t colon = text.find(": (");
  if (colon == npos || !text.ends_with(')')) return std::nullopt;
  std::string_view front = text.substr(0, colon);
  const std::size_t blank = front.rfind(' ');
  if (blank == npos) return std::nullopt;
  std::string_view numbers = front.substr(blank + 1);
  const auto ofport = parse_ofport(take_until(numbers, '/'));
  if (!ofport) return std::nullopt;
  DpifPort port;
  port.name = trim(front.substr(0, blank));
  port.ofport = *ofport;
  port.datapath_port = number<std::uint32_t>(numbers);
  if (!port.datapath_port && numbers != "none") return std::nullopt;
  read_type(text.substr(colon + 3, text.size() - colon - 4), port);
  return port;
}

// "br-int:", before 2.4 "br-int: hit:7 missed:1". A datapath, "system@ovs-system: hit:7 missed:1", is none.
std::optional<std::string_view> heads_bridge(std::string_view text) {
  const std::size_t statistics = text.find(": hit:");
  if (statistics == npos && !text.ends_with(':')) return std::nullopt;
  const std::string_view name = text.substr(0, statistics == npos ? text.size() - 1 : statistics);
  if (name.empty() || name.find_first_of("@: ") != npos) return std::nullopt;
  return name;
}

bool is_statistics(std::string_view text) {
  return text.find(" hit:") != npos || text.starts_with("flows:") || text.starts_with("overall avg:") ||
         text.starts_with("hourly avg:") || text.starts_with("daily avg:");
}

// A line of a command's own complaint; no bridge or port is named like this.
bool is_complaint(std::string_view text) { return text.find(": ") != npos; }

}  // namespace

std::vector<DpifPort> read_dpif_show(const SourceText& text, ReadLog& log) {
  std::vector<DpifPort> ports;
  std::string bridge;
  for (const Span line : lines_of(text.bytes)) {
    const std::string_view row = trim(text.at(line));
    if (const auto name = heads_bridge(row)) {
      bridge = *name;
      log.lines.count(LineState::Modelled);
    } else if (row.empty() || is_statistics(row) || is_ovs_log_line(row)) {
      log.lines.count(LineState::Ignored);
    } else if (auto port = read_port(row)) {
      port->bridge = bridge;
      ports.push_back(std::move(*port));
      log.lines.count(LineState::Modelled);
    } else {
      log.lines.count(report_fault(text, line, "a port 'NAME OFPORT/PORT: (TYPE)'", kHint, log));
    }
  }
  return ports;
}

std::vector<std::string> read_name_list(const SourceText& text, ReadLog& log) {
  std::vector<std::string> names;
  for (const Span line : lines_of(text.bytes)) {
    const std::string_view row = trim(text.at(line));
    if (row.empty() || is_ovs_log_line(row)) {
      log.lines.count(LineState::Ignored);
    } else if (is_complaint(row)) {
      log.lines.count(report_fault(text, line, "a name", "the list of names is incomplete", log));
    } else {
      names.emplace_back(row);
      log.lines.count(LineState::Modelled);
    }
  }
  return names;
}

}  // namespace dvrtrace
