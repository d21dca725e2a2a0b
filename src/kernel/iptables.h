// Iptables: tables, chains and rules of one address family in one namespace, as iptables-save,
// `iptables -S` and `iptables -nvL` print them.
//
// A rule holds its matches in the order written. A match or target that is not understood is kept
// as Unmodelled with its text: whether it can decide is for the engine to say, and it never is a
// no-op there.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "src/base/source.h"
#include "src/net/ip.h"
#include "src/net/mac.h"

namespace dvrtrace::kernel {

// ctstate bits, as xt_conntrack has them.
enum CtState : std::uint16_t {
  kCtInvalid = 1, kCtNew = 2, kCtEstablished = 4, kCtRelated = 8, kCtUntracked = 16, kCtSnat = 32, kCtDnat = 64,
};

struct PortRange {
  std::uint16_t first = 0, last = 0xffff;
  bool operator==(const PortRange&) const = default;
};

// Matches. `inverted` is iptables' "!".
struct AddressMatch { bool source = true; bool inverted = false; Prefix prefix; bool operator==(const AddressMatch&) const = default; };
struct RangeMatch { bool source = true; bool inverted = false; Ip first, last; bool operator==(const RangeMatch&) const = default; };
struct DeviceMatch { bool in = true; bool inverted = false; std::string device; bool operator==(const DeviceMatch&) const = default; };  // a final '+' is a wildcard
struct ProtocolMatch { bool inverted = false; std::uint8_t protocol = 0; bool operator==(const ProtocolMatch&) const = default; };  // never 0 ("all")
struct PortMatch { bool source = false, destination = false; bool inverted = false; std::vector<PortRange> ports; bool operator==(const PortMatch&) const = default; };  // both set: either port
struct IcmpMatch { bool inverted = false; std::uint8_t type = 0; std::uint8_t code_first = 0, code_last = 255; bool any = false; bool operator==(const IcmpMatch&) const = default; };
struct TcpFlagsMatch { bool inverted = false; std::uint8_t mask = 0, flags = 0; bool operator==(const TcpFlagsMatch&) const = default; };
struct CtStateMatch { bool inverted = false; std::uint16_t states = 0; bool operator==(const CtStateMatch&) const = default; };
struct MarkMatch { bool connection = false; bool inverted = false; std::uint32_t value = 0, mask = 0xffffffff; bool operator==(const MarkMatch&) const = default; };
struct MacMatch { bool inverted = false; Mac mac; bool operator==(const MacMatch&) const = default; };
struct PhysdevMatch {
  std::string in, out;               // "" not given; a final '+' is a wildcard
  bool in_inverted = false, out_inverted = false;
  std::optional<bool> is_bridged, is_in, is_out;  // false: "!"
  bool operator==(const PhysdevMatch&) const = default;
};
struct SetMatch { bool inverted = false; std::string set; std::vector<bool> source; bool operator==(const SetMatch&) const = default; };  // per dimension: src or dst
struct AddrtypeMatch {
  std::string source_type, destination_type;  // "LOCAL,BROADCAST", "" not given
  bool source_inverted = false, destination_inverted = false, limit_iface_in = false, limit_iface_out = false;
  bool operator==(const AddrtypeMatch&) const = default;
};
struct FragmentMatch { bool inverted = false; bool operator==(const FragmentMatch&) const = default; };  // "-f"
struct RpfilterMatch { bool inverted = false; bool operator==(const RpfilterMatch&) const = default; };
struct CommentMatch { std::string text; bool operator==(const CommentMatch&) const = default; };  // never decides
struct LimitMatch { std::string text; bool operator==(const LimitMatch&) const = default; };      // taken as within the limit
struct UnmodelledMatch { std::string text; bool operator==(const UnmodelledMatch&) const = default; };

using Match = std::variant<AddressMatch, RangeMatch, DeviceMatch, ProtocolMatch, PortMatch, IcmpMatch, TcpFlagsMatch,
                           CtStateMatch, MarkMatch, MacMatch, PhysdevMatch, SetMatch, AddrtypeMatch, FragmentMatch,
                           RpfilterMatch, CommentMatch, LimitMatch, UnmodelledMatch>;

// Targets.
struct NoTarget { bool operator==(const NoTarget&) const = default; };  // counts only
struct Accept { bool operator==(const Accept&) const = default; };
struct Drop { bool operator==(const Drop&) const = default; };
struct Reject { std::string with; bool operator==(const Reject&) const = default; };
struct Return { bool operator==(const Return&) const = default; };
struct Jump { std::string chain; bool go = false; bool operator==(const Jump&) const = default; };  // go: "-g"
struct NatTo {  // DNAT (destination) or SNAT
  bool destination = true;
  std::optional<Ip> first, last;      // none: only ports change
  std::optional<PortRange> ports;
  // "80-90/8080": the packet's port, less port_base, counts from ports->first. Neutron forwards ranges so.
  std::optional<std::uint16_t> port_base;
  bool operator==(const NatTo&) const = default;
};
struct Redirect { std::optional<PortRange> ports; bool operator==(const Redirect&) const = default; };
struct Masquerade { std::optional<PortRange> ports; bool operator==(const Masquerade&) const = default; };
struct Netmap { Prefix to; bool operator==(const Netmap&) const = default; };
// mark = (mark & ~clear) ^ flip: every MARK option comes down to this (xt_mark's set-xmark).
struct SetMark { std::uint32_t clear = 0xffffffff, flip = 0; bool operator==(const SetMark&) const = default; };
struct ConnMark {
  enum class Operation { Set, Save, Restore };
  Operation operation = Operation::Set;
  std::uint32_t clear = 0xffffffff, flip = 0;                 // Set
  std::uint32_t nfmask = 0xffffffff, ctmask = 0xffffffff;     // Save, Restore
  bool operator==(const ConnMark&) const = default;
};
struct Ct { bool notrack = false; std::optional<std::uint16_t> zone; std::string helper; bool operator==(const Ct&) const = default; };
struct Harmless { std::string text; bool operator==(const Harmless&) const = default; };  // LOG, NFLOG, CHECKSUM, TCPMSS, ...: goes on
struct UnmodelledTarget { std::string text; bool operator==(const UnmodelledTarget&) const = default; };

using Target = std::variant<NoTarget, Accept, Drop, Reject, Return, Jump, NatTo, Redirect, Masquerade, Netmap, SetMark,
                            ConnMark, Ct, Harmless, UnmodelledTarget>;

struct IptablesRule {
  std::vector<Match> matches;
  Target target;
  std::optional<std::uint64_t> packets, bytes;  // counters, where the dump has them
  // Two rules are the same rule whatever they counted.
  bool operator==(const IptablesRule& other) const { return matches == other.matches && target == other.target; }
};

struct Chain {
  std::string name;
  std::optional<bool> policy_accept;  // built-in chains only
  Provenance at;                      // the line that declares it
  std::vector<Sourced<IptablesRule>> rules;
  bool operator==(const Chain& other) const {
    return name == other.name && policy_accept == other.policy_accept && rules == other.rules;
  }
};

struct IptablesTable {
  std::string name;  // "raw", "mangle", "nat", "filter", "security"
  std::vector<Chain> chains;
  bool complete = true;  // false: a line was not understood, or the dump breaks off
  const Chain* find(std::string_view chain) const;
  bool operator==(const IptablesTable&) const = default;
};

struct Iptables {
  Family family = Family::V4;
  std::vector<IptablesTable> tables;
  const IptablesTable* find(std::string_view table) const;
  bool operator==(const Iptables&) const = default;
};

}  // namespace dvrtrace::kernel
