#include "tracer/check/rows.h"

#include <algorithm>
#include <unordered_map>

namespace dvrtrace::check {
namespace {

struct Both {
  std::vector<const Row*> found, expected;
};

// Takes out of both what says the same.
void match(Both& rows) {
  std::erase_if(rows.expected, [&](const Row* expected) {
    const auto same = std::ranges::find(rows.found, expected->says,
                                        [](const Row* row) -> const std::string& { return row->says; });
    if (same == rows.found.end()) return false;
    rows.found.erase(same);
    return true;
  });
}

Difference difference_of(const Setting& setting, const Row* found, const Row* expected) {
  Difference difference;
  difference.kind = setting.kind;
  difference.netns = setting.netns;
  difference.family = setting.family;
  difference.deviation = found == nullptr      ? Deviation::Missing
                         : expected == nullptr ? Deviation::Extra
                                               : Deviation::Different;
  if (found != nullptr) difference.found = found->text, difference.found_at = found->at;
  if (expected != nullptr) difference.expected = expected->text, difference.expected_at = expected->at;
  difference.object = expected != nullptr ? expected->text : found->text;
  return difference;
}

}  // namespace

void compare_rows(const Rows& found, const Rows& expected, const Setting& setting, Comparison& comparison) {
  std::unordered_map<std::string, Both> by_subject;
  std::vector<Both*> order;  // of first mention, the expected before the found
  const auto subject = [&](const Row& row) -> Both& {
    const auto [at, added] = by_subject.try_emplace(row.about);
    if (added) order.push_back(&at->second);
    return at->second;
  };
  for (const Row& row : expected) subject(row).expected.push_back(&row);
  std::size_t compared = 0;
  for (const Row& row : found) {
    if (setting.foreign && !by_subject.contains(row.about)) continue;
    subject(row).found.push_back(&row);
    ++compared;
  }
  comparison.of(setting.kind).expected += expected.size();
  comparison.of(setting.kind).found += compared;
  for (Both* rows : order) {
    match(*rows);
    const std::size_t pairs = std::min(rows->found.size(), rows->expected.size());
    for (std::size_t i = 0; i < std::max(rows->found.size(), rows->expected.size()); ++i) {
      const Row* one = i < rows->found.size() ? rows->found[i] : nullptr;
      const Row* other = i < rows->expected.size() ? rows->expected[i] : nullptr;
      if (i >= pairs && one == nullptr && !setting.whole) continue;
      if (i >= pairs && other == nullptr && (setting.foreign || !setting.expected_whole)) continue;
      comparison.differences.push_back(difference_of(setting, one, other));
    }
  }
}

}  // namespace dvrtrace::check
