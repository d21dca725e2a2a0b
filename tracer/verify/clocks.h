// Clocks: how much the clocks of hosts differ, from packets that went both ways between them. The quickest
// packet each way is taken to have been on its way equally long.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "src/trace/verification.h"
#include "tracer/verify/points.h"
#include "tracer/verify/tally.h"

namespace dvrtrace::verify {

class Clocks {
 public:
  Clocks(const Points& points, const std::vector<Tally>& tallies);
  // How much `b`'s clock is ahead of `a`'s; points. None: not known.
  std::optional<std::int64_t> ahead(std::uint32_t a, std::uint32_t b) const;
  std::vector<ClockOffset> offsets() const;

 private:
  const Points& points_;
  std::map<std::uint32_t, ClockOffset> of_host_;  // by the points' number of the host; the reference's is 0
};

}  // namespace dvrtrace::verify
