// Searching: the steps of all hops, a dump, a list, a text.
#include <fmt/format.h>

#include <algorithm>

#include "tui/moves.h"
#include "tui/parts.h"

namespace dvrtrace::tui {

std::optional<std::size_t> item_of_text(const Model& model, std::size_t t) {
  if (t == 0) return 0;
  const std::vector<Item> items = items_of(model);
  const auto found = std::ranges::find_if(items, [&](const Item& item) { return item.step == t - 1; });
  if (found == items.end()) return std::nullopt;
  return static_cast<std::size_t>(found - items.begin());
}

std::size_t text_of_item(const Model& model) {
  const std::vector<Item> items = items_of(model);
  return model.item < items.size() && items[model.item].step ? *items[model.item].step + 1 : 0;
}

namespace {

// The steps of all hops on the way of all directions, as one ring: (direction, position in Way::hops, text
// of the hop).
struct Spot {
  std::size_t direction, position, text;
};

std::vector<Spot> spots_of(const Model& model) {
  std::vector<Spot> spots;
  for (std::size_t d = 0; d < model.subject->ways.size(); ++d) {
    const Subject::Way& way = model.subject->ways[d];
    for (std::size_t p = 0; p < hops_shown(model, d); ++p) {
      for (std::size_t t = 0; t < way.searched[way.hops[p]].size(); ++t) spots.push_back({d, p, t});
    }
  }
  return spots;
}

void search_steps(Model& model, bool forward) {
  const std::vector<Spot> spots = spots_of(model);
  const std::size_t here_text = text_of_item(model);
  const auto here = std::ranges::find_if(spots, [&](const Spot& s) {
    return s.direction == model.direction && s.position == model.hop && s.text == here_text;
  });
  const std::size_t start = here == spots.end() ? 0 : static_cast<std::size_t>(here - spots.begin());
  for (std::size_t i = 1; i <= spots.size(); ++i) {
    const Spot& spot = spots[(forward ? start + i : start + spots.size() - i) % spots.size()];
    const Subject::Way& way = model.subject->ways[spot.direction];
    if (way.searched[way.hops[spot.position]][spot.text].find(model.needle) == std::string::npos) continue;
    if (spot.direction != model.direction || spot.position != model.hop)
      choose_hop(model, spot.direction, spot.position);
    if (!item_of_text(model, spot.text)) {
      model.detail = Detail::Full;  // what is found is shown
      tell(model, "found with full detail");
    }
    choose_item(model, item_of_text(model, spot.text).value_or(0));
    return;
  }
  tell(model, fmt::format("'{}' is nowhere on the path", model.needle), true);
}

void search_dump(Model& model, bool forward) {
  if (!model.dump.lines || model.dump.lines->empty()) return tell(model, "there is no dump to search", true);
  const std::size_t count = model.dump.lines->size();
  for (std::size_t i = 1; i <= count; ++i) {
    const std::size_t line = (forward ? model.line + i : model.line + count - i) % count;
    const std::string text = folded(line_of(model, line));
    const std::size_t at = text.find(model.needle);
    if (at == std::string::npos) continue;
    model.line = line;
    const std::size_t width = model.columns / 2;
    model.sideways = at + model.needle.size() > width ? at - std::min(at, width / 2) : 0;
    return;
  }
  tell(model, fmt::format("'{}' is nowhere in this dump", model.needle), true);
}

void search_list(Model& model, bool forward) {
  const std::vector<std::string>& texts =
      model.level().view == View::Ends ? model.subject->searched_ends : model.subject->searched_findings;
  const std::size_t count = list_size(model);
  for (std::size_t i = 1; i <= count; ++i) {
    const std::size_t row = (forward ? model.level().chosen + i : model.level().chosen + count - i) % count;
    if (texts[*list_entry(model, row)].find(model.needle) == std::string::npos) continue;
    model.level().chosen = row;
    return;
  }
  tell(model, fmt::format("'{}' is nowhere in the list", model.needle), true);
}

void search_text(Model& model, bool forward) {
  const auto text = text_rows(model);
  const std::vector<Pieces>& rows = text->rows;
  for (std::size_t i = 1; i <= rows.size(); ++i) {
    const std::size_t row =
        (forward ? model.level().chosen + i : model.level().chosen + rows.size() - i) % rows.size();
    if (folded(plain(rows[row])).find(model.needle) == std::string::npos) continue;
    model.level().chosen = row;
    return;
  }
  tell(model, fmt::format("'{}' is not here", model.needle), true);
}

}  // namespace

void search(Model& model, bool forward) {
  if (model.needle.empty()) return tell(model, "nothing was searched for: /", true);
  if (is_text(model.level().view)) return search_text(model, forward);
  if (model.level().view != View::Trace) return search_list(model, forward);
  if (model.part == Part::Evidence) return search_dump(model, forward);
  search_steps(model, forward);
}

}  // namespace dvrtrace::tui
