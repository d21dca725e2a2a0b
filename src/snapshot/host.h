// HostSnapshot: everything read from one host, nothing concluded.
//
// Each part says whether it was read at all (`Part`): a missing dump must never look like an empty
// one. Rows keep where they were read for life.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "src/base/diagnostics.h"
#include "src/base/source.h"
#include "src/kernel/iptables.h"
#include "src/kernel/link.h"
#include "src/kernel/routing.h"
#include "src/kernel/state.h"
#include "src/net/ids.h"
#include "src/net/ip.h"
#include "src/net/mac.h"
#include "src/openflow/flow.h"
#include "src/openflow/group.h"

namespace dvrtrace {

// How much of a part of the snapshot is there.
enum class Presence {
  Absent,     // no dump of it, or only the text of a failed command
  Truncated,  // the dump breaks off, or lost its beginning: what it says holds, what it lacks does not
  Complete,
};

template <class T>
struct Part {
  Presence presence = Presence::Absent;
  SourceId source = kNoSource;  // the dump it was read from; or the one that failed
  std::string wanted;           // the command that would give it, named when it is absent
  std::string failure;          // what stands in the dump's place: "No such file or directory"
  T value{};
  bool present() const { return presence != Presence::Absent; }
  bool complete() const { return presence == Presence::Complete; }
};

// --- Open vSwitch --------------------------------------------------------------------------------

using StringMap = std::map<std::string, std::string, std::less<>>;

struct OvsInterface {
  std::string name, type;              // "", "internal", "patch", "vxlan", "gre", "geneve", "dpdk", ...
  StringMap options, external_ids;
  std::optional<std::int64_t> ofport;  // -1: could not be opened
  std::optional<Mac> mac;
  std::optional<bool> link_up, admin_up;
  std::string error;
  StringMap bfd;
  Provenance at;
};

struct OvsPort {  // a row of table Port: a bundle of one interface, or a bond of several
  std::string name;
  std::optional<std::uint16_t> tag;
  std::vector<std::uint16_t> trunks, cvlans;
  std::string vlan_mode, bond_mode;
  bool is_protected = false;
  StringMap other_config, external_ids;
  StringMap status, rstp_status;       // of spanning trees
  std::vector<OvsInterface> interfaces;
  Provenance at;
};

struct OvsMirror {
  std::string name;
  bool select_all = false;
  std::vector<std::string> select_src, select_dst;  // port names
  std::vector<std::uint16_t> select_vlans;
  std::string output_port;
  std::optional<std::uint16_t> output_vlan;
};

struct OvsBridge {
  std::string name;
  std::string fail_mode, datapath_type;  // "secure"/"standalone"/""; "netdev" is the userspace datapath
  StringMap other_config, external_ids;
  std::vector<std::uint16_t> flood_vlans;
  std::vector<std::string> protocols;
  std::map<std::string, TableId, std::less<>> table_names;  // to those that have one
  bool stp = false, rstp = false, mcast_snooping = false;
  bool has_controller = false;
  std::vector<OvsPort> ports;
  std::vector<OvsMirror> mirrors;
  Provenance at;
};

struct OvsDatabase {
  std::vector<OvsBridge> bridges;
  StringMap external_ids, other_config;  // of table Open_vSwitch: hostname, system-id, ovn-...
  std::string ovs_version;
  std::map<std::string, StringMap, std::less<>> datapaths;  // what those of each type can do
};

// A port as `ovs-ofctl show` and `dump-ports-desc` print it.
struct PortDesc {
  Ofport number;
  std::string name;  // cut to 15 characters by the protocol
  std::optional<Mac> mac;
  bool port_down = false, no_recv = false, no_fwd = false, no_flood = false, no_packet_in = false;
  bool link_down = false;
};
struct BridgeFeatures {
  std::vector<Sourced<PortDesc>> ports;
  std::string frags;  // "normal", "drop", "nx-match", ...; "" not said
  std::optional<std::uint64_t> datapath_id;
};

// One line of `ovs-appctl fdb/show`.
struct FdbEntry {
  Ofport port;
  std::uint16_t vlan = 0;
  Mac mac;
  std::optional<std::uint32_t> age;  // seconds; none: static
  bool is_static = false;
};

// One bond of `ovs-appctl bond/show`.
struct OvsBondMember {
  std::string name;  // the interface's
  bool enabled = false, may_enable = false;
};
struct OvsBondState {
  std::string name, mode, lacp_status;  // mode: "balance-slb", ...; status: "off", "configured", "negotiated"
  std::string active;                   // "" none
  bool all_members_active = false, lacp_fallback = false;
  std::vector<OvsBondMember> members;
};

// One port of `ovs-appctl dpif/show`.
struct DpifPort {
  std::string bridge, name, type;
  Ofport ofport;
  std::optional<std::uint32_t> datapath_port;
  StringMap options;
};

struct BridgeDumps {
  std::string bridge;
  Part<openflow::FlowTable> flows;
  Part<std::vector<Sourced<openflow::Group>>> groups;
  Part<BridgeFeatures> features;
  Part<std::vector<Sourced<FdbEntry>>> fdb;
};

// --- Linux ---------------------------------------------------------------------------------------

struct NamespaceSnapshot {
  std::string name;  // "" is the root namespace
  Part<std::vector<Sourced<kernel::Link>>> links;
  Part<std::vector<Sourced<kernel::PolicyRule>>> rules4, rules6;
  Part<std::vector<Sourced<kernel::Route>>> routes4, routes6;
  Part<std::vector<Sourced<kernel::Neighbour>>> neighbours;
  Part<kernel::Iptables> iptables4, iptables6;
  Part<std::vector<kernel::Ipset>> ipsets;
  Part<kernel::Sysctls> sysctls;
  Part<std::vector<Sourced<kernel::Connection>>> connections;
  Part<std::vector<Sourced<kernel::BridgeFdbEntry>>> bridge_fdb;
  Part<std::vector<Sourced<kernel::BridgePort>>> bridge_ports;
};

// --- beside both -----------------------------------------------------------------------------------

struct DomainInterface {  // one NIC of a libvirt domain
  Mac mac;
  std::string tap, port_id, bridge;  // port_id: the Neutron port
  std::optional<std::uint32_t> mtu;
};
struct Domain {
  std::string name;            // libvirt's, "instance-0000001a"
  std::string instance_name;   // nova's, the name a user knows
  std::string uuid;            // the instance's
  std::vector<DomainInterface> interfaces;
  Provenance at;
};

struct AgentConfig {  // what the agents' configuration files say, as far as it bears on forwarding
  std::map<std::string, Sourced<std::string>, std::less<>> values;  // "ovs.local_ip", "securitygroup.firewall_driver"
};

// When a dump was taken: its command's beginning and end, in seconds since 1970 by the clock of its host. Of several
// dumps, when the first was begun and the last had ended.
struct Taken {
  double first = 0, last = 0;
  double spread() const { return last - first; }
  bool operator==(const Taken&) const = default;
};
void widen(std::optional<Taken>& all, const Taken& one);

// What became of one file of the input.
struct FileReading {
  SourceId source = kNoSource;
  std::string path;      // within the input
  std::string command;   // the command whose output it is
  std::string used_as;   // "flows of br-int"; "" when read only for comparison, or not read
  LineCounts lines;
  bool failed = false;   // the text of a failed command
  std::string failure;
  std::optional<Taken> taken;  // as the input's manifest says (not at Depth::Index); none: nobody noted it
};

struct HostSnapshot {
  std::string name;
  std::string collected_at;           // as the host wrote it; "" not known
  std::vector<std::string> inputs;    // the folders or archives it came from
  Part<OvsDatabase> ovs;
  std::vector<BridgeDumps> bridges;
  // Seconds, whole ones: the MAC tables are of another input than the flows, and at least so much older.
  std::optional<std::int64_t> macs_older_by;
  Part<std::vector<DpifPort>> dpif_ports;
  Part<std::vector<Sourced<OvsBondState>>> bonds;
  Part<std::vector<Sourced<kernel::Connection>>> datapath_connections;
  std::vector<NamespaceSnapshot> namespaces;
  Part<std::vector<std::string>> namespace_names;  // `ip netns`
  std::vector<Domain> domains;
  AgentConfig config;
  std::map<std::string, std::string, std::less<>> state_files;  // var/lib/neutron/ha_confs/R/state -> "primary"
  bool cleaned = false;               // a report that went through `sos clean`
  std::string cleaned_sign;           // what shows it
  std::vector<FileReading> files;

  const BridgeDumps* find_bridge(std::string_view bridge) const;
  const NamespaceSnapshot* find_namespace(std::string_view netns) const;
  // When what was read of this host was taken; none: no manifest says.
  std::optional<Taken> taken() const;
};

}  // namespace dvrtrace
