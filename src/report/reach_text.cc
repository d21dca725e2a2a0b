#include "src/report/reach_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "src/base/text.h"
#include "src/report/page.h"
#include "src/report/table.h"
#include "src/report/words.h"

namespace dvrtrace {
namespace {

constexpr std::size_t kNamesShown = 6;

std::string names(const std::vector<std::string>& all) {
  std::string text;
  for (std::size_t i = 0; i < std::min(all.size(), kNamesShown); ++i)
    text += (i == 0 ? "" : ", ") + printable(all[i]);
  if (all.size() > kNamesShown) text += fmt::format(" and {} more", all.size() - kNamesShown);
  return text;
}

class Writer {
 public:
  Writer(const Reach& reach, Page& page, bool all) : reach_(reach), page_(page), all_(all) {}

  void write() {
    const ReachCount count = count_of(reach_);
    page_.line(
        0, {{Paint::Strong, fmt::format("{} of {} arrive", count.arrive, counted(reach_.pairs, "pair"))},
            {Paint::Plain, fmt::format(": {} in {}, {} traced", counted(count.vms, "VM"),
                                       counted(count.groups, "group"), counted(reach_.traced, "question"))}});
    legend();
    for (const ReachTable& table : reach_.tables) write(table);
  }

 private:
  void legend() {
    Table table{{"group", "network", "security groups", "hosts", "members"}, {}};
    for (const ReachEnd& end : reach_.ends) {
      if (end.members.empty()) continue;
      table.rows.push_back({end.label + (end.kind == ReachKind::FloatingIps ? " (floating IPs)" : ""),
                            printable(end.network), names(end.security_groups), names(end.hosts),
                            end.members.size() == 1
                                ? names(end.members)
                                : fmt::format("{}: {}", end.members.size(), names(end.members))});
    }
    page_.blank();
    lines_of_table(table);
  }

  void lines_of_table(const Table& table) {
    const std::string text = print_table(table, 0, page_.style());
    for (std::string_view rest = text; !rest.empty();)
      page_.unwrapped(0, {Paint::Plain, std::string(take_until(rest, '\n'))});
  }

  void write(const ReachTable& table) {
    if (table.cells.empty()) return;
    page_.blank();
    page_.line(0, {{Paint::Strong, title_of(table)}});
    const ReachGrid grid(table);
    std::size_t width = 12;
    for (const std::size_t column : grid.columns) width += reach_.ends[column].label.size() + 2;
    if (width <= page_.style().width)
      matrix(grid);
    else
      list(grid);
    for (const ReachCell& cell : table.cells) examples(table, cell);
  }

  static std::string word_at(const ReachGrid& grid, std::size_t row, std::size_t column) {
    const ReachCell* cell = grid.at(row, column);
    return cell == nullptr ? "" : word_of(*cell);
  }

  void matrix(const ReachGrid& grid) {
    Table table{{"from \\ to"}, {}};
    for (const std::size_t column : grid.columns) table.heads.push_back(reach_.ends[column].label);
    for (const std::size_t row : grid.rows) {
      std::vector<std::string> line{reach_.ends[row].label};
      for (const std::size_t column : grid.columns) line.push_back(word_at(grid, row, column));
      table.rows.push_back(std::move(line));
    }
    lines_of_table(table);
  }

  // For each group those that it reaches, does not reach, ...
  void list(const ReachGrid& grid) {
    for (const std::size_t row : grid.rows) {
      std::map<std::string, std::string, std::greater<>> by_word;
      for (const std::size_t column : grid.columns) {
        if (const std::string word = word_at(grid, row, column); !word.empty())
          by_word[word] += " " + reach_.ends[column].label;
      }
      for (const auto& [word, ends] : by_word)
        page_.line(
            2, {{Paint::Strong, reach_.ends[row].label}, {Paint::Plain, fmt::format("  {}:{}", word, ends)}},
            8);
    }
  }

  void examples(const ReachTable& table, const ReachCell& cell) {
    for (const ReachAnswer& answer : cell.answers) {
      if (arrives(answer.verdict) && !all_ && cell.answers.size() == 1) continue;
      const std::string packet = table.packet.empty() || table.packet == "icmp" ? "" : " " + table.packet;
      page_.line(
          2,
          {{Paint::Strong, fmt::format("{} to {}", reach_.ends[cell.from].label, reach_.ends[cell.to].label)},
           {Paint::Plain, "  "},
           {paint_of(answer.verdict), std::string(name(answer.verdict))},
           {Paint::Plain,
            fmt::format(": {}; {}, as ", in_words(answer.reason), counted(answer.pairs, "pair"))},
           {Paint::Place,
            fmt::format("from {} to {}{}", printable(answer.from), printable(answer.to), packet)}},
          6);
    }
  }

  const Reach& reach_;
  Page& page_;
  bool all_;
};

// RFC 4180. What a spreadsheet would take for a formula gets an apostrophe before it.
std::string field(std::string_view text) {
  std::string out = printable(text);
  if (!out.empty() && std::string_view("=+-@").find(out.front()) != std::string_view::npos)
    out.insert(out.begin(), '\'');
  if (out.find_first_of(",\"\n") == std::string::npos) return out;
  std::string quoted = "\"";
  for (const char c : out) quoted.append(c == '"' ? "\"\"" : std::string(1, c));
  return quoted + "\"";
}

}  // namespace

ReachCount count_of(const Reach& reach) {
  ReachCount count;
  for (const ReachTable& table : reach.tables) {
    for (const ReachCell& cell : table.cells) {
      for (const ReachAnswer& answer : cell.answers)
        count.arrive += arrives(answer.verdict) ? answer.pairs : 0;
    }
  }
  for (const ReachEnd& end : reach.ends) {
    if (end.kind != ReachKind::Vms) continue;
    ++count.groups;
    count.vms += end.members.size();
  }
  return count;
}

ReachGrid::ReachGrid(const ReachTable& table) {
  for (const ReachCell& cell : table.cells) {
    cells_[{cell.from, cell.to}] = &cell;
    rows.insert(cell.from);
    columns.insert(cell.to);
  }
}

const ReachCell* ReachGrid::at(std::size_t row, std::size_t column) const {
  const auto found = cells_.find({row, column});
  return found == cells_.end() ? nullptr : found->second;
}

std::string title_of(const ReachTable& table) {
  return table.packet.empty() ? "metadata and DHCP" : table.packet;
}

std::string word_of(const ReachCell& cell) {
  bool yes = false, no = false, unknown = false;
  for (const ReachAnswer& answer : cell.answers) {
    yes = yes || arrives(answer.verdict);
    unknown = unknown || answer.verdict == Verdict::Unknown;
    no = no || (!arrives(answer.verdict) && answer.verdict != Verdict::Unknown);
  }
  if (yes && no) return "some";
  return unknown ? yes ? "yes?" : no ? "no?" : "?" : yes ? "yes" : "no";
}

std::string print_reach(const Reach& reach, const Style& style, bool all) {
  Page page(style);
  Writer(reach, page, all).write();
  return page.text();
}

std::string print_reach_csv(const Reach& reach) {
  std::string text =
      "packet,from_group,from_kind,from_network,to_group,to_kind,to_network,verdict,reason,pairs,example_"
      "from,example_to\r\n";
  for (const ReachTable& table : reach.tables) {
    for (const ReachCell& cell : table.cells) {
      const ReachEnd &from = reach.ends[cell.from], &to = reach.ends[cell.to];
      for (const ReachAnswer& answer : cell.answers) {
        const std::string packet = !table.packet.empty()        ? table.packet
                                   : to.kind == ReachKind::Dhcp ? "dhcp"
                                                                : "tcp/80";
        text += fmt::format("{},{},{},{},{},{},{},{},{},{},{},{}\r\n", field(packet), field(from.label),
                            name(from.kind), field(from.network), field(to.label), name(to.kind),
                            field(to.network), name(answer.verdict), name(answer.reason), answer.pairs,
                            field(answer.from), field(answer.to));
      }
    }
  }
  return text;
}

std::string print_breaches(const Reach& reach, const Style& style) {
  Page page(style);
  if (reach.breaches.empty()) {
    page.line(0, {{Paint::Good, fmt::format("{} hold{}", counted(reach.expected, "expectation"),
                                            reach.expected == 1 ? "s" : "")}});
    return page.text();
  }
  page.line(0, {{Paint::Bad, fmt::format("{} of {} broken", reach.breaches.size(),
                                         counted(reach.expected, "expectation"))}});
  for (const ReachBreach& breach : reach.breaches) {
    page.line(0, {{Paint::Strong, fmt::format("line {}: {}", breach.line, printable(breach.text))},
                  {Paint::Plain,
                   fmt::format("  {} of {} do otherwise", breach.pairs, counted(breach.of, "pair"))}});
    for (const ReachAnswer& answer : breach.answers)
      page.line(
          4,
          {{Paint::Place, fmt::format("from {} to {}", printable(answer.from), printable(answer.to))},
           {Paint::Plain, "  "},
           {paint_of(answer.verdict), std::string(name(answer.verdict))},
           {Paint::Plain, fmt::format(": {} ({})", in_words(answer.reason), counted(answer.pairs, "pair"))}},
          8);
  }
  return page.text();
}

}  // namespace dvrtrace
