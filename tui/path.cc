// The path as boxes on lines: host by host, with what leads from one to the next.
#include <fmt/format.h>

#include <algorithm>

#include "src/base/text.h"
#include "src/report/words.h"
#include "tui/parts.h"

namespace dvrtrace::tui {
namespace {

constexpr std::size_t kLink = 2, kWidestHost = 12, kWidestBox = 40;

std::string name_of(const Hop& hop, const Glossary& glossary) {
  const Place& place = hop.place;
  switch (place.kind) {
    case PlaceKind::Tunnel: {
      const std::size_t to = place.name.rfind(" > ");
      return "tunnel to " + (to == std::string::npos ? place.name : place.name.substr(to + 3));
    }
    case PlaceKind::Wire:
      return "wire " + place.name.substr(0, place.name.find(" of "));
    case PlaceKind::Namespace: {
      if (place.name.empty() || place.name == "root") return "root";
      std::string_view name = name_in(glossary.namespaces, place.name);
      consume(name, "router ");
      return short_name(place.name) + (name.empty() ? "" : fmt::format(" {}", name));
    }
    default:
      return place.name.empty() ? std::string(dvrtrace::name(place.kind)) : place.name;
  }
}

class Drawing {
 public:
  Drawing(const Model& model, std::size_t columns)
      : model_(model), subject_(*model.subject), columns_(columns) {
    for (const Direction& direction : subject_.trace->directions) {
      for (const Hop& hop : direction.hops)
        picture_.margin = std::max(picture_.margin, cells_of(harmless(hop.place.host, model.style.unicode)));
    }
    picture_.margin = std::min({picture_.margin, kWidestHost, columns / 4}) + 1;
    for (std::size_t d = 0; d < subject_.ways.size(); ++d) add_direction(d);
  }

  Picture take() { return std::move(picture_); }

 private:
  void add_direction(std::size_t d) {
    const Direction& direction = subject_.trace->directions[d];
    const Subject::Way& way = subject_.ways[d];
    Pieces heading{
        {Paint::Strong, printable(direction.name)},
        {Paint::Plain, "  "},
        {paint_of(direction.verdict), std::string(name(direction.verdict))},
        {Paint::Plain, fmt::format(" ({}): {}", name(direction.reason), in_words(direction.reason))},
        {Paint::Faint, fmt::format(", {} hops", way.on_way)}};
    if (!arrives(direction.verdict) && direction.stopped_at &&
        *direction.stopped_at < direction.hops.size()) {
      const Place& place = direction.hops[*direction.stopped_at].place;
      heading.insert(heading.begin() + 3, {Paint::Place, fmt::format(" {} {}", printable(place.host),
                                                                     place_text(place, subject_.glossary))});
    }
    picture_.lines.push_back({"", std::move(heading), d});
    line_ = none_;
    host_.clear();
    for (std::size_t position = 0; position < hops_shown(model_, d); ++position) add_hop(d, position);
  }

  void add_hop(std::size_t d, std::size_t position) {
    const Direction& direction = subject_.trace->directions[d];
    const Subject::Way& way = subject_.ways[d];
    const std::size_t i = way.hops[position];
    const Hop& hop = direction.hops[i];
    const bool copy = position >= way.on_way;
    Box box;
    box.direction = d;
    box.position = position;
    box.hop = i;
    box.tunnel = hop.place.kind == PlaceKind::Tunnel;
    box.framed = !box.tunnel && hop.place.kind != PlaceKind::Wire;
    box.text = (copy ? way.numbers.labels[i] + " " : "") + name_of(hop, subject_.glossary) +
               marks(direction, way, i);
    box.text = cut(box.text,
                   std::min(kWidestBox, columns_ > picture_.margin + 6 ? columns_ - picture_.margin - 6 : 1),
                   model_.style.unicode);
    box.width = cells_of(box.text) + (box.framed ? 2 : 0);
    box.paint = paint(direction, i, copy);
    const bool follows =
        position > 0 && (!copy || (position > way.on_way && hop.parent == way.hops[position - 1]));
    box.linked = follows || (copy && hop.parent.has_value());
    const bool other_host = !hop.place.host.empty() && hop.place.host != host_;
    const bool fits = column_ + kLink + box.width <= columns_;
    if (line_ == none_ || other_host || !fits || (copy && !follows)) {
      if (!hop.place.host.empty()) host_ = hop.place.host;
      line_ = picture_.lines.size();
      picture_.lines.push_back({other_host || (copy && !follows) ? host_ : "", {}, d});
      column_ = picture_.margin;
    }
    box.line = line_;
    box.column = column_ + kLink;
    column_ = box.column + box.width;
    picture_.boxes.push_back(std::move(box));
  }

  // What colour says too: how it ends here, that something is wrong here, that no dump was asked here.
  std::string marks(const Direction& direction, const Subject::Way& way, std::size_t i) const {
    const Hop& hop = direction.hops[i];
    std::string marks;
    const auto add = [&](std::string_view sign) {
      marks += marks.empty() ? " " : "";
      marks += sign;
    };
    if (const Stopped* stopped = stop_of(hop)) add(sign_of(stopped->verdict, model_.style.unicode));
    if (way.faulty[i]) add("!");
    if (hop.origin != Origin::Observed) add("~");
    return marks;
  }

  static Paint paint(const Direction& direction, std::size_t i, bool copy) {
    const Hop& hop = direction.hops[i];
    if (const Stopped* stopped = stop_of(hop)) return paint_of(stopped->verdict);
    if (hop.origin != Origin::Observed) return Paint::Doubtful;
    return copy ? Paint::Faint : Paint::Place;
  }

  static constexpr std::size_t none_ = static_cast<std::size_t>(-1);
  const Model& model_;
  const Subject& subject_;
  std::size_t columns_;
  Picture picture_;
  std::string host_;
  std::size_t line_ = none_, column_ = 0;
};

}  // namespace

std::size_t Picture::rows() const { return row_of(lines.size()); }

std::size_t Picture::row_of(std::size_t line) const {
  if (!tall) return line;
  std::size_t row = 0;
  for (std::size_t i = 0; i < line; ++i) row += lines[i].heading.empty() ? 3 : 1;
  return row;
}

Picture picture_of(const Model& model, std::size_t columns) {
  if (!model.subject->trace) return {};
  return Drawing(model, columns).take();
}

}  // namespace dvrtrace::tui
