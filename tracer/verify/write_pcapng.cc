#include "tracer/verify/write_pcapng.h"

#include <fmt/format.h>

#include <algorithm>

#include "src/base/text.h"

namespace dvrtrace::verify {
namespace {

constexpr std::uint32_t kSection = 0x0a0d0d0a, kInterface = 1, kPacket = 6, kByteOrder = 0x1a2b3c4d;
constexpr int kEthernet = 1;

// Little-endian, whatever machine this is.
void put(std::string& out, std::uint64_t value, unsigned bytes) {
  for (unsigned i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i) & 0xff);
}
void pad(std::string& out) {
  while (out.size() % 4 != 0) out += '\0';
}
void put_option(std::string& out, std::uint16_t code, std::string_view value) {
  put(out, code, 2);
  put(out, value.size(), 2);
  out += value;
  pad(out);
}

std::string block(std::uint32_t type, const std::string& body) {
  std::string out;
  put(out, type, 4);
  put(out, body.size() + 12, 4);
  out += body;
  put(out, body.size() + 12, 4);
  return out;
}

std::string place_text(const Direction& direction, std::size_t hop) {
  if (hop >= direction.hops.size()) return "the end";
  const Place& place = direction.hops[hop].place;
  return place.host.empty() ? place.name : fmt::format("{} on {}", place.name, place.host);
}

}  // namespace

PcapngWriter::PcapngWriter(const Trace& trace, Sink sink) : trace_(trace), sink_(std::move(sink)) {
  std::string section;
  put(section, kByteOrder, 4);
  put(section, 1, 2);
  put(section, 0, 2);
  put(section, 0xffffffffffffffff, 8);
  sink_(block(kSection, section));
  for (const Direction& direction : trace.directions) {
    for (const Crossing& crossing : direction.crossings)
      interface({crossing.host, crossing.netns, crossing.device}, kEthernet);
  }
}

std::uint32_t PcapngWriter::interface(const CapturePoint& point, int link_type) {
  const auto [at, added] =
      interfaces_.try_emplace({point, link_type}, static_cast<std::uint32_t>(interfaces_.size()));
  if (!added) return at->second;
  constexpr std::uint16_t kName = 2, kResolution = 9, kEnd = 0;
  std::string body;
  put(body, static_cast<std::uint64_t>(link_type), 2);
  put(body, 0, 2);
  put(body, 0, 4);
  put_option(body, kName, to_string(point));
  put_option(body, kResolution, "\x09");
  put_option(body, kEnd, "");
  sink_(block(kInterface, body));
  return at->second;
}

void PcapngWriter::write(const Followed& followed) {
  const Direction& direction = trace_.directions[followed.direction];
  struct Line {
    std::size_t order;
    std::size_t sighting;
    std::string comment;
  };
  std::vector<Line> lines;
  for (std::size_t i = 0; i < followed.judged.at.size(); ++i) {
    const Judged::At& at = followed.judged.at[i];
    if (!at.sighting) continue;
    const Crossing& crossing = direction.crossings[i];
    std::string text =
        fmt::format("{} crossing {}{}, into {}: ", direction.name, i + 1,
                    crossing.on_path ? "" : " (copy of a flood)", place_text(direction, crossing.hop));
    if (at.differences == 0) text += "as predicted";
    for (unsigned bit = 0; bit < kFields; ++bit) {
      const auto field = static_cast<Field>(1U << bit);
      if ((at.differences & field) == 0) continue;
      const FieldText different = text_of(
          field, crossing.packet, followed.packet.sightings[*at.sighting].headers, followed.judged.ttl_shift);
      text += fmt::format("{}{} is {}, predicted {}", text.ends_with(": ") ? "altered: " : "; ",
                          different.name, different.found, different.expected);
    }
    lines.push_back({i, *at.sighting, std::move(text)});
  }
  // What no crossing accounts for stands behind the last crossing that was seen before it.
  const auto add = [&](const std::vector<std::size_t>& sightings, std::string_view what) {
    for (const std::size_t sighting : sightings) {
      std::size_t order = 0;
      for (const Line& line : lines) {
        if (followed.packet.sightings[line.sighting].time <= followed.packet.sightings[sighting].time)
          order = std::max(order, line.order);
      }
      lines.push_back({order, sighting, fmt::format("{}: {}", direction.name, what)});
    }
  };
  add(followed.judged.duplicates, "seen once more");
  add(followed.judged.extra, "not predicted here");
  std::ranges::stable_sort(lines, {}, &Line::order);
  for (const Line& line : lines) {
    const Sighting& sighting = followed.packet.sightings[line.sighting];
    if (sighting.bytes == nullptr) continue;
    constexpr std::uint16_t kComment = 1, kEnd = 0;
    const std::uint32_t number = interface(followed.points.at(sighting.point), sighting.link_type);
    std::string body;
    put(body, number, 4);
    put(body, static_cast<std::uint64_t>(sighting.time) >> 32, 4);
    put(body, static_cast<std::uint64_t>(sighting.time) & 0xffffffff, 4);
    put(body, sighting.bytes->size(), 4);
    put(body, sighting.length, 4);
    body.append(sighting.bytes->begin(), sighting.bytes->end());
    pad(body);
    put_option(body, kComment, printable(line.comment));
    put_option(body, kEnd, "");
    sink_(block(kPacket, body));
  }
}

}  // namespace dvrtrace::verify
