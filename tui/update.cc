#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "src/base/overloaded.h"
#include "src/base/text.h"
#include "src/report/finding_text.h"
#include "tui/moves.h"
#include "tui/parts.h"

namespace dvrtrace::tui {
namespace {

std::size_t page_rows(const Model& model) { return model.rows > 4 ? model.rows - 4 : 1; }

// A move by `by`, which may be negative, within `count`.
std::size_t moved(std::size_t from, std::ptrdiff_t by, std::size_t count) {
  if (count == 0) return 0;
  const auto to = static_cast<std::ptrdiff_t>(std::min(from, count - 1)) + by;
  return static_cast<std::size_t>(std::clamp<std::ptrdiff_t>(to, 0, static_cast<std::ptrdiff_t>(count) - 1));
}

constexpr std::ptrdiff_t kFar = std::ptrdiff_t{1} << 40;

void move_hop(Model& model, std::ptrdiff_t by) {
  if (way_of(model) == nullptr) return;
  const std::size_t to = moved(model.hop, by, hops_shown(model, model.direction));
  if (to != model.hop) choose_hop(model, model.direction, to);
}

// --- lists --------------------------------------------------------------------------------------------

void filter_list(Model& model, std::string filter) {
  Level& level = model.level();
  level.filter = std::move(filter);
  level.chosen = 0;
  level.shown.reset();
  if (level.filter.empty()) return;
  const std::vector<std::string>& texts =
      level.view == View::Ends ? model.subject->searched_ends : model.subject->searched_findings;
  const std::string needle = folded(level.filter);
  std::vector<std::uint32_t> shown;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (texts[i].find(needle) != std::string::npos) shown.push_back(static_cast<std::uint32_t>(i));
  }
  level.shown = std::make_shared<const std::vector<std::uint32_t>>(std::move(shown));
}

void push(Model& model, View view, std::string text = {}) {
  if (model.level().view == view) return;
  Level level;
  level.view = view;
  level.text = std::move(text);
  model.levels.push_back(std::move(level));
}

void leave(Model& model) {
  if (model.level().view == View::Ends && model.from) {
    model.from.reset();
    filter_list(model, "");
  } else if (model.levels.size() > 1) {
    model.levels.pop_back();
  } else if (model.enlarged) {
    model.enlarged = false;
  } else {
    model.quit = true;
  }
}

// --- questions ----------------------------------------------------------------------------------------

void ask(Model& model, Inquiry inquiry) {
  model.asking = inquiry;
  tell(model, "tracing ...");
  model.request = AskAgain{std::move(inquiry)};
}

bool can_ask(Model& model) {
  if (model.subject->inquiry) return true;
  tell(model, "a saved trace cannot be asked again: view from A to B", true);
  return false;
}

void ask_swapped(Model& model) {
  if (!can_ask(model)) return;
  Inquiry inquiry = *model.subject->inquiry;
  std::swap(inquiry.from, inquiry.to);
  ask(model, std::move(inquiry));
}

// Only what decides by a row of a dump can be taken away.
bool rests_on_row(const Step& step) {
  return std::holds_alternative<FlowHit>(step) || std::holds_alternative<RuleHit>(step) ||
         std::holds_alternative<RouteHit>(step) || std::holds_alternative<NeighbourHit>(step) ||
         std::holds_alternative<ChainHit>(step) || std::holds_alternative<Translated>(step);
}

void ask_without(Model& model) {
  if (!can_ask(model)) return;
  const std::optional<std::size_t> hop_index = chosen_hop(model);
  const std::vector<Item> items = items_of(model);
  if (!hop_index || model.item >= items.size() || !items[model.item].step)
    return tell(model, "choose a step first", true);
  const Hop& hop = direction_of(model)->hops[*hop_index];
  const Step& step = hop.steps[*items[model.item].step];
  if (!rests_on_row(step) || !evidence_of(step).known())
    return tell(model, "this step rests on no flow, rule or route that could be taken away", true);
  Inquiry inquiry = *model.subject->inquiry;
  inquiry.without.push_back({hop.place, step, plain(items[model.item].pieces)});
  ask(model, std::move(inquiry));
}

void undo(Model& model) {
  if (model.before.empty()) return tell(model, "this was the first question", true);
  show(model, std::move(model.before.back()));
  model.before.pop_back();
  tell(model, "back at the question before");
}

void choose_end(Model& model) {
  const std::optional<std::size_t> entry = list_entry(model, model.level().chosen);
  // A word that is in no list is taken as it is: an address outside, for one.
  if (!entry && model.level().filter.empty()) return;
  const std::string word = entry ? model.subject->ends[*entry].word : model.level().filter;
  if (!model.from) {
    model.from = word;
    return filter_list(model, "");
  }
  Inquiry inquiry = model.subject->inquiry.value_or(Inquiry{});
  inquiry.from = *std::exchange(model.from, {});
  inquiry.to = word;
  inquiry.without.clear();
  ask(model, std::move(inquiry));
}

// --- taking along -------------------------------------------------------------------------------------

std::string finding_as_text(const Model& model, const Finding& finding) {
  Page page({false, model.style.unicode, 110});
  write_finding(finding, *model.subject->sources, page, true);
  return page.text();
}

// The dump around what a finding cites, with the numbers of its lines; "" where the text is not at hand.
std::string cited_text(const Model& model, const Finding& finding) {
  constexpr std::size_t kLinesAround = 40;
  const std::string_view bytes =
      finding.at.known() ? model.subject->sources->text(finding.at.source).bytes : std::string_view{};
  const std::size_t at = finding.at.span.begin;
  if (at >= bytes.size()) return {};
  std::size_t begin = at;
  for (std::size_t lines = 0; begin > 0 && (bytes[begin - 1] != '\n' || lines++ < kLinesAround);) --begin;
  const auto first = static_cast<std::size_t>(std::ranges::count(bytes.substr(0, begin), '\n')) + 1;
  std::string text = fmt::format("\n{}\n", printable(model.subject->sources->name(finding.at.source)));
  std::size_t number = first, after = 0;
  for (std::string_view rest = bytes.substr(begin); !rest.empty() && after <= kLinesAround; ++number) {
    const std::size_t start = bytes.size() - rest.size();
    const std::string_view line = take_until(rest, '\n');
    const bool cited = start <= at && at <= start + line.size();
    after += start > at ? 1 : 0;
    text += fmt::format("{} {:>6}  {}\n", cited ? '>' : ' ', number, printable(line.substr(0, kLongestLine)));
  }
  return text;
}

std::string chosen_text(const Model& model) {
  if (const std::optional<std::size_t> entry = list_entry(model, model.level().chosen)) {
    if (model.level().view == View::Findings)
      return finding_as_text(model, (*model.subject->findings)[*entry]);
    return model.subject->ends[*entry].word;
  }
  if (model.level().view == View::Line) {
    std::string text;
    for (std::string_view rest = model.level().text; !rest.empty();)
      text.append(text.empty() ? "" : "\n").append(printable(take_until(rest, '\n')));
    return text;
  }
  if (is_text(model.level().view)) {
    std::string text;
    const auto rows = text_rows(model);
    for (const Pieces& row : rows->rows) text += plain(row) + "\n";
    return text;
  }
  if (model.part == Part::Evidence) return printable(line_of(model, model.line).substr(0, kLongestLine));
  const std::vector<Item> items = items_of(model);
  const std::size_t item = model.part == Part::Path ? 0 : model.item;
  return item < items.size() ? std::string(trim(plain(items[item].pieces))) : "";
}

void copy(Model& model) {
  std::string text = chosen_text(model);
  if (text.empty()) return tell(model, "there is nothing to copy", true);
  if (text.back() != '\n') text += '\n';
  model.copied.push_back(text);
  tell(model, "copied; it is printed on leaving, too");
  model.request = CopyText{std::move(text)};
}

// --- commands -----------------------------------------------------------------------------------------

void prompt(Model& model, Prompt::What what, std::string text = {}) {
  model.prompt = Prompt{what, std::move(text)};
}

void show_view(Model& model, View view) {
  if (!model.subject->trace) return tell(model, "there is no trace here", true);
  push(model, view);
  const bool wants_faults = view == View::Reference || view == View::Findings;
  const bool known =
      view == View::Findings ? model.subject->findings.has_value() : model.subject->comparison.has_value();
  if (wants_faults && !known && model.subject->computes_findings) {
    tell(model, "comparing with the reference ...");
    model.request = FindFaults{};
  }
}

void move(Model& model, std::ptrdiff_t by);

void open(Model& model) {
  if (model.level().view == View::Ends) return choose_end(model);
  if (const std::optional<std::size_t> entry = list_entry(model, model.level().chosen)) {
    const Finding& finding = (*model.subject->findings)[*entry];
    return push(model, View::Line, finding_as_text(model, finding) + cited_text(model, finding));
  }
  if (model.level().view != View::Trace) return;
  if (model.part == Part::Path) {
    model.part = Part::Steps;
  } else if (model.part == Part::Steps) {
    model.part = Part::Evidence;
  } else if (const std::string_view line = line_of(model, model.line); !line.empty()) {
    const std::size_t line_begin = (*model.dump.lines)[model.line];
    const bool cited = model.line == model.dump.cited && model.dump.span.begin > line_begin;
    const std::size_t at = cited ? model.dump.span.begin - line_begin : 0;
    std::size_t begin = 0;
    if (line.size() > kLongestLine) {  // around what is cited
      begin = at - std::min(at, kLongestLine / 4);
      tell(model, fmt::format("a line of {} bytes; {} of them", line.size(),
                              std::min(kLongestLine, line.size() - begin)));
    }
    push(model, View::Line, std::string(line.substr(begin, kLongestLine)));
    model.level().chosen = (at - begin) / model.columns;
    move(model, 0);  // not beyond the end
  }
}

void move_in_trace(Model& model, std::ptrdiff_t by) {
  switch (model.part) {
    case Part::Path:
      return move_hop(model, by);
    case Part::Steps:
      return choose_item(model, moved(model.item, by, items_of(model).size()));
    case Part::Evidence:
      model.line = moved(model.line, by, model.dump.lines ? model.dump.lines->size() : 0);
  }
}

void move(Model& model, std::ptrdiff_t by) {
  Level& level = model.level();
  if (level.view == View::Trace) return move_in_trace(model, by);
  if (!is_text(level.view)) {
    level.chosen = moved(level.chosen, by, list_size(model));
    return;
  }
  const std::size_t rows = text_rows(model)->rows.size(), seen = model.rows > 3 ? model.rows - 3 : 1;
  level.chosen = moved(level.chosen, by, rows > seen ? rows - seen + 1 : 1);
}

void sideways(Model& model, bool right) {
  if (model.level().view != View::Trace) return;
  if (model.part != Part::Evidence) return move_hop(model, right ? 1 : -1);
  const std::size_t by = std::max<std::size_t>(8, model.columns / 4);
  const std::size_t longest = std::min(line_of(model, model.line).size(), kLongestLine);
  if (right)
    model.sideways = std::min(model.sideways + by, longest);
  else
    model.sideways -= std::min(by, model.sideways);
}

void turn(Model& model) {
  if (model.subject->ways.size() < 2) return tell(model, "there is one direction alone", true);
  const std::size_t other = (model.direction + 1) % model.subject->ways.size();
  choose_direction(model, other);
}

void change_detail(Model& model) {
  const std::size_t text = text_of_item(model);
  model.detail = model.detail == Detail::Path   ? Detail::Full
                 : model.detail == Detail::Full ? Detail::Brief
                                                : Detail::Path;
  if (way_of(model) != nullptr)
    model.hop = std::min(model.hop, std::max<std::size_t>(1, hops_shown(model, model.direction)) - 1);
  choose_item(model, item_of_text(model, text).value_or(deciding_item(model)));
  constexpr std::array kNames{"brief", "path", "full"};
  tell(model, fmt::format("detail: {}", kNames[static_cast<std::size_t>(model.detail)]));
}

void next_part(Model& model, int by) {
  model.part = static_cast<Part>((static_cast<int>(model.part) + 3 + by) % 3);
}

void save_as(Model& model, Prompt::What what) {
  if (what == Prompt::What::SaveJson && !model.subject->trace)
    return tell(model, "there is no trace here", true);
  prompt(model, what, what == Prompt::What::SaveJson ? "trace.json" : "view.txt");
}

void begin_filter(Model& model) {
  if (model.level().view != View::Findings) return tell(model, "lists of findings are filtered (f)", true);
  prompt(model, Prompt::What::Filter, model.level().filter);
}

void choose_ends(Model& model) {
  if (!can_ask(model)) return;
  if (model.subject->ends.empty()) return tell(model, "the inputs name no ends to choose from", true);
  model.from.reset();
  push(model, View::Ends);
}

void obey(Model& model, Command command) {
  const auto page = static_cast<std::ptrdiff_t>(page_rows(model));
  switch (command) {
    case Command::Up:
      return move(model, -1);
    case Command::Down:
      return move(model, 1);
    case Command::PageUp:
      return move(model, -page);
    case Command::PageDown:
      return move(model, page);
    case Command::First:
      return move(model, -kFar);
    case Command::Last:
      return move(model, kFar);
    case Command::Left:
      return sideways(model, false);
    case Command::Right:
      return sideways(model, true);
    case Command::NextHop:
      return move_hop(model, 1);
    case Command::PreviousHop:
      return move_hop(model, -1);
    case Command::OtherDirection:
      return turn(model);
    case Command::NextPart:
      return next_part(model, 1);
    case Command::PreviousPart:
      return next_part(model, -1);
    case Command::Open:
      return open(model);
    case Command::Leave:
      return leave(model);
    case Command::Enlarge:
      model.enlarged = !model.enlarged;
      return;
    case Command::Detail:
      return change_detail(model);
    case Command::Search:
      return prompt(model, Prompt::What::Search);
    case Command::SearchNext:
      return search(model, true);
    case Command::SearchPrevious:
      return search(model, false);
    case Command::Filter:
      return begin_filter(model);
    case Command::Findings:
      return show_view(model, View::Findings);
    case Command::Reference:
      return show_view(model, View::Reference);
    case Command::Counters:
      return show_view(model, View::Counters);
    case Command::Verification:
      return show_view(model, View::Verification);
    case Command::Packet:
      if (can_ask(model)) prompt(model, Prompt::What::Packet, model.subject->inquiry->packet);
      return;
    case Command::Swap:
      return ask_swapped(model);
    case Command::Without:
      return ask_without(model);
    case Command::Ends:
      return choose_ends(model);
    case Command::Undo:
      return undo(model);
    case Command::Copy:
      return copy(model);
    case Command::SaveView:
      return save_as(model, Prompt::What::SaveView);
    case Command::SaveJson:
      return save_as(model, Prompt::What::SaveJson);
    case Command::PrintAndQuit:
      model.print_on_quit = model.quit = true;
      return;
    case Command::Quit:
      model.quit = true;
      return;
    case Command::Help:
      return push(model, View::Help);
    case Command::Redraw:
      return;
  }
}

// --- events -------------------------------------------------------------------------------------------

void accept(Model& model, const Prompt& prompt) {
  switch (prompt.what) {
    case Prompt::What::Search:
      if (!prompt.text.empty()) model.needle = folded(prompt.text);
      return search(model, true);
    case Prompt::What::Filter:
      filter_list(model, prompt.text);
      return tell(model, fmt::format("{} of {}", list_size(model),
                                     model.subject->findings ? model.subject->findings->size() : 0));
    case Prompt::What::Packet: {
      Inquiry inquiry = *model.subject->inquiry;
      inquiry.packet = std::string(trim(prompt.text));
      return ask(model, std::move(inquiry));
    }
    case Prompt::What::SaveView:
      if (!prompt.text.empty()) model.request = SaveScreen{prompt.text};
      return;
    case Prompt::What::SaveJson:
      if (!prompt.text.empty()) model.request = SaveTrace{prompt.text};
      return;
  }
}

// Takes the last character off.
void shorten(std::string& text) {
  while (!text.empty() && (static_cast<unsigned char>(text.back()) & 0xc0) == 0x80) text.pop_back();
  if (!text.empty()) text.pop_back();
}

bool types(const Key& key) {
  return key.name == KeyName::Character && key.character >= 0x20 && key.character != 0x7f;
}

void type(Model& model, const Key& key) {
  constexpr std::size_t kLongest = 4096;
  Prompt& typed = *model.prompt;
  if (types(key)) {
    if (typed.text.size() < kLongest) typed.text += utf8(key.character);
  } else if (key.name == KeyName::Backspace || key.name == KeyName::Delete) {
    if (typed.text.empty())
      model.prompt.reset();
    else
      shorten(typed.text);
  } else if (key.name == KeyName::Escape) {
    model.prompt.reset();
  } else if (key.name == KeyName::Enter) {
    const Prompt done = *std::exchange(model.prompt, {});
    accept(model, done);
  }
}

// Among the ends letters are typed into the filter; what is no letter commands as everywhere.
bool type_filter(Model& model, const Key& key) {
  std::string filter = model.level().filter;
  if (types(key))
    filter += utf8(key.character);
  else if (key.name == KeyName::Backspace)
    shorten(filter);
  else
    return false;
  filter_list(model, std::move(filter));
  return true;
}

void press(Model& model, const Key& key) {
  model.message.clear();
  if (model.prompt) return type(model, key);
  if (model.level().view == View::Ends && type_filter(model, key)) return;
  if (const std::optional<Command> command = command_of(key)) obey(model, *command);
}

void click_path(Model& model, const Region& region, const Picture& picture, const MousePressed& mouse) {
  const auto chosen = std::ranges::find_if(
      picture.boxes, [&](const Box& b) { return b.direction == model.direction && b.position == model.hop; });
  const std::size_t rows = picture.rows(), seen = region.rows - 1;
  const std::size_t at = chosen == picture.boxes.end() ? 0 : picture.row_of(chosen->line);
  const std::size_t row =
      mouse.row - region.row - 1 + first_shown(rows, seen, at, at + (picture.tall ? 3 : 1));
  for (const Box& box : picture.boxes) {
    const std::size_t top = picture.row_of(box.line), height = picture.tall ? 3 : 1;
    if (row >= top && row < top + height && mouse.column >= box.column &&
        mouse.column < box.column + box.width)
      return choose_hop(model, box.direction, box.position);
  }
}

void click_steps(Model& model, const Region& region, const MousePressed& mouse) {
  const std::vector<Item> items = items_of(model);
  std::vector<std::size_t> item_of_row;
  std::size_t begin = 0, end = 0;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i == model.item) begin = item_of_row.size();
    item_of_row.resize(
        item_of_row.size() +
            rows_of(items[i], model, region.columns - std::min<std::size_t>(2, region.columns)).size(),
        i);
    if (i == model.item) end = item_of_row.size();
  }
  const std::size_t row =
      mouse.row - region.row - 1 + first_shown(item_of_row.size(), region.rows - 1, begin, end);
  if (row < item_of_row.size()) choose_item(model, item_of_row[row]);
}

void click(Model& model, const MousePressed& mouse) {
  const bool wheel = mouse.what == MousePressed::What::WheelUp || mouse.what == MousePressed::What::WheelDown;
  const std::ptrdiff_t by = mouse.what == MousePressed::What::WheelUp ? -1 : 1;
  if (model.prompt) return;
  if (model.level().view != View::Trace) {
    if (wheel) return move(model, by * 3);
    return;
  }
  const Picture picture = layout_picture(model);
  for (const Region& region : regions_of(model, picture)) {
    if (!region.holds(mouse.row, mouse.column)) continue;
    model.part = region.part;
    if (wheel) return move(model, region.part == Part::Evidence ? by * 3 : by);
    if (mouse.row == region.row) {  // its title
      if (mouse.what == MousePressed::What::Open) model.enlarged = !model.enlarged;
      return;
    }
    if (region.part == Part::Path) click_path(model, region, picture, mouse);
    if (region.part == Part::Steps) click_steps(model, region, mouse);
    if (mouse.what == MousePressed::What::Open) open(model);
  }
}

void take(Model& model, const Answered& answered) {
  if (answered.same_question) {  // the same hop and step stay chosen
    model.subject = answered.subject;
    model.message.clear();
    return;
  }
  if (model.subject->trace) model.before.push_back(model.subject);
  model.levels.assign(1, {});
  model.from.reset();
  show(model, answered.subject);
  const std::optional<Inquiry>& asked = model.subject->inquiry;
  if (asked && !asked->without.empty()) {
    tell(model, fmt::format("without {} row{}; u goes back", asked->without.size(),
                            asked->without.size() == 1 ? "" : "s"));
  } else {
    tell(model, model.before.empty() ? "" : "traced again; u goes back");
  }
}

}  // namespace

Model open(std::shared_ptr<const Subject> subject, Style style, std::size_t columns, std::size_t rows) {
  Model model;
  model.style = style;
  model.columns = columns;
  model.rows = rows;
  model.levels[0].view = subject->trace ? View::Trace : subject->findings ? View::Findings : View::Ends;
  show(model, std::move(subject));
  return model;
}

Model update(Model model, const Event& event) {
  std::visit(overloaded{
                 [&](const KeyPressed& e) { press(model, e.key); },
                 [&](const MousePressed& e) { click(model, e); },
                 [&](const Resized& e) {
                   model.columns = std::max<std::size_t>(e.columns, 1);
                   model.rows = std::max<std::size_t>(e.rows, 1);
                   if (is_text(model.level().view)) move(model, 0);
                 },
                 [&](const Answered& e) { take(model, e); },
                 [&](const Told& e) { tell(model, e.message, e.failed); },
             },
             event);
  if (is_text(model.level().view)) model.level().rows = text_rows(model);
  return model;
}

Model run(Model model, const Event& event, const Backend& backend) {
  model = update(std::move(model), event);
  while (model.request) {
    const Request request = *std::exchange(model.request, std::nullopt);
    model = update(std::move(model), backend(request, model));
  }
  return model;
}

Canvas drawn(const Model& model) {
  Canvas canvas(model.columns, model.rows, model.style.unicode);
  draw(model, canvas);
  return canvas;
}

}  // namespace dvrtrace::tui
