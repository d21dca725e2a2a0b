#include "tracer/verify/follow.h"

#include <algorithm>

namespace dvrtrace::verify {
namespace {

// A packet comes back to a device within this time, or it is another one that looks the same.
constexpr std::int64_t kTurn = 100'000'000;
// A packet passes all of a host within this time.
constexpr std::int64_t kStay = 2'000'000'000;
// Packets without anything of their own in them look the same by the thousand; so many are compared.
constexpr int kMostAlike = 256;

std::int64_t distance(std::int64_t a, std::int64_t b) { return a > b ? a - b : b - a; }

}  // namespace

bool Follower::belongs(const Packet& packet, const Identity& identity, const Sighting& sighting) const {
  if (!packet.identity.may_be(identity)) return false;
  bool same_host = false, near = false;
  for (const Sighting& other : packet.sightings) {
    if (other.point == sighting.point) return distance(other.time, sighting.time) < kTurn;
    if (points_.host(other.point) != points_.host(sighting.point)) continue;
    same_host = true;
    near = near || distance(other.time, sighting.time) < kStay;
  }
  return near || !same_host;
}

void Follower::add(const Identity& identity, std::uint8_t directions, bool icmp_error, Sighting sighting) {
  Packet* packet = nullptr;
  const auto [from, to] = by_key_.equal_range(identity.key);
  int compared = 0;
  for (auto at = from; at != to && compared < kMostAlike; ++at, ++compared) {
    if (!belongs(*at->second, identity, sighting)) continue;
    // Of several that it may be the one that was seen first: captures without a common clock go side by side.
    if (packet == nullptr || at->second->sightings.front().time < packet->sightings.front().time)
      packet = at->second;
  }
  if (packet == nullptr) {
    open_.push_back(std::make_unique<Packet>());
    packet = open_.back().get();
    packet->identity = identity;
    by_key_.emplace(identity.key, packet);
  } else if (identity.head_size > packet->identity.head_size) {
    packet->identity.head = identity.head;
    packet->identity.head_size = identity.head_size;
  }
  packet->directions |= directions;
  packet->icmp_error = packet->icmp_error || icmp_error;
  packet->sightings.push_back(std::move(sighting));
  ++held_;
  while (held_ > most_ && !open_.empty()) {
    ++closed_early_;
    close_oldest();
  }
}

void Follower::close_oldest() {
  const std::unique_ptr<Packet> packet = std::move(open_.front());
  open_.pop_front();
  held_ -= packet->sightings.size();
  const auto [from, to] = by_key_.equal_range(packet->identity.key);
  for (auto at = from; at != to; ++at) {
    if (at->second != packet.get()) continue;
    by_key_.erase(at);
    break;
  }
  close_(*packet);
}

void Follower::finish() {
  while (!open_.empty()) close_oldest();
}

}  // namespace dvrtrace::verify
