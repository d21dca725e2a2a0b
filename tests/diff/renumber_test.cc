#include "tracer/diff/renumber.h"

#include "tests/diff/flows.h"
#include "tracer/diff/conjunctions.h"

namespace dvrtrace::diff {
namespace {

struct Port {
  const char* name;
  std::int64_t number;
  std::uint16_t tag;
  const char* network;  // "" none
  const char* peer = "";
};

// A host with an integration bridge of these ports and flows, and a tunnel bridge with these flows.
std::unique_ptr<Host> host_of(const std::vector<Port>& ports, std::string_view flows,
                              std::string_view tunnel_flows = "", std::int64_t tunnel_port = 2) {
  HostSnapshot host;
  host.name = "cmp1";
  host.ovs.presence = Presence::Complete;
  const auto add_bridge = [&](const char* name, std::string_view text) -> OvsBridge& {
    BridgeDumps& dumps = host.bridges.emplace_back();
    dumps.bridge = name;
    dumps.flows.presence = Presence::Complete;
    dumps.flows.value = flows_of(text);
    host.ovs.value.bridges.emplace_back().name = name;
    return host.ovs.value.bridges.back();
  };
  const auto add_port = [](OvsBridge& bridge, const Port& port) {
    OvsPort& row = bridge.ports.emplace_back();
    row.name = port.name;
    if (port.tag != 0) row.tag = port.tag;
    if (*port.network != '\0')
      row.other_config = {{"net_uuid", port.network}, {"tag", std::to_string(port.tag)}};
    OvsInterface& interface = row.interfaces.emplace_back();
    interface.name = port.name;
    interface.ofport = port.number;
    if (*port.peer != '\0') interface.type = "patch", interface.options = {{"peer", port.peer}};
  };
  host.ovs.value.bridges.reserve(2);
  OvsBridge& integration = add_bridge("br-int", flows);
  for (const Port& port : ports) add_port(integration, port);
  OvsBridge& tunnel = add_bridge("br-tun", tunnel_flows);
  add_port(tunnel, {"patch-int", 1, 0, "", "patch-tun"});
  add_port(tunnel, {"vxlan-1", tunnel_port, 0, ""});
  static const Sources sources;
  Diagnostics diagnostics;
  return join_host(std::move(host), sources, diagnostics);
}

std::vector<std::string> renumbered_flows(const Host& before, const Host& after, const char* bridge) {
  return texts_of(renumbered(before, after).find_bridge(bridge)->flows.value);
}

constexpr Port kPatch{"patch-tun", 1, 0, "", "patch-int"};

TEST(Renumber, PortsByTheirNamesAndVlansByTheirNetworks) {
  const auto before =
      host_of({kPatch, {"tapa", 3, 1, "net-a"}, {"tapb", 4, 2, "net-b"}},
              "table=60,in_port=3 actions=load:0x3->NXM_NX_REG5[],load:0x1->NXM_NX_REG6[],resubmit(,71)\n"
              "table=60,dl_vlan=2,dl_dst=fa:16:3e:00:00:01 actions=strip_vlan,output:4\n",
              "table=4,tun_id=0x10 actions=mod_vlan_vid:1,resubmit(,9)\n"
              "table=20,dl_vlan=2 actions=strip_vlan,load:0x20->NXM_NX_TUN_ID[],output:2\n");
  const auto after =
      host_of({kPatch, {"tapb", 3, 1, "net-b"}, {"tapa", 9, 2, "net-a"}},
              "table=60,in_port=9 actions=load:0x9->NXM_NX_REG5[],load:0x2->NXM_NX_REG6[],resubmit(,71)\n"
              "table=60,dl_vlan=1,dl_dst=fa:16:3e:00:00:01 actions=strip_vlan,output:3\n",
              "table=4,tun_id=0x10 actions=mod_vlan_vid:2,resubmit(,9)\n"
              "table=20,dl_vlan=1 actions=strip_vlan,load:0x20->NXM_NX_TUN_ID[],output:7\n",
              7);
  for (const char* bridge : {"br-int", "br-tun"})
    EXPECT_EQ(renumbered_flows(*before, *after, bridge),
              texts_of(after->snapshot.find_bridge(bridge)->flows.value));
  const HostSnapshot host = renumbered(*before, *after);
  EXPECT_EQ(host.ovs.value.bridges[0].ports[1].tag, 2);
  EXPECT_EQ(host.ovs.value.bridges[0].ports[1].interfaces[0].ofport, 9);
}

TEST(Renumber, ATagSetByHandIsNoNetworksNumber) {
  const auto before = host_of({kPatch, {"tapa", 3, 1, "net-a"}, {"tapb", 4, 1, "net-a"}}, "");
  auto wrong = host_of({kPatch, {"tapa", 3, 1, "net-a"}, {"tapb", 4, 1, "net-a"}}, "");
  wrong->snapshot.ovs.value.bridges[0].ports[2].tag = 999;
  EXPECT_EQ(local_vlans(*before, *wrong)(1), 1u);
  EXPECT_EQ(renumbered(*before, *wrong).ovs.value.bridges[0].ports[2].tag, 1);
}

TEST(Renumber, SegmentsOfTunnelsTellNetworksWithoutTheDatabase) {
  const auto before = host_of({kPatch}, "", "table=4,tun_id=0x10 actions=mod_vlan_vid:1,resubmit(,9)\n");
  const auto after = host_of({kPatch}, "", "table=4,tun_id=0x10 actions=mod_vlan_vid:5,resubmit(,9)\n");
  EXPECT_EQ(local_vlans(*before, *after)(1), 5u);
}

TEST(Renumber, WhatIsGoneKeepsItsNumberUnlessAnotherHasIt) {
  const auto before = host_of({kPatch, {"tapa", 3, 1, "net-a"}}, "in_port=3,dl_vlan=1 actions=drop\n");
  const auto left_behind = host_of({kPatch}, "in_port=3,dl_vlan=1 actions=drop\n");
  EXPECT_EQ(renumbered_flows(*before, *left_behind, "br-int"),
            texts_of(left_behind->snapshot.find_bridge("br-int")->flows.value));
  const auto reused = host_of({kPatch, {"tapb", 3, 1, "net-b"}}, "in_port=3,dl_vlan=1 actions=drop\n");
  EXPECT_NE(renumbered_flows(*before, *reused, "br-int"),
            texts_of(reused->snapshot.find_bridge("br-int")->flows.value));
}

// A VLAN network whose segment is another network's local VLAN.
TEST(Renumber, ASegmentIsNoLocalVlan) {
  const char* physical = "table=0,in_port=5,dl_vlan=2 actions=mod_vlan_vid:1,resubmit(,60)\n";
  const auto before = host_of(
      {kPatch, {"int-br-vlan", 5, 0, ""}, {"tapa", 3, 1, "net-a"}, {"tapb", 4, 2, "net-b"}}, physical);
  const auto after =
      host_of({kPatch, {"int-br-vlan", 5, 0, ""}, {"tapa", 3, 7, "net-a"}, {"tapb", 4, 8, "net-b"}},
              "table=0,in_port=5,dl_vlan=2 actions=mod_vlan_vid:7,resubmit(,60)\n");
  EXPECT_EQ(renumbered_flows(*before, *after, "br-int"),
            texts_of(after->snapshot.find_bridge("br-int")->flows.value));
}

// The zone of a connection is a local VLAN without doubt: one that stayed, where the VLAN did not, is
// another.
TEST(Renumber, AZoneIsALocalVlan) {
  const auto before = host_of({kPatch, {"tapa", 3, 1, "net-a"}}, "ct_state=+trk,ct_zone=1,ip actions=drop\n");
  const auto after = host_of({kPatch, {"tapa", 3, 7, "net-a"}}, "ct_state=+trk,ct_zone=1,ip actions=drop\n");
  EXPECT_EQ(renumbered_flows(*before, *after, "br-int"),
            std::vector<std::string>{"ct_state=+trk,ct_zone=0x7,ip actions=drop"});
}

TEST(Conjunctions, AreKnownByTheirRows) {
  const auto before = flows_of(
      "ip,nw_src=10.0.0.1 actions=conjunction(2,1/2),conjunction(4,1/2)\n"
      "ip,nw_src=10.0.0.2 actions=conjunction(4,1/2)\n"
      "tcp,tp_dst=80 actions=conjunction(2,2/2)\ntcp,tp_dst=22 actions=conjunction(4,2/2)\n"
      "conj_id=2,ip actions=output:1\nconj_id=4,ip actions=output:1\n");
  // 2 is 9 and 4 is 2 now; of 4 a row is gone.
  const auto after = flows_of(
      "ip,nw_src=10.0.0.1 actions=conjunction(9,1/2),conjunction(2,1/2)\n"
      "tcp,tp_dst=80 actions=conjunction(9,2/2)\ntcp,tp_dst=22 actions=conjunction(2,2/2)\n"
      "conj_id=9,ip actions=output:1\nconj_id=2,ip actions=output:1\n");
  NumberMap map = conjunction_numbers(before, after);
  EXPECT_EQ(map(2), 9u);
  EXPECT_EQ(map(4), 2u);
  NumberMap same = conjunction_numbers(before, before);
  EXPECT_FALSE(same.changes());
}

}  // namespace
}  // namespace dvrtrace::diff
