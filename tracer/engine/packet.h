// Packet: a frame on its way, with what a kernel or switch has attached to it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "src/kernel/state.h"
#include "src/openflow/field.h"
#include "src/trace/headers.h"

namespace dvrtrace {

struct Packet {
  openflow::FlowKey key;    // headers; inside a bridge also registers and metadata
  std::uint32_t mark = 0;   // skb mark
  std::uint32_t size = 84;  // of the IP packet, bytes
  bool df = false;
  // A tunnel packet carries another: `key` then is the outside.
  std::shared_ptr<const Packet> inner;
  Encapsulation encapsulation;
  // An ICMP error quotes the packet that caused it.
  std::optional<kernel::Tuple> quoted;

  std::uint64_t get(openflow::FieldId id) const { return get64(key, id); }
  void set(openflow::FieldId id, std::uint64_t value) { set64(key, id, value); }
  std::uint16_t eth_type() const { return static_cast<std::uint16_t>(get(openflow::FieldId::EthType)); }
  Mac eth_src() const { return Mac{get(openflow::FieldId::EthSrc)}; }
  Mac eth_dst() const { return Mac{get(openflow::FieldId::EthDst)}; }
  bool arp() const { return eth_type() == openflow::kTypeArp; }
  bool ip() const { return eth_type() == openflow::kTypeIpv4 || eth_type() == openflow::kTypeIpv6; }
  std::uint8_t protocol() const { return static_cast<std::uint8_t>(get(openflow::FieldId::NwProto)); }
  Ip ip_src() const;
  Ip ip_dst() const;
  void set_ip_src(const Ip& ip);
  void set_ip_dst(const Ip& ip);
};

// The connection tuple of an IP packet; ICMP's id is one that all packets of a question share.
kernel::Tuple tuple_of(const openflow::FlowKey& key);
kernel::Tuple inverse(const kernel::Tuple& tuple);
// What an answer to it looks like: addresses and ports swapped, echo reply for request, SYN-ACK for SYN.
openflow::FlowKey answer_to(const openflow::FlowKey& key);

// As a capture would show it: the tenant's packet, and around it the tunnel.
Headers headers_of(const Packet& packet);

// Only what travels on a wire: registers, metadata, tunnel and connection fields cleared.
openflow::FlowKey wire_key(const openflow::FlowKey& key);

}  // namespace dvrtrace
