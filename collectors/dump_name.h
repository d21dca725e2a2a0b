// DumpName: what a file holds, told from its name alone.
//
// sos names a file after its command (sos-layout: blanks and other odd characters become '_', '/'
// becomes '.'); people who save dumps by hand do about the same. A command can have several
// spellings and several prefixes, so the words of the name are read as a command line is.
//
//   classify("sos_commands/networking/ip_netns_exec_qrouter-U_ip_-6_rule_list")
//     -> Rules, netns "qrouter-U", family V6
//
// Of several files that say the same the one with the least `rank` is used:
//
//   links, rules, routes   text before -j (the same is said, and a line of text can be cited), -d before
//                          plain, `ip -o addr` last; addresses come from `ip addr`, what it does not say
//                          of a link from `ip -d link`
//   neighbours             nud all, -j nud all, -s -s, plain, -j, `arp -n`
//   OVS database           -f json list T, ovsdb-client -f json dump, conf.db, list T and
//                          ovsdb-client -f list dump, ovsdb-client dump; then `ovs-vsctl show`
//   flows, groups, ports   -O OpenFlow15, 14, 13, 12, 11, plain; within one numbers, --names,
//                          --no-stats; bridge/dump-flows when there is nothing else
//   ports of a bridge      `ovs-ofctl show` before dump-ports-desc
//   iptables               iptables-save -c, iptables-save, -S, -nvL
//   ipset                  save, list
//   conntrack              -o extended, plain; dpctl/dump-conntrack -m, plain
//   bridge link, fdb       -d before plain and -j before text, since only -d tells an isolated
//                          port; then `brctl`
//   libvirt                run/libvirt, virsh dumpxml, etc/libvirt
//
// A file that has all of its subject comes before any that has a part of it (`partial`).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "src/kernel/routing.h"
#include "src/net/ip.h"

namespace dvrtrace {

// clang-format off
enum class FileKind {
  Unknown,  // stands where dumps are and is none that is known
  Ignored,  // known, and of no bearing on forwarding
  // Open vSwitch; the first four are of one bridge
  Flows, Groups, BridgePorts, Fdb, FragmentMode, TlvMap,
  OvsRows, OvsShow, BridgeNames, DpifShow, BondShow, DatapathConntrack,
  // Linux; all of a namespace. LinkDetails are `ip link`: links without their addresses
  Links, LinkDetails, Rules, Routes, Neighbours, Iptables, Ipsets, Sysctls, Conntrack, LinuxBridgePorts, LinuxBridgeFdb,
  // the host
  NamespaceNames, Domain, AgentConfig, AgentState,
  // about the dumps
  Hostname, Date, ReturnCodes,
};

// The grammar of a file, where its kind has several.
enum class FileForm {
  Text, Json,
  RouteN, ArpN,       // net-tools
  Save, Spec, List,   // iptables-save, -S, -nvL
  BrctlShow, BrctlMacs,
  Dump,               // a whole OVS database
  Hidden,             // flows by ovs-appctl bridge/dump-flows
};
// clang-format on

struct DumpName {
  FileKind kind = FileKind::Unknown;
  FileForm form = FileForm::Text;
  std::string bridge;
  std::string netns;  // "" is the root namespace
  // What of the subject the file has: a table of iptables or of OVSDB, a libvirt domain, the words
  // that a listing was restricted by. Partial files with different ones complete each other.
  std::string part;
  std::optional<Family> family;             // none: not restricted, or the command's default
  std::optional<kernel::RouteTable> table;  // routes of one table only
  bool partial = false;
  bool brief = false;     // `ip -o addr`: names and addresses, and nothing else of a link
  bool detailed = false;  // -d: with what a link is besides
  int rank = 0;
};

// `path` is within the folder of a host; a flat folder of dumps has paths without '/'.
DumpName classify(std::string_view path);

// The command whose output the file is, as far as its name tells.
std::string command_of(std::string_view path);

// Whether a dump of this kind tells something about forwarding.
inline bool is_dump(FileKind kind) { return kind >= FileKind::Flows && kind <= FileKind::AgentState; }

// A dump that exists and is empty: does it say "there are none", or was the command never able to run?
bool may_be_empty(const DumpName& name);

// The bridge's or namespace's name as file names have it.
std::string mangled(std::string_view name);

}  // namespace dvrtrace
