// Joins the parts of one host: ports to devices, patch ports to each other, veth ends, flows into
// classifiers, routes into tables.
#include <fmt/format.h>

#include <algorithm>

#include "src/base/text.h"
#include "src/model/network.h"
#include "src/openflow/value.h"

namespace dvrtrace {
namespace {

// OpenFlow cuts names at 15 characters (OFP_MAX_PORT_NAME_LEN - 1).
constexpr std::size_t kPortNameLength = 15;

class Joiner {
 public:
  Joiner(HostSnapshot snapshot, const Sources& sources, Diagnostics& diagnostics)
      : host_(std::make_unique<Host>()), sources_(sources), diagnostics_(diagnostics) {
    host_->name = snapshot.name;
    host_->snapshot = std::move(snapshot);
  }

  std::unique_ptr<Host> join() {
    namespaces();
    veth_pairs();
    bridges();
    patch_ports();
    devices_of_ports();
    for (Bridge& bridge : host_->bridges) flows(bridge);
    for (const FileReading& file : snapshot().files) {
      if (file.taken) host_->taken.emplace(file.source, *file.taken);
    }
    return std::move(host_);
  }

 private:
  HostSnapshot& snapshot() { return host_->snapshot; }

  // --- Linux ---------------------------------------------------------------------------------------

  void namespaces() {
    for (NamespaceSnapshot& dumps : snapshot().namespaces) {
      if (!dumps.links.present()) devices_by_routes(dumps);
      Namespace netns;
      netns.name = dumps.name;
      netns.dumps = &dumps;
      for (const auto& link : dumps.links.value) {
        netns.by_name.emplace(link.value.name, netns.devices.size());
        NetDevice device;
        device.link = &link;
        device.netns = host_->namespaces.size();
        if (link.value.loopback)
          device.behind = Behind::Loopback;
        else if (link.value.kind == "bridge")
          device.behind = Behind::LinuxBridge;
        for (const auto& address : link.value.addresses)
          netns.addresses.emplace(address.value.ip, netns.devices.size());
        netns.devices.push_back(device);
      }
      for (NetDevice& device : netns.devices) {
        if (!device.link->value.master.empty()) device.master = netns.find(device.link->value.master);
      }
      for (const auto& port : dumps.bridge_ports.value) {
        const std::size_t device = netns.find(port.value.device);
        if (device != kNowhere && netns.devices[device].master == kNowhere)
          netns.devices[device].master = netns.find(port.value.bridge);
      }
      routing(netns, dumps);
      host_->namespaces.push_back(std::move(netns));
    }
  }

  // A namespace of which nobody saved the devices has those that its routes name, with the addresses that
  // the kernel's own routes have for source. The part stays absent: what else there is, is not known.
  static void devices_by_routes(NamespaceSnapshot& dumps) {
    auto& links = dumps.links.value;
    for (const auto* routes : {&dumps.routes4.value, &dumps.routes6.value}) {
      for (const auto& route : *routes) {
        for (const kernel::Nexthop& nexthop : route.value.nexthops) {
          if (nexthop.device.empty()) continue;
          auto link =
              std::ranges::find(links, nexthop.device, [](const auto& known) { return known.value.name; });
          if (link == links.end()) {
            links.push_back({{}, route.at});
            link = links.end() - 1;
            link->value.name = nexthop.device;
            link->value.up = true;
            link->value.loopback = nexthop.device == "lo";
          }
          const bool connected = route.value.protocol == "kernel" && !nexthop.via && route.value.source &&
                                 route.value.destination.contains(*route.value.source);
          if (!connected || route.value.table != kernel::kTableMain) continue;
          kernel::Address address;
          address.ip = *route.value.source;
          address.length = route.value.destination.length();
          link->value.addresses.push_back({address, route.at});
        }
      }
    }
  }

  void routing(Namespace& netns, const NamespaceSnapshot& dumps) {
    for (const auto& rule : dumps.rules4.value) netns.rules4.push_back(&rule);
    for (const auto& rule : dumps.rules6.value) netns.rules6.push_back(&rule);
    const auto priority = [](const auto* rule) { return rule->value.priority; };
    std::ranges::stable_sort(netns.rules4, {}, priority);
    std::ranges::stable_sort(netns.rules6, {}, priority);
    for (const auto* routes : {&dumps.routes4.value, &dumps.routes6.value}) {
      for (const auto& route : *routes) {
        netns.tables[Namespace::table_key(route.value.destination.ip().family, route.value.table)]
            .routes.push_back(&route);
      }
    }
    for (auto& [key, table] : netns.tables) {
      std::ranges::stable_sort(table.routes, [](const auto* a, const auto* b) {
        if (a->value.destination.length() != b->value.destination.length())
          return a->value.destination.length() > b->value.destination.length();
        return a->value.metric < b->value.metric;
      });
    }
    for (const auto& neighbour : dumps.neighbours.value) {
      if (!neighbour.value.proxy)
        netns.neighbours.emplace(to_string(neighbour.value.ip) + " " + neighbour.value.device, &neighbour);
    }
    for (const auto& entry : dumps.bridge_fdb.value) {
      const std::size_t port = netns.find(entry.value.device);
      if (port == kNowhere || entry.value.local) continue;
      const std::string bridge = !entry.value.bridge.empty() ? entry.value.bridge
                                 : netns.devices[port].master != kNowhere
                                     ? netns.devices[netns.devices[port].master].name()
                                     : std::string();
      netns.bridge_fdb.emplace(bridge + " " + to_string(entry.value.mac), port);
    }
  }

  // The number after "if" in "rfp-1@if2": the peer's index in its own namespace.
  static std::optional<std::uint32_t> peer_index(const kernel::Link& link) {
    if (!link.peer.starts_with("if")) return std::nullopt;
    return number<std::uint32_t>(std::string_view(link.peer).substr(2));
  }

  // Is `other` the far end of `link`, as far as indices tell?
  static bool mutual(const kernel::Link& link, const kernel::Link& other) {
    const auto mine = peer_index(link), theirs = peer_index(other);
    return mine && theirs && *mine == other.index && *theirs == link.index && link.index != 0;
  }

  void connect(std::size_t netns, std::size_t device, std::size_t peer_netns, std::size_t peer,
               Behind behind) {
    NetDevice& end = host_->namespaces[netns].devices[device];
    end.behind = behind;
    end.peer_netns = peer_netns;
    end.peer = peer;
  }

  void veth_pairs() {
    for (std::size_t n = 0; n < host_->namespaces.size(); ++n) {
      for (std::size_t d = 0; d < host_->namespaces[n].devices.size(); ++d) {
        const NetDevice& device = host_->namespaces[n].devices[d];
        const kernel::Link& link = device.link->value;
        if (device.behind != Behind::Unknown || link.peer.empty()) continue;
        if (const std::size_t peer = host_->namespaces[n].find(link.peer); peer != kNowhere) {
          connect(n, d, n, peer, link.kind == "vlan" || link.vlan_id ? Behind::VlanOf : Behind::VethPeer);
        } else if (const auto found = far_end(n, link)) {
          connect(n, d, found->first, found->second, Behind::VethPeer);
        }
      }
    }
    pairs_by_name();
  }

  // Where a dump shows no peer: what Neutron calls rfp- and fpr- of one router are one pair.
  void pairs_by_name() {
    const auto find = [&](const std::string& name) -> std::pair<std::size_t, std::size_t> {
      for (std::size_t n = 0; n < host_->namespaces.size(); ++n) {
        if (const std::size_t device = host_->namespaces[n].find(name); device != kNowhere)
          return {n, device};
      }
      return {kNowhere, kNowhere};
    };
    for (std::size_t n = 0; n < host_->namespaces.size(); ++n) {
      for (std::size_t d = 0; d < host_->namespaces[n].devices.size(); ++d) {
        const NetDevice& device = host_->namespaces[n].devices[d];
        if (device.behind != Behind::Unknown || !device.name().starts_with("rfp-")) continue;
        const auto [netns, peer] = find("fpr-" + device.name().substr(4));
        if (netns == kNowhere || host_->namespaces[netns].devices[peer].behind != Behind::Unknown) continue;
        connect(n, d, netns, peer, Behind::VethPeer);
        connect(netns, peer, n, d, Behind::VethPeer);
      }
    }
  }

  std::optional<std::pair<std::size_t, std::size_t>> far_end(std::size_t netns,
                                                             const kernel::Link& link) const {
    std::optional<std::pair<std::size_t, std::size_t>> found;
    for (std::size_t n = 0; n < host_->namespaces.size(); ++n) {
      if (n == netns || (!link.link_netns.empty() && host_->namespaces[n].name != link.link_netns)) continue;
      for (std::size_t d = 0; d < host_->namespaces[n].devices.size(); ++d) {
        const kernel::Link& other = host_->namespaces[n].devices[d].link->value;
        // Indices alone are ambiguous between namespaces: a pair whose names belong together
        // (rfp-X and fpr-X) is preferred, and a namespace that the dump names is certain.
        if (!mutual(link, other) && !(named_pair(link.name, other.name))) continue;
        if (!link.link_netns.empty() || named_pair(link.name, other.name)) return {{n, d}};
        if (other.link_netns.empty() || other.link_netns == host_->namespaces[netns].name) found = {n, d};
      }
    }
    // Without a name on either side, two taps of VMs may look like a pair: only trust what says so.
    if (found && link.link_netns.empty() && link.link_netnsid && !named_link(link.name)) return std::nullopt;
    return found;
  }

  static bool named_pair(std::string_view a, std::string_view b) {
    return (a.starts_with("rfp-") && b.starts_with("fpr-") && a.substr(4) == b.substr(4)) ||
           (a.starts_with("fpr-") && b.starts_with("rfp-") && a.substr(4) == b.substr(4));
  }
  static bool named_link(std::string_view name) {
    return name.starts_with("rfp-") || name.starts_with("fpr-");
  }

  // --- Open vSwitch --------------------------------------------------------------------------------

  void bridges() {
    for (const OvsBridge& row : snapshot().ovs.value.bridges) {
      Bridge bridge;
      bridge.name = row.name;
      bridge.row = &row;
      bridge.netdev = row.datapath_type == "netdev";
      bridge.fail_mode = row.fail_mode;
      capabilities(bridge, row.datapath_type.empty() ? "system" : row.datapath_type);
      host_->bridges.push_back(std::move(bridge));
    }
    for (const BridgeDumps& dumps : snapshot().bridges) {
      if (host_->find_bridge(dumps.bridge) == kNowhere) {
        Bridge bridge;
        bridge.name = dumps.bridge;
        host_->bridges.push_back(std::move(bridge));
      }
      host_->bridges[host_->find_bridge(dumps.bridge)].dumps = &dumps;
    }
    for (Bridge& bridge : host_->bridges) ports(bridge);
  }

  void capabilities(Bridge& bridge, const std::string& type) {
    const auto& datapaths = snapshot().ovs.value.datapaths;
    const auto found = datapaths.find(type);
    if (found == datapaths.end()) return;
    const auto capability = found->second.find("check_pkt_len");
    if (capability != found->second.end()) bridge.checks_packet_length = capability->second == "true";
  }

  void ports(Bridge& bridge) {
    if (bridge.row != nullptr) {
      for (const OvsPort& row : bridge.row->ports) add_port(bridge, row);
    }
    if (bridge.dumps != nullptr) {
      for (const auto& port : bridge.dumps->features.value.ports) described(bridge, port);
      for (const DpifPort& port : snapshot().dpif_ports.value) numbered(bridge, port);
    }
    if (std::ranges::find(bridge.ports, kPortLocal, &BridgePort::number) == bridge.ports.end())
      add_local(bridge);
    bridge.known_ports =
        bridge.row != nullptr || (bridge.dumps != nullptr && bridge.dumps->features.present());
    for (std::size_t i = 0; i < bridge.ports.size(); ++i) {
      if (bridge.ports[i].number != kPortNone) bridge.by_number[bridge.ports[i].number.value] = i;
    }
    if (bridge.dumps == nullptr) return;
    for (const auto& entry : bridge.dumps->fdb.value)
      bridge.fdb.emplace(Bridge::fdb_key(entry.value.vlan, entry.value.mac), &entry);
    for (const auto& group : bridge.dumps->groups.value) bridge.groups.emplace(group.value.id, &group);
  }

  static VlanMode mode_of(const OvsPort& row) {
    if (row.vlan_mode == "access") return VlanMode::Access;
    if (row.vlan_mode == "trunk") return VlanMode::Trunk;
    if (row.vlan_mode == "native-tagged") return VlanMode::NativeTagged;
    if (row.vlan_mode == "native-untagged") return VlanMode::NativeUntagged;
    if (row.vlan_mode == "dot1q-tunnel") return VlanMode::Dot1qTunnel;
    return row.tag ? VlanMode::Access : VlanMode::Trunk;
  }

  void add_port(Bridge& bridge, const OvsPort& row) {
    Bundle bundle;
    bundle.name = row.name;
    bundle.mode = mode_of(row);
    bundle.tag = row.tag.value_or(0);
    if (bundle.mode != VlanMode::Access) bundle.trunks = row.trunks;
    bundle.cvlans = row.cvlans;
    bundle.is_protected = row.is_protected;
    if (const auto tags = row.other_config.find("priority-tags"); tags != row.other_config.end())
      bundle.priority_tags = tags->second;
    for (const OvsInterface& interface : row.interfaces) {
      bundle.ports.push_back(bridge.ports.size());
      bridge.ports.push_back(port_of(bridge, interface));
      bridge.ports.back().bundle = bridge.bundles.size();
    }
    const auto state = row.status.find("stp_state");
    const auto rapid = row.rstp_status.find("rstp_port_state");
    const bool blocked =
        (state != row.status.end() && state->second != "forwarding" && state->second != "disabled") ||
        (rapid != row.rstp_status.end() && rapid->second != "Forwarding" && rapid->second != "Disabled");
    const bool learning = (state != row.status.end() && state->second == "learning") ||
                          (rapid != row.rstp_status.end() && rapid->second == "Learning");
    for (const std::size_t port : bundle.ports) {
      bridge.ports[port].blocked = blocked;
      bridge.ports[port].learning = blocked && learning;
    }
    const auto bond = std::ranges::find(snapshot().bonds.value, row.name,
                                        [](const auto& known) { return known.value.name; });
    if (bond != snapshot().bonds.value.end()) bundle.state = &bond->value;
    bridge.bundles.push_back(std::move(bundle));
  }

  static BridgePort port_of(const Bridge& bridge, const OvsInterface& interface) {
    BridgePort port;
    port.name = interface.name;
    port.number = kPortNone;
    if (interface.ofport && *interface.ofport > 0)
      port.number = Ofport{static_cast<std::uint32_t>(*interface.ofport)};
    if (interface.name == bridge.name) port.number = kPortLocal;
    port.at = interface.at;
    port.type = type_of(interface.type, interface.name == bridge.name);
    if (port.type == PortType::Tunnel) port.tunnel = tunnel_of(interface);
    const auto id = [&](std::string_view key) {
      const auto found = interface.external_ids.find(key);
      return found == interface.external_ids.end() ? std::string() : found->second;
    };
    const auto flag = [&](std::string_view key) {
      const auto found = interface.bfd.find(key);
      return found != interface.bfd.end() && found->second == "true";
    };
    port.bfd = flag("enable");
    port.bfd_tunnel_key = flag("check_tnl_key");
    port.iface_id = id("iface-id");
    port.vm_uuid = id("vm-uuid");
    port.attached_mac = parse_mac(id("attached-mac"));
    return port;
  }

  static PortType type_of(std::string_view type, bool local) {
    if (local || type == "internal" || type == "tap") return PortType::Internal;
    if (type == "patch") return PortType::Patch;
    if (type.starts_with("dpdkvhostuser")) return PortType::VhostUser;
    for (const std::string_view tunnel : {"vxlan", "gre", "geneve", "ip6gre", "erspan", "ip6erspan", "lisp",
                                          "stt", "gtpu", "bareudp", "ipsec_gre"}) {
      if (type == tunnel) return PortType::Tunnel;
    }
    return PortType::System;
  }

  static TunnelEnd tunnel_of(const OvsInterface& interface) {
    TunnelEnd end;
    end.type = interface.type;
    const auto option = [&](std::string_view key) {
      const auto found = interface.options.find(key);
      return found == interface.options.end() ? std::string_view{} : std::string_view(found->second);
    };
    end.remote = parse_ip(option("remote_ip"));
    end.local = parse_ip(option("local_ip"));
    end.remote_by_flow = option("remote_ip") == "flow";
    end.local_by_flow = option("local_ip") == "flow";
    const std::string_view key = option("key");
    end.in_key = number(option("in_key").empty() ? key : option("in_key"));
    end.out_key = number(option("out_key").empty() ? key : option("out_key"));
    if (const auto udp = number<std::uint16_t>(option("dst_port")))
      end.udp_port = *udp;
    else if (interface.type == "geneve")
      end.udp_port = 6081;
    return end;
  }

  static bool same_port_name(std::string_view full, std::string_view cut) {
    return full == cut || (cut.size() == kPortNameLength && full.starts_with(cut));
  }

  // What `ovs-ofctl show` says of a port: its number where the database has none, and its flags.
  void described(Bridge& bridge, const Sourced<PortDesc>& desc) {
    auto at = std::ranges::find_if(bridge.ports, [&](const BridgePort& port) {
      return same_port_name(port.name, desc.value.name) &&
             (port.number == desc.value.number || port.number == kPortNone);
    });
    if (at == bridge.ports.end()) {
      const auto named = std::ranges::find_if(
          bridge.ports, [&](const BridgePort& port) { return same_port_name(port.name, desc.value.name); });
      if (named != bridge.ports.end() && bridge.row != nullptr) {
        diagnostics_.warning(
            desc.at,
            fmt::format("{} is port {} of {} here and port {} in the OVS database", named->name,
                        desc.value.number.value, bridge.name, named->number.value),
            "the two dumps are of different moments; the flows go by the numbers of this one");
        named->number = desc.value.number;
        at = named;
      } else {
        at = add_unconfigured(bridge, desc.value.name, desc.value.number, desc.at);
      }
    }
    at->number = desc.value.number;
    at->port_down = desc.value.port_down;
    at->link_down = desc.value.link_down;
    at->no_recv = desc.value.no_recv;
    at->no_fwd = desc.value.no_fwd;
    at->no_flood = desc.value.no_flood;
  }

  void numbered(Bridge& bridge, const DpifPort& row) {
    if (row.bridge != bridge.name) return;
    auto at = std::ranges::find(bridge.ports, row.name, &BridgePort::name);
    if (at == bridge.ports.end()) at = add_unconfigured(bridge, row.name, row.ofport, {});
    if (at->number == kPortNone) at->number = row.ofport;
    if (bridge.row == nullptr && at->type == PortType::System)
      at->type = type_of(row.type == "tap" ? "internal" : row.type, row.name == bridge.name);
    if (bridge.row == nullptr && at->type == PortType::Patch) {
      if (const auto peer = row.options.find("peer"); peer != row.options.end())
        dpif_peers_[bridge.name + " " + at->name] = peer->second;
    }
  }

  static std::vector<BridgePort>::iterator add_unconfigured(Bridge& bridge, const std::string& name,
                                                            Ofport number, Provenance at) {
    BridgePort port;
    port.name = name;
    port.number = number;
    port.at = at;
    port.bundle = bridge.bundles.size();
    port.type = number == kPortLocal ? PortType::Internal : guess_type(name);
    Bundle bundle;
    bundle.name = name;
    bundle.ports.push_back(bridge.ports.size());
    bridge.bundles.push_back(std::move(bundle));
    bridge.ports.push_back(std::move(port));
    return bridge.ports.end() - 1;
  }

  // Without the database only the name tells what a port is: these are the names Neutron gives.
  static PortType guess_type(std::string_view name) {
    for (const std::string_view prefix : {"patch-", "int-", "phy-"}) {
      if (name.starts_with(prefix)) return PortType::Patch;
    }
    for (const std::string_view prefix : {"vxlan-", "gre-", "geneve-"}) {
      if (name.starts_with(prefix)) return PortType::Tunnel;
    }
    for (const std::string_view prefix : {"qr-", "qg-", "sg-", "fg-", "ha-"}) {
      if (name.starts_with(prefix)) return PortType::Internal;
    }
    return PortType::System;
  }

  static void add_local(Bridge& bridge) { add_unconfigured(bridge, bridge.name, kPortLocal, {}); }

  void patch_ports() {
    for (std::size_t b = 0; b < host_->bridges.size(); ++b) {
      for (std::size_t p = 0; p < host_->bridges[b].ports.size(); ++p) {
        BridgePort& port = host_->bridges[b].ports[p];
        if (port.type != PortType::Patch) continue;
        const std::string peer = peer_name(host_->bridges[b], port);
        if (!find_port(peer, port.peer_bridge, port.peer_port)) {
          diagnostics_.warning(
              port.at,
              fmt::format("patch port {} of {}: its peer {} is on no bridge of {}", port.name,
                          host_->bridges[b].name, peer.empty() ? "(not named)" : peer, host_->name),
              "packets sent to it end there");
        }
      }
    }
  }

  std::string peer_name(const Bridge& bridge, const BridgePort& port) const {
    if (bridge.row != nullptr) {
      for (const OvsPort& row : bridge.row->ports) {
        for (const OvsInterface& interface : row.interfaces) {
          const auto peer = interface.options.find("peer");
          if (interface.name == port.name && peer != interface.options.end()) return peer->second;
        }
      }
    }
    if (const auto known = dpif_peers_.find(bridge.name + " " + port.name); known != dpif_peers_.end())
      return known->second;
    // Neutron's own names, where no dump says it.
    if (port.name == "patch-tun") return "patch-int";
    if (port.name == "patch-int") return "patch-tun";
    if (port.name.starts_with("int-")) return "phy-" + port.name.substr(4);
    if (port.name.starts_with("phy-")) return "int-" + port.name.substr(4);
    return {};
  }

  bool find_port(std::string_view name, std::size_t& bridge, std::size_t& port) const {
    if (name.empty()) return false;
    for (std::size_t b = 0; b < host_->bridges.size(); ++b) {
      for (std::size_t p = 0; p < host_->bridges[b].ports.size(); ++p) {
        if (host_->bridges[b].ports[p].name != name) continue;
        bridge = b;
        port = p;
        return true;
      }
    }
    return false;
  }

  // Which device of which namespace a port is. Internal ports may have been moved to any namespace,
  // system ports are in the root one.
  void devices_of_ports() {
    for (std::size_t b = 0; b < host_->bridges.size(); ++b) {
      for (std::size_t p = 0; p < host_->bridges[b].ports.size(); ++p) {
        BridgePort& port = host_->bridges[b].ports[p];
        if (port.type != PortType::Internal && port.type != PortType::System) continue;
        for (std::size_t n = 0; n < host_->namespaces.size(); ++n) {
          Namespace& netns = host_->namespaces[n];
          if (port.type == PortType::System && !netns.name.empty()) continue;
          const std::size_t d = netns.find(port.name);
          if (d == kNowhere) continue;
          port.netns = n;
          port.device = d;
          NetDevice& device = netns.devices[d];
          device.bridge = b;
          device.port = p;
          if (port.type == PortType::Internal)
            device.behind = Behind::OvsPort;
          else if (device.behind == Behind::Unknown)
            device.behind = is_vm(port) ? Behind::Unknown : Behind::Wire;
        }
      }
    }
    for (Namespace& netns : host_->namespaces) {
      for (NetDevice& device : netns.devices) {
        if (device.behind == Behind::Unknown && netns.name.empty() && device.bridge == kNowhere &&
            device.master == kNowhere && device.link->value.kind.empty()) {
          device.behind = Behind::Wire;
        }
      }
    }
  }

  static bool is_vm(const BridgePort& port) {
    return !port.iface_id.empty() || port.name.starts_with("tap") || port.name.starts_with("vhu");
  }

  // --- flows -----------------------------------------------------------------------------------------

  void flows(Bridge& bridge) {
    if (bridge.dumps == nullptr || !bridge.dumps->flows.present()) return;
    bridge.flows_present = true;
    auto& part = std::ranges::find(snapshot().bridges, bridge.name, &BridgeDumps::bridge)->flows;
    bridge.flows_complete = part.complete() && !part.value.truncated;
    const auto number_of_port = [&](std::string_view name) -> std::optional<Ofport> {
      for (const BridgePort& port : bridge.ports) {
        if (same_port_name(port.name, name) && port.number != kPortNone) return port.number;
      }
      return std::nullopt;
    };
    const auto unknown = openflow::resolve_ports(part.value, number_of_port);
    for (auto& group :
         std::ranges::find(snapshot().bridges, bridge.name, &BridgeDumps::bridge)->groups.value) {
      openflow::resolve_ports(group.value, part.value.names, number_of_port);
    }
    for (const std::string& name : unknown) {
      diagnostics_.warning(
          {part.source, {}},
          fmt::format("flows of {} name the port {}, which no dump numbers", bridge.name, name),
          "flows that match on it are never met, and packets sent to it end there");
    }
    const auto number_of_table = [&](std::string_view name) -> std::optional<TableId> {
      const auto found = bridge.row->table_names.find(name);
      return found == bridge.row->table_names.end() ? std::nullopt : std::optional(found->second);
    };
    if (bridge.row == nullptr)
      bridge.unknown_tables = !part.value.names.tables().empty();
    else
      bridge.unknown_tables = !openflow::resolve_tables(part.value, number_of_table).empty();
    for (const openflow::FlowRow& row : part.value.flows) {
      if (younger_than_macs(row))
        bridge.younger.push_back(&row);
      else
        table(bridge, row.flow.table).add(&row);
    }
    for (const auto& bad : part.value.unread) {
      const std::uint16_t priority = priority_in(sources_.bytes(bad.at));
      if (bad.value) {
        table(bridge, *bad.value).add_unread(priority);
      } else {
        for (auto& classifier : bridge.tables) {
          if (classifier != nullptr) classifier->add_unread(priority);
        }
      }
    }
    for (auto& classifier : bridge.tables) {
      if (classifier != nullptr) classifier->finish();
    }
  }

  // What a learn() action made is a MAC table of its own kind, and goes with those of the same moment.
  bool younger_than_macs(const openflow::FlowRow& row) {
    constexpr std::int64_t kWholeSeconds = 1;  // two ages, each cut off to seconds
    const auto& older = snapshot().macs_older_by;
    if (!older || *older <= 0 || !openflow::learned(row.flow)) return false;
    const auto stats = openflow::read_flow_stats(sources_.bytes(row.at));
    return stats && static_cast<std::int64_t>(stats->duration_ms) <= (*older + kWholeSeconds) * 1000;
  }

  static Classifier& table(Bridge& bridge, TableId id) {
    auto& classifier = bridge.tables[id.value];
    if (classifier == nullptr) classifier = std::make_unique<Classifier>();
    return *classifier;
  }

  // The priority that a row shows which did not read as a whole; the highest when it shows none.
  static std::uint16_t priority_in(std::string_view line) {
    const std::size_t at = line.find("priority=");
    if (at == std::string_view::npos) return 0xffff;
    std::string_view digits = line.substr(at + 9);
    std::size_t length = 0;
    while (length < digits.size() && is_digit(digits[length])) ++length;
    return number<std::uint16_t>(digits.substr(0, length)).value_or(0xffff);
  }

  std::unique_ptr<Host> host_;
  const Sources& sources_;
  Diagnostics& diagnostics_;
  std::unordered_map<std::string, std::string> dpif_peers_;
};

}  // namespace

std::unique_ptr<Host> join_host(HostSnapshot snapshot, const Sources& sources, Diagnostics& diagnostics) {
  return Joiner(std::move(snapshot), sources, diagnostics).join();
}

}  // namespace dvrtrace
