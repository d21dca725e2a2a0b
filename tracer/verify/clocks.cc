#include "tracer/verify/clocks.h"

#include <algorithm>

namespace dvrtrace::verify {
namespace {

struct Between {
  std::int64_t least = std::numeric_limits<std::int64_t>::max();
  std::uint64_t samples = 0;
};

}  // namespace

Clocks::Clocks(const Points& points, const std::vector<Tally>& tallies) : points_(points) {
  std::map<std::pair<std::uint32_t, std::uint32_t>, Between> between;  // from host to host
  std::map<std::uint32_t, std::string> names;
  std::optional<std::uint32_t> reference;
  for (const Tally& tally : tallies) {
    const std::vector<std::uint32_t>& at = tally.expected().points;
    for (const auto& [pair, samples] : tally.times()) {
      const std::uint32_t from = points.host(at[pair.first]), to = points.host(at[pair.second]);
      names[from] = points.at(at[pair.first]).host;
      names[to] = points.at(at[pair.second]).host;
      if (!reference) reference = from;
      if (from == to) continue;
      Between& known = between[{from, to}];
      known.least = std::min(known.least, samples.least());
      known.samples += samples.count();
    }
  }
  if (!reference) return;
  of_host_[*reference] = {names[*reference], names[*reference], 0, 0};
  // From the reference to its neighbours, and on to theirs.
  for (bool more = true; more;) {
    more = false;
    for (const auto& [pair, there] : between) {
      const auto [known, other] = pair;
      const auto back = between.find({other, known});
      if (!of_host_.contains(known) || of_host_.contains(other) || back == between.end()) continue;
      const std::int64_t ahead = there.least / 2 - back->second.least / 2;
      of_host_[other] = {names[other], names[*reference], of_host_[known].nanoseconds + ahead,
                         there.samples + back->second.samples};
      more = true;
    }
  }
}

std::optional<std::int64_t> Clocks::ahead(std::uint32_t a, std::uint32_t b) const {
  if (points_.host(a) == points_.host(b)) return 0;
  const auto first = of_host_.find(points_.host(a)), second = of_host_.find(points_.host(b));
  if (first == of_host_.end() || second == of_host_.end()) return std::nullopt;
  return second->second.nanoseconds - first->second.nanoseconds;
}

std::vector<ClockOffset> Clocks::offsets() const {
  std::vector<ClockOffset> all;
  for (const auto& [host, offset] : of_host_) {
    if (offset.host != offset.reference) all.push_back(offset);
  }
  std::ranges::sort(all, {}, &ClockOffset::host);
  return all;
}

}  // namespace dvrtrace::verify
