#include "src/report/finding_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "src/base/text.h"
#include "src/report/words.h"

namespace dvrtrace {
Paint paint_of(Severity severity) {
  switch (severity) {
    case Severity::Error:
      return Paint::Bad;
    case Severity::Warning:
      return Paint::Doubtful;
    case Severity::Note:
      return Paint::Faint;
  }
  return Paint::Plain;
}

std::string place_of(const Finding& finding) {
  if (finding.place_kind == "namespace") return finding.place.empty() ? "root namespace" : finding.place;
  return finding.table ? fmt::format("{} table {}", finding.place, finding.table->value) : finding.place;
}

namespace {}  // namespace

void write_finding(const Finding& finding, const Sources& sources, Page& page, bool full) {
  constexpr std::size_t kIndent = 2, kHanging = 12;
  page.line(
      0,
      Pieces{{paint_of(finding.severity), std::string(name(finding.severity))},
             {Paint::Strong, "  " + finding.code},
             {Paint::Place, fmt::format("  {}  {}", printable(finding.host), printable(place_of(finding)))}},
      8);
  const auto row = [&](std::string_view what, const std::string& text) {
    if (!text.empty())
      page.line(kIndent, Pieces{{Paint::Faint, fmt::format("{:<10}", what)}, {Paint::Plain, printable(text)}},
                kHanging);
  };
  if (finding.expected.empty() && finding.found.empty()) row(finding.object_kind, finding.object);
  if (!finding.expected.empty() || full) row("expected", finding.expected);
  if (!finding.found.empty()) row("found", finding.found);
  row("why", finding.cause);
  row("here", finding.explains);
  row("affects", fmt::format("{}", fmt::join(finding.affects, ", ")));
  for (const std::string_view command : split(finding.repair, '\n')) {
    if (!command.empty())
      page.unwrapped(kIndent, {Paint::Plain, fmt::format("{:<10}{}", "repair", printable(command))});
  }
  if (finding.at.known()) {
    const Location where = sources.locate(finding.at);
    page.unwrapped(kIndent, {Paint::Faint, finding.at.span.end == 0
                                               ? printable(where.file)
                                               : fmt::format("{}:{}", printable(where.file), where.line)});
  }
}

std::string print_text(const CheckReport& report, const Sources& sources, const Style& style, bool all) {
  Page page(style);
  const auto count = [&](Severity severity) {
    return static_cast<std::size_t>(std::ranges::count(report.findings, severity, &Finding::severity));
  };
  const std::size_t errors = count(Severity::Error), warnings = count(Severity::Warning),
                    notes = count(Severity::Note);
  const bool clean = errors + warnings == 0;
  page.line(0, Pieces{{clean ? Paint::Good : Paint::Bad, clean ? "nothing found" : counted(errors, "error")},
                      {Paint::Plain, clean ? "" : fmt::format(", {}", counted(warnings, "warning"))},
                      {Paint::Faint,
                       notes == 0 ? "" : fmt::format(", {}{}", counted(notes, "note"), all ? "" : " (-v)")}});
  if (!report.release.empty())
    page.line(0, Pieces{{Paint::Faint, "compared with Neutron " + report.release}});
  if (!report.neutron) {
    page.line(0, Pieces{{Paint::Doubtful, "without Neutron's objects (--neutron)"},
                        {Paint::Plain, ": what should be there is derived from the dumps themselves"}});
  }
  for (const Finding& finding : report.findings) {
    if (finding.severity == Severity::Note && !all) continue;
    page.blank();
    write_finding(finding, sources, page, true);
  }
  if (clean) {
    page.blank();
    page.line(0,
              "What no dump shows is left: the wires between the hosts, and what the guests do themselves.");
  }
  if (!report.caveats.empty() && (all || !report.neutron)) {
    page.blank();
    page.line(0, Pieces{{Paint::Strong, "not judged"}});
    for (const Caveat& caveat : report.caveats) {
      page.line(2,
                Pieces{{Paint::Doubtful,
                        printable(caveat.host.empty() ? caveat.code : caveat.host + " " + caveat.code)},
                       {Paint::Plain, "  " + printable(caveat.text)}},
                6);
    }
  }
  return page.text();
}

}  // namespace dvrtrace
