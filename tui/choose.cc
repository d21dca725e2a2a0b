// What is chosen, and the dump that it cites.
#include <algorithm>
#include <cstring>
#include <utility>

#include "src/base/text.h"
#include "tui/moves.h"
#include "tui/parts.h"

namespace dvrtrace::tui {
namespace {

using LineStarts = std::shared_ptr<const std::vector<std::uint32_t>>;

LineStarts line_starts(std::string_view bytes) {
  std::vector<std::uint32_t> starts;
  for (std::size_t at = 0; at < bytes.size();) {
    starts.push_back(static_cast<std::uint32_t>(at));
    const void* end = std::memchr(bytes.data() + at, '\n', bytes.size() - at);
    at = end == nullptr ? bytes.size()
                        : static_cast<std::size_t>(static_cast<const char*>(end) - bytes.data()) + 1;
  }
  return std::make_shared<const std::vector<std::uint32_t>>(std::move(starts));
}

void open_dump(Model& model) {
  const std::vector<Item> items = items_of(model);
  const Provenance at = model.item < items.size() ? items[model.item].at : Provenance{};
  Dump dump;
  if (at.known()) {
    dump.source = at.source;
    dump.span = at.span;
    const SourceText text = model.subject->sources->text(at.source);
    if (text.bytes.data() != nullptr) {
      LineStarts& starts = model.line_starts[at.source];
      if (!starts) starts = line_starts(text.bytes);
      dump.lines = starts;
      const auto next = std::ranges::upper_bound(*starts, at.span.begin);
      dump.cited = next == starts->begin() ? 0 : static_cast<std::size_t>(next - starts->begin()) - 1;
    }
  }
  const bool same =
      dump.source == model.dump.source && dump.span == model.dump.span && dump.lines == model.dump.lines;
  model.dump = std::move(dump);
  if (same) return;
  model.line = model.dump.cited;
  model.sideways = 0;
  // In flows what tells them apart stands behind cookie and duration.
  const std::string_view line = line_of(model, model.line);
  if (trim(line.substr(0, 16)).starts_with("cookie=")) {
    const std::size_t table = line.substr(0, kLongestLine).find("table=");
    if (table != std::string_view::npos) model.sideways = table;
  }
}

// Where a trace stops is what is looked at first.
std::size_t first_direction(const Subject& subject) {
  if (!subject.trace) return 0;
  for (std::size_t d = 0; d < subject.trace->directions.size(); ++d) {
    if (!arrives(subject.trace->directions[d].verdict)) return d;
  }
  return 0;
}

std::size_t first_hop(const Subject& subject, std::size_t d) {
  if (d >= subject.ways.size()) return 0;
  const Direction& direction = subject.trace->directions[d];
  if (arrives(direction.verdict) || !direction.stopped_at) return 0;
  const auto& hops = subject.ways[d].hops;
  const auto on_way = hops.begin() + static_cast<std::ptrdiff_t>(subject.ways[d].on_way);
  const auto found = std::find(hops.begin(), on_way, *direction.stopped_at);
  return found == on_way ? 0 : static_cast<std::size_t>(found - hops.begin());
}

}  // namespace

void tell(Model& model, std::string message, bool bad) {
  model.message = std::move(message);
  model.message_is_bad = bad;
}

void choose_item(Model& model, std::size_t item) {
  model.item = item;
  open_dump(model);
}

void choose_hop(Model& model, std::size_t direction, std::size_t position) {
  model.direction = direction;
  model.hop = position;
  choose_item(model, deciding_item(model));
}

void choose_direction(Model& model, std::size_t direction) {
  choose_hop(model, direction, first_hop(*model.subject, direction));
}

void show(Model& model, std::shared_ptr<const Subject> subject) {
  model.subject = std::move(subject);
  model.line_starts.clear();
  model.dump = {};
  choose_direction(model, first_direction(*model.subject));
}

}  // namespace dvrtrace::tui
