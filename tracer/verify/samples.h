// Samples: a set of times of which the middle and the tail are asked for; of a large set a part that is drawn
// evenly is kept, the same one in every run.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

namespace dvrtrace::verify {

class Samples {
 public:
  void add(std::int64_t value) {
    ++count_;
    least_ = std::min(least_, value);
    if (kept_.size() < kMost) {
      kept_.push_back(value);
      return;
    }
    state_ = state_ * 6364136223846793005ULL + 1442695040888963407ULL;
    const std::uint64_t place = (state_ >> 16) % count_;
    if (place < kMost) kept_[place] = value;
  }
  std::uint64_t count() const { return count_; }
  std::int64_t least() const { return least_; }
  // The smallest value that `part` of all do not exceed; 0.5 is the median.
  std::int64_t quantile(double part) const {
    if (kept_.empty()) return 0;
    std::vector<std::int64_t> sorted = kept_;
    const auto at = static_cast<std::size_t>(part * static_cast<double>(sorted.size() - 1) + 0.5);
    std::nth_element(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(at), sorted.end());
    return sorted[at];
  }

 private:
  static constexpr std::size_t kMost = 4096;
  std::vector<std::int64_t> kept_;
  std::uint64_t count_ = 0, state_ = 1;
  std::int64_t least_ = std::numeric_limits<std::int64_t>::max();
};

}  // namespace dvrtrace::verify
