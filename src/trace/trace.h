// Trace: the way of a packet, as a value.
//
// A trace has one or two directions. A direction is a tree of hops, because a bridge floods; it is
// stored flat, parents by index, so that it copies, compares and prints like any other value. A hop
// is one stay of the packet in one place, a step one thing that happened there: typed facts, never a
// sentence. A trace holds copies of the names it needs and no pointer into a snapshot.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "src/base/source.h"
#include "src/net/ids.h"
#include "src/trace/headers.h"

namespace dvrtrace {

enum class Verdict { Delivered, LeftTheCloud, Dropped, Looped, Unknown };

// Why a path ended as it did: a closed list, for scripts to compare. docs/verdicts.md says when.
enum class Reason {
  ToVm, ToRouter, ToDhcp, ToMetadata, ToHost,
  ByFip, BySnat, ByProviderNetwork,
  DropFlow, TableMiss, DeadVlan, PortSecurity, SecurityGroup, ConntrackInvalid, ConntrackMark, FilterDrop, AddressScope,
  NoRoute, ProhibitRoute, BlackholeRoute, UnreachableRoute, NeighbourFailed, ReversePathFilter, ForwardingOff, TtlExceeded,
  DeviceDown, NoSuchPort, VtepUnknown, VlanUnknown, MtuExceeded, NotAdmitted, NotForThisHost, NotTranslated, NoListener, TranslationFailed,
  FloodEmpty, NotForwarded,
  Loop,
  DumpMissing, DumpTruncated, LineNotUnderstood, ActionNotModelled, HostMissing, CleanedReport, HiddenState,
};

std::string_view name(Verdict verdict);
// Whether the packet gets to where it was sent.
constexpr bool arrives(Verdict verdict) {
  return verdict == Verdict::Delivered || verdict == Verdict::LeftTheCloud;
}
std::string_view name(Reason reason);

enum class PlaceKind { Vm, Bridge, LinuxBridge, Namespace, Tunnel, Wire, Outside };
std::string_view name(PlaceKind kind);

struct Place {
  PlaceKind kind = PlaceKind::Vm;
  std::string host;   // "" for a wire, a tunnel between hosts and the outside
  std::string name;   // VM, bridge, namespace ("root" for the root namespace), "172.31.0.11 > 172.31.0.12", physical network
  bool operator==(const Place&) const = default;
};

// --- steps -----------------------------------------------------------------------------------------

struct FlowHit {
  TableId table;
  std::uint16_t priority = 0;
  std::uint64_t cookie = 0;
  std::string match, actions;                  // as the dump has them
  std::optional<std::uint64_t> packets;        // n_packets
  bool learned = false;
  Provenance at;
  std::optional<std::uint64_t> age_ms = {};    // duration
};
struct TableMissed { TableId table; Provenance at; };
// A header or register of the packet that changed, in Open vSwitch's field names.
struct Changed { std::string field, before, after; };
struct Tracked {                               // ct(): the connection of this packet
  std::uint16_t zone = 0;
  std::string state;                           // "trk|new"
  bool committed = false, assumed = false;     // assumed: no dump says it
  std::string nat;                             // "" none
};
struct Switched {                              // NORMAL, or a Linux bridge
  std::optional<std::uint16_t> vlan;
  std::string port;                            // where the MAC is; "" floods
  std::vector<std::string> ports;              // flood: the ports that got a copy
  std::optional<std::uint32_t> age;            // of the fdb entry, seconds
  Provenance at;                               // the fdb entry
};
struct SentTo { std::string port; std::string note; Provenance at; };  // output
struct RuleHit { std::uint32_t priority = 0; std::string text; Provenance at; };
struct RouteHit { std::string table, text; Provenance at; };
struct NeighbourHit {
  Ip ip;
  Mac mac;
  std::string state;
  Provenance at;
  std::optional<std::uint32_t> age = {};       // seconds
};
struct ChainHit { std::string table, chain, rule, target; Provenance at; };    // an iptables rule that decided something
struct Translated { std::string what, before, after; Provenance at; };         // NAT
struct Encapsulated { Encapsulation tunnel; std::string port; Provenance at; };
struct Decapsulated { Encapsulation tunnel; std::string port; Provenance at; };
struct Resolved { Ip ip; Mac mac; std::string by; Provenance at; };            // ARP or ND, played out
struct Noted { std::string text; Provenance at; };
struct Stopped {
  Verdict verdict = Verdict::Unknown;
  Reason reason = Reason::HiddenState;
  std::string text;                            // in words
  std::string needs;                           // Unknown: the command or file that would settle it
  Provenance at;
};

using Step = std::variant<FlowHit, TableMissed, Changed, Tracked, Switched, SentTo, RuleHit, RouteHit, NeighbourHit, ChainHit,
                          Translated, Encapsulated, Decapsulated, Resolved, Noted, Stopped>;

// --- hops ------------------------------------------------------------------------------------------

struct Device {
  std::string netns, name;                     // netns "" is the root namespace
  std::optional<Ofport> ofport;                // on a bridge
  bool operator==(const Device&) const = default;
};

enum class Origin { Observed, Reference, Assumed };

struct Hop {
  std::optional<std::size_t> parent;           // index in Direction::hops; none for the first
  Place place;
  std::optional<Device> in;                    // none: made here
  std::vector<Device> out;
  Headers arrived;                             // as it was on arrival
  std::vector<Step> steps;
  Origin origin = Origin::Observed;
  bool on_path = false;                        // on the way to the direction's end
};

// A device at which the packet could be captured with tcpdump.
struct Crossing {
  std::string host, netns, device;             // netns "" is the root namespace
  std::size_t hop = 0;                         // the hop that it leads into; beyond all hops: into none
  Headers packet;
  bool on_path = false;
};

struct Direction {
  std::string name;                            // "request", "reply"
  Verdict verdict = Verdict::Unknown;
  Reason reason = Reason::HiddenState;
  std::vector<Hop> hops;
  std::vector<Crossing> crossings;             // in the order in which the packet passes
  std::optional<std::size_t> stopped_at;       // the hop whose last step stopped it
};

struct Assumption {
  std::string code, text;
  auto operator<=>(const Assumption&) const = default;
};

struct EndpointName {
  std::string name, kind, port, host, network;  // as known; "" otherwise
  std::optional<Ip> ip;
  std::optional<Mac> mac;
};

struct Question {
  EndpointName from, to;
  std::string protocol;                        // "icmp", "tcp", "udp", "sctp", "arp", "dhcp"
  Headers packet;                              // as asked, before anything is resolved
};

struct Trace {
  Question question;
  std::vector<Direction> directions;
  Verdict verdict = Verdict::Unknown;
  Reason reason = Reason::HiddenState;
  std::vector<Assumption> assumptions;         // sorted, each once
  std::optional<double> spread;                // seconds in which the dumps of the way were taken
};

// The verdict and reason of the whole (design 3.1).
void conclude(Trace& trace, bool reply_expected);

}  // namespace dvrtrace
