#include "tui/subject.h"

#include <fmt/format.h>

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

Subject::Way way_of(const Direction& direction, const Glossary& glossary,
                    const std::vector<Finding>& findings) {
  Subject::Way way;
  way.on_path = hops_on_path(direction);
  way.numbers = number_hops(direction, way.on_path);
  way.next = next_hops(direction, way.on_path);
  way.faulty = faulty_hops(direction, findings);
  for (std::size_t i = 0; i < direction.hops.size(); ++i) {
    if (way.on_path[i]) way.hops.push_back(i);
  }
  way.on_way = way.hops.size();
  way.hops.insert(way.hops.end(), way.numbers.copies.begin(), way.numbers.copies.end());
  constexpr Style kPlain{false, true, 100};
  for (const Hop& hop : direction.hops) {
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
    const std::vector<Finding> none;
    for (const Direction& direction : subject.trace->directions)
      subject.ways.push_back(
          way_of(direction, subject.glossary, subject.findings ? *subject.findings : none));
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
