// The views that are texts: help, expected against found, counters, captures, one line whole.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "src/base/text.h"
#include "src/report/finding_text.h"
#include "src/report/words.h"
#include "tui/parts.h"

namespace dvrtrace::tui {
namespace {

void write_help(const Model& model, Page& page) {
  const std::string help = key_help();
  for (const std::string_view line : split(help, '\n')) {
    if (line.empty())
      page.blank();
    else if (line.front() == ' ')
      page.line(2, Pieces{{Paint::Plain, std::string(trim(line))}}, 14);
    else
      page.line(0, Pieces{{Paint::Strong, std::string(line)}});
  }
  page.blank();
  page.line(0, Pieces{{Paint::Strong, "Signs"}});
  const bool unicode = model.style.unicode;
  const auto sign = [&](std::string_view what, std::string_view means) {
    page.line(2, fmt::format("{:<12}{}", what, means));
  };
  sign(unicode ? "»br-int«" : ">br-int<", "the hop that is chosen");
  page.line(2, fmt::format(
                   "{}           it arrives here; {} it is dropped, {} it goes in a loop, ? nobody can tell",
                   unicode ? "✓" : "+", unicode ? "✗" : "X", unicode ? "↺" : "@"));
  sign("!", "something is found wrong in this place (f)");
  sign("~", "no dump was asked here: assumed, or filled in from the reference");
  sign("*", "a header that changes");
  page.line(2, fmt::format("{}          a tunnel from host to host", unicode ? "══" : "=="));
}

const Hop* hop_of(const Model& model) {
  const std::optional<std::size_t> i = chosen_hop(model);
  return i ? &direction_of(model)->hops[*i] : nullptr;
}

// --- expected against found ---------------------------------------------------------------------------

void write_reference(const Model& model, Page& page) {
  constexpr std::size_t kMostShown = 50;
  const Subject& subject = *model.subject;
  const Hop* hop = hop_of(model);
  if (hop == nullptr) return;
  page.line(0, Pieces{{Paint::Place, fmt::format("{} {}", printable(hop->place.host),
                                                 place_text(hop->place, subject.glossary))}});
  if (!subject.comparison) {
    page.line(0, subject.computes_findings
                     ? "comparing with the reference ..."
                     : "A saved trace holds no comparison: ask the question itself, with view from A to B.");
    return;
  }
  if (!subject.comparison->not_compared.empty()) {
    page.line(0, Pieces{{Paint::Doubtful, "not compared"},
                        {Paint::Plain, ": " + subject.comparison->not_compared}});
    return;
  }
  const bool is_namespace = hop->place.kind == PlaceKind::Namespace;
  if (!is_namespace && hop->place.kind != PlaceKind::Bridge) {
    page.line(0, "The reference programs bridges and namespaces; this is neither.");
    return;
  }
  page.line(0, Pieces{{Paint::Faint,
                       "expected is what the agents of " + subject.comparison->reference + " program here"}});
  const std::string name = hop->place.name == "root" && is_namespace ? "" : hop->place.name;
  const auto found = std::ranges::find_if(subject.comparison->places, [&](const PlaceReference& place) {
    return place.host == hop->place.host && place.place == name &&
           (place.kind == "namespace") == is_namespace;
  });
  if (found == subject.comparison->places.end()) {
    page.blank();
    page.line(0, Pieces{{Paint::Good, "no difference"},
                        {Paint::Plain, ": what was found here is what is expected"}});
    return;
  }
  for (std::size_t i = 0; i < std::min(found->differences.size(), kMostShown); ++i) {
    page.blank();
    write_finding(found->differences[i], *subject.sources, page, true);
  }
  if (found->differences.size() > kMostShown)
    page.line(
        0, fmt::format("and {} more; dvrtrace check lists them all", found->differences.size() - kMostShown));
}

// --- counters and ages --------------------------------------------------------------------------------

// The number behind "name=" in a line of a dump, as it is written there; "" when there is none.
std::string_view value_in(std::string_view line, std::string_view name) {
  for (std::size_t at = line.find(name); at != std::string_view::npos; at = line.find(name, at + 1)) {
    if (at > 0 && line[at - 1] != ' ' && line[at - 1] != ',') continue;
    std::string_view value = line.substr(at + name.size());
    return value.substr(0, value.find_first_not_of("0123456789."));
  }
  return {};
}

std::string age_of(std::string_view line) {
  std::string text;
  if (const std::string_view idle = value_in(line, "idle_age="); !idle.empty())
    text += fmt::format(", last {} s before the dump", idle);
  if (const std::string_view age = value_in(line, "duration="); !age.empty())
    text += fmt::format(", programmed {} s before it", age);
  return text;
}

struct Tally {
  std::size_t flows = 0, idle = 0, unknown = 0;
};

void write_counters(const Model& model, const Hop& hop, const std::string& label, Page& page, Tally& tally) {
  const Subject& subject = *model.subject;
  bool titled = false;
  const auto row = [&](Pieces pieces) {
    if (!titled) {
      page.line(0, Pieces{{Paint::Strong, fmt::format("{:>3}  ", label)},
                          {Paint::Place, fmt::format("{} {}", printable(hop.place.host),
                                                     place_text(hop.place, subject.glossary))}});
    }
    titled = true;
    page.line(5, pieces);
  };
  for (const Step& step : hop.steps) {
    if (const auto* flow = std::get_if<FlowHit>(&step)) {
      ++tally.flows;
      const bool known = flow->packets.has_value(), never = known && *flow->packets == 0;
      tally.idle += never ? 1 : 0;
      tally.unknown += known ? 0 : 1;
      constexpr std::size_t kLongestLine = 4096;  // of a flow as ovs-ofctl prints it, the counters come first
      const std::string_view line = subject.sources->line(flow->at).substr(0, kLongestLine);
      row({{Paint::Plain, fmt::format("table {}, priority {}: ", flow->table.value, flow->priority)},
           {never ? Paint::Doubtful : Paint::Good, never   ? "never matched"
                                                   : known ? fmt::format("{} packets", *flow->packets)
                                                           : "no counter"},
           {Paint::Plain, never ? "" : age_of(line)}});
    } else if (const auto* mac = std::get_if<Switched>(&step); mac != nullptr && mac->age) {
      row({{Paint::Plain, fmt::format("the MAC at {}: ", printable(mac->port))},
           {Paint::Good, fmt::format("seen {} s before the dump", *mac->age)}});
    } else if (const auto* neighbour = std::get_if<NeighbourHit>(&step)) {
      row({{Paint::Plain,
            fmt::format("neighbour {}: {}", to_string(neighbour->ip), printable(neighbour->state))}});
    } else if (const auto* tracked = std::get_if<Tracked>(&step)) {
      row({{Paint::Plain, fmt::format("connection in zone {}: ", tracked->zone)},
           {tracked->assumed ? Paint::Doubtful : Paint::Good,
            tracked->assumed ? "not in a dump" : printable(tracked->state)}});
    } else if (const auto* chain = std::get_if<ChainHit>(&step);
               chain != nullptr && chain->rule.starts_with('[')) {
      row({{Paint::Plain,
            fmt::format("iptables {} {}: {} packets:bytes", printable(chain->table), printable(chain->chain),
                        printable(chain->rule.substr(0, chain->rule.find(']') + 1)))}});
    }
  }
}

void write_all_counters(const Model& model, Page& page) {
  const Direction* direction = direction_of(model);
  if (direction == nullptr) return;
  const Subject::Way& way = *way_of(model);
  Tally tally;
  Page rows(page.style());
  for (std::size_t i = 0; i < way.on_way; ++i)
    write_counters(model, direction->hops[way.hops[i]], way.numbers.labels[way.hops[i]], rows, tally);
  const std::size_t counted = tally.flows - tally.unknown;
  Paint paint = Paint::Doubtful;
  std::string verdict = "no counter tells whether such packets were there";
  if (counted > 0 && tally.idle == 0) {
    paint = Paint::Good;
    verdict = fmt::format("each of the {} flows has matched packets: this way has carried traffic", counted);
  } else if (counted > 0) {
    verdict = fmt::format("{} of {} flows never matched a packet before the dump", tally.idle, counted);
  }
  page.line(0, Pieces{{Paint::Strong, printable(direction->name) + ": "}, {paint, verdict}});
  page.line(0, Pieces{{Paint::Faint,
                       "counters are of all traffic, and begin anew when an agent programs a flow again"}});
  page.blank();
  for (const Pieces& row : rows.rows()) page.line(0, row);
}

// --- captures -----------------------------------------------------------------------------------------

void write_sightings(const Model& model, Page& page) {
  const Direction* direction = direction_of(model);
  if (direction == nullptr) return;
  const auto& all = model.subject->sightings;
  const auto found = std::ranges::find(all, direction->name, &Sightings::direction);
  if (found == all.end()) {
    page.line(0, "No captures were compared with this direction.");
    page.line(0, "Its crossings, where tcpdump would see the packet:");
  } else {
    page.line(0, Pieces{{Paint::Strong, printable(direction->name) + ": "},
                        {Paint::Plain, printable(found->verdict)}});
  }
  page.blank();
  for (std::size_t i = 0; i < direction->crossings.size(); ++i) {
    const Crossing& crossing = direction->crossings[i];
    const Sighting sighting =
        found != all.end() && i < found->crossings.size() ? found->crossings[i] : Sighting{};
    Pieces pieces{
        {Paint::Place, fmt::format("{}  {}{}{}", printable(crossing.host), printable(crossing.netns),
                                   crossing.netns.empty() ? "" : "  ", printable(crossing.device))}};
    switch (sighting.state) {
      case Sighting::State::Seen:
        pieces.push_back({Paint::Good, "  seen"});
        break;
      case Sighting::State::NotSeen:
        pieces.push_back({Paint::Bad, "  not seen"});
        break;
      case Sighting::State::Altered:
        pieces.push_back({Paint::Doubtful, "  altered: " + printable(sighting.altered)});
        break;
      case Sighting::State::Missed:
        pieces.push_back({Paint::Doubtful, "  not seen here, though it went on"});
        break;
      case Sighting::State::CannotTell:
        pieces.push_back({Paint::Doubtful, "  the capture cannot tell"});
        break;
      case Sighting::State::NotCaptured:
        pieces.push_back({Paint::Faint, found == all.end() ? "" : "  not captured here"});
        break;
    }
    if (sighting.packets > 1) pieces.push_back({Paint::Plain, fmt::format(", {} packets", sighting.packets)});
    if (sighting.latency && std::isfinite(*sighting.latency))
      pieces.push_back({Paint::Plain, fmt::format(", {:.3f} ms on", *sighting.latency)});
    if (!crossing.on_path) pieces.push_back({Paint::Faint, "  (a copy of a flood)"});
    page.line(0, pieces);
  }
}

}  // namespace

bool is_text(View view) {
  return view == View::Help || view == View::Reference || view == View::Counters ||
         view == View::Verification || view == View::Line;
}

std::vector<Pieces> text_of(const Model& model, std::size_t columns) {
  Page page({false, model.style.unicode, columns});
  switch (model.level().view) {
    case View::Help:
      write_help(model, page);
      break;
    case View::Reference:
      write_reference(model, page);
      break;
    case View::Counters:
      write_all_counters(model, page);
      break;
    case View::Verification:
      write_sightings(model, page);
      break;
    case View::Line:
      for (std::string_view rest = model.level().text; !rest.empty();)
        page.unwrapped(0, {Paint::Plain, printable(take_until(rest, '\n'))});
      break;
    default:
      break;
  }
  return fitted(page.rows(), columns, model.style.unicode);
}

std::shared_ptr<const TextRows> text_rows(const Model& model) {
  const auto& known = model.level().rows;
  const bool same = known && known->subject == model.subject && known->columns == model.columns &&
                    known->direction == model.direction && known->hop == model.hop;
  if (same) return known;
  return std::make_shared<const TextRows>(
      TextRows{model.subject, model.columns, model.direction, model.hop, text_of(model, model.columns)});
}

}  // namespace dvrtrace::tui
