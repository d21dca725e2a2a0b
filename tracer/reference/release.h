// Release: which Neutron programmed a host, and since when it does what.
//
// A fact that came with a point release is a Since: the first release of every branch that has it. What the agents do
// differently from release to release is data of that kind (practice.h), never a copy of code.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "src/snapshot/host.h"

namespace dvrtrace::reference {

// Neutron's version; the releases before Liberty, which had years for versions, get the numbers that would precede 7.
struct Release {
  std::uint16_t series = 0, minor = 0, patch = 0;
  auto operator<=>(const Release&) const = default;
};

inline constexpr Release kJuno{5}, kKilo{6}, kLiberty{7}, kMitaka{8}, kNewton{9}, kOcata{10}, kPike{11}, kQueens{12}, kRocky{13},
    kStein{14}, kTrain{15}, kUssuri{16}, kVictoria{17}, kWallaby{18}, kXena{19}, kYoga{20}, kZed{21}, kAntelope{22}, kBobcat{23},
    kCaracal{24}, kDalmatian{25}, kEpoxy{26}, kFlamingo{27}, kGazpacho{28}, kNewest{29};

// Since these releases, one of each branch that got the change, and since every series after the last of them.
class Since {
 public:
  constexpr Since(std::initializer_list<Release> firsts) {
    for (const Release& first : firsts) firsts_[count_++] = first;
  }
  constexpr bool holds(Release release) const {
    for (std::size_t i = 0; i < count_; ++i) {
      if (firsts_[i].series == release.series) return release >= firsts_[i];
    }
    return count_ != 0 && release.series > firsts_[count_ - 1].series;
  }

 private:
  std::array<Release, 8> firsts_{};
  std::size_t count_ = 0;
};

// "Zed", "zed", "21", "21.2.1", "2023.1", "2015.1.4", "kilo", "newest". None when it names no release.
std::optional<Release> parse_release(std::string_view text);
std::string to_string(Release release);            // "Zed 21.0.0"
std::string_view series_name(Release release);     // "Zed"
// The names of all series, oldest first, as --release takes them.
std::span<const std::string_view> series_names();

// What the dumps of a host say about the release that programmed it: an early release of the latest branch that all signs allow.
// None when there is no sign.
std::optional<Release> guess_release(const HostSnapshot& host);
// The release that most hosts show; of several the latest.
std::optional<Release> guess_release(std::span<const HostSnapshot> hosts);

}  // namespace dvrtrace::reference
