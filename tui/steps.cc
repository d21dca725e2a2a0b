// The steps of a hop as a list: the hop itself, what happened in it, and its packet before and after.
#include <fmt/format.h>

#include <algorithm>

#include "src/base/text.h"
#include "src/report/words.h"
#include "tui/parts.h"

namespace dvrtrace::tui {
namespace {

struct Field {
  std::string_view name;
  std::string value;
};

std::string port_text(const std::optional<std::uint16_t>& port) {
  return port ? std::to_string(*port) : "none";
}
std::string address_text(const std::optional<Ip>& ip, const Glossary& glossary) {
  return ip ? ip_text(*ip, glossary) : "none";
}

// The headers of a packet by name; the same names in the same order whichever packet it is.
std::vector<Field> fields_of(const Headers& h, const Place& place, const Glossary& glossary,
                             std::string_view arrow) {
  constexpr std::uint16_t kTypeArp = 0x0806;
  std::vector<Field> fields{
      {"eth src", mac_text(h.eth_src, glossary)},
      {"eth dst", mac_text(h.eth_dst, glossary)},
      {"VLAN", h.vlan ? vlan_text(*h.vlan, place, glossary) : "untagged"},
      {"tunnel", h.encapsulation ? "inside " + tunnel_text(*h.encapsulation, arrow, glossary)
                 : h.tun_id      ? vni_text(*h.tun_id, glossary)
                                 : "none"},
      {h.eth_type == kTypeArp ? "ARP from" : "IP src", address_text(h.ip_src, glossary)},
      {h.eth_type == kTypeArp ? "ARP to" : "IP dst", address_text(h.ip_dst, glossary)}};
  if (h.src_port || h.dst_port) {
    fields.push_back({"src port", port_text(h.src_port)});
    fields.push_back({"dst port", port_text(h.dst_port)});
  }
  fields.push_back({"TTL", std::to_string(h.ttl)});
  return fields;
}

void add_headers(const Direction& direction, const Subject& subject, const Subject::Way& way, std::size_t i,
                 const Style& style, std::vector<Item>& items) {
  const Hop& hop = direction.hops[i];
  const std::size_t next = way.next[i];
  const std::vector<Field> before = fields_of(hop.arrived, hop.place, subject.glossary, style.arrow());
  std::vector<Field> after;
  if (next != i)
    after =
        fields_of(direction.hops[next].arrived, direction.hops[next].place, subject.glossary, style.arrow());
  const bool ends = after.empty();
  items.push_back({{{Paint::Strong, "headers"},
                    {Paint::Faint, ends ? " as it arrived" : " as it arrived; * what the next hop gets"}},
                   0,
                   {},
                   {}});
  for (const Field& field : before) {
    const auto same = std::ranges::find(after, field.name, &Field::name);
    const bool changed = same != after.end() && same->value != field.value;
    Pieces pieces{{Paint::Plain, fmt::format("{} {:<8} ", changed ? '*' : ' ', field.name)},
                  {Paint::Plain, field.value}};
    if (changed) {
      pieces.push_back({Paint::Plain, fmt::format(" {} ", style.arrow())});
      pieces.push_back({Paint::Changed, same->value});
    }
    items.push_back({std::move(pieces), 0, {}, {}});
  }
  for (const Field& field : after) {
    if (std::ranges::find(before, field.name, &Field::name) == before.end())
      items.push_back({{{Paint::Plain, fmt::format("* {:<8} none {} ", field.name, style.arrow())},
                        {Paint::Changed, field.value}},
                       0,
                       {},
                       {}});
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
