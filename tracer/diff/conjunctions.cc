#include "tracer/diff/conjunctions.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <unordered_map>
#include <vector>

#include "tracer/diff/flow_numbers.h"
#include "tracer/reference/canonical.h"

namespace dvrtrace::diff {
namespace {

using Rows = std::vector<std::size_t>;  // hashes, ascending

std::map<std::uint32_t, Rows> rows_by_id(const openflow::FlowTable& flows) {
  const std::hash<std::string> hash;
  std::map<std::uint32_t, Rows> rows;
  for (const openflow::FlowRow& row : flows.flows) {
    const openflow::Flow& flow = row.flow;
    for (const openflow::Action& action : flow.actions) {
      const auto* clause = std::get_if<openflow::Conjunction>(&action.variant());
      if (clause == nullptr) continue;
      rows[clause->id].push_back(hash(fmt::format("{} {} {} {}/{}", flow.table.value, flow.priority,
                                                  to_string(flow.match), clause->clause, clause->clauses)));
    }
    if (const auto id = number_in(flow.match, openflow::FieldId::ConjId)) {
      rows[*id].push_back(hash(fmt::format("{} {} {} {}", flow.table.value, flow.priority,
                                           to_string(without(flow.match, openflow::FieldId::ConjId)),
                                           to_string(reference::canonical_actions(flow.actions)))));
    }
  }
  for (auto& [id, all] : rows) std::ranges::sort(all);
  return rows;
}

std::size_t in_common(const Rows& a, const Rows& b) {
  Rows both;
  std::ranges::set_intersection(a, b, std::back_inserter(both));
  return both.size();
}

class Pairing {
 public:
  Pairing(const openflow::FlowTable& before, const openflow::FlowTable& after)
      : was_(rows_by_id(before)), is_(rows_by_id(after)) {}

  NumberMap run() {
    for (const auto& [id, rows] : is_) map_.use(id);
    for (const auto& [id, rows] : was_) {
      const auto same = is_.find(id);
      if (same != is_.end() && same->second == rows) pair(id, id);
    }
    equal_rows();
    most_in_common();
    for (const auto& [id, rows] : was_) {
      if (!map_.knows(id)) map_.gone(id);
    }
    return std::move(map_);
  }

 private:
  bool open(std::uint32_t was, std::uint32_t is) const { return !map_.knows(was) && !taken_.contains(is); }
  void pair(std::uint32_t was, std::uint32_t is) {
    map_.set(was, is);
    taken_.insert(is);
  }

  void equal_rows() {
    std::map<Rows, std::vector<std::uint32_t>> by_rows;
    for (const auto& [id, rows] : is_) {
      if (!taken_.contains(id)) by_rows[rows].push_back(id);
    }
    for (const auto& [id, rows] : was_) {
      const auto same = by_rows.find(rows);
      if (map_.knows(id) || same == by_rows.end() || same->second.empty()) continue;
      pair(id, same->second.front());
      same->second.erase(same->second.begin());
    }
  }

  void most_in_common() {
    std::unordered_map<std::size_t, std::vector<std::uint32_t>> with_row;
    for (const auto& [id, rows] : is_) {
      if (taken_.contains(id)) continue;
      for (const std::size_t row : rows) with_row[row].push_back(id);
    }
    struct Likeness {
      double score;
      bool differ;
      std::uint32_t was, is;
    };
    std::vector<Likeness> pairs;
    for (const auto& [id, rows] : was_) {
      if (map_.knows(id)) continue;
      std::set<std::uint32_t> near;
      for (const std::size_t row : rows) {
        if (const auto at = with_row.find(row); at != with_row.end())
          near.insert(at->second.begin(), at->second.end());
      }
      for (const std::uint32_t other : near) {
        const std::size_t both = in_common(rows, is_.at(other));
        const double all = static_cast<double>(rows.size() + is_.at(other).size() - both);
        pairs.push_back({static_cast<double>(both) / all, id != other, id, other});
      }
    }
    std::ranges::sort(pairs, [](const Likeness& a, const Likeness& b) {
      return std::tuple(-a.score, a.differ, a.was, a.is) < std::tuple(-b.score, b.differ, b.was, b.is);
    });
    for (const Likeness& each : pairs) {
      if (open(each.was, each.is)) pair(each.was, each.is);
    }
  }

  std::map<std::uint32_t, Rows> was_, is_;
  NumberMap map_{0xfffffeff, 0xffffffff};
  std::set<std::uint32_t> taken_;
};

}  // namespace

NumberMap conjunction_numbers(const openflow::FlowTable& before, const openflow::FlowTable& after) {
  return Pairing(before, after).run();
}

}  // namespace dvrtrace::diff
