#include "collectors/ip_rule.h"

#include <gtest/gtest.h>

#include "src/base/text.h"
#include "tests/collectors/reading.h"

namespace dvrtrace {
namespace {

using kernel::PolicyRule;
using test::reading;

auto reader(Family family) {
  return [family](const SourceText& text, ReadLog& log) { return read_ip_rule(text, family, log); };
}
auto json_reader(Family family) {
  return [family](const SourceText& text, ReadLog& log) { return read_ip_rule_json(text, family, log); };
}

const char* name_of(PolicyRule::Action action) {
  switch (action) {
    case PolicyRule::Action::Lookup:
      return "lookup";
    case PolicyRule::Action::Goto:
      return "goto";
    case PolicyRule::Action::Nop:
      return "nop";
    case PolicyRule::Action::Blackhole:
      return "blackhole";
    case PolicyRule::Action::Unreachable:
      return "unreachable";
    case PolicyRule::Action::Prohibit:
      return "prohibit";
  }
  return "?";
}

// What was read, in the words of `ip rule` but with all that is understood.
std::string show(const PolicyRule& rule) {
  std::string text = std::to_string(rule.priority) + (rule.family == Family::V6 ? " v6" : "");
  const auto add = [&](const std::string& word) { text += " " + word; };
  if (rule.inverted) add("not");
  if (rule.from) add("from " + to_string(*rule.from));
  if (rule.to) add("to " + to_string(*rule.to));
  if (!rule.iif.empty()) add("iif " + rule.iif);
  if (!rule.oif.empty()) add("oif " + rule.oif);
  if (rule.fwmark) add("fwmark " + std::to_string(*rule.fwmark) + "/" + std::to_string(rule.fwmask));
  if (rule.tos) add("tos " + std::to_string(*rule.tos));
  if (rule.ip_proto) add("ipproto " + std::to_string(*rule.ip_proto));
  if (rule.sport_first)
    add("sport " + std::to_string(*rule.sport_first) + "-" + std::to_string(*rule.sport_last));
  if (rule.dport_first)
    add("dport " + std::to_string(*rule.dport_first) + "-" + std::to_string(*rule.dport_last));
  add(name_of(rule.action));
  if (rule.action == PolicyRule::Action::Lookup) add(std::to_string(rule.table));
  if (rule.action == PolicyRule::Action::Goto) add(std::to_string(rule.target));
  if (rule.suppress_prefixlength) add("suppress " + std::to_string(*rule.suppress_prefixlength));
  for (const std::string& word : rule.unmodelled) add("[" + word + "]");
  return text;
}

struct Case {
  std::string_view text, shown;
};

TEST(IpRule, ReadsEverySelectorAndAction) {
  constexpr Case kCases[] = {
      {"0:\tfrom all lookup local", "0 lookup 255"},
      {"32766:\tfrom all lookup main \n", "32766 lookup 254"},
      {"32767:  from all lookup default", "32767 lookup 253"},
      {"57481:\tfrom 10.0.1.5 lookup 16", "57481 from 10.0.1.5/32 lookup 16"},
      {"167772417:\tfrom 10.0.1.1/24 lookup 167772417", "167772417 from 10.0.1.0/24 lookup 167772417"},
      {"2852022899:\tfrom all iif fpr-61eaacf9-d lookup 2852022899",
       "2852022899 iif fpr-61eaacf9-d lookup 2852022899"},
      {"10:\tnot from all fwmark 0x1/0xff lookup 16", "10 not fwmark 1/255 lookup 16"},
      {"10:\tfrom all fwmark 0x64 lookup 16", "10 fwmark 100/4294967295 lookup 16"},
      {"10:\tfrom 0/8 to 10.0.0.0/8 tos 0x10 lookup 16", "10 from 0.0.0.0/8 to 10.0.0.0/8 tos 16 lookup 16"},
      {"10:\tfrom all iif eth9 [detached] oif eth8 [detached] lookup 16", "10 iif eth9 oif eth8 lookup 16"},
      {"10:\tfrom all ipproto tcp sport 1000-2000 dport 80 lookup 16",
       "10 ipproto 6 sport 1000-2000 dport 80-80 lookup 16"},
      {"10:\tfrom all ipproto ipv6-icmp lookup 16", "10 ipproto 58 lookup 16"},
      {"10:\tfrom all lookup main suppress_prefixlength 0", "10 lookup 254 suppress 0"},
      {"10:\tfrom all goto 32766", "10 goto 32766"},
      {"10:\tfrom all goto 99 [unresolved]", "10 goto 99"},
      {"10:\tfrom all goto none", "10 nop"},
      {"10:\tfrom all nop proto static", "10 nop"},
      {"10:\tfrom all blackhole", "10 blackhole"},
      {"10:\tfrom all unreachable", "10 unreachable"},
      {"10:\tfrom all prohibit", "10 prohibit"},
      {"10:\tfrom all lookup 16 realms 1/2 proto zebra", "10 lookup 16"},
      {"10:\tfrom 2001:db8:1::1/64 lookup 16", "10 v6 from 2001:db8:1::/64 lookup 16"},
  };
  for (const Case& c : kCases) {
    const auto result = reading<PolicyRule>(c.text, reader(Family::V4));
    ASSERT_EQ(result.rows.size(), 1u) << c.text << " " << result.first_message();
    EXPECT_EQ(show(result.rows[0].value), c.shown);
    EXPECT_EQ(result.of(LineState::Modelled), 1u) << c.text;
    EXPECT_TRUE(result.diagnostics.empty()) << c.text << " " << result.first_message();
  }
}

TEST(IpRule, KeepsTheSelectorAsWritten) {
  const auto result = reading<PolicyRule>("1:\tfrom 10.0.1.1/24 to 10.2.0.9 lookup 1", reader(Family::V4));
  ASSERT_EQ(result.rows.size(), 1u);
  EXPECT_EQ(result.rows[0].value.from_text, "10.0.1.1/24");
  EXPECT_EQ(result.rows[0].value.to_text, "10.2.0.9");
}

TEST(IpRule, KeepsWhatItDoesNotModel) {
  constexpr Case kCases[] = {
      {"1000:\tfrom all lookup [l3mdev-table]", "1000 lookup 0 [l3mdev]"},
      {"10:\tfrom all uidrange 0-1000 lookup 16", "10 lookup 16 [uidrange 0-1000]"},
      {"10:\tfrom all sport 0x50/0xf0 lookup 16", "10 lookup 16 [sport 0x50/0xf0]"},
      {"10:\tfrom all tos lowdelay lookup 16", "10 lookup 16 [tos lowdelay]"},
      {"10:\tfrom all lookup 16 suppress_ifgroup default", "10 lookup 16 [suppress_ifgroup default]"},
      {"10:\tfrom all lookup 16 dscp 0x0a", "10 lookup 16 [dscp 0x0a]"},
      {"10:\tfrom all masquerade", "10 lookup 0 [masquerade]"},
      {"10:\tfrom all lookup customers", "10 lookup 0 [lookup customers]"},
      {"10:\tfrom all colour blue lookup 16", "10 lookup 16 [colour] [blue]"},
  };
  for (const Case& c : kCases) {
    const auto result = reading<PolicyRule>(c.text, reader(Family::V4));
    ASSERT_EQ(result.rows.size(), 1u) << c.text << " " << result.first_message();
    EXPECT_EQ(show(result.rows[0].value), c.shown);
    EXPECT_EQ(result.of(LineState::Unmodelled), 1u) << c.text;
  }
}

TEST(IpRule, SaysWhatIsWrong) {
  test::expect_bad<PolicyRule>(
      {
          {"Error: ipv4: FIB table does not exist.", "expected a rule's priority and ':', found 'Error:'"},
          {"32766", "expected a rule's priority and ':', found '32766'"},
          {"32766:", "expected 'lookup' or another action, found the end of the line"},
          {"32766:\tfrom all", "expected 'lookup' or another action, found the end of the line"},
          {"32766:\tfrom all look", "expected a selector or an action of a rule, found 'look'"},
          {"32766:\tfrom all lookup", "expected a routing table, found the end of the line"},
          {"10:\tfrom 10.0.1 lookup 16", "expected a prefix or 'all', found '10.0.1'"},
          {"10:\tfrom all fwmark x lookup 16", "expected a mark, found 'x'"},
          {"10:\tfrom all iif", "expected a device, found the end of the line"},
          {"4294967296:\tfrom all lookup 1", "expected a rule's priority and ':', found '4294967296:'"},
      },
      reader(Family::V4));
}

TEST(IpRule, GoesOnAfterABadLine) {
  const auto result =
      reading<PolicyRule>("0:\tfrom all lookup local\nnonsense\n\n5:\tfrom all nop\n", reader(Family::V4));
  ASSERT_EQ(result.rows.size(), 2u);
  EXPECT_EQ(result.of(LineState::Unrecognised), 1u);
  EXPECT_EQ(result.of(LineState::Ignored), 1u);
  EXPECT_EQ(result.rows[1].at.span, (Span{35, 50}));
}

TEST(IpRuleJson, ReadsEverySelectorAndAction) {
  constexpr Case kCases[] = {
      {R"([{"priority":0,"src":"all","table":"local"}])", "0 lookup 255"},
      {R"([{"priority":1,"src":"10.0.1.1","srclen":24,"table":"16"}])", "1 from 10.0.1.0/24 lookup 16"},
      {R"([{"priority":1,"not":null,"src":"0","srclen":8,"dst":"10.0.0.1","table":"16"}])",
       "1 not from 0.0.0.0/8 to 10.0.0.1/32 lookup 16"},
      {R"([{"priority":1,"src":"all","fwmark":"0x1","fwmask":"0xff","iif":"a","iif_detached":null,"oif":"b","table":"16"}])",
       "1 iif a oif b fwmark 1/255 lookup 16"},
      {R"([{"priority":1,"src":"all","ipproto":"tcp","sport":80,"dport_start":1,"dport_end":9,"table":"16"}])",
       "1 ipproto 6 sport 80-80 dport 1-9 lookup 16"},
      {R"([{"priority":1,"src":"all","table":"main","suppress_prefixlen":0,"protocol":"kernel"}])",
       "1 lookup 254 suppress 0"},
      {R"([{"priority":1,"src":"all","goto":99,"unresolved":null}])", "1 goto 99"},
      {R"([{"priority":1,"src":"all","goto":"none"}])", "1 nop"},
      {R"([{"priority":1,"src":"all","action":"blackhole"}])", "1 blackhole"},
      {R"([{"priority":1,"src":"all","nop":null}])", "1 nop"},
      {R"([{"priority":1,"src":"all","l3mdev":null}])", "1 lookup 0 [l3mdev]"},
      {R"([{"priority":1,"src":"2001:db8::","srclen":64,"table":"16"}])",
       "1 v6 from 2001:db8::/64 lookup 16"},
  };
  for (const Case& c : kCases) {
    const auto result = reading<PolicyRule>(c.text, json_reader(Family::V4));
    ASSERT_EQ(result.rows.size(), 1u) << c.text << " " << result.first_message();
    EXPECT_EQ(show(result.rows[0].value), c.shown);
    EXPECT_EQ(result.rows[0].at.span, (Span{1, static_cast<std::uint32_t>(c.text.size() - 1)}));
  }
}

TEST(IpRuleJson, SaysWhatIsWrong) {
  constexpr std::string_view kTexts[] = {"{",
                                         "[",
                                         "[{}",
                                         "[{\"priority\":1,\"src\":\"all\",\"tab",
                                         "Error",
                                         "[1]",
                                         "[{\"priority\":}]",
                                         "[{\"priority\":1}]",
                                         "[{\"priority\":1,\"src\":\"all\"}]",
                                         "[{\"priority\":-1,\"src\":\"all\",\"nop\":null}]",
                                         "[] x"};
  for (const std::string_view text : kTexts) {
    const auto result = reading<PolicyRule>(text, json_reader(Family::V4));
    EXPECT_EQ(result.of(LineState::Unrecognised), 1u) << text;
    EXPECT_TRUE(result.rows.empty()) << text;
  }
}

TEST(IpRuleJson, KeepsTheObjectsBeforeTheTextBreaksOff) {
  const auto result = reading<PolicyRule>(R"([{"priority":0,"src":"all","table":"local"},{"priority":1,"sr)",
                                          json_reader(Family::V4));
  ASSERT_EQ(result.rows.size(), 1u);
  EXPECT_EQ(result.of(LineState::Unrecognised), 1u);
}

TEST(IpRuleShared, ReadsEveryDumpAlike) {
  if (test::shared_folder().empty()) GTEST_SKIP() << "DVRTRACE_SHARED is not set";
  test::expect_all_read<PolicyRule>(
      {"ip_rule", "ip_rule_list", "ip_-4_rule"},
      [](const auto& text, auto& log) { return read_ip_rule(text, Family::V4, log); });
  test::expect_all_read<PolicyRule>({"ip_-6_rule"}, reader(Family::V6));
  const auto same = [](const auto& path, const auto& text, const auto& json) {
    EXPECT_EQ(text, json) << path;
  };
  test::expect_agreement<PolicyRule>("ip_rule", "ip_-j_rule", reader(Family::V4), json_reader(Family::V4),
                                     same);
  test::expect_agreement<PolicyRule>("ip_-6_rule", "ip_-j_-6_rule", reader(Family::V6),
                                     json_reader(Family::V6), same);
}

}  // namespace
}  // namespace dvrtrace
