#include "tracer/verify/wanted.h"

#include <algorithm>

namespace dvrtrace::verify {
namespace {

template <class T>
void add(std::vector<T>& to, const T& value) {
  if (std::ranges::find(to, value) == to.end()) to.push_back(value);
}
template <class T>
void add(std::vector<T>& to, const std::optional<T>& value) {
  if (value) add(to, *value);
}

template <class T>
bool holds(const std::vector<T>& all, const T& value) {
  for (const T& one : all) {
    if (one == value) return true;
  }
  return false;
}

template <class T>
bool admits(const std::vector<T>& all, const T& value) {
  return all.empty() || holds(all, value);
}

}  // namespace

bool Pattern::has_addresses_of(const Look& look) const {
  return holds(sources, look.source) || holds(destinations, look.destination);
}

bool Pattern::matches(const Look& look) const {
  if (arp_op) return look.state == Look::State::Arp && look.arp_op == *arp_op && has_addresses_of(look);
  if (look.state != Look::State::Ip || look.protocol != protocol) return false;
  if (look.has_transport) {
    if (!admits(icmp_types, look.icmp_type)) return false;
    if (!admits(destination_ports, look.destination_port) || !admits(source_ports, look.source_port))
      return false;
  }
  return has_addresses_of(look);
}

Pattern pattern_of(const Direction& direction, const Asked& asked) {
  Pattern pattern;
  const bool request = direction.name == "request";
  for (const Crossing& crossing : direction.crossings) {
    const Headers& packet = crossing.packet;
    if (packet.arp_op) pattern.arp_op = packet.arp_op;
    pattern.protocol = packet.protocol;
    add(pattern.sources, packet.ip_src);
    add(pattern.destinations, packet.ip_dst);
    // Of the two ports the client's is chosen by its kernel, and translated on the way.
    add(request ? pattern.destination_ports : pattern.source_ports,
        request ? packet.dst_port : packet.src_port);
    add(pattern.icmp_types, packet.icmp_type);
  }
  if (request && asked.source_port && direction.crossings.size() == 1)
    add(pattern.source_ports, *asked.source_port);
  return pattern;
}

namespace {

// What comes back when a request that should not arrive does.
Pattern answer_to(const Direction& request) {
  constexpr std::uint8_t kIcmp = 1, kTcp = 6, kUdp = 17, kIcmpv6 = 58, kEcho = 8, kEchoReply = 0,
                         kEcho6 = 128, kEchoReply6 = 129;
  Pattern pattern;
  if (request.crossings.empty()) return pattern;
  const Headers& first = request.crossings.front().packet;
  const bool echo = (first.protocol == kIcmp && first.icmp_type == kEcho) ||
                    (first.protocol == kIcmpv6 && first.icmp_type == kEcho6);
  const bool session = (first.protocol == kTcp || first.protocol == kUdp) && first.dst_port;
  if (first.arp_op || !first.ip_src || !first.ip_dst || (!echo && !session)) return pattern;
  pattern.protocol = first.protocol;
  pattern.sources = {*first.ip_dst};
  pattern.destinations = {*first.ip_src};
  if (echo) pattern.icmp_types = {first.protocol == kIcmp ? kEchoReply : kEchoReply6};
  if (session) pattern.source_ports = {*first.dst_port};
  return pattern;
}

}  // namespace

Wanted::Wanted(const Trace& trace, const Asked& asked, TunnelPorts ports) : ports_(std::move(ports)) {
  for (const Direction& direction : trace.directions) {
    patterns_.push_back(pattern_of(direction, asked));
    if (trace.directions.size() == 1 && direction.name == "request") answer_ = answer_to(direction);
    if (direction.crossings.empty()) continue;
    const Headers& first = direction.crossings.front().packet;
    if (first.arp_op) continue;  // the question for the address is the flow itself
    add(askers_, first.ip_src);
    if (!first.eth_src.zero()) add(asker_macs_, first.eth_src);
  }
}

Wanted::Match Wanted::match_layer(const Look& look) const {
  Match match;
  for (std::size_t i = 0; i < patterns_.size(); ++i) {
    if (patterns_[i].matches(look)) match.directions = static_cast<std::uint8_t>(match.directions | 1U << i);
  }
  if (match.directions != 0) {
    match.kind = Kind::Packet;
  } else if (look.state == Look::State::Arp) {
    const bool asks = look.arp_op == 1 && look.source != look.destination;
    if (asks &&
        (holds(askers_, look.source) || (look.ethernet && holds(asker_macs_, look.mac(look.frame + 6)))))
      match.kind = Kind::Question;
  } else if (!answer_.empty() && answer_.matches(look) && look.source == answer_.sources.front() &&
             look.destination == answer_.destinations.front()) {
    match.kind = Kind::Answer;
  } else if (is_icmp_error(look)) {
    Look quoted;
    if (!look_at_quoted(look, quoted)) return match;
    for (const Pattern& pattern : patterns_) {
      const bool fits = quoted.state == Look::State::Ip
                            ? pattern.matches(quoted)
                            : quoted.protocol == pattern.protocol && pattern.has_addresses_of(quoted);
      if (!pattern.arp_op && fits) match.kind = Kind::Error;
    }
  }
  return match;
}

Wanted::Match Wanted::match(const Record& record, int link_type, Look& look) const {
  for (bool more = look_at(record.bytes, record.length, link_type, look); more;
       more = look_inside(ports_, look)) {
    const Match match = match_layer(look);
    if (match.kind != Kind::Nothing) return match;
  }
  return {};
}

}  // namespace dvrtrace::verify
