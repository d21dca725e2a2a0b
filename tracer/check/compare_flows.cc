#include "tracer/check/compare_bridges.h"

#include <algorithm>
#include <set>
#include <tuple>

#include "tracer/reference/canonical.h"

namespace dvrtrace::check {
namespace {

using openflow::FlowRow;
using openflow::FlowTable;
using openflow::Match;

using Row = const FlowRow*;

std::strong_ordering order(const Match& a, const Match& b) {
  const std::size_t both = std::min(a.words.size(), b.words.size());
  for (std::size_t i = 0; i < both; ++i) {
    const auto& x = a.words[i];
    const auto& y = b.words[i];
    if (const auto o = std::tie(x.index, x.mask, x.value) <=> std::tie(y.index, y.mask, y.value); o != 0)
      return o;
  }
  if (const auto o = a.words.size() <=> b.words.size(); o != 0) return o;
  return std::lexicographical_compare_three_way(a.unmodelled.begin(), a.unmodelled.end(),
                                                b.unmodelled.begin(), b.unmodelled.end());
}

// By table and match, then by priority: rows that ask the same of a packet stand together.
bool before(Row a, Row b) {
  const auto& x = a->flow;
  const auto& y = b->flow;
  if (x.table != y.table) return x.table < y.table;
  if (const auto o = order(x.match, y.match); o != 0) return o < 0;
  return x.priority > y.priority;
}

bool same_question(Row a, Row b) { return a->flow.table == b->flow.table && a->flow.match == b->flow.match; }

std::vector<Row> sorted_rows(const FlowTable& table, const std::vector<bool>& settled) {
  std::vector<Row> rows;
  for (std::size_t i = 0; i < table.flows.size(); ++i) {
    const bool is_settled = i < settled.size() && settled[i];
    if (!is_settled && !openflow::learned(table.flows[i].flow)) rows.push_back(&table.flows[i]);
  }
  std::ranges::stable_sort(rows, before);
  return rows;
}

std::string text_of(const FlowRow& row) {
  openflow::Flow flow = row.flow;
  flow.cookie = 0;
  return openflow::to_string(flow);
}

class FlowComparison {
 public:
  FlowComparison(const std::string& bridge, const FlowTable& found, const FlowTable& expected,
                 const std::vector<bool>& settled)
      : bridge_(bridge), all_doubtful_(found.truncated) {
    for (const auto& unread : found.unread) {
      if (unread.value)
        doubtful_.insert(*unread.value);
      else
        all_doubtful_ = true;
    }
    const std::vector<Row> have = sorted_rows(found, settled), want = sorted_rows(expected, {});
    for (auto h = have.begin(), w = want.begin(); h != have.end() || w != want.end();) {
      if (w == want.end() || (h != have.end() && !same_question(*h, *w) && before(*h, *w))) {
        extra(*h++);
      } else if (h == have.end() || !same_question(*h, *w)) {
        missing(*w++);
      } else {
        const Row question = *h;
        std::vector<Row> some_have, some_want;
        while (h != have.end() && same_question(*h, question)) some_have.push_back(*h++);
        while (w != want.end() && same_question(*w, question)) some_want.push_back(*w++);
        compare(std::move(some_have), std::move(some_want));
      }
    }
  }

  std::vector<BridgeDifference> take() { return std::move(differences_); }

 private:
  void compare(std::vector<Row> have, std::vector<Row> want) {
    const auto drop_pairs = [&](auto alike, auto done) {
      std::erase_if(want, [&](Row w) {
        const auto h = std::ranges::find_if(have, [&](Row each) { return alike(each, w); });
        if (h == have.end()) return false;
        done(*h, w);
        have.erase(h);
        return true;
      });
    };
    const auto same_priority = [](Row h, Row w) { return h->flow.priority == w->flow.priority; };
    const auto same_actions = [](Row h, Row w) {
      return h->flow.actions == w->flow.actions ||
             reference::canonical_actions(h->flow.actions) == reference::canonical_actions(w->flow.actions);
    };
    drop_pairs([&](Row h, Row w) { return same_priority(h, w) && same_actions(h, w); }, [](Row, Row) {});
    drop_pairs(same_priority, [&](Row h, Row w) { different(h, w); });
    drop_pairs([](Row, Row) { return true; }, [&](Row h, Row w) { different(h, w); });
    for (Row w : want) missing(w);
    for (Row h : have) extra(h);
  }

  BridgeDifference& add(Deviation deviation, Row row) {
    BridgeDifference& difference = differences_.emplace_back();
    difference.deviation = deviation;
    difference.bridge = bridge_;
    difference.table = row->flow.table;
    return difference;
  }
  static void set_found(BridgeDifference& difference, Row row) {
    difference.found = text_of(*row);
    difference.found_at = row->at;
  }
  static void set_expected(BridgeDifference& difference, Row row) {
    difference.expected = text_of(*row);
    difference.expected_at = row->at;
  }
  void missing(Row row) {
    if (all_doubtful_ || doubtful_.contains(row->flow.table)) return;
    set_expected(add(Deviation::Missing, row), row);
  }
  void extra(Row row) { set_found(add(Deviation::Extra, row), row); }
  void different(Row have, Row want) {
    BridgeDifference& difference = add(Deviation::Different, want);
    set_found(difference, have);
    set_expected(difference, want);
  }

  const std::string& bridge_;
  bool all_doubtful_;
  std::set<TableId> doubtful_;
  std::vector<BridgeDifference> differences_;
};

}  // namespace

std::vector<BridgeDifference> compare_flows(const std::string& bridge, const FlowTable& found,
                                            const FlowTable& expected, const std::vector<bool>& settled) {
  return FlowComparison(bridge, found, expected, settled).take();
}

}  // namespace dvrtrace::check
