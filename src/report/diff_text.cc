#include "src/report/diff_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "src/base/text.h"
#include "src/report/page.h"
#include "src/report/words.h"

namespace dvrtrace {
namespace {

constexpr std::size_t kPathsShown = 3, kFollowersShown = 5, kNotComparedShown = 8;

std::string place_of(const Change& change) {
  if (change.place_kind == "host") return "";
  if (change.place_kind == "namespace") return change.place.empty() ? "root namespace" : change.place;
  return change.table ? fmt::format("{} table {}", change.place, change.table->value) : change.place;
}

std::string answer_text(const PathAnswer& answer) {
  if (!answer.failure.empty()) return "cannot be asked: " + answer.failure;
  return fmt::format("{} ({})", name(answer.verdict), name(answer.reason));
}

bool arrives(const PathAnswer& answer) { return answer.failure.empty() && arrives(answer.verdict); }

// The first places of both ways that differ.
std::pair<std::string, std::string> parting(const ChangedPath& path) {
  const auto& was = path.before.way;
  const auto& is = path.after.way;
  std::size_t at = 0;
  while (at < was.size() && at < is.size() && was[at] == is[at]) ++at;
  const auto place = [&](const auto& way) { return at < way.size() ? way[at] : std::string("its end"); };
  return {place(was), place(is)};
}

class DiffText {
 public:
  DiffText(const SnapshotDiff& diff, const Sources& sources, const Style& style, Detail detail)
      : diff_(diff), sources_(sources), page_(style), detail_(detail) {}

  std::string run() {
    summary(diff_, page_);
    paths();
    changes();
    not_compared();
    return page_.text();
  }

  static void summary(const SnapshotDiff& diff, Page& page) {
    std::set<std::string_view> hosts;
    for (const Change& change : diff.changes) hosts.insert(change.host);
    if (diff.changes.empty()) {
      page.line(0, Pieces{{Paint::Good, "no change"}, {Paint::Plain, " in what the dumps tell"}});
      page.line(0,
                "What no dump shows may have changed: the wires between the hosts, physical switches, and "
                "the guests themselves.");
      return;
    }
    const auto of = [&](PathEffect effect) {
      return std::ranges::count_if(diff.paths, [&](const ChangedPath& path) {
        return path.effect == effect && !path.by_learnt_state;
      });
    };
    page.line(
        0,
        Pieces{
            {Paint::Changed,
             fmt::format("{} on {}", counted(diff.changes.size(), "change"), counted(hosts.size(), "host"))},
            {Paint::Plain,
             fmt::format("; of {}: {} with another verdict, {} by another way, {} the same way by other rows",
                         counted(diff.asked, "question"), of(PathEffect::Verdict), of(PathEffect::Way),
                         of(PathEffect::Rows))}});
  }

 private:
  // Paths that changed alike, and for the same reason first of all.
  using Kind = std::tuple<bool, PathEffect, std::string, std::string, std::string, std::size_t>;

  void paths() {
    if (diff_.paths.empty()) return;
    page_.blank();
    page_.line(0, Pieces{{Paint::Strong, "paths"}});
    std::map<Kind, std::vector<const ChangedPath*>> kinds;
    std::vector<const std::vector<const ChangedPath*>*> order;
    for (const ChangedPath& path : diff_.paths) {
      auto& kind =
          kinds[{path.by_learnt_state, path.effect, answer_text(path.before), answer_text(path.after),
                 path.after.stopped, path.causes.empty() ? diff_.changes.size() : path.causes.front()}];
      if (kind.empty()) order.push_back(&kind);
      kind.push_back(&path);
    }
    std::size_t learnt = 0;
    for (const auto* alike : order) {
      if (alike->front()->by_learnt_state && detail_ != Detail::Full)
        learnt += alike->size();
      else
        kind_of_path(*alike);
    }
    if (learnt != 0)
      page_.line(
          2,
          Pieces{{Paint::Faint,
                  fmt::format(
                      "{} by none of the changes: what the hosts had learnt of the traffic differs (-d full)",
                      counted(learnt, "path"))}});
    if (diff_.left_out != 0)
      page_.line(2, Pieces{{Paint::Doubtful, counted(diff_.left_out, "question")},
                           {Paint::Plain, " not asked, as too many; diff ... from A to B asks one"}});
  }

  void kind_of_path(const std::vector<const ChangedPath*>& alike) {
    const ChangedPath& first = *alike.front();
    const std::string arrow = fmt::format(" {} ", page_.style().arrow());
    Pieces head{{Paint::Plain, counted(alike.size(), "path") + ": "}};
    if (first.effect == PathEffect::Verdict) {
      head.push_back({Paint::Plain, printable(answer_text(first.before)) + arrow});
      head.push_back({arrives(first.after) ? Paint::Good : Paint::Bad, printable(answer_text(first.after))});
      if (!first.after.stopped.empty()) head.push_back({Paint::Place, ", " + printable(first.after.stopped)});
    } else if (first.effect == PathEffect::Way) {
      head.push_back({Paint::Changed, "another way"});
      head.push_back({Paint::Plain, fmt::format(", still {}", printable(answer_text(first.after)))});
    } else {
      head.push_back({Paint::Faint, fmt::format("the same way, decided by other rows, {}",
                                                printable(answer_text(first.after)))});
    }
    head.push_back({Paint::Faint, because(alike)});
    page_.line(2, head, 6);
    if (detail_ == Detail::Brief) return;
    const std::size_t shown = detail_ == Detail::Full ? alike.size() : std::min(kPathsShown, alike.size());
    for (std::size_t i = 0; i < shown; ++i) {
      const ChangedPath& path = *alike[i];
      Pieces line{{Paint::Plain, printable(fmt::format("{} to {} {}", path.from, path.to, path.packet))}};
      if (path.effect == PathEffect::Way) {
        const auto [was, is] = parting(path);
        line.push_back({Paint::Faint, printable(fmt::format("  ({}{}{})", was, arrow, is))});
      }
      page_.line(6, line, 10);
    }
    if (shown < alike.size())
      page_.line(6, Pieces{{Paint::Faint, fmt::format("and {} more (-d full)", alike.size() - shown)}});
  }

  static std::string because(const std::vector<const ChangedPath*>& alike) {
    constexpr std::size_t kNamed = 4;
    if (alike.front()->by_learnt_state)
      return "  by none of the changes: what the hosts had learnt of the traffic differs";
    std::set<std::size_t> causes;
    for (const ChangedPath* path : alike) causes.insert(path->causes.begin(), path->causes.end());
    std::string text = causes.empty() ? "" : "  by";
    std::size_t named = 0;
    for (const std::size_t cause : causes)
      text += ++named <= kNamed ? fmt::format(" [{}]", cause + 1) : named == kNamed + 1 ? " ..." : "";
    return text;
  }

  void changes() {
    if (diff_.changes.empty()) return;
    page_.blank();
    page_.line(0, Pieces{{Paint::Strong, "changes"}});
    for (std::size_t i = 0; i < diff_.changes.size(); ++i) {
      if (!diff_.changes[i].follows) change(i);
    }
  }

  void head(std::size_t index, std::size_t indent) {
    const Change& change = diff_.changes[index];
    const std::string place = place_of(change);
    page_.line(
        indent,
        Pieces{{Paint::Strong, fmt::format("[{}] {} {}", index + 1, change.object_kind, name(change.kind))},
               {Paint::Place, fmt::format("  {}{}{}", printable(change.host), place.empty() ? "" : "  ",
                                          printable(place))}},
        indent + 6);
  }

  void row(std::size_t indent, std::string_view what, const std::string& text) {
    if (text.empty()) return;
    page_.line(indent, Pieces{{Paint::Faint, fmt::format("{:<8}", what)}, {Paint::Plain, printable(text)}},
               indent + 8);
  }

  void change(std::size_t index) {
    const Change& change = diff_.changes[index];
    constexpr std::size_t kIndent = 6;
    head(index, 2);
    if (!change.name.empty() && change.object_kind != "link" && change.object_kind != "sysctl" &&
        change.object_kind != "config")
      row(kIndent, "name", change.name);
    row(kIndent, "before", change.before);
    row(kIndent, "after", change.after);
    if (change.restored != 0)
      row(kIndent, "here",
          fmt::format("undone alone, {} of {} as before", change.restored,
                      counted(change.tried, "tried path")));
    else if (!change.paths.empty())
      row(kIndent, "here", fmt::format("{} on it", counted(change.paths.size(), "changed path")));
    if (detail_ == Detail::Brief) return;
    for (const Provenance& at : {change.before_at, change.after_at}) {
      if (!at.known()) continue;
      const Location where = sources_.locate(at);
      page_.unwrapped(kIndent, {Paint::Faint, fmt::format("{}:{}", printable(where.file), where.line)});
    }
    followers(index);
  }

  void followers(std::size_t leader) {
    std::vector<std::size_t> all;
    for (std::size_t i = 0; i < diff_.changes.size(); ++i) {
      if (diff_.changes[i].follows == leader) all.push_back(i);
    }
    if (all.empty()) return;
    page_.line(6, Pieces{{Paint::Faint, fmt::format("with it {}:", counted(all.size(), "more change"))}});
    const std::size_t shown = detail_ == Detail::Full ? all.size() : std::min(kFollowersShown, all.size());
    for (std::size_t i = 0; i < shown; ++i) {
      const Change& change = diff_.changes[all[i]];
      head(all[i], 8);
      if (detail_ == Detail::Full) {
        row(14, "before", change.before);
        row(14, "after", change.after);
      } else {
        row(14, "", change.after.empty() ? change.before : change.after);
      }
    }
    if (shown < all.size())
      page_.line(8, Pieces{{Paint::Faint, fmt::format("and {} more (-d full)", all.size() - shown)}});
  }

  void not_compared() {
    if (diff_.not_compared.empty() || detail_ == Detail::Brief) return;
    page_.blank();
    page_.line(0, Pieces{{Paint::Strong, "not compared"}});
    const std::size_t all = diff_.not_compared.size();
    const std::size_t shown = detail_ == Detail::Full ? all : std::min(kNotComparedShown, all);
    for (std::size_t i = 0; i < shown; ++i) {
      const NotCompared& each = diff_.not_compared[i];
      page_.line(2,
                 Pieces{{Paint::Doubtful, printable(each.host)},
                        {Paint::Plain, printable(fmt::format("  {}: {}", each.what, each.why))}},
                 6);
    }
    if (shown < all) page_.line(2, Pieces{{Paint::Faint, fmt::format("and {} more (-d full)", all - shown)}});
  }

  const SnapshotDiff& diff_;
  const Sources& sources_;
  Page page_;
  Detail detail_;
};

}  // namespace

std::string print_text(const SnapshotDiff& diff, const Sources& sources, const Style& style, Detail detail) {
  return DiffText(diff, sources, style, detail).run();
}

std::string print_summary(const SnapshotDiff& diff, const Style& style) {
  Page page(style);
  DiffText::summary(diff, page);
  return page.text();
}

}  // namespace dvrtrace
