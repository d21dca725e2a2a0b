// Numbers and enumerators as people read them: "VNI 52 (0x34) = net1", "table 2852022899
// (169.254.106.115)". Every text that comes out of a dump passes through printable().
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "src/base/diagnostics.h"
#include "src/report/glossary.h"
#include "src/trace/trace.h"

namespace dvrtrace {

std::string_view name(Severity severity);  // "note"
std::string_view in_words(Reason reason);  // "no rule of a security group admits it"

std::string counted(std::uint64_t count, std::string_view what);  // "1 pair", "2 pairs"
std::string with_name(std::string text, std::string_view name);  // "text (name)", or the text alone
std::string mac_text(const Mac& mac, const Glossary& glossary);
std::string ip_text(const Ip& ip, const Glossary& glossary);
std::string vni_text(std::uint64_t vni, const Glossary& glossary);
// `place`: where it is that VLAN; on an integration bridge it is a local one.
std::string vlan_text(std::uint16_t vlan, const Place& place, const Glossary& glossary);
// A routing table: one whose number is an address is shown as both.
std::string table_text(std::string_view table);
// A policy rule, without its priority, with the tables in it so translated.
std::string rule_text(std::string_view rule);
std::string tunnel_text(const Encapsulation& tunnel, std::string_view arrow, const Glossary& glossary);

// What stands beside a name where colour alone would say how a way ended: "✓" or "+".
std::string_view sign_of(Verdict verdict, bool unicode);

// "qrouter-13c6faff-a669-..." as "qrouter-13c6faff": eight digits tell UUIDs apart.
std::string short_name(const std::string& name);

std::string place_text(const Place& place, const Glossary& glossary);  // without the host
std::string device_text(const Device& device, const Glossary& glossary, bool with_number);
// "ICMP echo request 10.0.1.11 -> 10.0.2.12, TTL 64"
std::string packet_text(const Headers& packet, std::string_view arrow);
std::string frame_text(const Headers& packet, std::string_view arrow, const Place& place,
                       const Glossary& glossary);

// The value of a field in Open vSwitch's terms, with what it means: "0x1002" of vlan_tci is "VLAN 2".
std::string field_text(std::string_view field, std::string_view value, const Place& place,
                       const Glossary& glossary);

}  // namespace dvrtrace
