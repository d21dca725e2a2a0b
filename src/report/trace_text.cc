#include "src/report/trace_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "src/base/text.h"
#include "src/report/finding_text.h"
#include "src/report/trace_view.h"
#include "src/report/words.h"

namespace dvrtrace {
namespace {

std::string called(const EndpointName& end) {
  if (!end.name.empty()) return printable(end.name);
  if (end.ip) return to_string(*end.ip);
  return end.mac ? to_string(*end.mac) : "?";
}

// "br-int on cmp2"
std::string where(const Direction& direction, const Glossary& glossary) {
  if (!direction.stopped_at || *direction.stopped_at >= direction.hops.size()) return {};
  const Place& place = direction.hops[*direction.stopped_at].place;
  const std::string host = place.host.empty() ? "" : fmt::format(" on {}", printable(place.host));
  return place_text(place, glossary) + host;
}

const Direction* failing(const Trace& trace) {
  const auto found = std::ranges::find_if(trace.directions, [&](const Direction& d) {
    return !arrives(d.verdict) && d.verdict == trace.verdict && d.reason == trace.reason;
  });
  return found == trace.directions.end() ? nullptr : &*found;
}

}  // namespace

Pieces verdict_pieces(const Trace& trace, const Glossary& glossary) {
  const std::string from = called(trace.question.from), to = called(trace.question.to);
  std::string text;
  if (const Direction* stopped = failing(trace)) {
    const std::string_view how = trace.verdict == Verdict::Unknown ? "can be followed as far as" : "ends in";
    text = fmt::format(": {} to {}: the {} {} {}: {} ({})", from, to, printable(stopped->name), how,
                       where(*stopped, glossary), in_words(trace.reason), name(trace.reason));
  } else if (trace.directions.size() > 1) {
    text = fmt::format(": {} reaches {}, and the reply comes back ({})", from, to, name(trace.reason));
  } else if (trace.directions.size() == 1 && trace.directions[0].name == "reply") {
    text = fmt::format(": the reply of {} comes back to {} ({})", to, from, name(trace.reason));
  } else {
    text = fmt::format(": {} {} {} ({})", from, arrives(trace.verdict) ? "reaches" : "to", to,
                       name(trace.reason));
  }
  return {{paint_of(trace.verdict), std::string(name(trace.verdict))}, {Paint::Plain, std::move(text)}};
}

std::string endpoint_text(const EndpointName& end) {
  std::string text = called(end);
  if (end.ip && to_string(*end.ip) != text) text += "  " + to_string(*end.ip);
  if (end.mac) text += "  " + to_string(*end.mac);
  const auto add = [&](std::string_view what, const std::string& value) {
    if (!value.empty()) text += fmt::format("  {}{}{}", what, kGlue, printable(value));
  };
  add("network", end.network);
  add("on", end.host);
  add("port", end.port);
  return text;
}

std::string asked_text(const Question& question) {
  const Headers& packet = question.packet;
  std::string text = printable(question.protocol);
  if (packet.dst_port) text += fmt::format(" to port {}", *packet.dst_port);
  if (packet.src_port && *packet.src_port != 0) text += fmt::format(" from port {}", *packet.src_port);
  if (question.protocol == "icmp" &&
      (!packet.icmp_type || *packet.icmp_type == 8 || *packet.icmp_type == 128))
    text = "icmp echo request";
  if (packet.ttl != 0) text += fmt::format(", TTL {}", packet.ttl);
  return text;
}

Pieces direction_pieces(const Direction& direction, const Glossary& glossary) {
  const auto count = std::ranges::count(hops_on_path(direction), true);
  Pieces pieces{{Paint::Strong, printable(direction.name)},
                {Paint::Plain, ": "},
                {paint_of(direction.verdict), std::string(name(direction.verdict))},
                {Paint::Plain, fmt::format(" ({})", name(direction.reason))}};
  if (!arrives(direction.verdict)) {
    pieces.push_back(
        {Paint::Plain, fmt::format(" in {}: {}", where(direction, glossary), in_words(direction.reason))});
  } else {
    pieces.push_back({Paint::Plain, fmt::format(": {}", in_words(direction.reason))});
  }
  pieces.push_back({Paint::Faint, fmt::format(", {} hop{}", count, count == 1 ? "" : "s")});
  return pieces;
}

std::vector<std::string> needs_of(const Trace& trace) {
  std::vector<std::string> needs;
  for (const Direction& direction : trace.directions) {
    if (direction.verdict != Verdict::Unknown || !direction.stopped_at ||
        *direction.stopped_at >= direction.hops.size())
      continue;
    const Stopped* stopped = stop_of(direction.hops[*direction.stopped_at]);
    if (stopped == nullptr || stopped->needs.empty()) continue;
    const std::string text = printable(stopped->needs);
    if (std::ranges::find(needs, text) == needs.end()) needs.push_back(text);
  }
  return needs;
}

namespace {

// Writes one direction.
class Writer {
 public:
  Writer(const Direction& direction, const TextContext& context, Page& page)
      : direction_(direction),
        context_(context),
        page_(page),
        on_path_(hops_on_path(direction)),
        numbers_(number_hops(direction, on_path_)) {
    measure();
  }

  void write() {
    heading();
    for (std::size_t i = 0; i < direction_.hops.size(); ++i) {
      if (!on_path_[i]) continue;
      hop(i);
      if (context_.detail == Detail::Path) fold_copies(i);
    }
    if (context_.detail == Detail::Full) copies();
  }

 private:
  static constexpr std::size_t kStepIndent = 6;

  void measure() {
    for (const Hop& hop : direction_.hops)
      host_width_ = std::max(host_width_, columns(printable(hop.place.host)));
    if (context_.detail != Detail::Full) return;
    for (const std::string& label : numbers_.labels) label_width_ = std::max(label_width_, label.size());
  }

  void heading() { page_.line(0, direction_pieces(direction_, context_.glossary)); }

  void hop(std::size_t i) {
    const Hop& hop = direction_.hops[i];
    const bool brief = context_.detail == Detail::Brief;
    const std::string host = printable(hop.place.host);
    Pieces pieces{{Paint::Strong, fmt::format("{:>{}}  ", numbers_.labels[i], label_width_)},
                  {Paint::Place, host},
                  {Paint::Plain, std::string(host_width_ - columns(host) + (host_width_ == 0 ? 0 : 2), ' ')},
                  {Paint::Place, place_text(hop.place, context_.glossary)}};
    const Device* out = way_out(direction_, i);
    std::string way;
    if (hop.in) way = "  " + device_text(*hop.in, context_.glossary, !brief);
    if (out != nullptr) {
      way += fmt::format("{}{} {}", hop.in ? " " : "  ", context_.style.arrow(),
                         device_text(*out, context_.glossary, !brief));
    }
    if (!way.empty()) pieces.push_back({Paint::Plain, std::move(way)});
    if (hop.origin != Origin::Observed) {
      pieces.push_back(
          {Paint::Doubtful, hop.origin == Origin::Assumed ? "  (assumed)" : "  (from the reference)"});
    }
    page_.line(0, pieces, kStepIndent + 4);
    if (!brief) steps(i);
  }

  void steps(std::size_t i) {
    const Hop& hop = direction_.hops[i];
    const bool full = context_.detail == Detail::Full;
    if (full || !hop.parent) {
      const std::string_view arrow = context_.style.arrow();
      page_.line(kStepIndent,
                 {{Paint::Faint, packet_text(hop.arrived, arrow) + "; " +
                                     frame_text(hop.arrived, arrow, hop.place, context_.glossary)}});
    }
    evidence_.clear();
    for (const Step& step : shown_steps(hop.steps, context_.detail)) {
      page_.line(kStepIndent,
                 step_pieces(step, hop.place, context_.detail, context_.style, context_.glossary));
      cite(evidence_of(step));
      if (full) write_evidence();
    }
    write_evidence();
  }

  // Lines of one file are gathered: "hosts/cmp1/...:12,40".
  void cite(const Provenance& at) {
    if (!at.known()) return;
    const Location location = context_.sources.locate(at);
    const auto found = std::ranges::find(evidence_, at.source, &Evidence::source);
    if (found == evidence_.end()) {
      evidence_.push_back({at.source, printable(location.file), {location.line}});
    } else if (std::ranges::find(found->lines, location.line) == found->lines.end()) {
      found->lines.push_back(location.line);
    }
  }

  void write_evidence() {
    for (const Evidence& evidence : evidence_) {
      page_.unwrapped(kStepIndent + 2,
                      {Paint::Faint, fmt::format("{}:{}", evidence.file, fmt::join(evidence.lines, ","))});
    }
    evidence_.clear();
  }

  std::string leads_to(std::size_t i) const {
    const Hop& hop = direction_.hops[i];
    const std::string text = place_text(hop.place, context_.glossary);
    const bool elsewhere =
        hop.parent && direction_.hops[*hop.parent].place.host != hop.place.host && !hop.place.host.empty();
    return elsewhere ? text + " on " + printable(hop.place.host) : text;
  }

  void fold_copies(std::size_t i) {
    std::vector<std::string> to;
    for (const std::size_t child : children_of(direction_, i)) {
      if (!on_path_[child]) to.push_back(leads_to(child));
    }
    if (to.empty()) return;
    page_.line(kStepIndent, {{Paint::Faint, fmt::format("+ {} cop{} not on the way: {}", to.size(),
                                                        to.size() == 1 ? "y" : "ies", fmt::join(to, ", "))}});
  }

  void copies() {
    if (numbers_.copies.empty()) return;
    page_.blank();
    page_.line(2, Pieces{{Paint::Strong, "copies of floods"},
                         {Paint::Plain,
                          ", not on the way; 2.1 is the first made in hop 2, 2.1/2 where that goes on"}});
    for (const std::size_t i : numbers_.copies) hop(i);
  }

  struct Evidence {
    SourceId source;
    std::string file;
    std::vector<std::uint32_t> lines;
  };

  const Direction& direction_;
  const TextContext& context_;
  Page& page_;
  std::vector<bool> on_path_;
  HopNumbers numbers_;
  std::vector<Evidence> evidence_;
  std::size_t host_width_ = 0, label_width_ = 3;
};

// A packet that does not arrive is why one asks: what explains that comes before the way. Where it arrives, what is wrong on the
// way is named too, one line each; all of it with full detail.
void write_findings(const Trace& trace, const TextContext& context, Page& page) {
  constexpr std::size_t kShown = 3;
  const bool arrived = arrives(trace.verdict);
  const bool full = context.detail == Detail::Full;
  const std::vector<Finding>& findings = context.findings;
  if (findings.empty() || (arrived && context.detail == Detail::Brief)) return;
  const std::size_t shown = full ? findings.size() : std::min(findings.size(), kShown);
  page.blank();
  page.line(0, Pieces{{Paint::Strong, arrived ? "wrong on the way" : "why"}});
  for (std::size_t i = 0; i < shown; ++i) write_finding(findings[i], context.sources, page, full);
  if (shown < findings.size())
    page.line(0, fmt::format("and {} more; all of them with -d full, or by dvrtrace check",
                             findings.size() - shown));
}

}  // namespace

std::string print_verdict(const Trace& trace, const TextContext& context) {
  Page page(context.style);
  page.line(0, verdict_pieces(trace, context.glossary));
  return page.text();
}

std::string print_text(const Trace& trace, const TextContext& context) {
  Page page(context.style);
  page.line(0, verdict_pieces(trace, context.glossary));
  page.blank();
  const auto asked = [&](const char* what, const std::string& text) {
    page.line(0, {{Paint::Strong, what}, {Paint::Plain, text}}, 8);
  };
  asked("from    ", endpoint_text(trace.question.from));
  asked("to      ", endpoint_text(trace.question.to));
  asked("packet  ", asked_text(trace.question));
  write_findings(trace, context, page);
  for (const Direction& direction : trace.directions) {
    page.blank();
    Writer(direction, context, page).write();
  }
  if (const std::vector<std::string> needs = needs_of(trace); !needs.empty()) {
    page.blank();
    for (const std::string& need : needs)
      page.line(0, Pieces{{Paint::Doubtful, "needs"}, {Paint::Plain, "   " + need}}, 8);
  }
  if (!trace.assumptions.empty()) {
    page.blank();
    page.line(0, Pieces{{Paint::Strong, "assumed"}});
    for (const Assumption& assumption : trace.assumptions) {
      page.line(2,
                Pieces{{Paint::Doubtful, printable(assumption.code)},
                       {Paint::Plain, "  " + printable(assumption.text)}},
                6);
    }
  }
  return page.text();
}

}  // namespace dvrtrace
