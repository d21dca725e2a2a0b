// Points: the capture points that a verification speaks of, numbered.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "src/trace/verification.h"

namespace dvrtrace::verify {

class Points {
 public:
  // The number of a point, which is new if need be.
  std::uint32_t number(const CapturePoint& point) {
    const auto [at, added] = numbers_.try_emplace(point, static_cast<std::uint32_t>(points_.size()));
    if (added) {
      points_.push_back(point);
      host_.push_back(
          hosts_.try_emplace(point.host, static_cast<std::uint32_t>(hosts_.size())).first->second);
    }
    return at->second;
  }
  const CapturePoint& at(std::uint32_t point) const { return points_[point]; }
  std::uint32_t host(std::uint32_t point) const {
    return host_[point];
  }  // points with equal numbers share a clock
  std::size_t size() const { return points_.size(); }

 private:
  std::map<CapturePoint, std::uint32_t> numbers_;
  std::vector<CapturePoint> points_;
  std::map<std::string, std::uint32_t> hosts_;
  std::vector<std::uint32_t> host_;
};

}  // namespace dvrtrace::verify
