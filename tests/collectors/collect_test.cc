#include "collectors/collect.h"

#include <unistd.h>

#include <chrono>

#include "tests/collectors/reading.h"
#include "tests/collectors/tree.h"

namespace dvrtrace {
namespace {

using test::Collected;
using test::Tree;

constexpr std::string_view kFlows =
    "NXST_FLOW reply (xid=0x4):\n"
    " cookie=0x0, duration=1.0s, table=0, n_packets=0, n_bytes=0, priority=1 actions=NORMAL\n";
constexpr std::string_view kNoConnection = "ovs-ofctl: br-int: failed to connect to socket (No such file or directory)\n";

std::string first(const std::vector<std::string>& messages) { return messages.empty() ? "" : messages.front(); }

// --- preference ------------------------------------------------------------------------------------

TEST(Collect, TakesThePreferredOfSeveralFiles) {
  const Tree tree{{"ovs-ofctl_dump-flows_br-int", kFlows},
                  {"ovs-ofctl_-O_OpenFlow13_dump-flows_br-int", kFlows},
                  {"ip_rule", "0:\tfrom all lookup local\n"},
                  {"ip_-j_rule", "[{\"priority\":0,\"src\":\"all\",\"table\":\"local\"}]\n"}};
  const Collected collected({{"x", tree.path()}});
  EXPECT_EQ(collected.source_of(collected.bridge("x", "br-int").flows), "ovs-ofctl_-O_OpenFlow13_dump-flows_br-int");
  EXPECT_EQ(collected.source_of(collected.netns("x").rules4), "ip_rule");
}

TEST(Collect, AFailedCommandGivesWayToTheNext) {
  const Tree tree{{"ovs-ofctl_dump-flows_br-int", kFlows},
                  {"ovs-ofctl_-O_OpenFlow15_dump-flows_br-int",
                   "2026-11-21T21:20:36Z|00001|vconn|WARN|unix:/x: version negotiation failed\n"
                   "ovs-ofctl: br-int: failed to connect to socket (Broken pipe)\n"}};
  const Collected collected({{"x", tree.path()}});
  const auto& flows = collected.bridge("x", "br-int").flows;
  EXPECT_EQ(flows.presence, Presence::Complete);
  EXPECT_EQ(flows.value.flows.size(), 1u);
  EXPECT_TRUE(flows.failure.empty());
  EXPECT_TRUE(collected.diagnostics.empty()) << collected.rendered();
}

TEST(Collect, ABrokenDumpGivesWayToAWholeOne) {
  const Tree tree{{"ip_-j_rule", "[{\"priority\":0,\"src\":\"all\",\"ta"}, {"ip_rule", "0:\tfrom all lookup local\n"}};
  const Collected collected({{"x", tree.path()}});
  EXPECT_EQ(collected.netns("x").rules4.presence, Presence::Complete);
  EXPECT_EQ(collected.source_of(collected.netns("x").rules4), "ip_rule");
}

TEST(Collect, PiecesArePutTogether) {
  const Tree tree{{"qrouter-1.ip_route_table_16", "default via 169.254.31.29 dev rfp-1\n"},
                  {"qrouter-1.ip_route_table_main", "10.0.1.0/24 dev qr-1 scope link\n"},
                  {"ovs-ofctl_dump-flows_br-int_table=0", kFlows},
                  {"ovs-ofctl_dump-flows_br-int_table=60", " table=60, priority=3 actions=drop\n"},
                  {"iptables_-t_nat_-S", "-P PREROUTING ACCEPT\n"},
                  {"iptables_-t_nat_-nvL", "Chain PREROUTING (policy DROP 0 packets, 0 bytes)\n"},
                  {"iptables_-t_filter_-nvL", "Chain FORWARD (policy ACCEPT 0 packets, 0 bytes)\n"}};
  const Collected collected({{"x", tree.path()}});
  const auto& routes = collected.netns("x", "qrouter-1").routes4;
  EXPECT_EQ(routes.presence, Presence::Truncated);
  EXPECT_EQ(routes.value.size(), 2u);
  const auto& flows = collected.bridge("x", "br-int").flows;
  EXPECT_EQ(flows.presence, Presence::Truncated);
  EXPECT_EQ(flows.value.flows.size(), 2u);
  const auto& iptables = collected.netns("x").iptables4;
  EXPECT_EQ(iptables.presence, Presence::Truncated);
  ASSERT_EQ(iptables.value.tables.size(), 2u);
  ASSERT_NE(iptables.value.find("nat"), nullptr);
  EXPECT_EQ(iptables.value.find("nat")->find("PREROUTING")->policy_accept, true);
}

TEST(Collect, AWholeDumpComesBeforeAnyPiece) {
  const Tree tree{{"ip_-j_route", "[{\"dst\":\"10.0.0.0/24\",\"dev\":\"eth0\"}]\n"},
                  {"ip_route_show_table_all", "10.0.0.0/24 dev eth0 scope link\nlocal 10.0.0.1 dev eth0 table local scope host\n"}};
  const Collected collected({{"x", tree.path()}});
  EXPECT_EQ(collected.netns("x").routes4.presence, Presence::Complete);
  EXPECT_EQ(collected.netns("x").routes4.value.size(), 2u);
}

TEST(Collect, BothFamiliesOfOneListingAreFound) {
  const Tree tree{{"ip_route_show_table_all", "10.0.0.0/24 dev eth0 scope link\nfe80::/64 dev eth0 proto kernel metric 256 pref medium\n"}};
  const Collected collected({{"x", tree.path()}});
  EXPECT_EQ(collected.netns("x").routes4.value.size(), 1u);
  EXPECT_EQ(collected.netns("x").routes6.value.size(), 1u);
  EXPECT_EQ(collected.netns("x").routes6.presence, Presence::Complete);
}

TEST(Collect, LinksAreCompletedFromADetailedListing) {
  const Tree tree{{"ip_-j_addr",
                   "[{\"ifindex\":2,\"ifname\":\"br0\",\"flags\":[\"UP\",\"LOWER_UP\"],\"mtu\":1500,\"address\":\"fa:16:3e:00:00:01\","
                   "\"addr_info\":[{\"family\":\"inet\",\"local\":\"10.0.0.1\",\"prefixlen\":24,\"scope\":\"global\"}]}]\n"},
                  {"ip_-d_link",
                   "2: br0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP mode DEFAULT group default qlen 1000\n"
                   "    link/ether fa:16:3e:00:00:01 brd ff:ff:ff:ff:ff:ff promiscuity 0 minmtu 68 maxmtu 65535 \n"
                   "    bridge forward_delay 1500 hello_time 200 max_age 2000 ageing_time 0 stp_state 0 priority 32768 vlan_filtering 0 \n"}};
  const Collected collected({{"x", tree.path()}}, Depth::Everything);
  const auto& links = collected.netns("x").links;
  ASSERT_EQ(links.value.size(), 1u);
  EXPECT_EQ(links.value[0].value.kind, "bridge");
  EXPECT_EQ(links.value[0].value.bridge_ageing, 0u);
  EXPECT_EQ(links.value[0].value.addresses.size(), 1u);
  EXPECT_TRUE(collected.diagnostics.empty()) << collected.rendered();
}

TEST(Collect, TheDatabaseIsJoinedOrCompletedFromShow) {
  constexpr std::string_view kShow =
      "6f1c2a55-7ad1-4a2d-9d3b-0c5a6e6f7a11\n    Bridge br-int\n        Port qr-1\n            tag: 5\n            Interface qr-1\n                type: internal\n";
  constexpr std::string_view kInterfaces = "_uuid               : 7b2c1f6e-0000-0000-0000-000000000001\nname                : qr-1\nofport              : 7\n";
  const Tree tree{{"ovs-vsctl_-t_5_show", kShow}, {"ovs-vsctl_-t_5_list_interface", kInterfaces}};
  const Collected collected({{"x", tree.path()}});
  const auto& ovs = collected.host("x").ovs;
  EXPECT_EQ(ovs.presence, Presence::Complete);
  ASSERT_EQ(ovs.value.bridges.size(), 1u);
  ASSERT_EQ(ovs.value.bridges[0].ports.size(), 1u);
  EXPECT_EQ(ovs.value.bridges[0].ports[0].tag, 5);
  EXPECT_EQ(ovs.value.bridges[0].ports[0].interfaces.at(0).ofport, 7);
}

TEST(Collect, BridgesKeepTheNamesThatFilesCannotHave) {
  const Tree tree{{"ovs-vsctl_list-br", "br:ex\n"}, {"ovs-ofctl_dump-flows_br_ex", kFlows}};
  const Collected collected({{"x", tree.path()}});
  ASSERT_EQ(collected.host("x").bridges.size(), 1u);
  EXPECT_EQ(collected.bridge("x", "br:ex").flows.value.flows.size(), 1u);
}

TEST(Collect, AnIndexReadsTheSmallFilesOnly) {
  const Tree tree{{"ip_addr", "1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN group default\n    inet 127.0.0.1/8 scope host lo\n"},
                  {"ip_rule", "0:\tfrom all lookup local\n"},
                  {"ovs-ofctl_dump-flows_br-int", kFlows}};
  const Collected collected({{"x", tree.path()}}, Depth::Index);
  EXPECT_TRUE(collected.netns("x").links.present());
  EXPECT_FALSE(collected.netns("x").rules4.present());
  EXPECT_TRUE(collected.host("x").bridges.empty());
  EXPECT_EQ(collected.host("x").files.size(), 1u);
}

// --- what is missing -------------------------------------------------------------------------------

TEST(Collect, WhatIsMissingSaysWhatWouldGiveIt) {
  const Tree tree{{"ip_netns", "qrouter-1 (id: 9)\nfip-1\n"}, {"ovs-vsctl_list-br", "br-int\n"}};
  const Collected collected({{"x", tree.path()}});
  const NamespaceSnapshot& netns = collected.netns("x", "qrouter-1");
  EXPECT_EQ(netns.links.wanted, "ip netns exec qrouter-1 ip -d address");
  EXPECT_EQ(netns.rules6.wanted, "ip netns exec qrouter-1 ip -6 rule");
  EXPECT_EQ(collected.netns("x").routes4.wanted, "ip route show table all");
  EXPECT_EQ(collected.bridge("x", "br-int").flows.wanted, "ovs-ofctl dump-flows br-int");
  EXPECT_TRUE(collected.diagnostics.empty()) << collected.rendered();
}

TEST(Collect, AnEmptyFileIsNothingOrMissing) {
  const Tree tree{{"ip_rule", ""}, {"ip_neigh", ""}, {"iptables-save", ""}, {"ovs-ofctl_dump-flows_br-int", ""}, {"ipset_list", ""}};
  const Collected collected({{"x", tree.path()}});
  const NamespaceSnapshot& root = collected.netns("x");
  EXPECT_EQ(root.rules4.presence, Presence::Absent);
  EXPECT_EQ(root.rules4.failure, "the file is empty");
  EXPECT_EQ(root.neighbours.presence, Presence::Complete);
  EXPECT_EQ(root.iptables4.presence, Presence::Complete);
  EXPECT_EQ(root.ipsets.presence, Presence::Complete);
  EXPECT_EQ(collected.bridge("x", "br-int").flows.presence, Presence::Absent);
}

TEST(Collect, ReturnCodesTellFailedFromEmpty) {
  const Tree tree{{"sos_commands/networking/ip_neigh", ""},
                  {"sos_commands/networking/iptables-save", ""},
                  {"sos_commands/networking/ip6tables-save", "xtables is locked by someone\n"},
                  {"commands.json",
                   "[{\"file\":\"sos_commands/networking/ip_neigh\",\"cmd\":\"ip  neigh\",\"rc\":0},\n"
                   "{\"file\":\"sos_commands/networking/iptables-save\",\"cmd\":\"iptables-save\",\"rc\":127},\n"
                   "{\"file\":\"sos_commands/networking/ip6tables-save\",\"cmd\":\"ip6tables-save\",\"rc\":4}]\n"}};
  const Collected collected({{"x", tree.path()}});
  const NamespaceSnapshot& root = collected.netns("x");
  EXPECT_EQ(root.neighbours.presence, Presence::Complete);
  EXPECT_EQ(root.iptables4.failure, "the command ended with status 127");
  EXPECT_EQ(root.iptables6.failure, "xtables is locked by someone");
  EXPECT_TRUE(collected.host("x").files.front().failed);
}

TEST(Collect, AManifestTellsWhatWasCut) {
  std::string flows(kFlows);
  while (flows.size() < 2'000'000) flows += " cookie=0x0, duration=1.0s, table=0, priority=1,in_port=" + std::to_string(flows.size() % 60000) + " actions=drop\n";
  const Tree tree{{"sos_commands/openvswitch/ovs-ofctl_dump-flows_br-int", flows},
                  {"sos_reports/manifest.json",
                   "{\"components\":{\"report\":{\"plugins\":{\"openvswitch\":{\"commands\":[{\"exec\":\"ovs-ofctl dump-flows br-int\","
                   "\"filepath\":\"sos_commands/openvswitch/ovs-ofctl_dump-flows_br-int\",\"return_code\":0,\"truncated\":true}]}}}}}"}};
  const Collected collected({{"x", tree.path()}});
  EXPECT_EQ(collected.bridge("x", "br-int").flows.presence, Presence::Truncated);
}

// --- bad input -------------------------------------------------------------------------------------

TEST(Collect, AFailedCommandIsMissing) {
  const Tree tree{{"ovs-ofctl_dump-flows_br-int", kNoConnection}};
  const Collected collected({{"x", tree.path()}});
  const auto& flows = collected.bridge("x", "br-int").flows;
  EXPECT_EQ(flows.presence, Presence::Absent);
  EXPECT_EQ(flows.failure + "\n", kNoConnection);
  EXPECT_EQ(collected.source_of(flows), "ovs-ofctl_dump-flows_br-int");
}

TEST(Collect, HalfALineIsABreak) {
  const std::string half = std::string(kFlows) + " cookie=0x0, duration=1.0s, table=60, n_pack";
  const Tree tree{{"ovs-ofctl_dump-flows_br-int", half},
                  {"ip_rule", "0:\tfrom all lookup local\n32766:\tfrom all look"},
                  {"ip_-j_addr", "[{\"ifindex\":1,\"ifname\":\"lo\",\"flags\":[],\"addr_info\":[]},{\"ifindex\":2,\"ifn"}};
  const Collected collected({{"x", tree.path()}});
  EXPECT_EQ(collected.bridge("x", "br-int").flows.presence, Presence::Truncated);
  EXPECT_EQ(collected.bridge("x", "br-int").flows.value.flows.size(), 1u);
  EXPECT_EQ(collected.netns("x").rules4.presence, Presence::Truncated);
  EXPECT_EQ(collected.netns("x").links.presence, Presence::Truncated);
  EXPECT_EQ(collected.netns("x").links.value.size(), 1u);
}

TEST(Collect, DataInPlaceOfADumpIsMissing) {
  std::string data = "\xd4\xc3\xb2\xa1";
  data.append(5000, '\0');
  const Tree tree{{"ip_addr", data}, {"ip_rule", data}, {"ip_-4_rule", "0:\tfrom all lookup local\n"}};
  const Collected collected({{"x", tree.path()}});
  EXPECT_EQ(collected.netns("x").links.presence, Presence::Absent);
  EXPECT_EQ(collected.netns("x").links.failure, "it holds data and no text");
  EXPECT_TRUE(collected.netns("x").rules4.complete());
  EXPECT_EQ(first(collected.messages(Severity::Error)), "expected text, found data: 5000 of 5004 bytes are NUL");
}

TEST(Collect, AnUnreadableFileIsReported) {
  if (::geteuid() == 0) GTEST_SKIP() << "root reads everything";
  const Tree tree{{"ip_rule", "0:\tfrom all lookup local\n"}};
  std::filesystem::permissions(tree.path("ip_rule"), std::filesystem::perms::none);
  const Collected collected({{"x", tree.path()}});
  EXPECT_EQ(collected.netns("x").rules4.failure, "Permission denied");
  EXPECT_NE(first(collected.messages(Severity::Error)).find("Permission denied"), std::string::npos);
}

TEST(Collect, AFileBeyondAllMeasureIsReported) {
  const Tree tree{{"ip_rule", "0:\tfrom all lookup local\n"}};
  std::filesystem::resize_file(tree.path("ip_rule"), 5ull << 30);  // takes no space
  const Collected collected({{"x", tree.path()}});
  EXPECT_EQ(collected.netns("x").rules4.failure, "it is larger than 4 GiB");
}

TEST(Collect, AnEndlessLineIsReadInBoundedTime) {
  const std::string huge(100'000'000, 'x'), large(5'000'000, 'x');
  for (const char* name : {"ovs-ofctl_dump-flows_br-int", "ip_-j_addr", "ip_addr", "ip_rule", "ip_route_show_table_all", "iptables-save",
                           "ip_neigh", "ip_netns", "sysctl_-a", "ovs-vsctl_-t_5_show", "ovs-vsctl_-f_json_list_Port", "conntrack_-L"}) {
    const auto begin = std::chrono::steady_clock::now();
    const Tree tree{{name, std::string_view(name).find("flows") != std::string_view::npos ? huge : large}, {"bridge_fdb_show", ""}};
    const Collected collected({{"x", tree.path()}});
    EXPECT_FALSE(collected.diagnostics.empty()) << name;
    EXPECT_LT(collected.rendered().size(), 10'000u) << name;
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20)) << name;
  }
}

TEST(Collect, NamesDoNotSpeakToTheTerminal) {
  const Tree tree{{"ovs-ofctl_dump-flows_br\x1b[31m", "nonsense\n"}, {"ip_\x1b]0;title\x07", "x\n"}, {"ip_rule", "\x1b[2Jnonsense\n"}};
  const Collected collected({{"x", tree.path()}}, Depth::Everything);
  EXPECT_FALSE(collected.diagnostics.empty());
  EXPECT_EQ(collected.rendered().find('\x1b'), std::string::npos) << collected.rendered();
  EXPECT_EQ(collected.rendered().find('\x07'), std::string::npos);
  for (const BridgeDumps& bridge : collected.host("x").bridges) EXPECT_EQ(bridge.bridge.find('\x1b'), std::string::npos);
}

TEST(Collect, ABadFileDoesNotStopTheRest) {
  const Tree tree{{"a/ip_rule", std::string(100, '\0')}, {"a/ip_addr", "nonsense\n"}, {"b/ip_rule", "0:\tfrom all lookup local\n"}};
  const Collected collected({{"", tree.path()}});
  EXPECT_EQ(collected.snapshot.hosts.size(), 2u);
  EXPECT_TRUE(collected.netns("b").rules4.complete());
}

TEST(Collect, ACleanedReportIsNoticed) {
  const Tree tree{{"ip_addr", "2: eth0: <UP,LOWER_UP> mtu 1500 qdisc noqueue state UP group default\n    link/ether 53:4f:53:9a:4b:1c brd ff:ff:ff:ff:ff:ff\n"}};
  const Collected collected({{"x", tree.path()}});
  EXPECT_TRUE(collected.host("x").cleaned);
  EXPECT_NE(collected.host("x").cleaned_sign.find("53:4f:53:9a:4b:1c"), std::string::npos);
  const Tree sound{{"ip_addr", "2: eth0: <UP,LOWER_UP> mtu 1500 qdisc noqueue state UP group default\n    link/ether fa:16:3e:9a:4b:1c brd ff:ff:ff:ff:ff:ff\n"}};
  EXPECT_FALSE(Collected({{"x", sound.path()}}).host("x").cleaned);
}

// --- contradictions --------------------------------------------------------------------------------

struct Contradiction {
  std::string_view name, bytes, other_name, other_bytes, found;  // found: in the warning; "" for none
};

TEST(Collect, ReportsWhatContradicts) {
  constexpr Contradiction kCases[] = {
      {"ovs-ofctl_-O_OpenFlow13_dump-flows_br-int", " table=0, priority=1,in_port=3 actions=output:2\n", "ovs-ofctl_dump-flows_br-int",
       " table=0, priority=1,in_port=3 actions=output:4\n", "expected 'table=0,priority=1,in_port=3 output:2'"},
      {"ovs-ofctl_-O_OpenFlow13_dump-flows_br-int", " table=0, priority=1 actions=push_vlan:0x8100,set_field:4101->vlan_vid,goto_table:3\n",
       "ovs-ofctl_dump-flows_br-int", " table=0, priority=1 actions=mod_vlan_vid:5,resubmit(,3)\n", ""},
      {"ovs-ofctl_-O_OpenFlow13_dump-flows_br-int", " table=0, priority=1 actions=drop\n", "ovs-ofctl_dump-flows_br-int",
       " table=0, priority=1 actions=drop\n table=20, hard_timeout=300, priority=1,in_port=9 actions=drop\n", ""},
      {"ip_rule", "5:\tfrom 10.0.0.1 lookup 16\n", "ip_-j_rule", "[{\"priority\":5,\"src\":\"10.0.0.1\",\"table\":\"17\"}]\n",
       "expected '5: from 10.0.0.1/32 to all lookup 16'"},
      {"ip_route_show_table_all", "10.0.0.0/24 dev eth0 scope link\n", "ip_route", "10.0.0.0/24 dev eth1 scope link\n",
       "found '10.0.0.0/24 table main dev eth1 '"},
      {"ip_route_show_table_all", "10.0.0.0/24 dev eth0 scope link\n10.9.0.0/24 dev eth1 table 16 scope link\n", "ip_route",
       "10.0.0.0/24 dev eth0 scope link\n", ""},
      {"ip_-s_-s_neigh_show", "10.0.0.5 dev qr-1 lladdr fa:16:3e:00:00:05 ref 1 used 1/2/3 probes 4 PERMANENT\n", "ip_neigh",
       "10.0.0.5 dev qr-1 lladdr fa:16:3e:00:00:06 PERMANENT\n10.0.0.6 dev qr-1 lladdr fa:16:3e:00:00:07 STALE\n",
       "found '10.0.0.5 dev qr-1 lladdr fa:16:3e:00:00:06'"},
      {"ip_-d_address", "2: eth0: <UP> mtu 1500 qdisc noqueue state UP group default qlen 1000\n    inet 10.0.0.1/24 scope global eth0\n", "ip_-o_addr",
       "2: eth0    inet 10.0.0.2/24 scope global eth0\n", "found 'dev eth0 10.0.0.2/24'"},
      {"iptables-save_-c", "*filter\n:INPUT ACCEPT [0:0]\n[0:0] -A INPUT -s 10.0.0.1/32 -j DROP\nCOMMIT\n", "iptables-save",
       "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -s 10.0.0.1/32 -j ACCEPT\nCOMMIT\n", "expected 'filter INPUT rule 1 -s 10.0.0.1/32 -j DROP'"},
      {"ovs-ofctl_show_br-int", "OFPT_FEATURES_REPLY (xid=0x2): dpid:0000000000000001\n 3(qr-1): addr:00:00:00:00:00:00\n     config:     0\n     state:      0\n",
       "ovs-ofctl_dump-ports-desc_br-int",
       "OFPST_PORT_DESC reply (xid=0x2):\n 3(qr-2): addr:00:00:00:00:00:00\n     config:     0\n     state:      0\n", "found 'port 3 qr-2'"},
  };
  for (const Contradiction& each : kCases) {
    const Tree tree{{each.name, each.bytes}, {each.other_name, each.other_bytes}};
    const Collected collected({{"x", tree.path()}}, Depth::Everything);
    const auto warnings = collected.messages(Severity::Warning);
    if (each.found.empty()) {
      EXPECT_TRUE(warnings.empty()) << collected.rendered();
      continue;
    }
    ASSERT_EQ(warnings.size(), 1u) << each.other_name << "\n" << collected.rendered();
    EXPECT_NE(warnings[0].find(each.found), std::string::npos) << warnings[0];
    EXPECT_NE(warnings[0].find(each.name), std::string::npos) << warnings[0];
    EXPECT_NE(warnings[0].find(each.other_name), std::string::npos) << warnings[0];
  }
}

// --- every line has its place ----------------------------------------------------------------------

// The counts of each file's lines add up; gives how many were not recognised.
std::uint64_t count_unrecognised(const HostSnapshot& host) {
  std::uint64_t unrecognised = 0;
  for (const FileReading& file : host.files) {
    unrecognised += file.lines.of(LineState::Unrecognised);
    for (const std::string& folder : host.inputs) {
      const std::filesystem::path path = std::filesystem::path(folder) / file.path;
      if (!std::filesystem::is_regular_file(path)) continue;
      EXPECT_EQ(file.lines.total(), lines_of(test::contents(path)).count()) << path;
    }
  }
  return unrecognised;
}

TEST(CollectLab, SoundCloudsAreReadWholeAndDoNotContradictThemselves) {
  if (test::shared_folder().empty()) GTEST_SKIP() << "DVRTRACE_SHARED is not set";
  for (const char* name : {"ovsfw", "hybrid", "ha6"}) {
    const Collected collected({{"", test::shared_folder() + "/data/lab/" + name}}, Depth::Everything);
    ASSERT_GE(collected.snapshot.hosts.size(), 4u);
    for (const HostSnapshot& host : collected.snapshot.hosts) {
      EXPECT_EQ(count_unrecognised(host), 0u);
      if (host.name == "ctl") continue;
      EXPECT_TRUE(host.ovs.complete());
      for (const BridgeDumps& bridge : host.bridges) {
        EXPECT_TRUE(bridge.flows.complete() && bridge.groups.complete() && bridge.features.complete() && bridge.fdb.complete());
      }
    }
    EXPECT_TRUE(collected.messages(Severity::Warning).empty()) << collected.rendered();
    EXPECT_TRUE(collected.messages(Severity::Error).empty()) << collected.rendered();
    EXPECT_FALSE(collected.snapshot.logical.ports.empty());
  }
}

TEST(CollectLab, FaultsAreReadWithoutADoubt) {
  if (test::shared_folder().empty()) GTEST_SKIP() << "DVRTRACE_SHARED is not set";
  for (const auto& fault : std::filesystem::directory_iterator(test::shared_folder() + "/data/lab/faults")) {
    const Collected collected({{"", fault.path().string()}}, Depth::Everything);
    for (const HostSnapshot& host : collected.snapshot.hosts) EXPECT_EQ(count_unrecognised(host), 0u) << fault.path();
    EXPECT_TRUE(collected.diagnostics.empty()) << fault.path() << "\n" << collected.rendered();
  }
}

// The same hosts, as stock reports that nobody has unpacked, and as the dumps that were saved by hand.
TEST(CollectLab, StockReportsAreReadAsTheyCome) {
  if (test::shared_folder().empty()) GTEST_SKIP() << "DVRTRACE_SHARED is not set";
  const std::string lab = test::shared_folder() + "/data/lab/ovsfw/";
  const Collected reports({{"", lab + "sosreport"}}, Depth::Everything);
  const Collected saved({{"", lab + "hosts"}});
  EXPECT_EQ(reports.names, (std::vector<std::string>{"cmp1", "cmp2", "net1"}));
  EXPECT_TRUE(reports.messages(Severity::Error).empty()) << reports.rendered();
  for (const HostSnapshot& host : reports.snapshot.hosts) {
    EXPECT_EQ(count_unrecognised(host), 0u);
    EXPECT_TRUE(host.ovs.complete());
    for (const BridgeDumps& bridge : host.bridges) {
      EXPECT_TRUE(bridge.flows.complete()) << bridge.bridge;
      EXPECT_EQ(bridge.flows.value.flows.size(), saved.bridge(host.name, bridge.bridge).flows.value.flows.size()) << bridge.bridge;
    }
    EXPECT_EQ(host.namespaces.size(), saved.host(host.name).namespaces.size());
  }
}

TEST(CollectLab, AnFdbTakenLaterReplacesTheEarlierOne) {
  if (test::shared_folder().empty()) GTEST_SKIP() << "DVRTRACE_SHARED is not set";
  const std::string lab = test::shared_folder() + "/data/lab/ovsfw/";
  const auto before = *std::filesystem::directory_iterator(lab + "before");
  const Collected collected({{"", lab + "hosts"}, {"", before.path().string()}});
  EXPECT_EQ(collected.snapshot.hosts.size(), 4u);
  const auto& fdb = collected.bridge("cmp1", "br-int").fdb;
  EXPECT_NE(collected.sources.name(fdb.source).find("/before/"), std::string_view::npos);
  EXPECT_EQ(collected.sources.name(collected.bridge("cmp1", "br-int").flows.source).find("/before/"), std::string_view::npos);
}

// Every folder below `root` that has files in it is an input of its own.
std::vector<std::string> folders_with_files(const std::filesystem::path& root) {
  std::set<std::string> folders;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    if (entry.is_regular_file() && entry.path().extension() != ".md") folders.insert(entry.path().parent_path().string());
  }
  return {folders.begin(), folders.end()};
}

TEST(CollectPublic, EveryLineIsReadOrSpokenOf) {
  if (test::shared_folder().empty()) GTEST_SKIP() << "DVRTRACE_SHARED is not set";
  std::size_t hosts = 0;
  for (const char* part : {"/data/public", "/data/seeds"}) {
    for (const std::string& folder : folders_with_files(test::shared_folder() + part)) {
      const Collected collected({{"", folder}}, Depth::Everything);
      if (collected.snapshot.hosts.empty()) continue;  // a folder with an environment file
      ++hosts;
      const std::uint64_t unrecognised = count_unrecognised(collected.snapshot.hosts.front());
      // The one dump that is kept with all the errors of its scan.
      const bool damaged = folder.ends_with("cmp091");
      EXPECT_EQ(unrecognised, damaged ? 13u : 0u) << collected.rendered();
      EXPECT_EQ(collected.messages(Severity::Error).size(), unrecognised) << collected.rendered();
      EXPECT_TRUE(collected.messages(Severity::Warning).empty()) << collected.rendered();
    }
  }
  EXPECT_GT(hosts, 15u);
}

// --- dumps of different moments --------------------------------------------------------------------

constexpr std::string_view kMacs =
    " port  VLAN  MAC                Age\n"
    "    1     2  fa:16:3e:00:00:01  100\n"
    "    2     2  fa:16:3e:00:00:02   10\n";

TEST(Collect, AgesTellHowMuchOlderLaterGivenMacTablesAre) {
  const Tree hosts{{"cmp1/sos_commands/openvswitch/ovs-ofctl_dump-flows_br-int", kFlows},
                   {"cmp1/sos_commands/openvswitch/ovs-appctl_fdb.show_br-int", kMacs}};
  // The first was not seen since, the second was.
  const Tree before{{"cmp1/sos_commands/openvswitch/ovs-appctl_fdb.show_br-int",
                     " port  VLAN  MAC                Age\n"
                     "    1     2  fa:16:3e:00:00:01   40\n"
                     "    2     2  fa:16:3e:00:00:02    5\n"
                     "    2     2  fa:16:3e:00:00:03    5\n"}};
  EXPECT_EQ(Collected({{"", hosts.path()}}).host("cmp1").macs_older_by, std::nullopt);
  EXPECT_EQ(Collected({{"", hosts.path()}, {"", before.path()}}).host("cmp1").macs_older_by, 60);
}

TEST(Collect, AgesTellNothingOfFlowsFromTheSameInput) {
  const Tree hosts{{"cmp1/sos_commands/openvswitch/ovs-appctl_fdb.show_br-int", kMacs}};
  const Tree later{{"cmp1/sos_commands/openvswitch/ovs-ofctl_dump-flows_br-int", kFlows},
                   {"cmp1/sos_commands/openvswitch/ovs-appctl_fdb.show_br-int", kMacs}};
  EXPECT_EQ(Collected({{"", hosts.path()}, {"", later.path()}}).host("cmp1").macs_older_by, std::nullopt);
}

}  // namespace
}  // namespace dvrtrace
