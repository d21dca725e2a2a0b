#include "tracer/engine/conntrack.h"

namespace dvrtrace {
namespace {

// A packet that can begin a connection. An echo reply, an ICMP error or a SYN-ACK cannot.
bool can_begin(const Packet& packet) {
  const std::uint8_t protocol = packet.protocol();
  if (protocol == openflow::kProtoIcmp) {
    const std::uint64_t type = packet.get(openflow::FieldId::IcmpType);
    return type == 8 || type == 13 || type == 15 || type == 17;
  }
  if (protocol == openflow::kProtoIcmpv6) return packet.get(openflow::FieldId::Icmpv6Type) == 128;
  if (protocol == openflow::kProtoTcp) {
    constexpr std::uint64_t kSynAck = 0x012, kRst = 0x004;
    const std::uint64_t flags = packet.get(openflow::FieldId::TcpFlags);
    return (flags & kSynAck) != kSynAck && (flags & kRst) == 0;
  }
  return true;
}

}  // namespace

TrackedState Conntrack::track(const std::string& scope, std::uint16_t zone, const Packet& packet) {
  const kernel::Tuple tuple = packet.quoted ? *packet.quoted : tuple_of(packet.key);
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    Entry& entry = entries_[i];
    if (!entry.value.confirmed || entry.zone != zone || entry.scope != scope) continue;
    const bool original = entry.value.original == tuple, reply = entry.value.reply == tuple;
    if (!original && !reply) continue;
    // An error quotes the packet that it answers, so it runs against it.
    if (packet.quoted) return {TrackedState::Kind::Related, original, i, false};
    if (reply && !original) entry.value.seen_reply = true;
    return {entry.value.seen_reply ? TrackedState::Kind::Established : TrackedState::Kind::New, reply && !original, i, false};
  }
  if (packet.quoted || !can_begin(packet)) return {TrackedState::Kind::Invalid, false, 0, false};
  Entry entry{scope, zone, {}};
  entry.value.original = tuple;
  entry.value.reply = inverse(tuple);
  entry.value.seen_reply = established_;
  entries_.push_back(std::move(entry));
  return {established_ ? TrackedState::Kind::Established : TrackedState::Kind::New, false, entries_.size() - 1, true};
}

}  // namespace dvrtrace
