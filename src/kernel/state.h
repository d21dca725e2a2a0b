// Kernel state beside routing and filtering: ipsets, connections, Linux bridges, sysctls.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "src/base/source.h"
#include "src/net/ip.h"
#include "src/net/mac.h"

namespace dvrtrace::kernel {

struct Ipset {
  std::string name, type;         // "hash:net", "hash:ip", "list:set", ...
  Family family = Family::V4;
  std::vector<Sourced<Prefix>> prefixes;     // hash:ip and hash:net
  std::vector<Sourced<Prefix>> exceptions;   // "nomatch"
  std::vector<std::string> others;           // members of other types, as written: not judged
  Provenance at;
  bool operator==(const Ipset& other) const {
    return name == other.name && type == other.type && family == other.family && prefixes == other.prefixes &&
           exceptions == other.exceptions && others == other.others;
  }
};

// One direction of a connection, as its packets look.
struct Tuple {
  Ip source, destination;
  std::uint8_t protocol = 0;
  std::uint16_t source_port = 0, destination_port = 0;  // ICMP: id in source_port, type<<8|code in destination_port
  auto operator<=>(const Tuple&) const = default;
};

// One line of `conntrack -L` or `dpctl/dump-conntrack`.
struct Connection {
  Tuple original, reply;
  std::uint16_t zone = 0;
  std::uint32_t mark = 0;
  Ip label = {Family::V6, 0, 0};   // 128 bits
  bool unreplied = false, assured = false;
  std::string tcp_state;           // "ESTABLISHED", "" for other protocols
  std::optional<std::uint32_t> timeout;  // seconds left
  bool operator==(const Connection&) const = default;
};

// A MAC known to a Linux bridge (`bridge fdb`, `brctl showmacs`).
struct BridgeFdbEntry {
  Mac mac;
  std::string device, bridge;      // the port; its bridge, when the dump says it
  std::optional<std::uint16_t> vlan;
  bool local = false;              // the port's own address ("self permanent", "is local? yes")
  std::optional<std::uint16_t> port_number;  // `brctl showmacs` knows no names: `device` is empty then
  bool operator==(const BridgeFdbEntry&) const = default;
};

// A port of a Linux bridge (`bridge link`, `brctl show`).
struct BridgePort {
  std::string device, bridge;
  std::string state = "forwarding";  // STP state
  bool learning = true, flood = true;
  std::vector<std::string> unmodelled;  // what could stop a frame and is not understood: "isolated on"
  bool operator==(const BridgePort&) const = default;
};

using Sysctls = std::map<std::string, Sourced<std::string>, std::less<>>;  // "net.ipv4.ip_forward" -> "1"

}  // namespace dvrtrace::kernel
