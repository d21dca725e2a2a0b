// Bug reports: any bytes give parts, each within the file and each path once; a section in its place keeps its lines.
#include <algorithm>
#include <set>
#include <string>
#include <string_view>

#include "collectors/bug_report.h"
#include "collectors/dump_name.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace dvrtrace;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const std::string_view file : {"ovs-ofctl-dump-flows.out", "ovs-appctl-dpif.out", "ovs-vsctl-show.out", "other"}) {
    std::set<std::string> paths;
    for (const BugReportPart& part : parts_of_bug_report(file, text)) {
      if (!paths.insert(part.path).second || part.path.find("..") == 0) __builtin_trap();
      if (classify(part.path).kind <= FileKind::Ignored) __builtin_trap();
      if (!part.section) continue;
      const Span section = *part.section;
      if (section.begin > section.end || section.end > size) __builtin_trap();
      if (section.begin != 0 && section.begin != size && text[section.begin - 1] != '\n') __builtin_trap();
      const auto lines = std::ranges::count(text.substr(0, section.end), '\n');
      if (std::ranges::count(section_in_place(text, section), '\n') != lines) __builtin_trap();
    }
  }
  if (host_of_bug_report(text).size() > 255) __builtin_trap();
  return 0;
}
