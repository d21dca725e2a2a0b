#include "src/report/pictures/reach_html.h"

#include <fmt/format.h>

#include <map>
#include <set>

#include "src/report/pictures/html_page.h"
#include "src/report/reach_text.h"
#include "src/report/words.h"

namespace dvrtrace {
namespace {

Paint paint_of(const std::string& word) {
  if (word == "yes") return Paint::Good;
  return word == "no" ? Paint::Bad : word.empty() ? Paint::Plain : Paint::Doubtful;
}

class Writer {
 public:
  explicit Writer(const Reach& reach) : reach_(reach) {}

  void write(HtmlPage& page) {
    const ReachCount count = count_of(reach_);
    page.title = "who reaches whom";
    page.heading = element(
        "h1", {}, html_text(fmt::format("{} of {} arrive", count.arrive, counted(reach_.pairs, "pair"))));
    page.heading +=
        element("p", {},
                html_text(fmt::format("{} in {}, {} traced", counted(count.vms, "VM"),
                                      counted(count.groups, "group"), counted(reach_.traced, "question"))));
    if (reach_.expected != 0) page.sections.push_back({"expectations", "Expectations", expectations()});
    for (std::size_t table = 0; table < reach_.tables.size(); ++table) {
      if (!reach_.tables[table].cells.empty())
        page.sections.push_back(
            {fmt::format("packet-{}", table), title_of(reach_.tables[table]), matrix(table)});
    }
    page.sections.push_back({"groups", "Groups", groups()});
  }

 private:
  static std::string id_of(std::size_t table, const ReachCell& cell) {
    return fmt::format("cell-{}-{}-{}", table, cell.from, cell.to);
  }

  Markup expectations() const {
    Markup body;
    if (reach_.breaches.empty())
      return element("p", {{"class", std::string(class_of(Paint::Good))}},
                     html_text(counted(reach_.expected, "expectation") + ": all hold"));
    for (const ReachBreach& breach : reach_.breaches) {
      body += html_details({"", "entry", true},
                           html_text(fmt::format("line {}: {}: {} of {} do otherwise", breach.line,
                                                 breach.text, breach.pairs, counted(breach.of, "pair"))),
                           answers(breach.answers, ""));
    }
    return body;
  }

  Markup matrix(std::size_t number) const {
    const ReachTable& table = reach_.tables[number];
    const ReachGrid grid(table);
    HtmlTable matrix{"", {"from \\ to"}, {}, "matrix"};
    for (const std::size_t column : grid.columns) matrix.heads.push_back(reach_.ends[column].label);
    Markup entries;
    for (const std::size_t row : grid.rows) {
      std::vector<HtmlCell> line{{reach_.ends[row].label}};
      for (const std::size_t column : grid.columns) {
        const ReachCell* cell = grid.at(row, column);
        if (cell == nullptr) {
          line.push_back({""});
          continue;
        }
        const std::string word = word_of(*cell);
        const std::string about = fmt::format("{} to {}", reach_.ends[row].label, reach_.ends[column].label);
        line.push_back({word, paint_of(word), id_of(number, *cell), about});
        entries += html_details({id_of(number, *cell), "entry", false, false}, html_text(about + ": " + word),
                                answers(cell->answers, table.packet));
      }
      matrix.rows.push_back(std::move(line));
    }
    Markup body = html_table(matrix);
    body += entries;
    return body;
  }

  static Markup answers(const std::vector<ReachAnswer>& answers, const std::string& packet) {
    HtmlTable table{"", {"verdict", "why", "pairs", "for example"}, {}};
    for (const ReachAnswer& answer : answers) {
      const std::string asked = packet.empty() || packet == "icmp" ? "" : " " + packet;
      table.rows.push_back({{std::string(name(answer.verdict)), dvrtrace::paint_of(answer.verdict)},
                            {std::string(in_words(answer.reason))},
                            {std::to_string(answer.pairs)},
                            {fmt::format("dvrtrace from {} to {}{}", answer.from, answer.to, asked)}});
    }
    return html_table(table);
  }

  Markup groups() const {
    Markup body;
    for (const ReachEnd& end : reach_.ends) {
      if (end.members.empty()) continue;
      const auto list = [](const std::vector<std::string>& names) {
        return fmt::format("{}", fmt::join(names, ", "));
      };
      HtmlTable table{"",
                      {"", ""},
                      {{{"network"}, {end.network}},
                       {{"security groups"}, {list(end.security_groups)}},
                       {{"hosts"}, {list(end.hosts)}},
                       {{end.kind == ReachKind::FloatingIps ? "floating IPs" : "VMs"}, {list(end.members)}}}};
      body += html_details(
          {"", "entry"},
          html_text(fmt::format(
              "{}: {} of {}", end.label,
              counted(end.members.size(), end.kind == ReachKind::FloatingIps ? "floating IP" : "VM"),
              end.network)),
          html_table(table));
    }
    return body;
  }

  const Reach& reach_;
};

}  // namespace

std::string print_html(const Reach& reach, const JsonContext& context) {
  HtmlPage page;
  Writer(reach).write(page);
  add_provenance(context, page);
  return print_html(page);
}

}  // namespace dvrtrace
