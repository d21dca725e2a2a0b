#include "tracer/reference/release.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <vector>

#include "src/base/text.h"
#include "tracer/reference/flow_signs.h"

namespace dvrtrace::reference {

namespace {

constexpr std::string_view kNames[] = {
    "Juno",   "Kilo",   "Liberty", "Mitaka",   "Newton",  "Ocata",  "Pike",  "Queens", "Rocky",
    "Stein",  "Train",  "Ussuri",  "Victoria", "Wallaby", "Xena",   "Yoga",  "Zed",    "2023.1",
    "2023.2", "2024.1", "2024.2",  "2025.1",   "2025.2",  "2026.1", "2026.2"};
// Names beside the version since the versions are years.
constexpr std::string_view kCodeNames[] = {"antelope", "bobcat",   "caracal", "dalmatian",
                                           "epoxy",    "flamingo", "gazpacho"};
constexpr std::uint16_t kFirstSeries = kJuno.series;

std::optional<Release> of_series(std::size_t index) {
  return Release{static_cast<std::uint16_t>(kFirstSeries + index), 0, 0};
}

// --- signs outside of Open vSwitch ---------------------------------------------------------------------

bool any_static_route(const HostSnapshot& host) {
  for (const NamespaceSnapshot& netns : host.namespaces) {
    if (!netns.name.starts_with("qrouter-") && !netns.name.starts_with("fip-")) continue;
    for (const auto& route : netns.routes4.value) {
      if (route.value.protocol == "static") return true;
    }
  }
  return false;
}

bool any_chain(const HostSnapshot& host, std::string_view part) {
  for (const NamespaceSnapshot& netns : host.namespaces) {
    if (!netns.name.starts_with("qrouter-")) continue;
    for (const auto& table : netns.iptables4.value.tables) {
      for (const auto& chain : table.chains) {
        if (chain.name.find(part) != std::string::npos) return true;
      }
    }
  }
  return false;
}

bool any_iif_rule(const HostSnapshot& host) {
  for (const NamespaceSnapshot& netns : host.namespaces) {
    if (!netns.name.starts_with("fip-")) continue;
    for (const auto& rule : netns.rules4.value) {
      if (rule.value.iif.starts_with("fpr-")) return true;
    }
  }
  return false;
}

// --- by where br-int goes on after classification -------------------------------------------------------

// br-int has no table that all traffic meets again: Juno to Ocata.
Release before_pike(const HostSnapshot& host, const FlowSigns& br_int) {
  if (!br_int.has_cookies()) return br_int.subnet_flow() ? kJuno : kKilo;
  if (any_iif_rule(host)) return kOcata;
  return any_chain(host, "neutron-l3-agent-scope") ? Release{8, 4, 0} : Release{7, 1, 0};
}

// Table 60 follows table 0: Pike to Xena.
Release with_transient(const HostSnapshot& host, const FlowSigns& br_int) {
  if (br_int.has(1, 4) || br_int.has(2, 4)) return kPike;
  if (br_int.has(77, 0)) return kXena;
  const bool dead_vlan_tagged = br_int.dead_vlan_with_tag();
  if (br_int.has(0, 99)) return dead_vlan_tagged ? Release{18, 3, 0} : kWallaby;
  if (br_int.has_table(3) || br_int.has_table(4)) {
    if (!any_static_route(host)) return Release{14, 4, 1};
    return dead_vlan_tagged ? Release{17, 4, 0} : Release{16, 4, 0};
  }
  if (any_static_route(host)) return kVictoria;
  return br_int.has_table(94) || !br_int.has_table(91) ? Release{12, 1, 0} : kQueens;
}

Release with_rate_limits(const FlowSigns& br_int, const FlowSigns& br_tun) {
  const bool normal_is_1 = br_int.has(60, 1);
  if (br_int.resubmits(58, 0, 59)) return br_tun.has(10, 2) ? kNewest : kEpoxy;
  if (br_tun.has(10, 2)) return {25, 2, 1};
  return normal_is_1 ? Release{24, 1, 0} : kAntelope;
}

}  // namespace

std::optional<Release> parse_release(std::string_view text) {
  const std::string word = to_lower(text);
  if (word == "newest" || word == "master") return kNewest;
  for (std::size_t i = 0; i < std::size(kNames); ++i) {
    if (word == to_lower(kNames[i])) return of_series(i);
  }
  for (std::size_t i = 0; i < std::size(kCodeNames); ++i) {
    if (word == kCodeNames[i]) return Release{static_cast<std::uint16_t>(kAntelope.series + i), 0, 0};
  }
  std::vector<std::uint16_t> parts;
  for (const std::string_view part : split(word, '.')) {
    const auto value = number<std::uint16_t>(part);
    if (!value) return std::nullopt;
    parts.push_back(*value);
  }
  if (parts.empty()) return std::nullopt;
  if (parts.size() >= 2 && (parts[0] == 2014 || parts[0] == 2015)) {  // 2014.2.3 is Juno, 2015.1.4 Kilo
    const std::uint16_t minor = parts.size() > 2 ? parts[2] : std::uint16_t{0};
    return Release{parts[0] == 2014 ? kJuno.series : kKilo.series, minor, 0};
  }
  parts.resize(3);
  if (parts[0] < kLiberty.series || parts[0] > kNewest.series) return std::nullopt;
  return Release{parts[0], parts[1], parts[2]};
}

std::string_view series_name(Release release) {
  const std::size_t index =
      std::clamp<std::size_t>(release.series, kFirstSeries, kNewest.series) - kFirstSeries;
  return kNames[index];
}

std::string to_string(Release release) {
  if (release == kJuno || release == kKilo) return std::string(series_name(release));
  if (release.series <= kKilo.series)
    return fmt::format("{} {}.{}", series_name(release), release.series == kJuno.series ? "2014.2" : "2015.1",
                       release.minor);
  return fmt::format("{} {}.{}.{}", series_name(release), release.series, release.minor, release.patch);
}

std::span<const std::string_view> series_names() { return kNames; }

std::optional<Release> guess_release(const HostSnapshot& host) {
  const FlowSigns br_int(host, "br-int"), br_tun(host, "br-tun");
  if (br_int.empty()) return std::nullopt;
  if (br_int.has_table(58)) return with_rate_limits(br_int, br_tun);
  if (br_int.resubmits(0, 0, 59) || br_int.has_table(59)) return br_int.has(60, 1) ? Release{21, 2, 2} : kZed;
  if (br_int.has_table(60)) return with_transient(host, br_int);
  return before_pike(host, br_int);
}

std::optional<Release> guess_release(std::span<const HostSnapshot> hosts) {
  std::map<Release, std::size_t> votes;
  for (const HostSnapshot& host : hosts) {
    if (const auto release = guess_release(host)) ++votes[*release];
  }
  std::optional<Release> most;
  for (const auto& [release, hosts_of_it] : votes) {
    if (!most || hosts_of_it >= votes.at(*most)) most = release;
  }
  return most;
}

}  // namespace dvrtrace::reference
