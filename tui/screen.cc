// Where the parts are on the screen, and what the lists hold.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "src/base/text.h"
#include "tui/parts.h"

namespace dvrtrace::tui {
namespace {

constexpr std::size_t kBars = 2;          // the verdict above, the hints below
constexpr std::size_t kSideBySide = 100;  // columns from which steps and evidence stand beside each other

}  // namespace

const Direction* direction_of(const Model& model) {
  const auto& trace = model.subject->trace;
  return trace && model.direction < trace->directions.size() ? &trace->directions[model.direction] : nullptr;
}

const Subject::Way* way_of(const Model& model) {
  return model.direction < model.subject->ways.size() ? &model.subject->ways[model.direction] : nullptr;
}

std::size_t hops_shown(const Model& model, std::size_t direction) {
  const Subject::Way& way = model.subject->ways[direction];
  return model.detail == Detail::Full ? way.hops.size() : way.on_way;
}

std::optional<std::size_t> chosen_hop(const Model& model) {
  const Subject::Way* way = way_of(model);
  if (way == nullptr || model.hop >= way->hops.size()) return std::nullopt;
  return way->hops[model.hop];
}

std::vector<Region> regions_of(const Model& model, const Picture& picture) {
  if (model.rows <= kBars) return {};
  const std::size_t body = model.rows - kBars, columns = model.columns;
  constexpr std::size_t kTooSmall = 7, kTwoParts = 13;
  if (model.enlarged || body < kTooSmall) return {{model.part, 1, 0, body, columns}};
  const std::size_t most = body < kTwoParts ? std::max<std::size_t>(4, body * 2 / 5) : body * 9 / 20;
  const std::size_t path = std::min(picture.rows() + 1, most), rest = body - path;
  std::vector<Region> regions{{Part::Path, 1, 0, path, columns}};
  if (body < kTwoParts) {
    regions.push_back(
        {model.part == Part::Evidence ? Part::Evidence : Part::Steps, 1 + path, 0, rest, columns});
  } else if (columns >= kSideBySide) {
    const std::size_t left = columns / 2;
    regions.push_back({Part::Steps, 1 + path, 0, rest, left - 1});  // a line stands between them
    regions.push_back({Part::Evidence, 1 + path, left, rest, columns - left});
  } else {
    const std::size_t steps = rest - std::min(rest * 2 / 5, rest - 3);
    regions.push_back({Part::Steps, 1 + path, 0, steps, columns});
    regions.push_back({Part::Evidence, 1 + path + steps, 0, rest - steps, columns});
  }
  return regions;
}

Picture layout_picture(const Model& model) {
  Picture picture = picture_of(model, model.columns);
  picture.tall = true;
  const std::size_t body = model.rows > kBars ? model.rows - kBars : 0;
  picture.tall = picture.rows() + 1 <= body * (model.enlarged && model.part == Part::Path ? 20 : 9) / 20;
  return picture;
}

std::size_t first_shown(std::size_t count, std::size_t rows, std::size_t begin, std::size_t end) {
  if (count <= rows) return 0;
  const std::size_t middle = begin + std::min(end - begin, rows) / 2;
  return std::min(middle > rows / 2 ? middle - rows / 2 : 0, count - rows);
}

std::size_t list_size(const Model& model) {
  const Level& level = model.level();
  if (level.shown) return level.shown->size();
  if (level.view == View::Findings) return model.subject->findings ? model.subject->findings->size() : 0;
  return level.view == View::Ends ? model.subject->ends.size() : 0;
}

std::optional<std::size_t> list_entry(const Model& model, std::size_t row) {
  if (row >= list_size(model)) return std::nullopt;
  return model.level().shown ? (*model.level().shown)[row] : row;
}

std::string_view line_of(const Model& model, std::size_t line) {
  const Dump& dump = model.dump;
  if (!dump.lines || line >= dump.lines->size()) return {};
  const std::string_view bytes = model.subject->sources->text(dump.source).bytes;
  const std::size_t begin = (*dump.lines)[line];
  const std::size_t end = line + 1 < dump.lines->size() ? (*dump.lines)[line + 1] : bytes.size();
  std::string_view text = bytes.substr(begin, end - begin);
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
  return text;
}

std::string finding_title(const Finding& finding) {
  constexpr std::array kSeverities{"note", "warning", "error"};
  const std::string place =
      finding.place_kind == "namespace" && finding.place.empty() ? "root namespace" : finding.place;
  return fmt::format("{:<8} {}  {} {}{}  {}", kSeverities[static_cast<std::size_t>(finding.severity)],
                     finding.code, finding.host, place,
                     finding.table ? fmt::format(" table {}", finding.table->value) : "", finding.object);
}

}  // namespace dvrtrace::tui
