#include "tracer/verify/place.h"

#include <algorithm>

#include "src/base/text.h"
#include "tracer/verify/dissect.h"
#include "tracer/verify/judge.h"

namespace dvrtrace::verify {
namespace {

std::string_view file_name(std::string_view path) {
  return path.substr(path.rfind('/') == std::string_view::npos ? 0 : path.rfind('/') + 1);
}

// The name without what says that it is a capture; none when nothing says it.
std::optional<std::string_view> stem_of(std::string_view path) {
  std::string_view name = file_name(path);
  for (const std::string_view ending : {".gz", ".xz", ".bz2", ".zst", ".lz4"}) {
    if (name.ends_with(ending)) name.remove_suffix(ending.size());
  }
  // tcpdump -C and -W number their files at the end.
  while (!name.empty() && is_digit(name.back())) name.remove_suffix(1);
  for (const std::string_view ending : {".pcap", ".pcapng", ".cap", ".dmp"}) {
    if (name.ends_with(ending) && name.size() > ending.size())
      return name.substr(0, name.size() - ending.size());
  }
  return std::nullopt;
}

std::vector<std::string_view> split_by(std::string_view text, std::string_view separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t at = text.find(separator);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + separator.size());
  }
}

PlaceName of_parts(const std::vector<std::string_view>& parts) {
  if (parts.size() == 3)
    return {std::string(parts[0]), parts[1].empty() ? "root" : std::string(parts[1]), std::string(parts[2])};
  return {std::string(parts[0]), "root", std::string(parts[1])};
}

std::string netns_word(const std::string& netns) { return netns.empty() ? "root" : netns; }

bool fits(const PlaceName& name, const CapturePoint& point) {
  return (name.host.empty() || name.host == point.host) &&
         (name.netns.empty() || name.netns == netns_word(point.netns)) &&
         (name.device.empty() || name.device == point.device);
}

// How many of the packets are, header for header, what the prediction has at a point. The TTL may be another one, by the same amount.
std::size_t agreeing(const std::vector<Record>& first, std::uint32_t interface, int link_type,
                     const Wanted& wanted, const std::vector<Expected>& expected, std::uint32_t point) {
  std::size_t count = 0;
  Judged judged;
  for (const Record& record : first) {
    if (record.interface != interface) continue;
    Look look;
    const Wanted::Match match = wanted.match(record, link_type, look);
    if (match.kind != Wanted::Kind::Packet) continue;
    Dissected dissected = dissect(look);
    Packet packet;
    packet.identity = dissected.identity;
    packet.sightings.push_back(
        {point, record.time, std::move(dissected.headers), dissected.ethernet, 0, 0, 0, link_type, nullptr});
    for (std::size_t i = 0; i < expected.size(); ++i) {
      if ((match.directions >> i & 1) == 0) continue;
      judge(expected[i], packet, judged);
      const bool agrees =
          judged.kind == Judged::Kind::Ours && std::ranges::any_of(judged.at, [](const Judged::At& at) {
            return at.sighting && at.differences == 0;
          });
      count += agrees ? 1 : 0;
    }
  }
  return count;
}

}  // namespace

PlaceName read_place(std::string_view text, const std::vector<std::string>& hosts) {
  const std::vector<std::string_view> parts = split_by(text, ":");
  if (parts.size() == 2 || parts.size() == 3) return of_parts(parts);
  const bool host = std::ranges::find(hosts, text) != hosts.end();
  return host ? PlaceName{std::string(text), "", ""} : PlaceName{"", "", std::string(text)};
}

PlaceName place_of_file(std::string_view path, const std::vector<std::string>& hosts,
                        const std::vector<CapturePoint>& points) {
  const auto stem = stem_of(path);
  if (!stem) return {};
  const std::vector<std::string_view> parts = split_by(*stem, "__");
  if (parts.size() == 2 || parts.size() == 3) return of_parts(parts);
  if (std::ranges::find(hosts, *stem) != hosts.end()) return {std::string(*stem), "", ""};
  const bool device = std::ranges::find(points, *stem, &CapturePoint::device) != points.end();
  return device ? PlaceName{"", "", std::string(*stem)} : PlaceName{};
}

PlaceName place_of_interface(std::string_view name) {
  if (name.empty() || name == "any") return {};
  const std::vector<std::string_view> parts = split_by(name, "/");
  if (parts.size() == 3) return of_parts(parts);
  return {"", "", std::string(name)};
}

PlaceName joined(PlaceName first, const PlaceName& second) {
  if (first.host.empty()) first.host = second.host;
  // A device without a word about its namespace is wherever it is.
  if (first.device.empty()) {
    first.device = second.device;
    if (first.netns.empty()) first.netns = second.netns;
  }
  return first;
}

bool is_capture_file(std::string_view path) { return stem_of(path).has_value(); }

std::vector<CapturePoint> points_of(const Trace& trace) {
  std::vector<CapturePoint> points;
  for (const Direction& direction : trace.directions) {
    for (const Crossing& crossing : direction.crossings) {
      CapturePoint point{crossing.host, crossing.netns, crossing.device};
      if (std::ranges::find(points, point) == points.end()) points.push_back(std::move(point));
    }
  }
  return points;
}

Placing place_capture(const PlaceName& name, const Trace& trace, const Asked& asked, const TunnelPorts& ports,
                      const std::vector<Record>& first, std::uint32_t interface, int link_type,
                      const std::vector<CapturePoint>& taken) {
  if (name.whole())
    return {CapturePoint{name.host, name.netns == "root" ? "" : name.netns, name.device}, "name", {}};
  std::vector<CapturePoint> fitting;
  const std::vector<CapturePoint> all = points_of(trace);
  std::ranges::copy_if(all, std::back_inserter(fitting),
                       [&](const CapturePoint& point) { return fits(name, point); });
  if (!name.device.empty()) {
    if (fitting.size() == 1) return {fitting.front(), "name", {}};
    // A device that is not on the way, of a host that is known.
    if (fitting.empty() && !name.host.empty())
      return {CapturePoint{name.host, name.netns == "root" ? "" : name.netns, name.device}, "name", {}};
  }
  std::erase_if(fitting,
                [&](const CapturePoint& point) { return std::ranges::find(taken, point) != taken.end(); });

  const Wanted wanted(trace, asked, ports);
  std::vector<Expected> expected;
  for (const Direction& direction : trace.directions) {
    std::vector<std::uint32_t> numbers;
    for (const Crossing& crossing : direction.crossings) {
      const auto at = std::ranges::find(all, CapturePoint{crossing.host, crossing.netns, crossing.device});
      numbers.push_back(static_cast<std::uint32_t>(at - all.begin()));
    }
    expected.push_back(Expected::of(direction, std::move(numbers), asked));
  }
  std::size_t most = 0;
  std::vector<CapturePoint> best;
  for (const CapturePoint& point : fitting) {
    const auto number = static_cast<std::uint32_t>(std::ranges::find(all, point) - all.begin());
    const std::size_t count = agreeing(first, interface, link_type, wanted, expected, number);
    if (count < most || count == 0) continue;
    if (count > most) best.clear();
    most = count;
    best.push_back(point);
  }
  if (best.size() == 1) return {best.front(), "content", {}};
  return {std::nullopt, "", best};
}

}  // namespace dvrtrace::verify
