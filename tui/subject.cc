#include "tui/subject.h"

#include <fmt/format.h>

#include <set>
#include <tuple>

#include "src/base/text.h"
#include "src/report/step_text.h"
#include "src/report/words.h"

namespace dvrtrace::tui {
namespace {

std::string plain(const Pieces& pieces) {
  std::string text;
  for (const Piece& piece : pieces) text += piece.text;
  return text;
}

// Host, whether it is a namespace, and its name ("" is the root namespace).
using FaultyPlace = std::tuple<std::string, bool, std::string>;

std::set<FaultyPlace> faulty_places(const std::optional<std::vector<Finding>>& findings) {
  std::set<FaultyPlace> places;
  if (!findings) return places;
  for (const Finding& finding : *findings) {
    if (finding.severity != Severity::Note)
      places.emplace(finding.host, finding.place_kind == "namespace", finding.place);
  }
  return places;
}

FaultyPlace key_of(const Place& place) {
  const bool netns = place.kind == PlaceKind::Namespace;
  return {place.host, netns, netns && place.name == "root" ? "" : place.name};
}

Subject::Way way_of(const Direction& direction, const Glossary& glossary,
                    const std::set<FaultyPlace>& faulty) {
  Subject::Way way;
  way.on_path = hops_on_path(direction);
  way.numbers = number_hops(direction, way.on_path);
  const std::size_t count = direction.hops.size();
  for (std::size_t i = 0; i < count; ++i) {
    way.next.push_back(i);
    if (way.on_path[i]) way.hops.push_back(i);
  }
  for (std::size_t i = 0; i < count; ++i) {
    const std::optional<std::size_t> parent = direction.hops[i].parent;
    if (parent && *parent < i && (way.on_path[i] || way.next[*parent] == *parent)) way.next[*parent] = i;
  }
  way.on_way = way.hops.size();
  way.hops.insert(way.hops.end(), way.numbers.copies.begin(), way.numbers.copies.end());
  constexpr Style kPlain{false, true, 100};
  for (const Hop& hop : direction.hops) {
    way.faulty.push_back(faulty.contains(key_of(hop.place)));
    std::string names = hop.place.host + " " + place_text(hop.place, glossary);
    if (hop.in) names += " " + device_text(*hop.in, glossary, true);
    for (const Device& device : hop.out) names += " " + device_text(device, glossary, true);
    way.searched.push_back({folded(names)});
    for (const Step& step : hop.steps)
      way.searched.back().push_back(
          folded(plain(step_pieces(step, hop.place, Detail::Full, kPlain, glossary))));
  }
  return way;
}

}  // namespace

std::string folded(std::string_view text) { return to_lower(text); }

std::shared_ptr<const Subject> prepare(Subject subject) {
  subject.ways.clear();
  if (subject.trace) {
    const std::set<FaultyPlace> faulty = faulty_places(subject.findings);
    for (const Direction& direction : subject.trace->directions)
      subject.ways.push_back(way_of(direction, subject.glossary, faulty));
  }
  subject.searched_findings.clear();
  if (subject.findings) {
    subject.searched_findings.reserve(subject.findings->size());
    for (const Finding& f : *subject.findings) {
      subject.searched_findings.push_back(folded(fmt::format("{} {} {} {} {} {}", f.code, f.host, f.place,
                                                             f.object, f.cause, fmt::join(f.affects, " "))));
    }
  }
  subject.searched_ends.clear();
  for (const End& e : subject.ends)
    subject.searched_ends.push_back(
        folded(fmt::format("{} {} {} {} {} {}", e.name, e.kind, e.host, e.network, e.address, e.word)));
  return std::make_shared<const Subject>(std::move(subject));
}

}  // namespace dvrtrace::tui
