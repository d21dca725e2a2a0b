#include "tracer/diff/flow_numbers.h"

#include "tests/diff/flows.h"

namespace dvrtrace::diff {
namespace {

// Ports get 100 more, VLANs 200, groups 300, conjunctions 400; as on an integration bridge, or on another
// one.
FlowNumbers numbers(bool registers) {
  FlowNumbers all;
  const auto more = [](std::uint32_t by) { return [by](std::uint32_t number) { return number + by; }; };
  all.port = [](std::uint32_t port) { return port < kFirstReservedPort.value ? port + 100 : port; };
  all.vlan = all.local = more(200);
  all.group = more(300);
  all.conjunction = more(400);
  all.learnt_cookie = 0x77;
  all.registers = registers;
  return all;
}

struct Case {
  const char* before;
  const char* after;
  bool registers = true;
};

class Numbers : public testing::TestWithParam<Case> {};

TEST_P(Numbers, AreExchangedWhereTheyStand) {
  openflow::FlowTable table = flows_of(GetParam().before);
  const FlowNumbers all = numbers(GetParam().registers);
  for (openflow::FlowRow& row : table.flows) {
    renumber(row.flow.match, all);
    renumber(row.flow.actions, all);
  }
  EXPECT_EQ(texts_of(table), texts_of(flows_of(GetParam().after)));
}

INSTANTIATE_TEST_SUITE_P(
    Flows, Numbers,
    testing::Values(
        Case{"in_port=3 actions=output:4,output:5", "in_port=103 actions=output:104,output:105"},
        Case{"in_port=LOCAL actions=NORMAL,IN_PORT,CONTROLLER:65535",
             "in_port=LOCAL actions=NORMAL,IN_PORT,CONTROLLER:65535"},
        Case{"dl_vlan=2 actions=mod_vlan_vid:3,NORMAL", "dl_vlan=202 actions=mod_vlan_vid:203,NORMAL"},
        Case{"dl_vlan=2 actions=push_vlan:0x8100,set_field:4099->vlan_vid,output:1",
             "dl_vlan=202 actions=push_vlan:0x8100,set_field:4299->vlan_vid,output:101"},
        // No tag is no number, nor is a part of one.
        Case{"vlan_tci=0x0000/0x1fff actions=strip_vlan,output:1",
             "vlan_tci=0x0000/0x1fff actions=strip_vlan,output:101"},
        Case{"vlan_tci=0x1002/0x1003 actions=drop", "vlan_tci=0x1002/0x1003 actions=drop"},
        Case{
            "reg5=0x4,reg6=0x2,ip actions=load:0x4->NXM_NX_REG5[],load:0x2->NXM_NX_REG6[],resubmit(,72)",
            "reg5=0x68,reg6=0xca,ip actions=load:0x68->NXM_NX_REG5[],load:0xca->NXM_NX_REG6[],resubmit(,72)"},
        Case{"reg5=0x4,reg6=0x2,ip actions=load:0x4->NXM_NX_REG5[]",
             "reg5=0x4,reg6=0x2,ip actions=load:0x4->NXM_NX_REG5[]", false},
        Case{"ct_state=+trk,ct_zone=2,ip actions=ct(commit,zone=2,exec(load:0x1->NXM_NX_CT_MARK[]))",
             "ct_state=+trk,ct_zone=202,ip actions=ct(commit,zone=202,exec(load:0x1->NXM_NX_CT_MARK[]))"},
        Case{"ip,reg6=0x2 actions=ct(table=72,zone=NXM_NX_REG6[0..15])",
             "ip,reg6=0xca actions=ct(table=72,zone=NXM_NX_REG6[0..15])"},
        Case{"ip,nw_src=10.0.0.1 actions=conjunction(7,1/2),conjunction(8,1/2)",
             "ip,nw_src=10.0.0.1 actions=conjunction(407,1/2),conjunction(408,1/2)"},
        Case{"conj_id=7,ip actions=group:5", "conj_id=407,ip actions=group:305"},
        Case{"priority=1 "
             "actions=learn(table=20,hard_timeout=300,priority=1,cookie=0x12,NXM_OF_VLAN_TCI[0..11],"
             "NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],load:0->NXM_OF_VLAN_TCI[],output:NXM_OF_IN_PORT[]),output:1",
             "priority=1 "
             "actions=learn(table=20,hard_timeout=300,priority=1,cookie=0x77,NXM_OF_VLAN_TCI[0..11],"
             "NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],load:0->NXM_OF_VLAN_TCI[],output:NXM_OF_IN_PORT[]),output:"
             "101"},
        Case{"ip actions=clone(output:3),resubmit(4,5)", "ip actions=clone(output:103),resubmit(104,5)"},
        Case{"tun_id=0x2,nw_src=0.0.0.2,ip,tp_src=2 actions=load:0x2->NXM_NX_TUN_ID[],mod_nw_dst:0.0.0.3",
             "tun_id=0x2,nw_src=0.0.0.2,ip,tp_src=2 actions=load:0x2->NXM_NX_TUN_ID[],mod_nw_dst:0.0.0.3"}));

TEST(Numbers, AreTold) {
  const auto table =
      flows_of("in_port=3,dl_vlan=7,tun_id=0x9 actions=mod_vlan_vid:5,load:0x11->NXM_NX_TUN_ID[],output:1");
  const openflow::Flow& flow = table.flows.front().flow;
  EXPECT_EQ(number_in(flow.match, openflow::FieldId::DlVlan), 7u);
  EXPECT_EQ(number_in(flow.match, openflow::FieldId::InPort), 3u);
  EXPECT_EQ(number_in(flow.match, openflow::FieldId::Reg5), std::nullopt);
  EXPECT_EQ(vlan_set(flow.actions), 5u);
  EXPECT_EQ(key_set(flow.actions), 0x11u);
  EXPECT_EQ(to_string(without(flow.match, openflow::FieldId::TunId)), "in_port=3,dl_vlan=7");
}

}  // namespace
}  // namespace dvrtrace::diff
