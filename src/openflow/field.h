// The field table: every match field of Open vSwitch, its width, where it lives in a FlowKey, how
// its values are written, what a packet must be for the field to exist, and all of its names.
//
// Mirrors lib/meta-flow (mf_fields) of Open vSwitch 3.1. Where Open vSwitch keeps two fields in
// one place (arp_spa and nw_src, icmp_type and tp_src), so does this table: some flows rely on it.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "src/openflow/field_table.h"
#include "src/openflow/flow_key.h"

namespace dvrtrace::openflow {

constexpr const FieldInfo& info(FieldId id) { return field_table::kTable[static_cast<std::size_t>(id)]; }
constexpr std::string_view name(FieldId id) { return info(id).name; }

// By any of its names. "in_port_oxm" and OXM_OF_IN_PORT give InPort, whose numbers here are the
// 16-bit ones: use normalise_port() on a value read.
std::optional<FieldId> find_field(std::string_view name);

// Options of a tunnel's header. Of each up to 64 bits are kept, and in TunMetadataPresent whether the
// packet has it at all: bit n for tun_metadataN.
constexpr bool is_tun_metadata(FieldId id) { return id >= FieldId::TunMetadata0 && id <= FieldId::TunMetadata3; }
constexpr unsigned tun_metadata_number(FieldId id) { return static_cast<unsigned>(id) - static_cast<unsigned>(FieldId::TunMetadata0); }

// 32-bit OpenFlow 1.1+ port numbers to the 16-bit form that is used everywhere here.
constexpr std::uint32_t normalise_port(std::uint64_t number) {
  return static_cast<std::uint32_t>(number >= 0xffffff00 ? number & 0xffff : number);
}

// Bits [offset, offset + bits) of a field, bit 0 the least significant.
struct Subfield {
  FieldId field = FieldId::Reg0;
  std::uint16_t offset = 0, bits = 0;
  bool operator==(const Subfield&) const = default;
};
inline Subfield whole(FieldId id) { return {id, 0, info(id).bits}; }

constexpr Bits128 get(const FlowKey& key, const FieldInfo& field) {
  if (field.bits > 64) return {key.words[field.word], key.words[field.word + 1u]};
  return {0, key.words[field.word] >> field.shift & ones64(field.bits)};
}
constexpr void set(FlowKey& key, const FieldInfo& field, Bits128 value) {
  if (field.bits > 64) {
    key.words[field.word] = value.high;
    key.words[field.word + 1u] = value.low;
    return;
  }
  const std::uint64_t mask = ones64(field.bits) << field.shift;
  std::uint64_t& word = key.words[field.word];
  word = (word & ~mask) | (value.low << field.shift & mask);
}
constexpr Bits128 get(const FlowKey& key, FieldId id) { return get(key, info(id)); }
constexpr void set(FlowKey& key, FieldId id, Bits128 value) { set(key, info(id), value); }
constexpr std::uint64_t get64(const FlowKey& key, FieldId id) { return get(key, info(id)).low; }
constexpr void set64(FlowKey& key, FieldId id, std::uint64_t value) { set(key, info(id), {0, value}); }
Bits128 get(const FlowKey& key, const Subfield& part);
void set(FlowKey& key, const Subfield& part, Bits128 value);

// A key with every bit of these fields set.
template <std::size_t kSize>
consteval FlowKey mask_of(const std::array<FieldId, kSize>& fields) {
  FlowKey mask;
  for (const FieldId id : fields) set(mask, id, ones128(info(id).bits));
  return mask;
}

// Does the packet have what the field needs?
bool exists(const FlowKey& key, Prerequisite needs);

// ct_state bits.
inline constexpr std::uint32_t kCtNew = 0x01, kCtEstablished = 0x02, kCtRelated = 0x04, kCtReply = 0x08,
                               kCtInvalid = 0x10, kCtTracked = 0x20, kCtSnat = 0x40, kCtDnat = 0x80;
// VLAN tag control information: bit 12 says that there is a tag at all.
inline constexpr std::uint16_t kVlanPresent = 0x1000;
// IpFrag bits.
inline constexpr std::uint8_t kFragAny = 1, kFragLater = 2;
// PacketType of an Ethernet frame; its high half is the namespace.
inline constexpr std::uint16_t kTypeIpv4 = 0x0800, kTypeArp = 0x0806, kTypeRarp = 0x8035, kTypeIpv6 = 0x86dd,
                               kTypeVlan = 0x8100, kTypeQinq = 0x88a8, kTypeMpls = 0x8847, kTypeMplsMulticast = 0x8848,
                               kTypeNsh = 0x894f;
inline constexpr std::uint8_t kProtoIcmp = 1, kProtoIgmp = 2, kProtoTcp = 6, kProtoUdp = 17, kProtoIcmpv6 = 58,
                              kProtoSctp = 132;

}  // namespace dvrtrace::openflow
