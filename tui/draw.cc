#include <fmt/format.h>

#include <algorithm>

#include "src/base/text.h"
#include "src/report/finding_text.h"
#include "src/report/trace_text.h"
#include "tui/parts.h"

namespace dvrtrace::tui {
namespace {

struct Signs {
  std::string_view line, twin, left, right;
};
Signs signs(bool unicode) { return unicode ? Signs{"─", "═", "»", "«"} : Signs{"-", "=", ">", "<"}; }

// Underlines what was searched for in a row that is drawn already.
void mark_found(Canvas& canvas, std::size_t row, std::size_t begin, std::size_t end,
                const std::string& needle) {
  if (needle.empty() || row >= canvas.rows()) return;
  std::string text;
  std::vector<std::size_t> column_of;  // by byte
  for (std::size_t column = begin; column < std::min(end, canvas.columns()); ++column) {
    if (canvas.at(row, column).glyph == 0) continue;
    text += folded(utf8(canvas.at(row, column).glyph));
    column_of.resize(text.size(), column);
  }
  for (std::size_t at = text.find(needle); at != std::string::npos; at = text.find(needle, at + 1))
    canvas.accent(row, column_of[at], column_of[at + needle.size() - 1] + 1, Accent::Found);
}

// The title of a part; the one with the keys is marked.
void draw_title(Canvas& canvas, const Region& region, std::string_view name, const Pieces& more,
                bool has_keys) {
  const Signs s = signs(canvas.unicode());
  const std::size_t end = region.column + region.columns;
  for (std::size_t column = region.column; column < end; ++column)
    canvas.put(region.row, column, end, s.line, Paint::Faint, Accent::None);
  const Accent accent = has_keys ? Accent::Bar : Accent::None;
  std::size_t column = region.column + (region.columns > 30 ? 1 : 0);
  column = canvas.put(region.row, column, end,
                      fmt::format("{}{}{}", has_keys ? s.left : " ", name, has_keys ? s.right : " "),
                      Paint::Strong, accent);
  if (more.empty() || column + 4 >= end) return;
  if (has_keys) column = canvas.put(region.row, column, end, " ");
  column = canvas.put(region.row, column, end - 1, more);
  canvas.put(region.row, column, end, " ");
}

// --- the path -----------------------------------------------------------------------------------------

class PathDrawing {
 public:
  PathDrawing(const Model& model, const Region& region, Canvas& canvas)
      : model_(model), region_(region), canvas_(canvas), picture_(layout_picture(model)) {}

  void draw() {
    const auto chosen = std::ranges::find_if(picture_.boxes, [&](const Box& b) {
      return b.direction == model_.direction && b.position == model_.hop;
    });
    const std::size_t seen = region_.rows - 1, count = picture_.rows(), height = picture_.tall ? 3 : 1;
    const std::size_t at = chosen == picture_.boxes.end() ? 0 : picture_.row_of(chosen->line);
    first_ = first_shown(count, seen, at, at + height);
    const Subject::Way* way = way_of(model_);
    const std::string place =
        way == nullptr ? ""
                       : fmt::format("hop {} of {}", model_.hop + 1, hops_shown(model_, model_.direction));
    draw_title(
        canvas_, region_, "path",
        {{Paint::Plain,
          place + (count > seen ? fmt::format(", rows {}-{} of {}", first_ + 1, first_ + seen, count) : "")}},
        model_.part == Part::Path);
    for (std::size_t i = 0; i < picture_.lines.size(); ++i) draw_line(picture_.lines[i], picture_.row_of(i));
    for (const Box& box : picture_.boxes) draw_box(box);
  }

 private:
  // The row on the canvas; none outside the part.
  std::optional<std::size_t> row(std::size_t row_of_picture) const {
    if (row_of_picture < first_ || row_of_picture >= first_ + region_.rows - 1) return std::nullopt;
    return region_.row + 1 + row_of_picture - first_;
  }

  void put(std::size_t picture_row, std::size_t column, std::string_view text, Paint paint,
           Accent accent = Accent::None) {
    if (const auto r = row(picture_row)) canvas_.put(*r, column, region_.columns, text, paint, accent);
  }

  void draw_line(const PathLine& line, std::size_t top) {
    if (!line.heading.empty()) {
      if (const auto r = row(top)) canvas_.put(*r, 0, region_.columns, line.heading);
      return;
    }
    put(top + (picture_.tall ? 1 : 0), 0, cut(line.host, picture_.margin - 1, canvas_.unicode()),
        Paint::Strong);
  }

  void draw_box(const Box& box) {
    const Signs s = signs(canvas_.unicode());
    const bool chosen = box.direction == model_.direction && box.position == model_.hop;
    const Accent accent = chosen ? Accent::Chosen : Accent::None;
    const std::size_t top = picture_.row_of(box.line), middle = top + (picture_.tall ? 1 : 0);
    if (box.linked) {
      for (std::size_t i = 1; i <= 2; ++i)
        put(middle, box.column - i, box.tunnel || after_tunnel_ ? s.twin : s.line, Paint::Faint);
    }
    after_tunnel_ = box.tunnel;
    if (!box.framed) {
      put(middle, box.column, box.text, box.paint, accent);
      if (chosen && box.linked) {
        put(middle, box.column - 1, s.left, box.paint, accent);
        put(middle, box.column + box.width, s.right, box.paint, accent);
      }
      return;
    }
    if (picture_.tall) draw_frame(box, top, chosen);
    const bool sides = picture_.tall && canvas_.unicode();
    const std::string_view left = chosen && !sides ? s.left : sides ? (chosen ? "║" : "│") : "[";
    const std::string_view right = chosen && !sides ? s.right : sides ? (chosen ? "║" : "│") : "]";
    put(middle, box.column, left, box.paint, accent);
    put(middle, box.column + 1, box.text, box.paint, accent);
    put(middle, box.column + box.width - 1, right, box.paint, accent);
  }

  void draw_frame(const Box& box, std::size_t top, bool chosen) {
    const bool unicode = canvas_.unicode();
    const auto edge = [&](std::string_view left, std::string_view line, std::string_view right) {
      std::string text(left);
      for (std::size_t i = 2; i < box.width; ++i) text += line;
      return text + std::string(right);
    };
    if (!unicode) {
      const std::string text = edge("+", chosen ? "=" : "-", "+");
      put(top, box.column, text, box.paint);
      put(top + 2, box.column, text, box.paint);
      return;
    }
    put(top, box.column, chosen ? edge("╔", "═", "╗") : edge("┌", "─", "┐"), box.paint);
    put(top + 2, box.column, chosen ? edge("╚", "═", "╝") : edge("└", "─", "┘"), box.paint);
  }

  const Model& model_;
  const Region& region_;
  Canvas& canvas_;
  Picture picture_;
  std::size_t first_ = 0;
  bool after_tunnel_ = false;
};

// --- the steps ----------------------------------------------------------------------------------------

void draw_steps(const Model& model, const Region& region, Canvas& canvas) {
  const std::optional<std::size_t> hop = chosen_hop(model);
  const std::vector<Item> items = items_of(model);
  constexpr std::size_t kGutter = 2;
  const std::size_t width = region.columns > kGutter + 1 ? region.columns - kGutter : 1,
                    seen = region.rows - 1;
  std::vector<std::pair<Pieces, std::size_t>> rows;
  std::size_t begin = 0, end = 0;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i == model.item) begin = rows.size();
    for (Pieces& row : rows_of(items[i], model, width)) rows.emplace_back(std::move(row), i);
    if (i == model.item) end = rows.size();
  }
  const std::size_t first = first_shown(rows.size(), seen, begin, end);
  const std::string more = rows.size() > seen ? fmt::format(", rows {}-{} of {}", first + 1,
                                                            std::min(first + seen, rows.size()), rows.size())
                                              : "";
  draw_title(
      canvas, region, "steps",
      hop ? Pieces{{Paint::Plain, fmt::format("of hop {}{}", way_of(model)->numbers.labels[*hop], more)}}
          : Pieces{},
      model.part == Part::Steps);
  for (std::size_t r = 0; r < seen && first + r < rows.size(); ++r) {
    const auto& [pieces, item] = rows[first + r];
    const bool chosen = item == model.item;
    const std::size_t row = region.row + 1 + r, limit = region.column + region.columns;
    if (chosen && first + r == begin) canvas.put(row, region.column, limit, ">", Paint::Strong);
    canvas.put(row, region.column + kGutter, limit, pieces,
               chosen && model.part == Part::Steps ? Accent::Chosen : Accent::None);
    mark_found(canvas, row, region.column, limit, model.needle);
  }
}

// --- the evidence -------------------------------------------------------------------------------------

class EvidenceDrawing {
 public:
  EvidenceDrawing(const Model& model, const Region& region, Canvas& canvas)
      : model_(model),
        region_(region),
        canvas_(canvas),
        row_(region.row + 1),
        limit_(region.column + region.columns) {}

  void draw() {
    const Dump& dump = model_.dump;
    if (dump.source == kNoSource) {
      draw_title(canvas_, region_, "evidence", {}, model_.part == Part::Evidence);
      return say("This step rests on no line of a dump: it follows from the ones before it.");
    }
    const SourceText text = model_.subject->sources->text(dump.source);
    const std::size_t line = dump.lines ? dump.cited + 1 : dump.span.begin;
    const std::string where = fmt::format("{}:{}", text.name, line);
    const std::size_t room = region_.columns > 16 ? region_.columns - 16 : 1;
    draw_title(canvas_, region_, "evidence", {{Paint::Plain, cut_front(where, room, canvas_.unicode())}},
               model_.part == Part::Evidence);
    if (cells_of(harmless(where, canvas_.unicode())) > room && region_.rows > 6)
      say(where, Paint::Faint);  // the whole name
    if (!dump.lines)
      return say(
          "The dump is not at hand: only its name and line are known. Name the folder that holds it with -i, "
          "or start in the folder where the trace was made.");
    draw_lines();
  }

 private:
  void say(const std::string& text, Paint paint = Paint::Plain) {
    Page page({false, canvas_.unicode(), region_.columns});
    page.line(0, Pieces{{paint, printable(text)}}, 0);
    for (const Pieces& row : fitted(page.rows(), region_.columns, canvas_.unicode())) {
      if (row_ < region_.row + region_.rows) canvas_.put(row_++, region_.column, limit_, row);
    }
  }

  // The cited line is shown whole where it fits, the others as far as they go and moved sideways together.
  void draw_lines() {
    const std::size_t rows = region_.row + region_.rows - row_, count = model_.dump.lines->size();
    const std::size_t digits = std::to_string(count).size();
    const std::size_t width = region_.columns > digits + 4 ? region_.columns - digits - 3 : 1;
    const std::vector<Pieces> cited = cited_rows(width, rows);
    // `model.line` is in the middle, the cited line takes its rows.
    const auto height = [&](std::size_t line) { return line == model_.dump.cited ? cited.size() : 1; };
    std::size_t first = model_.line, above = 0;
    while (first > 0 && above + height(first - 1) <= (rows - std::min(rows, height(model_.line))) / 2)
      above += height(--first);
    for (std::size_t line = first; line < count && row_ < region_.row + region_.rows; ++line) {
      const bool is_cited = line == model_.dump.cited,
                 chosen = line == model_.line && model_.part == Part::Evidence;
      const std::string number = fmt::format("{}{:>{}} ",
                                             chosen     ? '>'
                                             : is_cited ? '*'
                                                        : ' ',
                                             line + 1, digits);
      canvas_.put(row_, region_.column, limit_, number, is_cited ? Paint::Strong : Paint::Faint);
      const std::size_t column = region_.column + digits + 2;
      if (!is_cited) {
        const std::string_view text = line_of(model_, line);
        draw_plain(text, column, chosen);
        ++row_;
        continue;
      }
      for (const Pieces& row : cited) {
        if (row_ >= region_.row + region_.rows) break;
        canvas_.put(row_, column, limit_, row, Accent::Chosen);
        mark_found(canvas_, row_, column, limit_, model_.needle);
        ++row_;
      }
    }
  }

  void draw_plain(std::string_view text, std::size_t column, bool chosen) {
    const std::size_t most = (limit_ - column) * 4 + 16;  // bytes that can be seen
    const bool moved = model_.sideways > 0 && !text.empty();
    const std::string_view from = text.substr(std::min(model_.sideways, text.size()));
    const std::string shown = cut(from.substr(0, most), limit_ - column, canvas_.unicode());
    canvas_.put(row_, column, limit_, shown, chosen ? Paint::Strong : Paint::Plain);
    if (moved) canvas_.put(row_, column - 1, limit_, "<", Paint::Faint);
    mark_found(canvas_, row_, column, limit_, model_.needle);
  }

  // A line that is longer than the part shows what is cited of it, or what it was moved to.
  std::vector<Pieces> cited_rows(std::size_t width, std::size_t rows) const {
    const Dump& dump = model_.dump;
    const std::string_view text = line_of(model_, dump.cited);
    const std::size_t line_begin = (*dump.lines)[dump.cited], most = std::max<std::size_t>(1, rows) * width;
    std::size_t begin = 0;
    if (text.size() > most) {
      const std::size_t at = dump.span.begin > line_begin ? dump.span.begin - line_begin : 0;
      begin = std::min(at > width ? at - width / 2 : 0, text.size() - 1);
    }
    if (text.size() > most && model_.part == Part::Evidence)
      begin = std::min(begin + model_.sideways, text.size() - 1);
    const bool before = begin > 0, behind = text.size() - begin > most;
    Pieces pieces{
        {Paint::Strong, (before ? "..." : "") + printable(text.substr(begin, most)) + (behind ? "..." : "")}};
    std::vector<Pieces> fit = fitted({std::move(pieces)}, width, canvas_.unicode());
    const std::size_t share =
        rows > 4 ? rows - 2 : std::max<std::size_t>(1, rows);  // something around it is seen too
    if (fit.size() > share) fit.resize(share);
    return fit;
  }

  const Model& model_;
  const Region& region_;
  Canvas& canvas_;
  std::size_t row_, limit_;
};

// --- lists and texts ----------------------------------------------------------------------------------

std::string_view title_of(View view) {
  switch (view) {
    case View::Findings:
      return "findings";
    case View::Ends:
      return "ends";
    case View::Help:
      return "keys";
    case View::Reference:
      return "expected against found";
    case View::Counters:
      return "counters and ages";
    case View::Verification:
      return "captures";
    case View::Line:
      return "the whole";
    case View::Trace:
      break;
  }
  return "";
}

void draw_text(const Model& model, const Region& region, Canvas& canvas) {
  const auto text = text_rows(model);
  const std::vector<Pieces>& rows = text->rows;
  const std::size_t seen = region.rows - 1,
                    first = std::min(model.level().chosen, rows.empty() ? 0 : rows.size() - 1);
  const std::string more = rows.size() > seen ? fmt::format("rows {}-{} of {}", first + 1,
                                                            std::min(first + seen, rows.size()), rows.size())
                                              : "";
  draw_title(canvas, region, title_of(model.level().view), {{Paint::Plain, more}}, true);
  for (std::size_t r = 0; r < seen && first + r < rows.size(); ++r) {
    canvas.put(region.row + 1 + r, 0, region.columns, rows[first + r]);
    mark_found(canvas, region.row + 1 + r, 0, region.columns, model.needle);
  }
}

Pieces row_of_list(const Model& model, std::size_t entry) {
  if (model.level().view == View::Ends) {
    const End& end = model.subject->ends[entry];
    return {{Paint::Strong, fmt::format("{:<24} ", printable(end.name))},
            {Paint::Plain, printable(fmt::format("{:<12} {:<12} {:<16} {}", end.kind, end.host, end.address,
                                                 end.network))}};
  }
  const Finding& finding = (*model.subject->findings)[entry];
  const Paint paint = finding.severity == Severity::Error     ? Paint::Bad
                      : finding.severity == Severity::Warning ? Paint::Doubtful
                                                              : Paint::Faint;
  const std::string title = printable(finding_title(finding));
  return {{paint, title.substr(0, 8)}, {Paint::Plain, title.substr(8)}};
}

void draw_detail(const Model& model, const Region& region, Canvas& canvas, const Finding& finding) {
  Page page({false, canvas.unicode(), region.columns});
  write_finding(finding, *model.subject->sources, page, true);
  const std::vector<Pieces> rows = fitted(page.rows(), region.columns, canvas.unicode());
  const std::string more = rows.size() + 1 > region.rows ? "Enter shows all of it" : "";
  draw_title(canvas, region, "this one", {{Paint::Faint, more}}, false);
  for (std::size_t r = 0; r < rows.size() && r + 1 < region.rows; ++r)
    canvas.put(region.row + 1 + r, 0, region.columns, rows[r]);
}

void draw_list(const Model& model, Region region, Canvas& canvas) {
  const Level& level = model.level();
  const std::size_t count = list_size(model);
  const std::optional<std::size_t> chosen = list_entry(model, level.chosen);
  const bool with_detail = level.view == View::Findings && chosen && region.rows > 9;
  Region detail = region;
  if (with_detail) {
    region.rows = std::min(std::max<std::size_t>(4, region.rows / 3), count + 1);
    detail.row += region.rows;
    detail.rows -= region.rows;
  }
  std::string title = count == 0 ? "none" : fmt::format("{} of {}", level.chosen + 1, count);
  if (!level.filter.empty()) title += fmt::format(", those with '{}'", level.filter);
  if (level.view == View::Ends)
    title = fmt::format("{}: type to narrow, Enter takes; {}",
                        model.from ? "from " + *model.from + " to where?" : "from where?", title);
  draw_title(canvas, region, title_of(level.view), {{Paint::Plain, title}}, true);
  const std::size_t seen = region.rows - 1, first = first_shown(count, seen, level.chosen, level.chosen + 1);
  for (std::size_t r = 0; r < seen && first + r < count; ++r) {
    const std::size_t row = region.row + 1 + r;
    const bool is_chosen = first + r == level.chosen;
    canvas.put(row, 0, region.columns, is_chosen ? ">" : " ", Paint::Strong);
    canvas.put(row, 2, region.columns, row_of_list(model, *list_entry(model, first + r)),
               is_chosen ? Accent::Chosen : Accent::None);
    mark_found(canvas, row, 0, region.columns, model.needle);
  }
  if (count == 0) {
    const bool waits = level.view == View::Findings && !model.subject->findings;
    canvas.put(region.row + 1, 2, region.columns,
               waits ? model.subject->computes_findings ? "comparing with the reference ..."
                                                        : "This trace holds no findings."
               : level.view == View::Ends ? "Nothing of that name; Enter takes it as it is typed."
               : level.filter.empty()     ? "Nothing is found wrong."
                                          : "None of them holds this text; & with an empty text shows all.");
  }
  if (with_detail) draw_detail(model, detail, canvas, (*model.subject->findings)[*chosen]);
}

// --- the bars -----------------------------------------------------------------------------------------

void draw_verdict(const Model& model, Canvas& canvas) {
  const Subject& subject = *model.subject;
  Pieces pieces;
  if (subject.inquiry && !subject.inquiry->without.empty())
    pieces.push_back({Paint::Doubtful, fmt::format("without {} row{}: ", subject.inquiry->without.size(),
                                                   subject.inquiry->without.size() == 1 ? "" : "s")});
  if (subject.trace) {
    const Pieces verdict = verdict_pieces(*subject.trace, subject.glossary);
    pieces.insert(pieces.end(), verdict.begin(), verdict.end());
  } else {
    pieces.push_back({Paint::Strong, subject.title});
  }
  std::string more = subject.trace && !subject.title.empty() ? "  " + subject.title : "";
  const std::size_t column = canvas.put(0, 0, canvas.columns(), pieces);
  canvas.put(0, column, canvas.columns(), more, Paint::Faint);
  // What does not fit says so; the whole verdict is that of the direction, in the path.
  std::size_t cells = cells_of(harmless(plain(pieces) + more, canvas.unicode()));
  if (cells > canvas.columns() && canvas.columns() > 1)
    canvas.put(0, canvas.columns() - 1, canvas.columns(), canvas.unicode() ? "…" : "~", Paint::Faint);
}

std::string_view question_of(Prompt::What what) {
  switch (what) {
    case Prompt::What::Search:
      return "search: ";
    case Prompt::What::Filter:
      return "only those with: ";
    case Prompt::What::Packet:
      return "packet (icmp, tcp/80, udp/53, ...): ";
    case Prompt::What::SaveView:
      return "save the view as: ";
    case Prompt::What::SaveJson:
      return "save the trace as: ";
  }
  return "";
}

void draw_hints(const Model& model, Canvas& canvas) {
  const std::size_t row = canvas.rows() - 1, end = canvas.columns();
  if (model.prompt) {
    const std::size_t column = canvas.put(row, 0, end, question_of(model.prompt->what), Paint::Strong);
    const std::size_t room = end > column + 1 ? end - column - 1 : 1;
    const std::size_t cursor =
        canvas.put(row, column, end, cut_front(model.prompt->text, room, canvas.unicode()));
    canvas.put(row, cursor, end, "_", Paint::Plain, Accent::Chosen);
    return;
  }
  if (!model.message.empty()) {
    canvas.put(row, 0, end, cut(printable(model.message), end, canvas.unicode()),
               model.message_is_bad ? Paint::Bad : Paint::Good);
    return;
  }
  std::size_t column = 0;
  const bool typing = model.level().view == View::Ends;  // there letters are typed
  for (const Binding& binding : bindings()) {
    if (binding.hint.empty()) continue;
    std::string_view key;
    for (const std::string_view each : words_of(binding.keys)) {
      if (key.empty() && (!typing || read_keys(each).front().name != KeyName::Character)) key = each;
    }
    const bool general = binding.command == Command::Help || binding.command == Command::Leave ||
                         binding.command == Command::Open;
    if (key.empty() || (typing && !general)) continue;
    if (column + key.size() + binding.hint.size() + 1 > end) continue;
    column = canvas.put(row, column, end, key, Paint::Strong);
    column = canvas.put(row, column, end, " ");
    column = canvas.put(row, column, end, binding.hint, Paint::Faint) + 2;
  }
}

}  // namespace

void draw(const Model& model, Canvas& canvas) {
  if (canvas.rows() == 0 || canvas.columns() == 0) return;
  if (canvas.rows() > 1) draw_verdict(model, canvas);
  draw_hints(model, canvas);
  if (canvas.rows() < 4) return;
  const Region body{Part::Path, 1, 0, canvas.rows() - 2, canvas.columns()};
  if (is_text(model.level().view)) return draw_text(model, body, canvas);
  if (model.level().view != View::Trace) return draw_list(model, body, canvas);
  for (const Region& region : regions_of(model, layout_picture(model))) {
    if (region.rows == 0) continue;
    if (region.part == Part::Path) PathDrawing(model, region, canvas).draw();
    if (region.part == Part::Steps) draw_steps(model, region, canvas);
    if (region.part == Part::Evidence) EvidenceDrawing(model, region, canvas).draw();
    if (region.column > 0) {  // a line between two that stand beside each other
      for (std::size_t r = 0; r < region.rows; ++r)
        canvas.put(region.row + r, region.column - 1, region.column,
                   canvas.unicode() ? (r == 0 ? "┬" : "│") : "|", Paint::Faint);
    }
  }
}

}  // namespace dvrtrace::tui
