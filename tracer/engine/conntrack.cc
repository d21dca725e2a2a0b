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

bool Conntrack::adopt(const std::string& scope, std::uint16_t zone, const kernel::Tuple& tuple,
                      const Dump& dump) {
  const bool icmp = tuple.protocol == openflow::kProtoIcmp || tuple.protocol == openflow::kProtoIcmpv6;
  if (!established_ && (icmp || !port_asked_)) return false;
  const auto alike = [&](const kernel::Tuple& known, bool any_source_port) {
    return known.protocol == tuple.protocol && known.source == tuple.source &&
           known.destination == tuple.destination && known.destination_port == tuple.destination_port &&
           (any_source_port || known.source_port == tuple.source_port);
  };
  for (const auto& row : dump) {
    const kernel::Connection& known = row.value;
    if (known.zone != zone) continue;
    const bool original = alike(known.original, icmp || !port_asked_), reply = alike(known.reply, icmp);
    if (!original && !reply) continue;
    Entry entry{scope, zone, {}};
    TrackedConnection& connection = entry.value;
    connection.original = known.original;
    connection.reply = known.reply;
    connection.source_nat = known.reply.destination != known.original.source ||
                            (!icmp && known.reply.destination_port != known.original.source_port);
    connection.destination_nat = known.reply.source != known.original.destination ||
                                 (!icmp && known.reply.source_port != known.original.destination_port);
    if (icmp) {
      connection.original.source_port = connection.reply.source_port = tuple.source_port;
    } else if (original) {  // as asked, where the question leaves the port open
      if (known.reply.destination_port == known.original.source_port)
        connection.reply.destination_port = tuple.source_port;
      connection.original.source_port = tuple.source_port;
    }
    connection.mark = known.mark;
    connection.label = {known.label.high, known.label.low};
    connection.seen_reply = !known.unreplied;
    connection.confirmed = true;
    connection.at = row.at;
    entries_.push_back(std::move(entry));
    return true;
  }
  return false;
}

TrackedState Conntrack::track(const std::string& scope, std::uint16_t zone, const Packet& packet,
                              const Dump* dump) {
  // An error quotes the packet that it answers: it runs as an answer to that one would.
  const kernel::Tuple tuple = packet.quoted ? inverse(*packet.quoted) : tuple_of(packet.key);
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    Entry& entry = entries_[i];
    if (!entry.value.confirmed || entry.zone != zone || entry.scope != scope) continue;
    const bool original = entry.value.original == tuple, reply = entry.value.reply == tuple;
    if (!original && !reply) continue;
    if (packet.quoted) return {TrackedState::Kind::Related, reply && !original, i, false};
    if (reply && !original) entry.value.seen_reply = true;
    return {entry.value.seen_reply ? TrackedState::Kind::Established : TrackedState::Kind::New,
            reply && !original, i, false};
  }
  if (dump != nullptr && !packet.quoted && adopt(scope, zone, tuple, *dump))
    return track(scope, zone, packet);
  if (packet.quoted || !can_begin(packet)) return {TrackedState::Kind::Invalid, false, 0, false};
  Entry entry{scope, zone, {}};
  entry.value.original = tuple;
  entry.value.reply = inverse(tuple);
  entry.value.seen_reply = entry.value.confirmed = entry.value.assumed = established_;
  entries_.push_back(std::move(entry));
  return {established_ ? TrackedState::Kind::Established : TrackedState::Kind::New, false,
          entries_.size() - 1, true};
}

}  // namespace dvrtrace
