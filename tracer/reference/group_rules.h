// The security group rules that hold for a port, in one form whatever names they were written with.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tracer/reference/plan.h"

namespace dvrtrace::reference {

struct GroupRule {
  std::string group;                     // the security group that has it
  bool ingress = true;
  Family family = Family::V4;
  std::optional<std::uint8_t> protocol;  // none: any
  std::optional<int> min, max;           // ports; of ICMP type and code
  std::optional<Prefix> remote_ip;       // none: any
  std::string remote;                    // a security group or address group; "" none
  bool address_group = false;            // `remote` is an address group
  bool operator==(const GroupRule&) const = default;
};

struct Member { Prefix address; Mac mac; };

inline constexpr std::uint8_t kIcmp = 1, kTcp = 6, kUdp = 17, kIcmp6 = 58, kSctp = 132;
inline bool has_ports(std::uint8_t protocol) { return protocol == kTcp || protocol == kUdp || protocol == kSctp; }

// In the order of the port's groups. Rules that two groups both have come twice.
std::vector<GroupRule> rules_of(const Plan& plan, const logical::Port& port);
// The addresses of a remote group: fixed addresses and allowed pairs of its ports, or an address group's own.
std::vector<Member> members_of(const Plan& plan, const std::string& remote, bool address_group, Family family);

// A range of ports as blocks of a power of two: "80", "0x1f40/0xfff8", as a match has them.
std::vector<std::string> port_masks(int min, int max);

}  // namespace dvrtrace::reference
