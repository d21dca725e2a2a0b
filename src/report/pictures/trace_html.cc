#include "src/report/pictures/trace_html.h"

#include <fmt/format.h>

#include <algorithm>

#include "src/base/text.h"
#include "src/report/header_fields.h"
#include "src/report/pictures/drawing.h"
#include "src/report/pictures/finding_html.h"
#include "src/report/pictures/html_page.h"
#include "src/report/step_text.h"
#include "src/report/trace_text.h"
#include "src/report/trace_view.h"
#include "src/report/words.h"

namespace dvrtrace {
namespace {

constexpr std::string_view kArrow = "→";
constexpr Style kStyle{false, true, 0};

Markup badge(Verdict verdict) {
  return element("span", {{"class", fmt::format("badge {}", class_of(paint_of(verdict)))}},
                 html_text(fmt::format("{} {}", sign_of(verdict, true), name(verdict))));
}

Markup span(std::string_view kind, std::string_view text) {
  return element("span", {{"class", std::string(kind)}}, html_text(text));
}

// "br-int:46" of "hosts/cmp1/sos_commands/openvswitch/ovs-ofctl_dump-flows_br-int", line 46.
std::string cited(const Provenance& at, const Sources& sources) {
  const Location where = sources.locate(at);
  const std::size_t slash = where.file.rfind('/');
  return fmt::format("{}:{}", slash == std::string_view::npos ? where.file : where.file.substr(slash + 1),
                     where.line);
}

// Writes the hops of one direction.
class Writer {
 public:
  Writer(const Direction& direction, const JsonContext& context, const Glossary& glossary)
      : direction_(direction),
        context_(context),
        glossary_(glossary),
        on_path_(hops_on_path(direction)),
        numbers_(number_hops(direction, on_path_)),
        next_(next_hops(direction, on_path_)),
        faulty_(faulty_hops(direction, context.findings)) {}

  Markup write() const {
    Markup all = draw_picture(picture_of(direction_, context_.findings, glossary_));
    for (std::size_t i = 0; i < direction_.hops.size(); ++i) {
      if (on_path_[i]) all += hop(i);
    }
    if (!numbers_.copies.empty()) {
      Markup copies;
      for (const std::size_t i : numbers_.copies) copies += hop(i);
      all +=
          html_details({"", "list", false, false},
                       html_text(fmt::format("copies of floods, beside the way: {} hop{}; 2.1 is the first "
                                             "made in hop 2, 2.1/2 where that goes on",
                                             numbers_.copies.size(), numbers_.copies.size() == 1 ? "" : "s")),
                       copies);
    }
    all += crossings();
    return all;
  }

 private:
  Markup hop(std::size_t i) const {
    const Hop& hop = direction_.hops[i];
    const Stopped* stopped = stop_of(hop);
    Markup summary = span("number", numbers_.labels[i]);
    if (!hop.place.host.empty()) summary += span("host", hop.place.host);
    summary += span("place", place_text(hop.place, glossary_));
    if (const std::string way = devices(i); !way.empty()) summary += span("devices", way);
    const std::vector<HeaderRow> rows = header_rows(direction_, i, next_[i], glossary_, kArrow);
    if (const std::string changes = changes_text(rows); !changes.empty())
      summary += span("changed", "Δ " + changes);
    if (stopped != nullptr) summary += badge(stopped->verdict);
    if (faulty_[i]) summary += span("badge doubtful", "! found wrong");
    if (hop.origin != Origin::Observed)
      summary += span("badge doubtful", hop.origin == Origin::Assumed ? "~ assumed" : "~ from the reference");
    Markup body = element("p", {{"class", "arrived"}},
                          html_text(packet_text(hop.arrived, kArrow) + "; " +
                                    frame_text(hop.arrived, kArrow, hop.place, glossary_)));
    body += steps(hop);
    body += headers(rows, next_[i] == i);
    // What one asks for is where it ended, unless it arrived.
    const bool open = on_path_[i] && stopped != nullptr && !arrives(stopped->verdict);
    return html_details({hop_id(direction_, numbers_.labels[i]), "hop entry", open, on_path_[i]}, summary,
                        body);
  }

  std::string devices(std::size_t i) const {
    const Hop& hop = direction_.hops[i];
    std::string text = hop.in ? device_text(*hop.in, glossary_, true) : "";
    if (const Device* out = way_out(direction_, i))
      text += fmt::format("{}{} {}", text.empty() ? "" : " ", kArrow, device_text(*out, glossary_, true));
    return text;
  }

  // What only leads on is folded away, so that what decided can be seen; the flows that a packet nearly met
  // are not.
  Markup steps(const Hop& hop) const {
    Markup all;
    for (std::size_t i = 0; i < hop.steps.size();) {
      const auto folded = [&](std::size_t at) {
        return at < hop.steps.size() && only_in_full(hop.steps[at]) &&
               !std::holds_alternative<Noted>(hop.steps[at]);
      };
      std::size_t end = i;
      Markup minor;
      while (folded(end)) minor += step(hop.steps[end++], hop.place);
      if (end == i) {
        all += step(hop.steps[i++], hop.place);
        continue;
      }
      const std::size_t count = end - i;
      all += element("li", {{"class", "step minor"}},
                     html_details({"", "", false, false},
                                  html_text(fmt::format("{} step{} that only lead{} on", count,
                                                        count == 1 ? "" : "s", count == 1 ? "s" : "")),
                                  element("ol", {{"class", "steps"}}, minor)));
      i = end;
    }
    return all.empty() ? Markup() : element("ol", {{"class", "steps"}}, all);
  }

  Markup step(const Step& step, const Place& place) const {
    Markup text = html_pieces(step_pieces(step, place, Detail::Full, kStyle, glossary_));
    const std::string kind = std::holds_alternative<Stopped>(step) ? "step ends" : "step";
    const Provenance at = evidence_of(step);
    if (!at.known()) return element("li", {{"class", kind}}, element("div", {{"class", "fact"}}, text));
    text += element("cite", {}, html_text(cited(at, context_.sources)));
    return element("li", {{"class", kind}}, html_details({}, text, html_evidence(at, context_.sources)));
  }

  static Markup headers(const std::vector<HeaderRow>& rows, bool ends) {
    HtmlTable table{ends ? "headers as the packet arrived" : "headers; Δ what the next hop gets changed",
                    {"header", "as it arrived"},
                    {},
                    ends ? "headers" : "headers deltas"};
    if (!ends) table.heads.emplace_back("as the next hop gets it");
    for (const HeaderRow& row : rows) {
      table.rows.push_back({{fmt::format("{}{}", row.changed ? "Δ " : "", row.name)}, {row.before}});
      if (!ends) table.rows.back().push_back({row.after, row.changed ? Paint::Changed : Paint::Plain});
    }
    return html_table(table);
  }

  Markup crossings() const {
    if (direction_.crossings.empty()) return {};
    HtmlTable table{"in the order in which the packet passes",
                    {"host", "namespace", "device", "packet there"},
                    {},
                    "headers"};
    for (const Crossing& crossing : direction_.crossings) {
      std::string packet = packet_text(crossing.packet, kArrow);
      if (crossing.packet.vlan) packet += fmt::format(", VLAN {}", *crossing.packet.vlan);
      if (crossing.packet.encapsulation)
        packet += ", inside " + tunnel_text(*crossing.packet.encapsulation, kArrow, glossary_);
      if (!crossing.on_path) packet += " (a copy, beside the way)";
      table.rows.push_back({{crossing.host},
                            {crossing.netns.empty() ? "root" : crossing.netns},
                            {crossing.device},
                            {std::move(packet)}});
    }
    return html_details(
        {"", "list entry", false, false},
        html_text(fmt::format("where it can be captured: {} crossing{}", direction_.crossings.size(),
                              direction_.crossings.size() == 1 ? "" : "s")),
        html_table(table));
  }

  const Direction& direction_;
  const JsonContext& context_;
  const Glossary& glossary_;
  std::vector<bool> on_path_;
  HopNumbers numbers_;
  std::vector<std::size_t> next_;
  std::vector<bool> faulty_;
};

Markup question_markup(const Question& question) {
  Markup rows;
  const auto add = [&](const char* what, const std::string& text) {
    rows += element("dt", {}, html_text(what));
    rows += element("dd", {}, html_text(text));
  };
  add("from", endpoint_text(question.from));
  add("to", endpoint_text(question.to));
  add("packet", asked_text(question));
  return element("dl", {{"class", "asked"}}, rows);
}

std::string plain(const Pieces& pieces) {
  std::string text;
  for (const Piece& piece : pieces) text += piece.text;
  return text;
}

}  // namespace

std::string print_html(const Trace& trace, const JsonContext& context, const Glossary& glossary) {
  HtmlPage page;
  const Pieces verdict = verdict_pieces(trace, glossary);
  page.title = plain(verdict) + " - dvrtrace";
  // The verdict as a badge, then the sentence behind its colon.
  Markup title = badge(trace.verdict);
  std::string sentence = plain({verdict.begin() + 1, verdict.end()});
  if (sentence.starts_with(": ")) sentence.erase(0, 2);
  title += html_text(" " + sentence);
  page.heading = element("h1", {}, title);
  page.heading += question_markup(trace.question);

  page.sections.push_back({"findings", arrives(trace.verdict) ? "Wrong on the way" : "Why",
                           html_findings(context.findings, context.sources)});
  Markup needs;
  for (const std::string& need : needs_of(trace))
    needs += element("li", {}, element("code", {}, html_text(need)));
  if (!needs.empty()) page.sections.push_back({"needs", "What would settle it", element("ul", {}, needs)});
  for (const Direction& direction : trace.directions)
    page.sections.push_back({direction.name, plain(direction_pieces(direction, glossary)),
                             Writer(direction, context, glossary).write()});
  Markup assumed;
  for (const Assumption& assumption : trace.assumptions) {
    Markup item = element("code", {}, html_text(assumption.code));
    item += html_text("  " + assumption.text);
    assumed += element("li", {{"class", "entry"}}, item);
  }
  if (!assumed.empty()) page.sections.push_back({"assumptions", "Assumed", element("ul", {}, assumed)});
  add_provenance(context, page);
  return print_html(page);
}

}  // namespace dvrtrace
