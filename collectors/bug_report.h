// Bug report: the archive that Open vSwitch's own ovs-bugtool makes of a host, read under the names of a sos
// report.
//
// Its folder, bug-report-TIME, holds inventory.xml with the host's name, copies of files under their own
// paths (etc/openvswitch/conf.db), and outputs named for a label: "ovs-ofctl-dump-flows.out". Some of those
// are of one command after the other, for each bridge, a line "ovs-ofctl dump-flows BR" in front of each; a
// few commands are run twice, and then the later output counts. Nothing is in it of namespaces: that is
// missing, not empty.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/source.h"

namespace dvrtrace {

// Whether a folder with these two kinds of files at its top is one: is_inventory and is_label, by their
// names.
inline constexpr std::string_view kBugReportInventory = "inventory.xml";
bool is_bug_report_label(std::string_view file);

struct BugReportPart {
  std::string path;             // as in a sos report: "sos_commands/openvswitch/ovs-ofctl_dump-flows_br-int"
  std::optional<Span> section;  // none: the whole file
};

// What a file with a label holds, each path once. Total: any bytes give parts, none where nothing in it is
// known.
std::vector<BugReportPart> parts_of_bug_report(std::string_view file, std::string_view text);

// The name of the host; "" when the inventory does not say.
std::string host_of_bug_report(std::string_view inventory);

// A section alone.
SharedText section_alone(const SharedText& text, const Span& section);
// A section in its place: what is in front of it are empty lines, as many as there were, so that its lines
// keep their numbers.
std::string section_in_place(std::string_view text, const Span& section);

}  // namespace dvrtrace
