// Network: what a Snapshot means once its parts are joined.
//
// A snapshot knows that br-int on cmp1 has ofport 7 named patch-tun; a Network knows that leaving by
// it is arriving on br-tun by ofport 1. assemble() makes one and reports what would not join. It
// never changes after that, so any number of engines may share it; a host is joined when it is
// first asked for.
//
// References by number (BridgePort::peer, Device::bridge, ...) are indices within their host.
#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "src/base/diagnostics.h"
#include "src/base/source.h"
#include "src/model/classifier.h"
#include "src/snapshot/snapshot.h"

namespace dvrtrace {

inline constexpr std::size_t kNowhere = static_cast<std::size_t>(-1);

enum class PortType { System, Internal, Patch, Tunnel, VhostUser };

struct TunnelEnd {
  std::string type;                       // "vxlan", "gre", "geneve", ...
  std::optional<Ip> local, remote;        // none: any, or by the flow
  bool remote_by_flow = false, local_by_flow = false;
  std::optional<std::uint64_t> in_key, out_key;  // none: by the flow
  std::uint16_t udp_port = 4789;
};

struct BridgePort {
  Ofport number;
  std::string name;
  PortType type = PortType::System;
  std::size_t bundle = 0;                 // of the bridge's bundles
  bool no_recv = false, no_fwd = false, no_flood = false, port_down = false, link_down = false;
  bool blocked = false, learning = false; // a spanning tree does not let it forward; but learn MACs
  bool bfd = false, bfd_tunnel_key = false;  // sessions of BFD end here; not those of a tunnel with a key
  std::size_t peer_bridge = kNowhere, peer_port = kNowhere;  // Patch
  TunnelEnd tunnel;                       // Tunnel
  std::size_t netns = kNowhere, device = kNowhere;           // the device it is, where that is known
  std::string iface_id, vm_uuid;          // of a VM's port, from external_ids
  std::optional<Mac> attached_mac;
  Provenance at;
};

enum class VlanMode { Access, Trunk, NativeTagged, NativeUntagged, Dot1qTunnel };

struct Bundle {
  std::string name;
  VlanMode mode = VlanMode::Trunk;
  std::uint16_t tag = 0;
  std::vector<std::uint16_t> trunks, cvlans;   // empty: all
  std::vector<std::size_t> ports;         // of the bridge
  bool is_protected = false;
  std::string priority_tags;              // "", "always", "if-nonzero", ...
  const OvsBondState* state = nullptr;    // of a bond, when a dump shows it
  bool bond() const { return ports.size() > 1; }
  bool trunks_vlan(std::uint16_t vlan) const;    // as in mode Trunk or native
  // Takes part in floods of the VLAN; `inner` is the tag below it, if any.
  bool includes(std::uint16_t vlan, std::uint16_t inner) const;
};

struct Bridge {
  std::string name;
  bool netdev = false;                    // the userspace datapath: it encapsulates by itself
  bool known_ports = false;               // some dump lists its ports
  std::string fail_mode;
  const BridgeDumps* dumps = nullptr;     // none: no dump names this bridge's flows
  const OvsBridge* row = nullptr;         // none: the database is not there
  std::optional<bool> checks_packet_length;  // whether its datapath does; none: no dump says
  std::vector<BridgePort> ports;
  std::vector<Bundle> bundles;
  std::unordered_map<std::uint32_t, std::size_t> by_number;
  std::array<std::unique_ptr<Classifier>, 256> tables;
  std::vector<const openflow::FlowRow*> younger;  // learned after the MAC tables were taken: in no table
  bool flows_present = false, flows_complete = false;
  bool unknown_tables = false;            // the flows have names for tables that no dump numbers
  std::unordered_map<std::uint64_t, const Sourced<FdbEntry>*> fdb;  // by fdb_key()
  std::unordered_map<std::uint32_t, const Sourced<openflow::Group>*> groups;

  const BridgePort* port(Ofport number) const {
    const auto found = by_number.find(number.value);
    return found == by_number.end() ? nullptr : &ports[found->second];
  }
  // Is a mirror's output: nothing else goes out there, and nothing comes in.
  bool reserved_for_mirror(const Bundle& bundle) const;
  static std::uint64_t fdb_key(std::uint16_t vlan, Mac mac) { return std::uint64_t{vlan} << 48 | mac.value; }
};

// What a device of a namespace leads to when something is sent out by it.
enum class Behind {
  Unknown,
  OvsPort,        // Internal or LOCAL: into bridge, port
  VethPeer,       // to device `peer` of namespace `peer_netns`
  LinuxBridge,    // this is a Linux bridge itself
  VlanOf,         // a VLAN device: tagged, out of `peer`
  Wire,           // a network card
  Loopback,
};

struct NetDevice {
  const Sourced<kernel::Link>* link = nullptr;
  std::size_t netns = kNowhere;
  Behind behind = Behind::Unknown;
  std::size_t bridge = kNowhere, port = kNowhere;      // the OVS port that it is (also for System ports)
  std::size_t peer_netns = kNowhere, peer = kNowhere;  // VethPeer, VlanOf
  std::size_t master = kNowhere;                       // the Linux bridge that it belongs to, in its namespace
  const std::string& name() const { return link->value.name; }
  bool up() const { return link->value.up; }
};

// Routes of one table and family, the longest prefix first.
struct RoutingTable {
  std::vector<const Sourced<kernel::Route>*> routes;
};

struct Namespace {
  std::string name;                       // "" is the root namespace
  const NamespaceSnapshot* dumps = nullptr;
  std::vector<NetDevice> devices;
  std::unordered_map<std::string, std::size_t> by_name;
  std::vector<const Sourced<kernel::PolicyRule>*> rules4, rules6;   // by priority
  std::unordered_map<std::uint64_t, RoutingTable> tables;           // by table and family: table_key()
  std::unordered_map<std::string, const Sourced<kernel::Neighbour>*> neighbours;  // "ip device"
  std::unordered_map<Ip, std::size_t> addresses;                    // local address to device
  // Linux bridges: what their fdb says, "bridge-device mac" to a port.
  std::unordered_map<std::string, std::size_t> bridge_fdb;

  static std::uint64_t table_key(Family family, kernel::RouteTable table) { return std::uint64_t{family == Family::V6} << 32 | table; }
  std::size_t find(std::string_view device) const;
  // The value of a key; none when the dump does not have it.
  std::optional<long> sysctl(std::string_view key) const;
  // The greater of "net.ipv4.conf.all.X" and of the device's own, as the kernel takes most of them.
  std::optional<long> conf_max(std::string_view device, std::string_view what) const;
};

struct Host {
  std::string name;
  HostSnapshot snapshot;
  std::vector<Bridge> bridges;
  std::vector<Namespace> namespaces;
  std::map<SourceId, Taken> taken;        // when its dumps were, as far as a manifest says

  std::size_t find_bridge(std::string_view name) const;
  std::size_t find_namespace(std::string_view name) const;
};

// Where something of the cloud is attached.
struct PortAt {
  std::size_t host = kNowhere;
  std::string bridge, port;               // OVS bridge and port; "" for a device that is no OVS port
  std::string netns, device;
};

// A MAC or an address, and who has it, as the small files of all hosts say.
struct Owner {
  enum class Kind { Vm, Device, Vtep } kind = Kind::Vm;
  std::size_t host = kNowhere;
  std::string port_id;                    // Neutron's, of a VM's port
  std::string netns, device;              // Device
};

class Network {
 public:
  using Loader = std::function<HostSnapshot(std::size_t host, const HostSnapshot& index, Diagnostics& diagnostics)>;

  // `index`: every host at least at Depth::Index. `load` gives a host at Depth::Full.
  Network(Snapshot index, Loader load, const Sources& sources);
  // `base` with one host otherwise than it is: what would be if. Everything else is base's own, which must outlive it; its index,
  // by which addresses and MACs are found, is as it was.
  Network(const Network& base, std::size_t host, HostSnapshot changed);
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;

  std::size_t size() const { return index_->snapshot.hosts.size(); }
  const HostSnapshot& index(std::size_t host) const { return index_->snapshot.hosts[host]; }
  const Host& host(std::size_t host) const;
  bool joined(std::size_t host) const;  // whether it was asked for
  std::size_t find_host(std::string_view name) const;  // kNowhere when no input is of that name; the first of several that are
  // Joins hosts that will be asked for, each on a thread of its own. kNowhere is passed over.
  void prepare(std::span<const std::size_t> hosts) const;
  // Says that what is asked for may lie on any host. Of a snapshot that left hosts out, the answer is then not to be relied on:
  // it has asked beyond what is here.
  void ask_every_host() const;
  bool asked_beyond() const { return index_->asked_beyond; }
  const logical::Model& logical() const { return index_->snapshot.logical; }
  const Sources& sources() const { return sources_; }
  // What was wrong with the hosts that were joined so far, in their order.
  Diagnostics diagnostics() const;

  // owners(), on_the_wire() and an address that host_of_vtep() does not find ask every host.
  // The host whose tunnels end at this address; kNowhere when no snapshot has it.
  std::size_t host_of_vtep(const Ip& ip) const;
  // The hosts whose network cards hang on the same wire as this one's.
  struct Attached { std::size_t host; std::string device; };
  std::vector<Attached> on_the_wire(std::size_t host, std::string_view device) const;
  // The physical networks that the wire of a card carries, as bridge_mappings say; may be empty.
  std::vector<std::string> physical_networks(std::size_t host, std::string_view device) const;
  std::vector<Owner> owners(Mac mac) const;

 private:
  struct Entry {
    mutable std::once_flag once;
    mutable std::atomic<bool> joined = false;
    mutable std::unique_ptr<Host> host;
    mutable Diagnostics diagnostics;
  };
  struct Card { std::size_t host; std::string device, bridge; std::vector<std::string> physical_networks; };

  struct Index {
    explicit Index(Snapshot read);
    void index_vteps();
    void index_cards();
    void index_macs();
    Snapshot snapshot;
    mutable std::atomic<bool> asked_beyond = false;
    std::unordered_map<std::string_view, std::size_t> names;  // of the snapshot's hosts
    std::unordered_map<Ip, std::size_t> vteps;
    std::vector<Card> cards;
    std::unordered_multimap<Mac, Owner> macs;
  };
  std::shared_ptr<const Index> index_;
  Loader load_;
  const Sources& sources_;
  std::vector<std::unique_ptr<Entry>> entries_;  // by host; those of `base_` count where there is one
  const Network* base_ = nullptr;
  std::size_t changed_ = kNowhere;
};

// Joins one host's parts; what does not join is a diagnostic.
std::unique_ptr<Host> join_host(HostSnapshot snapshot, const Sources& sources, Diagnostics& diagnostics);

}  // namespace dvrtrace
