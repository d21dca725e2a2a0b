#include "tracer/check/explain.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <tuple>

#include "src/base/overloaded.h"
#include "tracer/check/mend.h"

namespace dvrtrace::check {
namespace {

// A host full of faults has its gravest tried.
constexpr std::size_t kMostTried = 64;

// What is compared of two traces, from coarse to fine.
struct Shape {
  Verdict verdict = Verdict::Unknown;
  std::vector<Verdict> directions;
  std::vector<std::string> way;   // crossings, with the packet there
  std::vector<std::string> rows;  // what decided
};

void add_packet(const Headers& packet, std::string& text) {
  fmt::format_to(std::back_inserter(text), " {:x}>{:x} {} {} {} {}", packet.eth_src.value,
                 packet.eth_dst.value, packet.vlan.value_or(0),
                 packet.ip_src ? to_string(*packet.ip_src) : "",
                 packet.ip_dst ? to_string(*packet.ip_dst) : "", packet.ttl);
  if (packet.encapsulation) {
    fmt::format_to(std::back_inserter(text), " {} {} {}", packet.encapsulation->vni,
                   to_string(packet.encapsulation->source), to_string(packet.encapsulation->destination));
  }
}

std::string row_of(const Step& step) {
  return std::visit(
      overloaded{
          [](const FlowHit& s) {
            return fmt::format("{} {} {} {}", s.table.value, s.priority, s.match, s.actions);
          },
          [](const TableMissed& s) { return fmt::format("{} missed", s.table.value); },
          [](const RuleHit& s) { return s.text; },
          [](const RouteHit& s) { return s.table + s.text; },
          [](const NeighbourHit& s) { return fmt::format("{} {:x}", to_string(s.ip), s.mac.value); },
          [](const ChainHit& s) { return fmt::format("{} {} {}", s.table, s.chain, s.rule); },
          [](const Translated& s) { return fmt::format("{} {} {}", s.what, s.before, s.after); },
          [](const Resolved& s) { return fmt::format("{} {:x} {}", to_string(s.ip), s.mac.value, s.by); },
          [](const Stopped& s) { return std::string(name(s.reason)); },
          [](const auto&) { return std::string{}; },
      },
      step);
}

Shape shape_of(const Trace& trace) {
  Shape shape;
  shape.verdict = trace.verdict;
  for (const Direction& direction : trace.directions) {
    shape.directions.push_back(direction.verdict);
    for (const Crossing& crossing : direction.crossings) {
      std::string text =
          fmt::format("{} {} {} {}", crossing.host, crossing.netns, crossing.device, crossing.on_path);
      add_packet(crossing.packet, text);
      shape.way.push_back(std::move(text));
    }
    for (const Hop& hop : direction.hops) {
      for (const Step& step : hop.steps) {
        if (std::string row = row_of(step); !row.empty()) shape.rows.push_back(std::move(row));
      }
    }
  }
  return shape;
}

// How much a mended finding changed; less is more.
enum class Effect { Cures, Verdict, Way, Rows, None };

Effect effect_of(const Shape& before, const Shape& after) {
  if (!arrives(before.verdict) && arrives(after.verdict)) return Effect::Cures;
  if (before.verdict != after.verdict || before.directions != after.directions) return Effect::Verdict;
  if (before.way != after.way) return Effect::Way;
  return before.rows != after.rows ? Effect::Rows : Effect::None;
}

std::string explanation_of(Effect effect, const Trace& without) {
  switch (effect) {
    case Effect::Cures:
      return "without it the packet arrives";
    case Effect::Verdict:
      return fmt::format("without it the verdict is {}", name(without.verdict));
    case Effect::Way:
      return "without it the packet goes another way";
    case Effect::Rows:
      return "without it other rows decide, on the same way";
    case Effect::None:
      return {};
  }
  return {};
}

class Explainer {
 public:
  Explainer(const Network& network, const Ask& asked, const Trace& trace)
      : network_(network), asked_(asked), asker_(network), before_(shape_of(trace)) {
    for (const Direction& direction : trace.directions) {
      for (const Hop& hop : direction.hops) places_.emplace(hop.place.host, place_name(hop.place));
    }
  }

  void add(const Checked& checked) {
    for (const Candidate& candidate : checked.candidates) {
      if (bears_on_way(candidate.finding)) found_.push_back({&checked, &candidate, Effect::None, {}});
    }
  }

  std::vector<Finding> explain() {
    std::ranges::stable_sort(found_, {}, [](const Tried& each) {
      return std::tuple(-static_cast<int>(each.candidate->finding.severity), each.candidate->rank);
    });
    for (std::size_t i = 0; i < std::min(found_.size(), kMostTried); ++i) attempt(found_[i]);
    std::ranges::stable_sort(found_, {}, &Tried::effect);
    std::vector<Finding> findings;
    for (const Tried& each : found_) {
      if (each.effect == Effect::None && each.candidate->finding.severity == Severity::Note) continue;
      findings.push_back(each.candidate->finding);
      findings.back().explains = each.explanation;
    }
    return findings;
  }

 private:
  struct Tried {
    const Checked* checked;
    const Candidate* candidate;
    Effect effect;
    std::string explanation;
  };

  static std::string place_name(const Place& place) {
    if (place.kind == PlaceKind::Bridge) return place.name;
    if (place.kind == PlaceKind::Namespace) return place.name == "root" ? "" : place.name;
    return {};
  }

  // The root namespace and its devices are passed by whatever enters the host.
  bool bears_on_way(const Finding& finding) const {
    if (finding.place_kind == "namespace" && finding.place.empty())
      return std::ranges::any_of(places_, [&](const auto& place) { return place.first == finding.host; });
    return places_.contains({finding.host, finding.place});
  }

  // A device that comes up brings its routes and neighbours with it.
  static bool goes_with(const Finding& finding, const Finding& link) {
    if (finding.place != link.place || link.object_kind != "link" || !link.found.ends_with("down"))
      return false;
    const bool follows = finding.object_kind == "route" || finding.object_kind == "address" ||
                         finding.object_kind == "neighbour";
    return follows && finding.object.find("dev " + link.name) != std::string::npos;
  }

  void attempt(Tried& tried) const {
    const Checked& checked = *tried.checked;
    HostSnapshot copy = network_.host(checked.host).snapshot;
    const HostSnapshot* expected = checked.expectation == nullptr ? nullptr : &checked.expectation->snapshot;
    if (!mend(copy, expected, *tried.candidate)) return;
    for (const Candidate& other : checked.candidates) {
      if (&other != tried.candidate && goes_with(other.finding, tried.candidate->finding))
        mend(copy, expected, other);
    }
    const Network without(network_, checked.host, std::move(copy));
    const auto trace = Asker(without, asker_).ask(asked_);
    if (!trace) return;
    tried.effect = effect_of(before_, shape_of(*trace));
    tried.explanation = explanation_of(tried.effect, *trace);
  }

  const Network& network_;
  const Ask& asked_;
  const Asker asker_;
  Shape before_;
  std::set<std::pair<std::string, std::string>> places_;
  std::vector<Tried> found_;
};

}  // namespace

std::vector<std::size_t> visited_hosts(const Network& network, const Trace& trace) {
  std::set<std::string_view> names;
  for (const Direction& direction : trace.directions) {
    for (const Hop& hop : direction.hops) names.insert(hop.place.host);
  }
  std::vector<std::size_t> hosts;
  for (std::size_t host = 0; host < network.size(); ++host) {
    if (names.contains(network.index(host).name)) hosts.push_back(host);
  }
  return hosts;
}

std::vector<Finding> explain(const Network& network, const Ask& asked, const Trace& trace,
                             const std::vector<Checked>& hosts) {
  if (std::ranges::all_of(hosts, [](const Checked& host) { return host.candidates.empty(); })) return {};
  Explainer explainer(network, asked, trace);
  for (const Checked& checked : hosts) explainer.add(checked);
  return explainer.explain();
}

}  // namespace dvrtrace::check
