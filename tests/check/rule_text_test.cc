#include "tracer/check/rule_text.h"

#include <gtest/gtest.h>

#include "collectors/iptables_save.h"

namespace dvrtrace::check {
namespace {

// The rules of chain FORWARD of a table filter made of these lines.
std::vector<Sourced<kernel::IptablesRule>> rules(std::string_view lines) {
  const std::string text = "*filter\n:FORWARD ACCEPT [0:0]\n" + std::string(lines) + "COMMIT\n";
  Diagnostics diagnostics;
  ReadLog log{diagnostics, {}};
  const kernel::Iptables tables = read_iptables_save({SourceId{0}, "test", text}, Family::V4, log);
  EXPECT_TRUE(diagnostics.empty());
  return tables.find("filter")->find("FORWARD")->rules;
}

bool matters(std::string_view lines) {
  const auto both = rules(lines);
  return order_matters(both.at(0).value, both.at(1).value);
}

TEST(RuleText, SameMeaningWhateverTheOrderAndComments) {
  const auto both = rules(
      "-A FORWARD -d 10.0.0.1/32 -p udp -m udp --sport 67 --dport 68 -m comment --comment \"why\" -j RETURN\n"
      "-A FORWARD -p udp -d 10.0.0.1 -m udp --dport 68 --sport 67 -j RETURN\n");
  EXPECT_EQ(meaning_of(both.at(0).value), meaning_of(both.at(1).value));
}

TEST(RuleText, OrderMattersWhereAPacketFaresDifferently) {
  EXPECT_TRUE(matters(
      "-A FORWARD -m mark --mark 0x1/0xffff -j ACCEPT\n-A FORWARD -p tcp -m tcp --dport 9697 -j DROP\n"));
  EXPECT_FALSE(matters("-A FORWARD -p tcp -j RETURN\n-A FORWARD -p icmp -j RETURN\n"));
  EXPECT_FALSE(matters("-A FORWARD -i qr-a -j ACCEPT\n-A FORWARD -i qr-b -j DROP\n"));
  EXPECT_TRUE(matters("-A FORWARD -i qr-+ -j ACCEPT\n-A FORWARD -i qr-b -j DROP\n"));
  EXPECT_FALSE(matters("-A FORWARD -d 10.0.0.1/32 -j ACCEPT\n-A FORWARD -d 10.0.0.2/32 -j DROP\n"));
  EXPECT_TRUE(matters("-A FORWARD -d 10.0.0.0/24 -j ACCEPT\n-A FORWARD -d 10.0.0.2/32 -j DROP\n"));
  EXPECT_FALSE(matters(
      "-A FORWARD -p tcp -m tcp --dport 80 -j ACCEPT\n-A FORWARD -p tcp -m tcp --dport 22 -j DROP\n"));
}

}  // namespace
}  // namespace dvrtrace::check
