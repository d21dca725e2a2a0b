#include "collectors/bond_show.h"

#include "tests/collectors/ovs_reading.h"

namespace dvrtrace {
namespace {

TEST(BondShow, MembersAndTheActiveOne) {
  Reading reading(R"(---- bond0 ----
bond_mode: balance-slb
bond may use recirculation: no, Recirc-ID : -1
all members active: true
next rebalance: 6415 ms
lacp_status: negotiated
lacp_fallback_ab: false
active-backup primary: <none>
active member mac: aa:55:aa:55:00:02(p1)

member p1: enabled
  active member
  may_enable: true
  hash 172: 2 kB load

member p2: disabled
  may_enable: false
)");
  const auto bonds = read_bond_show(reading.text, reading.log);
  EXPECT_EQ(reading.first_message(), "");
  ASSERT_EQ(bonds.size(), 1u);
  const OvsBondState& bond = bonds[0].value;
  EXPECT_EQ(bond.name, "bond0");
  EXPECT_EQ(bond.mode, "balance-slb");
  EXPECT_EQ(bond.lacp_status, "negotiated");
  EXPECT_TRUE(bond.all_members_active);
  EXPECT_FALSE(bond.lacp_fallback);
  EXPECT_EQ(bond.active, "p1");
  ASSERT_EQ(bond.members.size(), 2u);
  EXPECT_TRUE(bond.members[0].enabled && bond.members[0].may_enable);
  EXPECT_FALSE(bond.members[1].enabled || bond.members[1].may_enable);
  EXPECT_TRUE(reading.counted());
}

TEST(BondShow, SlavesOfOldReleases) {
  Reading reading("---- b ----\nbond_mode: active-backup\nlacp_status: off\n\nslave e0: enabled\n\tmay_enable: true\n\nslave e1: enabled\n\tactive slave\n");
  const auto bonds = read_bond_show(reading.text, reading.log);
  ASSERT_EQ(bonds.size(), 1u);
  EXPECT_EQ(bonds[0].value.active, "e1");
}

TEST(BondShow, WhatIsNoBondIsReported) {
  Reading reading("no such bond\n");
  EXPECT_TRUE(read_bond_show(reading.text, reading.log).empty());
  EXPECT_NE(reading.first_message(), "");
}

}  // namespace
}  // namespace dvrtrace
