// Inventory: what a snapshot holds, and what it lacks. A value made once; text and JSON print it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "src/base/diagnostics.h"
#include "src/base/source.h"
#include "src/net/ip.h"
#include "src/net/mac.h"
#include "src/snapshot/snapshot.h"

namespace dvrtrace {

// A dump that is not there, or breaks off.
struct MissingDump {
  std::string host, netns;  // netns "" is the root namespace, or none in particular
  std::string command;      // that would give it, without "ip netns exec"
  std::string failure;      // what stands in its place; "" nothing
  bool truncated = false;   // there, but cut
  std::string collected_by;  // the command of `dvrtrace collect` that gives it; "" none
  std::string cost;          // what is not known without it
};

struct FileCount {  // of a file with lines that were not recognised
  std::string file;
  std::uint64_t lines = 0;
};

struct HostItem {
  std::string name;
  std::vector<std::string> roles;  // "compute", "network node", "controller"
  std::string agent_mode, ovs_version, firewall_driver, collected_at;
  std::vector<std::string> inputs, bridges, namespaces;
  std::size_t vms = 0;
  std::string cleaned;  // what shows that it went through `sos clean`
  LineCounts lines;
  std::size_t files = 0, failed_files = 0;
  std::vector<FileCount> unrecognised;
  std::optional<Taken> taken;  // when its dumps were
};

struct NetworkItem {
  std::string id, name, type, physical_network;
  std::optional<std::uint32_t> segmentation_id;
  bool external = false;
  std::vector<std::string> subnets;
  std::map<std::string, std::uint16_t> local_vlans;  // by host
};

struct RouterItem {
  std::string id, name;
  std::string kind;                // "distributed", "distributed, HA", "centralised", "" not known
  std::vector<std::string> hosts;  // that have its namespace
  std::vector<std::string> snat_hosts;
};

struct VmItem {
  std::string name, port, device, host, network;
  std::vector<std::string> ips;
  std::optional<Mac> mac;
};

struct FloatingIpItem {
  Ip ip;
  std::optional<Ip> fixed;
  std::string vm, router;
  std::vector<std::string> hosts;  // whose fip namespace routes it
};

struct Inventory {
  std::vector<HostItem> hosts;
  std::vector<NetworkItem> networks;
  std::vector<RouterItem> routers;
  std::vector<VmItem> vms;
  std::vector<FloatingIpItem> floating_ips;
  std::vector<MissingDump> missing;
  std::vector<Diagnostic> contradictions;  // warnings and errors of the reading
  bool neutron = false;                    // Neutron's own objects were there
  LineCounts lines;
  std::optional<Taken> taken;              // of all hosts
};

Inventory take_inventory(const Snapshot& snapshot, const Diagnostics& diagnostics, const Sources& sources);

}  // namespace dvrtrace
