#include "tracer/reference/release.h"

#include <gtest/gtest.h>

#include "tracer/reference/group_rules.h"
#include "tracer/reference/plan_names.h"
#include "tracer/reference/practice.h"

namespace dvrtrace::reference {
namespace {

TEST(Release, ReadsNamesAndVersions) {
  EXPECT_EQ(parse_release("Zed"), kZed);
  EXPECT_EQ(parse_release("queens"), kQueens);
  EXPECT_EQ(parse_release("2015.1.4"), (Release{6, 4, 0}));
  EXPECT_EQ(parse_release("14.0.3"), (Release{14, 0, 3}));
  EXPECT_EQ(parse_release("2024.1"), kCaracal);
  EXPECT_EQ(parse_release("antelope"), kAntelope);
  EXPECT_EQ(parse_release("newest"), kNewest);
  EXPECT_EQ(parse_release("sarge"), std::nullopt);
  EXPECT_EQ(parse_release("99"), std::nullopt);
  EXPECT_EQ(parse_release(""), std::nullopt);
}

TEST(Release, EveryNameReadsAsItself) {
  for (const std::string_view name : series_names()) {
    const auto release = parse_release(name);
    ASSERT_TRUE(release) << name;
    EXPECT_EQ(series_name(*release), name);
  }
}

TEST(Since, HoldsFromTheFirstReleaseOfEachBranch) {
  constexpr Since kChange{{12, 1, 0}, {13, 0, 4}, {14, 0, 2}, kTrain};
  EXPECT_FALSE(kChange.holds(kPike));
  EXPECT_FALSE(kChange.holds({12, 0, 6}));
  EXPECT_TRUE(kChange.holds({12, 1, 1}));
  EXPECT_FALSE(kChange.holds({13, 0, 3}));
  EXPECT_TRUE(kChange.holds({13, 0, 4}));
  EXPECT_TRUE(kChange.holds(kTrain));
  EXPECT_TRUE(kChange.holds(kNewest));
}

TEST(Practice, OfTheReleasesThatDiffer) {
  const Practice kilo = practice_of(kKilo, false), queens = practice_of({12, 1, 0}, true), zed = practice_of(kZed, true),
                 newest = practice_of(kNewest, true);
  EXPECT_EQ(kilo.next, std::nullopt);
  EXPECT_FALSE(kilo.cookies);
  EXPECT_EQ(queens.next, 60);
  EXPECT_FALSE(queens.own_mac_tables);
  EXPECT_EQ(queens.firewall, FirewallGeneration::AcceptedNormal);
  EXPECT_EQ(zed.next, 59);
  EXPECT_EQ(zed.normal_priority, 3);
  EXPECT_EQ(newest.next, 58);
  EXPECT_EQ(newest.normal_priority, 1);
  EXPECT_TRUE(newest.table58_to_59);
  EXPECT_TRUE(newest.learn_extra);
}

// Names as the manual of the pipeline and a published dump have them.
TEST(Names, OfPatchPortsAndTunnels) {
  EXPECT_EQ(patch_name("int-", "br-ex"), "int-br-ex");
  EXPECT_EQ(patch_name("phy-", "br-provider"), "phy-br-provider");
  EXPECT_EQ(patch_name("int-", "br-vlan-tenant"), "int-br-vl1dfc58");
  EXPECT_EQ(tunnel_name("vxlan", *parse_ip("30.0.1.8"), kZed), "vxlan-1e000108");
  EXPECT_EQ(tunnel_name("gre", *parse_ip("10.0.1.2"), kZed), "gre-0a000102");
  EXPECT_EQ(tunnel_name("vxlan", *parse_ip("fd00::1"), kZed).size(), 15u);
}

TEST(PortMasks, CoverTheRangeInBlocks) {
  EXPECT_EQ(port_masks(22, 22), (std::vector<std::string>{"22"}));
  EXPECT_EQ(port_masks(8000, 8003), (std::vector<std::string>{"0x1f40/0xfffc"}));
  EXPECT_EQ(port_masks(8000, 8010), (std::vector<std::string>{"0x1f40/0xfff8", "0x1f48/0xfffe", "8010"}));
  EXPECT_EQ(port_masks(1, 65535).size(), 16u);
  EXPECT_EQ(port_masks(0, 65535).size(), 1u);
}

}  // namespace
}  // namespace dvrtrace::reference
