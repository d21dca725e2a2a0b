#include "tracer/verify/flows.h"

#include <algorithm>
#include <optional>
#include <queue>

#include "tracer/verify/dissect.h"
#include "tracer/verify/look.h"

namespace dvrtrace::verify {
namespace {

constexpr std::size_t kKeptPackets = 3;  // of a session, each way
constexpr std::size_t kMostSessions = 200'000;
constexpr std::uint8_t kIcmp = 1, kTcp = 6, kUdp = 17, kIcmpv6 = 58;

struct Key {
  std::uint32_t station = 0;
  Ip own, other;
  std::uint16_t own_port = 0, other_port = 0;
  std::uint8_t protocol = 0;
  bool operator==(const Key&) const = default;
};
struct KeyHash {
  std::size_t operator()(const Key& key) const noexcept {
    std::uint64_t hash = std::hash<Ip>{}(key.own) * 31 + std::hash<Ip>{}(key.other);
    hash = hash * 0x9e3779b97f4a7c15ULL + (std::uint64_t{key.own_port} << 32 |
                                           std::uint64_t{key.other_port} << 16 |
                                           std::uint64_t{key.protocol} << 8 | key.station);
    return hash ^ hash >> 31;
  }
};

class Collecting {
 public:
  Collecting(Flows& flows, const std::map<CapturePoint, Station>& stations)
      : flows_(flows),
        stations_(stations),
        follower_(
            flows.points, [this](Packet& packet) { close(packet); }, 100'000) {}

  std::size_t capture(Capture capture) {
    const std::uint32_t point = flows_.points.number(capture.point);
    station_at_.resize(flows_.points.size());
    if (const auto station = stations_.find(capture.point); station != stations_.end())
      station_at_[point] = &station->second;
    points_.push_back(point);
    flows_.captures.push_back(std::move(capture));
    return points_.size() - 1;
  }

  void add(std::size_t capture, const Record& record, int link_type) {
    Capture& here = flows_.captures[capture];
    ++here.packets;
    if (!here.first || record.time < *here.first) here.first = record.time;
    if (!here.last || record.time > *here.last) here.last = record.time;
    Look look, inner;
    if (!look_at(record.bytes, record.length, link_type, look)) return note(here, look);
    inner = look;
    if (look_inside(ports_, inner))
      look = inner;
    else if (inner.tunnel != Tunnel::None)
      return note(here, inner);
    if (look.state != Look::State::Ip || look.fragment != 0 || !look.has_transport ||
        look.source.multicast() || look.destination.multicast())
      return;
    ++here.matching;
    // libtins is left out: of thousands of flows only what the first look finds is compared.
    const Identity identity = identify(look);
    Sighting sighting{points_[capture], record.time, headers_of(look), look.ethernet, 0, 0,
                      record.length,    link_type,   nullptr};
    if (identity.segment) {
      sighting.sequence = identity.sequence;
      sighting.payload = identity.payload;
    }
    follower_.add(identity, 0xff, is_icmp_error(look), std::move(sighting));
  }
  void finish() { follower_.finish(); }

 private:
  static void note(Capture& here, const Look& look) {
    if (look.state == Look::State::Short) ++here.cut_short;
    if (look.state == Look::State::Malformed) ++here.malformed;
  }

  void close(Packet& packet) {
    if (packet.icmp_error) return;
    std::shared_ptr<Packet> kept;
    for (std::size_t i = 0; i < packet.sightings.size(); ++i) {
      const Sighting& sighting = packet.sightings[i];
      const Station* station = station_at_[sighting.point];
      if (station == nullptr) continue;
      const bool sent = sighting.headers.eth_src == station->mac,
                 received = sighting.headers.eth_dst == station->mac;
      if (sent == received) continue;  // a copy of a flood, or not of this VM at all
      count(packet, sighting, sent, kept);
    }
  }

  void count(Packet& packet, const Sighting& sighting, bool sent, std::shared_ptr<Packet>& kept) {
    const Headers& h = sighting.headers;
    const bool icmp = h.protocol == kIcmp || h.protocol == kIcmpv6;
    const std::uint16_t source = h.src_port.value_or(0), destination = h.dst_port.value_or(0);
    Key key{sighting.point,
            sent ? *h.ip_src : *h.ip_dst,
            sent ? *h.ip_dst : *h.ip_src,
            sent ? source : destination,
            sent ? destination : source,
            h.protocol};
    // Who asks for an address by DHCP has none yet, and does not know whom it asks.
    constexpr std::uint16_t kDhcpServer = 67, kDhcpClient = 68;
    if (key.protocol == kUdp && key.own_port == kDhcpClient && key.other_port == kDhcpServer) {
      key.own = ipv4(0);
      key.other = ipv4(0xffffffff);
    }
    const auto found = numbers_.find(key);
    std::size_t number = 0;
    if (found != numbers_.end()) {
      number = found->second;
    } else {
      if (flows_.sessions.size() >= kMostSessions) {
        ++flows_.passed_over;
        return;
      }
      number = flows_.sessions.size();
      numbers_.emplace(key, number);
      flows_.sessions.push_back({key.station,
                                 key.own,
                                 key.other,
                                 key.protocol,
                                 h.icmp_type.value_or(0),
                                 key.own_port,
                                 key.other_port,
                                 sent,
                                 false,
                                 sighting.time,
                                 0,
                                 0,
                                 h.ttl,
                                 {}});
      // A connection that began before the captures did: services have the lower ports.
      if (h.protocol == kTcp) flows_.sessions.back().asks = key.own_port > key.other_port;
    }
    Session& session = flows_.sessions[number];
    if (sighting.time < session.first) {
      session.first = sighting.time;
      if (h.protocol != kTcp) session.asks = sent;
    }
    // Which end asks shows in the packet itself, where it shows.
    if (icmp && (session.icmp_type != 8 && session.icmp_type != 128) &&
        (h.icmp_type == 8 || h.icmp_type == 128))
      session.icmp_type = *h.icmp_type;
    if (icmp && (h.icmp_type == 8 || h.icmp_type == 128)) session.asks = sent;
    if (h.protocol == kTcp && h.tcp_flags && (*h.tcp_flags & 0x12) == 0x02) {
      session.asks = sent;
      session.begun = true;
    }
    if ((sent ? session.sent : session.received)++ >= kKeptPackets) return;
    if (!kept) kept = std::make_shared<Packet>(packet);
    if (std::ranges::find(session.packets, kept) != session.packets.end()) return;
    session.packets.push_back(kept);
    flows_.sessions_of[kept.get()].push_back(number);
  }

  Flows& flows_;
  const std::map<CapturePoint, Station>& stations_;
  std::vector<std::uint32_t> points_;       // of the captures
  std::vector<const Station*> station_at_;  // of the points
  TunnelPorts ports_;
  Follower follower_;
  std::unordered_map<Key, std::size_t, KeyHash> numbers_;
};

struct Reading {
  CaptureSource* source = nullptr;
  std::vector<std::optional<std::size_t>>
      captures;  // of the interfaces; none: nobody knows where it was taken
  Record record;
};

bool advance(Reading& reading, Collecting& collecting) {
  while (reading.source->reader->next(reading.record)) {
    const auto& interfaces = reading.source->reader->interfaces();
    while (reading.captures.size() < interfaces.size()) {
      PlaceName name = reading.source->name;
      if (!name.whole()) name = joined(name, place_of_interface(interfaces[reading.captures.size()].name));
      reading.captures.emplace_back();
      if (!name.whole()) continue;
      reading.captures.back() =
          collecting.capture({reading.source->file,
                              {name.host, name.netns == "root" ? "" : name.netns, name.device},
                              "name",
                              true,
                              0,
                              0,
                              0,
                              0,
                              {},
                              {},
                              "",
                              false});
    }
    if (reading.captures[reading.record.interface]) return true;
  }
  return false;
}

}  // namespace

Flows collect_flows(std::vector<CaptureSource>& sources, const std::map<CapturePoint, Station>& stations) {
  Flows flows;
  Collecting collecting(flows, stations);
  std::vector<Reading> readings;
  for (CaptureSource& source : sources) {
    if (source.reader == nullptr) {
      if (source.name.whole())
        collecting.capture(
            {source.file,
             {source.name.host, source.name.netns == "root" ? "" : source.name.netns, source.name.device},
             "name",
             true,
             0,
             0,
             0,
             0,
             {},
             {},
             source.fault,
             true});
      continue;
    }
    // A capture without packets was taken all the same.
    Reading reading{&source, {}, {}};
    if (source.name.whole() && source.reader->peek(1).empty() && source.reader->interfaces().size() <= 1)
      collecting.capture(
          {source.file,
           {source.name.host, source.name.netns == "root" ? "" : source.name.netns, source.name.device},
           "name",
           true,
           0,
           0,
           0,
           0,
           {},
           {},
           source.reader->fault(),
           !source.reader->fault().empty()});
    else
      readings.push_back(std::move(reading));
  }
  const auto later = [&](std::size_t a, std::size_t b) {
    return readings[a].record.time != readings[b].record.time
               ? readings[a].record.time > readings[b].record.time
               : a > b;
  };
  std::priority_queue<std::size_t, std::vector<std::size_t>, decltype(later)> next(later);
  const auto end = [&](Reading& reading) {
    for (const auto& capture : reading.captures) {
      if (!capture) continue;
      flows.captures[*capture].fault = reading.source->reader->fault();
      flows.captures[*capture].incomplete = !reading.source->reader->fault().empty();
    }
  };
  for (std::size_t i = 0; i < readings.size(); ++i) {
    if (advance(readings[i], collecting))
      next.push(i);
    else
      end(readings[i]);
  }
  while (!next.empty()) {
    const std::size_t first = next.top();
    next.pop();
    Reading& reading = readings[first];
    // As long as it stays the earliest, no queue is needed.
    for (bool more = true; more;) {
      collecting.add(*reading.captures[reading.record.interface], reading.record,
                     reading.source->reader->interfaces()[reading.record.interface].link_type);
      more = advance(reading, collecting);
      if (!more) end(reading);
      if (more && !next.empty() && later(first, next.top())) {
        next.push(first);
        break;
      }
    }
  }
  collecting.finish();
  return flows;
}

}  // namespace dvrtrace::verify
