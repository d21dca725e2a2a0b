#include "collectors/bug_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "collectors/dump_name.h"
#include "src/base/text.h"

namespace dvrtrace {

namespace {

struct Label {
  std::string_view file;
  std::string_view path;  // "" for a file with sections
};
constexpr std::array<Label, 11> kLabels{{
    {"ovs-ofctl-dump-flows.out", ""},
    {"ovs-ofctl-show.out", ""},
    {"ovs-ofctl-dump-groups.out", ""},
    {"ovs-appctl-fdb-show.out", ""},
    {"ovs-appctl-dpif.out", ""},
    {"ovs-vsctl-show.out", "sos_commands/openvswitch/ovs-vsctl_show"},
    {"ovs-appctl-bond-show.out", "sos_commands/openvswitch/ovs-appctl_bond.show"},
    {"ovs-appctl-conntrack-dump.out", "sos_commands/openvswitch/ovs-appctl_dpctl.dump-conntrack"},
    {"route-n.out", "sos_commands/networking/route_-n"},
    {"arp-n.out", "sos_commands/networking/arp_-n"},
    {"sysctl-A.out", "sos_commands/networking/sysctl_-a"},
}};

// Written by ovs-bugtool in place of what a command did not print in its time.
constexpr std::string_view kTimeout = "** timeout **";

// The path for the output of a command in the line in front of it; "" for one that is not read.
std::string path_of(std::string_view line) {
  const std::vector<std::string_view> words = words_of(line);
  if (words.size() < 2) return {};
  std::string version;
  std::string_view bridge;
  for (std::size_t i = 2; i < words.size(); ++i) {
    std::string_view word = words[i];
    if (consume(word, "-O"))
      version = fmt::format("_-O_{}", word.substr(0, word.find_first_of("\",")));
    else if (bridge.empty())
      bridge = word;
  }
  const std::string_view command = words[1];
  const std::string file = "sos_commands/openvswitch/";
  if (words[0] == "ovs-ofctl" && !bridge.empty() &&
      (command == "dump-flows" || command == "show" || command == "dump-groups"))
    return fmt::format("{}ovs-ofctl{}_{}_{}", file, version, command, mangled(bridge));
  if (words[0] == "ovs-appctl" && command == "fdb/show" && !bridge.empty())
    return fmt::format("{}ovs-appctl_fdb.show_{}", file, mangled(bridge));
  if (words[0] == "ovs-appctl" && command == "dpif/show") return file + "ovs-appctl_dpif.show";
  return {};
}

bool is_head(std::string_view line) {
  return line.starts_with("ovs-ofctl ") || line.starts_with("ovs-appctl ");
}

std::vector<BugReportPart> sections_of(std::string_view text) {
  std::vector<BugReportPart> all;
  std::string path;
  std::uint32_t begin = 0;
  const auto end = [&](std::size_t at) {
    if (path.empty()) return;
    const Span section{begin, static_cast<std::uint32_t>(at)};
    const bool whole = text.substr(begin, at - begin).find(kTimeout) == std::string_view::npos;
    const auto known = std::ranges::find(all, path, &BugReportPart::path);
    if (known == all.end())
      all.push_back({path, section});
    else if (whole)
      known->section = section;
  };
  for (const Span line : lines_of(text)) {
    const std::string_view words = text.substr(line.begin, line.end - line.begin);
    if (!is_head(words)) continue;
    end(line.begin);
    path = path_of(words);
    begin = static_cast<std::uint32_t>(std::min(text.size(), text.find('\n', line.begin)));
    if (begin < text.size()) ++begin;
  }
  end(std::min<std::size_t>(text.size(), Sources::kMaxBytes));
  return all;
}

}  // namespace

bool is_bug_report_label(std::string_view file) {
  return std::ranges::find(kLabels, file, &Label::file) != kLabels.end();
}

std::vector<BugReportPart> parts_of_bug_report(std::string_view file, std::string_view text) {
  const auto label = std::ranges::find(kLabels, file, &Label::file);
  if (label == kLabels.end()) return {};
  if (!label->path.empty()) return {{std::string(label->path), std::nullopt}};
  return sections_of(text.substr(0, Sources::kMaxBytes));
}

std::string host_of_bug_report(std::string_view inventory) {
  constexpr std::string_view kAttribute = " hostname=\"";
  const std::size_t at = inventory.find(kAttribute);
  if (at == std::string_view::npos) return {};
  inventory.remove_prefix(at + kAttribute.size());
  return std::string(inventory.substr(0, std::min<std::size_t>(inventory.find('"'), 255)));
}

SharedText section_alone(const SharedText& text, const Span& section) {
  return std::make_shared<const std::string>(text->substr(section.begin, section.end - section.begin));
}

std::string section_in_place(std::string_view text, const Span& section) {
  const auto before = static_cast<std::size_t>(std::ranges::count(text.substr(0, section.begin), '\n'));
  std::string placed(before, '\n');
  placed += text.substr(section.begin, section.end - section.begin);
  return placed;
}

}  // namespace dvrtrace
