// Collecting many hosts at once over the user's own OpenSSH. The script that is run there needs a POSIX shell and what
// every Linux has besides; the commands that a host lacks are named.
//
// A host that cannot be reached, or hangs, costs its time limit and nothing else; what had arrived of it is kept.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "collectors/gather/host_list.h"
#include "collectors/gather/report.h"
#include "src/base/byte_stream.h"

namespace dvrtrace::gather {

struct FleetSettings {
  Words ssh{"ssh"};  // with the user's options
  unsigned connect_seconds = 10;
  unsigned host_seconds = 300;  // for all of one host
  std::size_t at_once = 24;     // hosts
  std::string tool;             // the program and its version
};

// Told when a host has ended, and how many have.
using HostTold = std::function<void(std::size_t ended, const HostReport& report)>;

// One report for each host, in their order. The dumps go below `folder`, one folder for each host, named as `targets` are.
std::vector<HostReport> gather_fleet(std::span<const Target> targets, const std::string& folder,
                                     const FleetSettings& settings, const HostTold& told);

// What the script printed on a host where somebody else ran it, saved: one report, and the dumps below `folder`.
// `tool` as above. Total: bytes that the script did not print give a report that says so.
HostReport unpack_stream(const std::string& host, ByteStream& stream, const std::string& folder,
                         const std::string& tool);

}  // namespace dvrtrace::gather
