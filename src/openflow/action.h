// Action: one step of a flow's action list.
//
// `drop` is not an action but an empty list. An action that is read and not executed is Unmodelled:
// a packet that meets it ends Unknown.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "src/base/box.h"
#include "src/base/shared_list.h"
#include "src/net/ids.h"
#include "src/net/ip.h"
#include "src/openflow/match.h"

namespace dvrtrace::openflow {

struct Action;
using Actions = SharedList<Action>;

// To a port, which may be a reserved one (kPortNormal, kPortFlood, kPortInPort, ...).
struct Output { Ofport port; bool operator==(const Output&) const = default; };
struct OutputField { Subfield from; bool operator==(const OutputField&) const = default; };
struct OutputTruncated { Ofport port; std::uint32_t max_len = 0; bool operator==(const OutputTruncated&) const = default; };
struct Controller { bool pause = false; bool operator==(const Controller&) const = default; };
struct Enqueue { Ofport port; std::uint32_t queue = 0; bool operator==(const Enqueue&) const = default; };
struct SetQueue { std::uint32_t queue = 0; bool operator==(const SetQueue&) const = default; };
struct PopQueue { bool operator==(const PopQueue&) const = default; };
struct ToGroup { std::uint32_t group = 0; bool operator==(const ToGroup&) const = default; };
struct Resubmit {
  std::optional<Ofport> in_port;   // none: keep
  std::optional<TableId> table;    // none: the current table
  bool ct = false;                 // look up with the tuple of the connection's original direction
  bool operator==(const Resubmit&) const = default;
};
struct GotoTable { TableId table; bool operator==(const GotoTable&) const = default; };
// set_field, load, mod_*: the bits of `mask` become those of `value`.
struct SetField {
  FieldId field = FieldId::Reg0;
  Bits128 value, mask;
  bool operator==(const SetField&) const = default;
};
// mod_tp_src, mod_tp_dst: unlike set_field it fits any transport, and ICMP's type and code.
struct ModTransport { bool source = true; std::uint16_t port = 0; bool operator==(const ModTransport&) const = default; };
struct Move { Subfield from, to; bool operator==(const Move&) const = default; };
struct Push { Subfield from; bool operator==(const Push&) const = default; };
struct Pop { Subfield to; bool operator==(const Pop&) const = default; };
struct SetVlanVid { std::uint16_t vid = 0; bool operator==(const SetVlanVid&) const = default; };  // adds a tag if there is none
struct SetVlanPcp { std::uint8_t pcp = 0; bool operator==(const SetVlanPcp&) const = default; };
struct StripVlan { bool operator==(const StripVlan&) const = default; };
struct PushVlan { std::uint16_t type = kTypeVlan; bool operator==(const PushVlan&) const = default; };
struct PushMpls { std::uint16_t type = kTypeMpls; bool operator==(const PushMpls&) const = default; };
struct PopMpls { std::uint16_t type = kTypeIpv4; bool operator==(const PopMpls&) const = default; };
struct DecMplsTtl { bool operator==(const DecMplsTtl&) const = default; };
struct DecTtl { bool operator==(const DecTtl&) const = default; };

struct NatSpec {
  enum class Kind { None, Source, Destination };  // None: only undo what an earlier packet had done
  Kind kind = Kind::None;
  std::optional<Ip> first, last;
  std::uint16_t port_first = 0, port_last = 0;    // 0: not given
  bool operator==(const NatSpec&) const = default;
};
struct CtSpec {
  bool commit = false, force = false;
  std::optional<Subfield> zone_from;
  std::uint16_t zone = 0;
  std::optional<TableId> table;
  std::optional<NatSpec> nat;
  std::string alg;
  Actions exec;
  bool operator==(const CtSpec&) const;
};
struct Ct { Box<CtSpec> spec; bool operator==(const Ct&) const = default; };
struct CtClear { bool operator==(const CtClear&) const = default; };

struct Conjunction { std::uint32_t id = 0; std::uint8_t clause = 0, clauses = 0; bool operator==(const Conjunction&) const = default; };  // clause counts from 1

struct LearnItem {
  enum class Kind { Match, Load, Output };
  Kind kind = Kind::Match;
  Subfield to;                        // Match, Load: in the flow to come
  std::optional<Subfield> from;       // of the packet at hand; none: the value
  Bits128 value;
  bool operator==(const LearnItem&) const = default;
};
struct LearnSpec {
  std::uint16_t idle_timeout = 0, hard_timeout = 0, fin_idle_timeout = 0, fin_hard_timeout = 0, priority = 32768;
  std::uint64_t cookie = 0;
  TableId table{1};
  bool send_flow_rem = false, delete_learned = false;
  std::uint32_t limit = 0;
  std::optional<Subfield> result;
  std::vector<LearnItem> items;
  bool operator==(const LearnSpec&) const = default;
};
struct Learn { Box<LearnSpec> spec; bool operator==(const Learn&) const = default; };

struct Clone { Actions actions; bool operator==(const Clone&) const; };
struct WriteActions { Actions actions; bool operator==(const WriteActions&) const; };
struct ClearActions { bool operator==(const ClearActions&) const = default; };
struct DeleteField { FieldId field = FieldId::TunMetadata0; bool operator==(const DeleteField&) const = default; };  // of tunnel metadata
struct Exit { bool operator==(const Exit&) const = default; };
struct CheckPktLarger { std::uint16_t size = 0; Subfield to; bool operator==(const CheckPktLarger&) const = default; };

struct MultipathSpec {
  std::string fields, algorithm;
  std::uint16_t basis = 0, links = 1;
  std::uint32_t arg = 0;
  Subfield to;
  bool operator==(const MultipathSpec&) const = default;
};
struct Multipath { Box<MultipathSpec> spec; bool operator==(const Multipath&) const = default; };
struct BundleSpec {
  std::string fields, algorithm;   // "active_backup", "hrw"
  std::uint16_t basis = 0;
  std::vector<Ofport> members;
  std::optional<Subfield> load_to; // bundle_load
  bool operator==(const BundleSpec&) const = default;
};
struct Bundle { Box<BundleSpec> spec; bool operator==(const Bundle&) const = default; };

// note, sample, meter, fin_timeout: nothing happens to the packet's path.
struct NoEffect { Box<std::string> text; bool operator==(const NoEffect&) const = default; };
struct Unmodelled { Box<std::string> text; bool operator==(const Unmodelled&) const = default; };

using ActionVariant =
    std::variant<Output, OutputField, OutputTruncated, Controller, Enqueue, SetQueue, PopQueue, ToGroup, Resubmit, GotoTable,
                 SetField, ModTransport, Move, Push, Pop, SetVlanVid, SetVlanPcp, StripVlan, PushVlan, PushMpls, PopMpls,
                 DecMplsTtl, DecTtl, Ct, CtClear, Conjunction, Learn, Clone, WriteActions, ClearActions, Exit, CheckPktLarger,
                 Multipath, Bundle, DeleteField, NoEffect, Unmodelled>;

// A struct rather than an alias, so that an action list can be named before it is complete.
struct Action : ActionVariant {
  using ActionVariant::ActionVariant;
  const ActionVariant& variant() const { return *this; }
  ActionVariant& variant() { return *this; }
};

inline bool CtSpec::operator==(const CtSpec&) const = default;
inline bool Clone::operator==(const Clone&) const = default;
inline bool WriteActions::operator==(const WriteActions&) const = default;

// In Open vSwitch's words. An empty list prints as "drop".
std::string to_string(const Actions& actions);
std::string to_string(const Action& action);

}  // namespace dvrtrace::openflow
