#include "collectors/catalog.h"

#include "tests/collectors/tree.h"

namespace dvrtrace {
namespace {

using test::Collected;
using test::Tree;

constexpr std::string_view kRules = "0:\tfrom all lookup local\n";

std::string shown(const DumpName& name) {
  // clang-format off
  constexpr std::string_view kKinds[] = {
      "unknown", "ignored", "flows", "groups", "ports", "fdb", "frags", "tlv", "ovs", "show", "bridges", "dpif", "bonds", "dp-ct",
      "links", "details", "rules", "routes", "neigh", "iptables", "ipset", "sysctl", "conntrack", "brports", "brfdb",
      "netns", "domain", "config", "state", "hostname", "date", "codes"};
  static_assert(std::size(kKinds) == static_cast<std::size_t>(FileKind::ReturnCodes) + 1);
  // clang-format on
  std::string text(kKinds[static_cast<std::size_t>(name.kind)]);
  if (!name.bridge.empty()) text += " " + name.bridge;
  if (!name.netns.empty()) text += " in " + name.netns;
  if (name.form == FileForm::Json) text += " json";
  if (name.family) text += *name.family == Family::V4 ? " v4" : " v6";
  if (name.table) text += " table " + kernel::route_table_name(*name.table);
  if (name.partial) text += " partial";
  if (!name.part.empty()) text += " '" + name.part + "'";
  return text;
}

struct NameCase {
  std::string_view path, expected;
};

TEST(DumpName, TellsWhatAFileHolds) {
  constexpr NameCase kCases[] = {
      {"sos_commands/openvswitch/ovs-ofctl_dump-flows_br-int", "flows br-int"},
      {"sos_commands/openvswitch/ovs-ofctl_-O_OpenFlow13_--no-names_dump-flows_br_ex.100", "flows br_ex.100"},
      {"sos_commands/openvswitch/openstack-hypervisor.ovs-ofctl_-O_OpenFlow15_dump-groups_br-ex", "groups br-ex"},
      {"sos_commands/openvswitch/ovs-ofctl_-O_OpenFlow13_dump-group-stats_br-ex", "ignored"},
      {"sos_commands/openvswitch/ovs-appctl_bridge.dump-flows_--offload-stats_br-int", "flows br-int"},
      {"sos_commands/openvswitch/ovs-appctl_fdb.show_br-int", "fdb br-int"},
      {"sos_commands/openvswitch/ovs-appctl_fdb.stats-show_br-int", "ignored"},
      {"sos_commands/openvswitch/ovs-appctl_dpctl.dump-conntrack_-m_system_ovs-system", "dp-ct"},
      {"sos_commands/openvswitch/ovs-vsctl_-t_5_show", "show"},
      {"sos_commands/openvswitch/ovs-vsctl_-t_5_list_interface", "ovs 'Interface'"},
      {"sos_commands/openvswitch/ovs-vsctl_-t_5_list_bridge_br-ex", "ovs partial 'Bridge'"},
      {"sos_commands/openvswitch/ovs-vsctl_-f_json_list_Open_vSwitch", "ovs json 'Open_vSwitch'"},
      {"sos_commands/openvswitch/ovs-vsctl_-f_json_--columns__uuid_name_ofport_list_Interface", "ovs json partial 'Interface'"},
      {"sos_commands/openvswitch/ovs-vsctl_list_QoS", "ignored"},
      {"sos_commands/openvswitch/ovsdb-client_-f_list_dump", "ovs"},
      {"var/lib/openvswitch/conf.db", "ovs"},
      {"sos_commands/networking/ip_netns", "netns"},
      {"sos_commands/networking/ip_netns_list-id", "ignored"},
      {"sos_commands/networking/ip_netns_exec_qrouter-1_ip_address_show", "links in qrouter-1"},
      {"sos_commands/networking/namespaces/qrouter-1/ip_netns_exec_qrouter-1_ip_-6_rule_list", "rules in qrouter-1 v6"},
      {"sos_commands/networking/ip_netns_exec_my_ns_ip_-j_-d_link", "details in my_ns json"},
      {"sos_commands/networking/ip_-s_-s_neigh_show", "neigh"},
      {"sos_commands/networking/ip_neigh_show_proxy", "neigh partial 'proxy'"},
      {"sos_commands/networking/ip_-6_neigh_show", "neigh v6 partial"},
      {"sos_commands/networking/ip_-4_route_show_table_all", "routes v4"},
      {"sos_commands/networking/ip_route", "routes v4 table main partial 'main'"},
      {"sos_commands/networking/ip_route_get_8.8.8.8", "ignored"},
      {"sos_commands/networking/ip_maddr_show", "ignored"},
      {"sos_commands/firewall_tables/ip6tables_-t_nat_-nvL", "iptables v6 partial 'nat'"},
      {"sos_commands/networking/iptables_-vnxL", "iptables v4 partial 'filter'"},
      {"sos_commands/networking/ip_netns_exec_fip-1_iptables-save_-c", "iptables in fip-1 v4"},
      {"sos_commands/conntrack/ip_netns_exec_fip-1_conntrack_-L_-o_extended", "conntrack in fip-1"},
      {"sos_commands/kernel/sysctl_-a", "sysctl"},
      {"sos_commands/networking/ethtool_-k_eth0", "ignored"},
      {"sos_commands/networking/something_new", "unknown"},
      {"sos_commands/cups/something_new", "ignored"},
      {"sos_commands/virsh/virsh_-r_dumpxml_instance-0000001a", "domain 'instance-0000001a'"},
      {"etc/libvirt/qemu/instance-0000001a.xml", "domain 'instance-0000001a'"},
      {"etc/libvirt/qemu/networks/default.xml", "ignored"},
      {"var/lib/config-data/puppet-generated/neutron/etc/neutron/l3_agent.ini", "config"},
      {"var/lib/neutron/ha_confs/6f/state", "state 'var/lib/neutron/ha_confs/6f/state'"},
      {"var/log/neutron/neutron-l3-agent.log", "ignored"},
      {"commands.json", "codes"},
      // Files that people made.
      {"qrouter-1.ip_route_table_167772417", "routes in qrouter-1 v4 table 167772417 partial '167772417'"},
      {"qrouter-1.route_-n", "routes in qrouter-1 v4 table main partial 'main'"},
      {"fip-1.sysctl", "sysctl in fip-1 partial 'some'"},
      {"ip_netns_exec_qrouter-1_ip_r_show_table_16", "routes in qrouter-1 v4 table 16 partial '16'"},
      {"ip_netns_exec_qrouter-1_ip_nei", "neigh in qrouter-1"},
      {"ip_netns_exec_snat-1_ip_addr_show_sg-1d0b51ca-38", "links in snat-1 partial 'sg-1d0b51ca-38'"},
      {"ovs-ofctl_dump-flows_br-int_table=20", "flows br-int partial 'table=20'"},
      {"ovs-ofctl_dump-flows_br-tun_names_grep", "flows br-tun partial 'names_grep'"},
      {"ovs-appctl_fdb.show_br-int.example", "fdb br-int partial"},
      {"ovs-ofctl_dump-flows_br-ex.damaged", "flows br-ex"},
      {"cat_opt_stack_data_neutron_fip-priorities", "state 'var/lib/neutron/fip-priorities'"},
      {"README.md", "ignored"},
  };
  for (const NameCase& each : kCases) EXPECT_EQ(shown(classify(each.path)), each.expected) << each.path;
}

TEST(DumpName, PrefersWhatSaysMore) {
  constexpr std::string_view kOrders[][2] = {
      {"ip_-d_address", "ip_addr"},
      {"ip_addr", "ip_-j_addr"},
      {"ip_-j_addr", "ip_-o_addr"},
      {"ip_route_show_table_all", "ip_-j_route_show_table_all"},
      {"ip_neigh_show_nud_all", "ip_-j_neigh_show_nud_all"},
      {"ip_-s_-s_neigh_show", "ip_neigh"},
      {"ip_-j_neigh", "arp_-n"},
      {"ovs-ofctl_-O_OpenFlow15_dump-flows_b", "ovs-ofctl_-O_OpenFlow14_dump-flows_b"},
      {"ovs-ofctl_-O_OpenFlow11_dump-flows_b", "ovs-ofctl_dump-flows_b"},
      {"ovs-ofctl_-O_OpenFlow13_--no-names_dump-flows_b", "ovs-ofctl_-O_OpenFlow13_dump-flows_b"},
      {"ovs-ofctl_-O_OpenFlow13_dump-flows_b", "ovs-ofctl_-O_OpenFlow13_--names_dump-flows_b"},
      {"ovs-ofctl_--names_dump-flows_b", "ovs-ofctl_--no-stats_dump-flows_b"},
      {"ovs-ofctl_--no-stats_--names_dump-flows_b", "ovs-appctl_bridge.dump-flows_b"},
      {"ovs-ofctl_show_b", "ovs-ofctl_-O_OpenFlow15_dump-ports-desc_b"},
      {"ovs-vsctl_-f_json_list_Port", "ovsdb-client_-f_json_dump"},
      {"ovsdb-client_-f_list_dump", "ovsdb-client_dump"},
      {"iptables-save_-c", "iptables-save"},
      {"iptables_-t_nat_-S", "iptables_-t_nat_-nvL"},
      {"ipset_save", "ipset_list"},
      {"bridge_-j_-d_link", "bridge_-d_link"},
      {"bridge_-d_link", "bridge_-j_link"},
      {"bridge_link", "brctl_show"},
  };
  for (const auto& [better, worse] : kOrders) EXPECT_LT(classify(better).rank, classify(worse).rank) << better;
}

TEST(DumpName, ReconstructsTheCommand) {
  EXPECT_EQ(command_of("sos_commands/networking/ip_netns_exec_fip-1_ip_rule"), "ip netns exec fip-1 ip rule");
  EXPECT_EQ(command_of("qrouter-1.ip_rule"), "ip netns exec qrouter-1 ip rule");
  EXPECT_EQ(command_of("sos_commands/openvswitch/openstack-hypervisor.ovs-appctl_fdb.show_br-int"), "ovs-appctl fdb/show br-int");
  EXPECT_EQ(command_of("etc/hostname"), "cat /etc/hostname");
}

TEST(DumpName, ManglesNamesAsSosDoes) {
  EXPECT_EQ(mangled("br-int"), "br-int");
  EXPECT_EQ(mangled("br:ex @1"), "br_ex_1");
  EXPECT_EQ(mangled("a_:b/c"), "a__b.c");
}

// --- which hosts there are -------------------------------------------------------------------------

using Names = std::vector<std::string>;

TEST(Catalog, FindsHostsInEveryShapeOfInput) {
  const Tree tree{{"one/sos_commands/networking/ip_rule", kRules},
                  {"several/a/sos_commands/networking/ip_rule", kRules},
                  {"several/b/sos_commands/networking/ip_rule", kRules},
                  {"collect/day1/c/sos_commands/networking/ip_rule", kRules},
                  {"cloud/hosts/d/sos_commands/networking/ip_rule", kRules},
                  {"cloud/before/x/d/sos_commands/networking/ip_rule", kRules},
                  {"cloud/neutron/ports.json", "[]"},
                  {"flat/e/ip_rule", kRules},
                  {"none/readme.txt", "hello\n"}};
  EXPECT_EQ(Collected({{"", tree.path("one")}}).names, Names{"one"});
  EXPECT_EQ(Collected({{"", tree.path("one/sos_commands")}}).names, Names{"one"});
  EXPECT_EQ(Collected({{"", tree.path("several")}}).names, (Names{"a", "b"}));
  EXPECT_EQ(Collected({{"", tree.path("collect")}}).names, Names{"c"});
  EXPECT_EQ(Collected({{"", tree.path("cloud")}}).names, Names{"d"});
  EXPECT_EQ(Collected({{"", tree.path("flat")}}).names, Names{"e"});
  EXPECT_EQ(Collected({{"", tree.path("flat/e/")}}).names, Names{"e"});
}

TEST(Catalog, NamesAHostByWhatItSays) {
  constexpr std::string_view kDatabase =
      "external_ids        : {hostname=from-ovs, system-id=\"1\"}\nother_config        : {}\novs_version         : \"3.1.0\"\n";
  const Tree tree{{"a/sos_commands/host/hostname", "from-sos\n"}, {"a/etc/hostname", "from-etc\n"},
                  {"b/sos_commands/host/hostname", "exec of \"hostname\" failed: No such file or directory\n"},
                  {"b/etc/hostname", "from-etc\n"},
                  {"c/sos_commands/openvswitch/ovs-vsctl_list_Open_vSwitch", kDatabase},
                  {"d/hostname", "\x1b[31mred\n"}, {"d/sos_commands/networking/ip_rule", kRules}};
  EXPECT_EQ(Collected({{"", tree.path("a")}}).names, Names{"from-sos"});
  EXPECT_EQ(Collected({{"", tree.path("b")}}).names, Names{"from-etc"});
  EXPECT_EQ(Collected({{"", tree.path("c")}}).names, Names{"from-ovs"});
  EXPECT_EQ(Collected({{"", tree.path("d")}}).names, Names{"d"});
  EXPECT_EQ(Collected({{"given", tree.path("a")}}).names, Names{"given"});
}

TEST(Catalog, OneNameIsForOneHost) {
  const Tree tree{{"a/ip_rule", kRules}, {"b/ip_rule", kRules}};
  EXPECT_NE(Collected({{"x", tree.path()}}).failure.find("expected one host to be named, found 2"), std::string::npos);
}

TEST(Catalog, TwoHostsOfOneNameInOneInputAreKeptApart) {
  const Tree tree{{"a/etc/hostname", "cmp1\n"}, {"a/sos_commands/networking/ip_rule", kRules},
                  {"b/etc/hostname", "cmp1\n"}, {"b/sos_commands/networking/ip_rule", kRules}};
  const Collected collected({{"", tree.path()}});
  EXPECT_EQ(collected.names, (Names{"cmp1", "cmp1 (2)"}));
  const auto errors = collected.messages(Severity::Error);
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_NE(errors[0].find(tree.path("a")), std::string::npos) << errors[0];
  EXPECT_NE(errors[0].find(tree.path("b")), std::string::npos) << errors[0];
}

TEST(Catalog, ALaterInputWinsFileByFile) {
  const Tree first{{"cmp1/sos_commands/networking/ip_rule", "0:\tfrom all lookup local\n32766:\tfrom all lookup main\n"},
                   {"cmp1/sos_commands/networking/ip_netns", "qrouter-1\n"},
                   {"cmp1/etc/hostname", "cmp1\n"}};
  const Tree later{{"cmp1/sos_commands/networking/ip_rule", kRules}};
  const Collected collected({{"", first.path()}, {"", later.path()}});
  EXPECT_EQ(collected.names, Names{"cmp1"});
  EXPECT_EQ(collected.netns("cmp1").rules4.value.size(), 1u);
  EXPECT_EQ(collected.host("cmp1").namespace_names.value, Names{"qrouter-1"});
  EXPECT_EQ(collected.host("cmp1").inputs, (Names{first.path("cmp1"), later.path("cmp1")}));
  EXPECT_EQ(Collected({{"", later.path()}, {"", first.path()}}).netns("cmp1").rules4.value.size(), 2u);
}

TEST(Catalog, WhatIsNoInputIsAFailure) {
  const Tree tree{{"empty/.keep", ""}, {"file", "x"}};
  EXPECT_NE(Collected({{"", tree.path("empty")}}).failure.find("expected the dumps of a host"), std::string::npos);
  EXPECT_NE(Collected({{"", tree.path("absent")}}).failure.find("No such file or directory"), std::string::npos);
  EXPECT_NE(Collected({{"", tree.path("file")}}).failure.find("no archive"), std::string::npos);
}

TEST(Catalog, NothingOutsideOfTheInputIsRead) {
  const Tree outside{{"ip_rule", kRules}};
  Tree tree{{"cmp1/sos_commands/networking/ip_netns", "qrouter-1\n"}};
  tree.link("cmp1/sos_commands/networking/ip_rule", outside.path("ip_rule"));
  tree.link("cmp1/sos_commands/networking/ip_addr", "nowhere");
  tree.link("cmp1/sos_commands/linked", outside.path());
  const Collected collected({{"", tree.path()}});
  const auto& rules = collected.netns("cmp1").rules4;
  EXPECT_FALSE(rules.present());
  EXPECT_EQ(rules.failure, "a link that leads out of the input");
  EXPECT_EQ(rules.wanted, "ip rule");
  EXPECT_EQ(collected.netns("cmp1").links.failure, "a link to a file that is not there");
}

TEST(Catalog, LinksWithinTheInputAreFollowed) {
  Tree tree{{"cmp1/sos_commands/networking/ip_netns", "qrouter-1\n"},
            {"cmp1/sos_strings/networking/ip_rule.tailed", "m all lookup local\n32766:\tfrom all lookup main\n"}};
  tree.link("cmp1/sos_commands/networking/ip_rule", "../../sos_strings/networking/ip_rule.tailed");
  const Collected collected({{"", tree.path()}});
  const auto& rules = collected.netns("cmp1").rules4;
  EXPECT_EQ(rules.presence, Presence::Truncated);
  EXPECT_EQ(rules.value.size(), 1u);
}

TEST(Catalog, ARepeatedCommandIsNoBridge) {
  const Tree tree{{"ovs-ofctl_dump-flows_br-int", "NXST_FLOW reply (xid=0x4):\n"},
                  {"ovs-ofctl_dump-flows_br-int.1", "NXST_FLOW reply (xid=0x4):\n"}};
  const Collected collected({{"x", tree.path()}});
  ASSERT_EQ(collected.host("x").bridges.size(), 1u);
}

}  // namespace
}  // namespace dvrtrace
