// The steps of a hop as a list: the hop itself, what happened in it, and its packet before and after.
#include <fmt/format.h>

#include <algorithm>

#include "src/base/text.h"
#include "src/report/header_fields.h"
#include "src/report/words.h"
#include "tui/parts.h"

namespace dvrtrace::tui {
namespace {

void add_headers(const Direction& direction, const Subject& subject, const Subject::Way& way, std::size_t i,
                 const Style& style, std::vector<Item>& items) {
  const bool ends = way.next[i] == i;
  items.push_back({{{Paint::Strong, "headers"},
                    {Paint::Faint, ends ? " as it arrived" : " as it arrived; * what the next hop gets"}},
                   0,
                   {},
                   {}});
  for (HeaderRow& row : header_rows(direction, i, way.next[i], subject.glossary, style.arrow())) {
    Pieces pieces{{Paint::Plain, fmt::format("{} {:<8} ", row.changed ? '*' : ' ', row.name)},
                  {Paint::Plain, std::move(row.before)}};
    if (row.changed) {
      pieces.push_back({Paint::Plain, fmt::format(" {} ", style.arrow())});
      pieces.push_back({Paint::Changed, std::move(row.after)});
    }
    items.push_back({std::move(pieces), 0, {}, {}});
  }
}

Item hop_item(const Model& model, const Direction& direction, const Subject::Way& way, std::size_t i) {
  const Hop& hop = direction.hops[i];
  const Glossary& glossary = model.subject->glossary;
  const std::string host = printable(hop.place.host);
  Pieces pieces{{Paint::Strong, fmt::format("hop {} of {}  ", way.numbers.labels[i], way.on_way)},
                {Paint::Place, host + (host.empty() ? "" : " ") + place_text(hop.place, glossary)}};
  const Device* out = way_out(direction, i);
  std::string devices;
  if (hop.in) devices += "  in " + device_text(*hop.in, glossary, true);
  if (out != nullptr)
    devices += fmt::format("{}out {}", hop.in ? ", " : "  ", device_text(*out, glossary, true));
  pieces.push_back({Paint::Plain, std::move(devices)});
  if (hop.origin != Origin::Observed)
    pieces.push_back(
        {Paint::Doubtful, hop.origin == Origin::Assumed ? "  (assumed)" : "  (from the reference)"});
  return {std::move(pieces), 0, {}, {}};
}

// With less detail than all, what only leads from table to table is left out.
std::vector<std::pair<Step, std::size_t>> steps_of(const Hop& hop, Detail detail) {
  std::vector<std::pair<Step, std::size_t>> steps;
  std::size_t from = 0;
  for (Step& step : shown_steps(hop.steps, detail == Detail::Brief ? Detail::Path : detail)) {
    // A shown step may be two that were put together; where it was read finds it again.
    std::size_t at = from;
    while (at < hop.steps.size() &&
           (hop.steps[at].index() != step.index() || evidence_of(hop.steps[at]) != evidence_of(step)))
      ++at;
    if (at < hop.steps.size()) from = at + 1;
    steps.emplace_back(std::move(step), std::min(at, hop.steps.size() - 1));
  }
  return steps;
}

bool is_flow_step(const Step& step) {
  return std::holds_alternative<Noted>(step) || std::holds_alternative<Tracked>(step);
}

}  // namespace

std::vector<Item> items_of(const Model& model) {
  const std::optional<std::size_t> hop_index = chosen_hop(model);
  if (!hop_index) return {};
  const Direction& direction = *direction_of(model);
  const Subject::Way& way = *way_of(model);
  const Hop& hop = direction.hops[*hop_index];
  std::vector<Item> items{hop_item(model, direction, way, *hop_index)};
  items.front().pieces.push_back({Paint::Faint, "  " + packet_text(hop.arrived, model.style.arrow())});
  Provenance last;
  for (auto& [step, index] : steps_of(hop, model.detail)) {
    if (model.detail == Detail::Brief && is_flow_step(step)) continue;
    Provenance at = evidence_of(step);
    if (!at.known()) at = last;  // what changed did so by the row before
    last = at;
    items.push_back({step_pieces(step, hop.place, model.detail == Detail::Full ? Detail::Full : Detail::Path,
                                 model.style, model.subject->glossary),
                     2, at, index});
  }
  const auto first = std::ranges::find_if(items, [](const Item& item) { return item.at.known(); });
  if (first != items.end()) items.front().at = first->at;
  if (model.detail != Detail::Brief)
    add_headers(direction, *model.subject, way, *hop_index, model.style, items);
  return items;
}

std::vector<Pieces> rows_of(const Item& item, const Model& model, std::size_t columns) {
  Page page({false, model.style.unicode, columns});
  page.line(item.indent, item.pieces, item.indent + 2);
  return fitted(page.rows(), columns, model.style.unicode);
}

std::string plain(const Pieces& pieces) {
  std::string text;
  for (const Piece& piece : pieces) text += piece.text;
  return text;
}

std::size_t deciding_item(const Model& model) {
  const std::vector<Item> items = items_of(model);
  const std::optional<std::size_t> hop = chosen_hop(model);
  if (!hop) return 0;
  const std::vector<Step>& steps = direction_of(model)->hops[*hop].steps;
  for (std::size_t i = items.size(); i-- > 0;) {
    if (items[i].step && std::holds_alternative<Stopped>(steps[*items[i].step]) && items[i].at.known())
      return i;
  }
  for (std::size_t i = 1; i < items.size(); ++i) {
    if (items[i].step && items[i].at.known()) return i;
  }
  return items.size() > 1 && items[1].step ? 1 : 0;
}

}  // namespace dvrtrace::tui
