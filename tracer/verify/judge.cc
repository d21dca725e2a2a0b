#include "tracer/verify/judge.h"

#include <algorithm>
#include <bit>

namespace dvrtrace::verify {
namespace {

template <class T>
bool differs(const std::optional<T>& expected, const std::optional<T>& found) {
  return expected && found && *expected != *found;
}

std::uint16_t compare(const Expected& expected, const Crossing& crossing, const Sighting& sighting,
                      int ttl_shift) {
  const Headers& want = crossing.packet;
  const Headers& found = sighting.headers;
  std::uint16_t fields = 0;
  const auto note = [&](bool different, Field field) {
    fields = static_cast<std::uint16_t>(fields | (different ? field : 0));
  };
  if (sighting.ethernet) {
    note(want.eth_src != found.eth_src, kEthSrc);
    note(want.eth_dst != found.eth_dst, kEthDst);
    note(want.vlan.value_or(0) != found.vlan.value_or(0), kVlan);
  }
  note(differs(want.ip_src, found.ip_src), kIpSrc);
  note(differs(want.ip_dst, found.ip_dst), kIpDst);
  if (!want.arp_op) note(want.ttl + ttl_shift != found.ttl, kTtl);
  if (!expected.request || expected.compare_source_port)
    note(differs(want.src_port, found.src_port), kSrcPort);
  if (expected.request) note(differs(want.dst_port, found.dst_port), kDstPort);
  const auto& tunnel = want.encapsulation;
  const auto& outside = found.encapsulation;
  if (tunnel.has_value() != outside.has_value()) {
    note(true, kEncapType);
  } else if (tunnel) {
    note(tunnel->type != outside->type, kEncapType);
    note(tunnel->vni != outside->vni, kEncapVni);
    note(tunnel->source != outside->source, kEncapSrc);
    note(tunnel->destination != outside->destination, kEncapDst);
  }
  return fields;
}

bool same_station(const Mac& a, const Mac& b) { return a == b && !a.multicast() && !a.zero(); }

// Whether the frame is of the crossing's network: what tells two tenants with the same addresses apart.
bool same_network(const Crossing& crossing, const Sighting& sighting) {
  const Headers& want = crossing.packet;
  const Headers& found = sighting.headers;
  if (want.encapsulation && found.encapsulation && want.encapsulation->vni != found.encapsulation->vni)
    return false;
  if (!sighting.ethernet) return true;
  return same_station(want.eth_src, found.eth_src) || same_station(want.eth_dst, found.eth_dst);
}

bool known_station(const Expected& expected, const Headers& found) {
  return std::ranges::any_of(expected.direction->crossings, [&](const Crossing& crossing) {
    const Headers& want = crossing.packet;
    return same_station(want.eth_src, found.eth_src) || same_station(want.eth_dst, found.eth_dst) ||
           same_station(want.eth_src, found.eth_dst) || same_station(want.eth_dst, found.eth_src);
  });
}

// A sighting with an identity like ours, but in a segment and between stations that the prediction knows nothing of, while the packet
// was seen there as it should be.
bool is_foreign(const Expected& expected, const Packet& packet, const Judged& judged, std::size_t sighting) {
  const Headers& found = packet.sightings[sighting].headers;
  if (!found.encapsulation || known_station(expected, found)) return false;
  bool seen_here = false;
  for (std::size_t i = 0; i < expected.direction->crossings.size(); ++i) {
    const auto& tunnel = expected.direction->crossings[i].packet.encapsulation;
    if (tunnel && tunnel->vni == found.encapsulation->vni) return false;
    seen_here = seen_here || (judged.at[i].sighting && packet.sightings[*judged.at[i].sighting].point ==
                                                           packet.sightings[sighting].point);
  }
  return seen_here;
}

// The sighting at the crossing's point that differs least, the earliest of those.
void assign(const Expected& expected, const Packet& packet, std::size_t crossing, std::vector<bool>& taken,
            Judged& judged) {
  Judged::At& at = judged.at[crossing];
  int least = 0;
  for (std::size_t i = 0; i < packet.sightings.size(); ++i) {
    const Sighting& sighting = packet.sightings[i];
    if (taken[i] || sighting.point != expected.points[crossing]) continue;
    const std::uint16_t fields =
        compare(expected, expected.direction->crossings[crossing], sighting, judged.ttl_shift);
    const int count = std::popcount(fields);
    if (at.sighting &&
        (count > least || (count == least && sighting.time >= packet.sightings[*at.sighting].time)))
      continue;
    at = {i, fields};
    least = count;
  }
  if (at.sighting) taken[*at.sighting] = true;
}

// How far the packet's TTL is off the predicted one from its beginning on.
int find_ttl_shift(const Expected& expected, const Packet& packet) {
  for (std::size_t i = 0; i < expected.direction->crossings.size(); ++i) {
    const Crossing& crossing = expected.direction->crossings[i];
    if (!crossing.on_path || crossing.packet.arp_op) continue;
    std::optional<int> shift;
    for (const Sighting& sighting : packet.sightings) {
      if (sighting.point != expected.points[i] || !same_network(crossing, sighting)) continue;
      const int found = sighting.headers.ttl - crossing.packet.ttl;
      // A device that the packet enters and leaves: as it came in, it has the greater one.
      shift = std::max(shift.value_or(found), found);
    }
    if (shift) return *shift;
  }
  return 0;
}

}  // namespace

FieldText text_of(Field field, const Headers& expected, const Headers& found, int ttl_shift) {
  const auto number = [](const auto& value) { return value ? std::to_string(*value) : std::string("none"); };
  const auto address = [](const std::optional<Ip>& ip) { return ip ? to_string(*ip) : std::string("none"); };
  const auto outside = [](const Headers& packet, auto what) {
    return packet.encapsulation ? what(*packet.encapsulation) : std::string("none");
  };
  const auto both = [&](std::string name, auto text) {
    return FieldText{std::move(name), text(expected), text(found)};
  };
  switch (field) {
    case kEthSrc:
      return both("eth_src", [](const Headers& h) { return to_string(h.eth_src); });
    case kEthDst:
      return both("eth_dst", [](const Headers& h) { return to_string(h.eth_dst); });
    case kVlan:
      return both("vlan", [&](const Headers& h) { return number(h.vlan); });
    case kIpSrc:
      return both("ip_src", [&](const Headers& h) { return address(h.ip_src); });
    case kIpDst:
      return both("ip_dst", [&](const Headers& h) { return address(h.ip_dst); });
    case kTtl:
      return {"ttl", std::to_string(expected.ttl + ttl_shift), std::to_string(found.ttl)};
    case kSrcPort:
      return both("src_port", [&](const Headers& h) { return number(h.src_port); });
    case kDstPort:
      return both("dst_port", [&](const Headers& h) { return number(h.dst_port); });
    case kEncapType:
      return both("encap.type", [&](const Headers& h) {
        return outside(h, [](const Encapsulation& e) { return e.type; });
      });
    case kEncapVni:
      return both("encap.vni", [&](const Headers& h) {
        return outside(h, [](const Encapsulation& e) { return std::to_string(e.vni); });
      });
    case kEncapSrc:
      return both("encap.src", [&](const Headers& h) {
        return outside(h, [](const Encapsulation& e) { return to_string(e.source); });
      });
    case kEncapDst:
      return both("encap.dst", [&](const Headers& h) {
        return outside(h, [](const Encapsulation& e) { return to_string(e.destination); });
      });
  }
  return {};
}

const std::vector<std::size_t>& Expected::at(std::uint32_t point) const {
  static const std::vector<std::size_t> none;
  return point < crossings_at.size() ? crossings_at[point] : none;
}

Expected Expected::of(const Direction& direction, std::vector<std::uint32_t> points, const Asked& asked) {
  Expected expected;
  expected.direction = &direction;
  expected.points = std::move(points);
  for (const std::uint32_t point : expected.points)
    expected.crossings_at.resize(std::max<std::size_t>(expected.crossings_at.size(), point + 1));
  expected.request = direction.name == "request";
  expected.compare_source_port = expected.request && asked.source_port.has_value();
  if (expected.request) expected.ttl = asked.ttl;
  std::uint8_t lowest = 255, first = 0;
  for (std::size_t i = 0; i < direction.crossings.size(); ++i) {
    const Crossing& crossing = direction.crossings[i];
    expected.crossings_at[expected.points[i]].push_back(i);
    if (!crossing.on_path || crossing.packet.arp_op) continue;
    if (first == 0) first = crossing.packet.ttl;
    lowest = std::min(lowest, crossing.packet.ttl);
  }
  expected.ttl_spent = first > lowest ? static_cast<std::uint8_t>(first - lowest) : 0;
  return expected;
}

bool same_flow(const Expected& expected, const Crossing& crossing, const Headers& found) {
  const Headers& want = crossing.packet;
  if (want.arp_op != found.arp_op || want.ip_src != found.ip_src || want.ip_dst != found.ip_dst) return false;
  if (want.arp_op) return true;
  if (want.protocol != found.protocol || differs(want.icmp_type, found.icmp_type)) return false;
  if (!expected.request) return !differs(want.src_port, found.src_port);
  return !differs(want.dst_port, found.dst_port) &&
         !(expected.compare_source_port && differs(want.src_port, found.src_port));
}

void judge(const Expected& expected, const Packet& packet, Judged& judged) {
  const std::vector<Crossing>& crossings = expected.direction->crossings;
  judged.kind = Judged::Kind::Other;
  judged.at.assign(crossings.size(), {});
  judged.extra.clear();
  judged.duplicates.clear();
  judged.foreign.clear();
  bool addresses = false, ours = false;
  for (std::size_t i = 0; i < packet.sightings.size() && !ours; ++i) {
    const Sighting& sighting = packet.sightings[i];
    for (const std::size_t crossing : expected.at(sighting.point)) {
      if (!same_flow(expected, crossings[crossing], sighting.headers)) continue;
      if (!addresses) judged.first_ours = i;
      addresses = true;
      ours = ours || same_network(crossings[crossing], sighting);
    }
  }
  if (!ours) {
    if (addresses) judged.kind = Judged::Kind::OtherNetwork;
    return;
  }
  judged.kind = Judged::Kind::Ours;
  judged.ttl_shift = find_ttl_shift(expected, packet);
  for (const Crossing& crossing : crossings) {
    if (!crossing.on_path || crossing.packet.arp_op) continue;
    const int start = crossing.packet.ttl + judged.ttl_shift;
    if (expected.ttl ? judged.ttl_shift != 0 : start <= expected.ttl_spent)
      judged.kind = Judged::Kind::OtherTtl;
    break;
  }
  if (expected.ttl) judged.ttl_shift = 0;

  std::vector<bool> taken(packet.sightings.size());
  for (const bool on_path : {true, false}) {
    for (std::size_t i = 0; i < crossings.size(); ++i) {
      if (crossings[i].on_path == on_path) assign(expected, packet, i, taken, judged);
    }
  }
  for (std::size_t i = 0; i < packet.sightings.size(); ++i) {
    if (taken[i]) continue;
    bool duplicate = false;
    for (std::size_t j = 0; j < packet.sightings.size() && !duplicate; ++j) {
      duplicate = (taken[j] || j < i) && packet.sightings[j].point == packet.sightings[i].point &&
                  packet.sightings[j].headers == packet.sightings[i].headers;
    }
    (duplicate                                 ? judged.duplicates
     : is_foreign(expected, packet, judged, i) ? judged.foreign
                                               : judged.extra)
        .push_back(i);
  }
}

}  // namespace dvrtrace::verify
