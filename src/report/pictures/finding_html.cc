#include "src/report/pictures/finding_html.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "src/base/text.h"
#include "src/report/finding_text.h"
#include "src/report/words.h"

namespace dvrtrace {
namespace {

Markup entry(std::string_view what, const Markup& value) {
  if (value.empty()) return {};
  Markup row = element("dt", {}, html_text(what));
  row += element("dd", {}, value);
  return row;
}

Markup code(std::string_view text) { return text.empty() ? Markup() : element("code", {}, html_text(text)); }

// Several commands, a line each, ready to be copied.
Markup commands(std::string_view text) {
  Markup lines;
  bool first = true;
  for (const std::string_view line : split(text, '\n')) {
    if (line.empty()) continue;
    if (!first) lines += element("br");
    lines += html_text(line);
    first = false;
  }
  return first ? Markup() : element("pre", {}, element("code", {}, lines));
}

Markup finding_markup(const Finding& finding, const Sources& sources, bool open) {
  const Paint paint = paint_of(finding.severity);
  Markup summary = element("span", {{"class", fmt::format("badge {}", class_of(paint))}},
                           html_text(name(finding.severity)));
  summary += html_text(" ");
  summary += element("strong", {}, html_text(finding.code));
  summary += html_text("  ");
  summary += element("span", {{"class", "place"}}, html_text(finding.host + "  " + place_of(finding)));
  if (!finding.explains.empty()) summary += html_text("  " + finding.explains);
  Markup rows;
  if (finding.expected.empty() && finding.found.empty())
    rows += entry(finding.object_kind, code(finding.object));
  rows += entry("expected", code(finding.expected));
  rows += entry("found", code(finding.found));
  rows += entry("why", html_text(finding.cause));
  rows += entry("affects", html_text(fmt::format("{}", fmt::join(finding.affects, ", "))));
  rows += entry("repair", commands(finding.repair));
  rows += entry("evidence", html_evidence(finding.at, sources));
  std::string kind = "finding entry";
  if (paint == Paint::Bad || paint == Paint::Doubtful) kind += fmt::format(" {}-edge", class_of(paint));
  return html_details({"", kind, open, true}, summary, element("dl", {}, rows));
}

// By host, how many of each severity.
Markup overview(const std::vector<Finding>& findings) {
  std::map<std::string, std::array<std::size_t, 3>> hosts;
  for (const Finding& finding : findings) ++hosts[finding.host][static_cast<std::size_t>(finding.severity)];
  if (hosts.size() < 2) return {};
  HtmlTable table{"findings by host", {"host", "errors", "warnings", "notes"}, {}};
  const auto number = [](std::size_t count, Paint paint) {
    return count == 0 ? HtmlCell{"0", Paint::Faint} : HtmlCell{std::to_string(count), paint};
  };
  for (const auto& [host, counts] : hosts) {
    table.rows.push_back({{host.empty() ? "(the whole cloud)" : host},
                          number(counts[static_cast<std::size_t>(Severity::Error)], Paint::Bad),
                          number(counts[static_cast<std::size_t>(Severity::Warning)], Paint::Doubtful),
                          number(counts[static_cast<std::size_t>(Severity::Note)], Paint::Plain)});
  }
  return html_table(table);
}

}  // namespace

Markup html_findings(const std::vector<Finding>& findings, const Sources& sources) {
  Markup all;
  bool open = true;
  for (const Finding& finding : findings) {
    all += finding_markup(finding, sources, open);
    open = false;
  }
  return all;
}

std::string print_html(const CheckReport& report, const JsonContext& context) {
  std::vector<Finding> faults, notes;
  for (const Finding& finding : report.findings)
    (finding.severity == Severity::Note ? notes : faults).push_back(finding);
  const auto errors =
      static_cast<std::size_t>(std::ranges::count(faults, Severity::Error, &Finding::severity));
  const std::size_t warnings = faults.size() - errors;
  const bool clean = faults.empty();
  const std::string verdict =
      clean ? "nothing found" : fmt::format("{}, {}", counted(errors, "error"), counted(warnings, "warning"));

  HtmlPage page;
  page.title = fmt::format("check: {} - dvrtrace", verdict);
  Markup title = element("span", {{"class", clean ? "badge good" : "badge bad"}},
                         html_text(clean ? "✓ clean" : "✗ faults"));
  title += html_text(verdict + (notes.empty() ? "" : ", " + counted(notes.size(), "note")));
  page.heading = element("h1", {}, title);
  if (!report.release.empty())
    page.heading += element("p", {}, html_text("Compared with Neutron " + report.release + "."));
  if (!report.neutron) {
    page.heading += element("p", {{"class", "doubtful"}},
                            html_text("Without Neutron's objects (--neutron): what should be there is "
                                      "derived from the dumps themselves."));
  }
  if (clean)
    page.heading += element(
        "p", {},
        html_text(
            "What no dump shows is left: the wires between the hosts, and what the guests do themselves."));
  page.heading += overview(report.findings);
  page.sections.push_back({"findings", "Findings", html_findings(faults, context.sources)});
  if (!notes.empty()) {
    Markup all;
    for (const Finding& note : notes) all += finding_markup(note, context.sources, false);
    page.sections.push_back(
        {"notes", "Notes",
         html_details({"", "list", false, false}, html_text(counted(notes.size(), "note")), all)});
  }
  if (!report.caveats.empty()) {
    HtmlTable table{"", {"host", "code", "what"}, {}};
    for (const Caveat& caveat : report.caveats)
      table.rows.push_back({{caveat.host}, {caveat.code}, {caveat.text}});
    page.sections.push_back({"caveats", "Not judged", html_table(table)});
  }
  add_provenance(context, page);
  return print_html(page);
}

}  // namespace dvrtrace
