#include "collectors/ip_route.h"

#include <gtest/gtest.h>

#include "tests/collectors/reading.h"

namespace dvrtrace {
namespace {

using kernel::Route;
using kernel::RouteType;
using test::reading;

auto reader(Family family, kernel::RouteTable table = kernel::kTableMain) {
  return [=](const SourceText& text, ReadLog& log) { return read_ip_route(text, family, table, log); };
}
auto json_reader(Family family, kernel::RouteTable table = kernel::kTableMain) {
  return [=](const SourceText& text, ReadLog& log) { return read_ip_route_json(text, family, table, log); };
}

const char* name_of(RouteType type) {
  switch (type) {
    case RouteType::Unicast:
      return "";
    case RouteType::Local:
      return "local ";
    case RouteType::Broadcast:
      return "broadcast ";
    case RouteType::Multicast:
      return "multicast ";
    case RouteType::Anycast:
      return "anycast ";
    case RouteType::Unreachable:
      return "unreachable ";
    case RouteType::Blackhole:
      return "blackhole ";
    case RouteType::Prohibit:
      return "prohibit ";
    case RouteType::Throw:
      return "throw ";
  }
  return "?";
}

std::string show(const kernel::Nexthop& nexthop) {
  std::string text;
  if (nexthop.via) text += " via " + to_string(*nexthop.via);
  text += " dev " + nexthop.device;
  if (nexthop.weight != 1) text += " weight " + std::to_string(nexthop.weight);
  if (nexthop.onlink) text += " onlink";
  if (nexthop.dead) text += " dead";
  if (nexthop.linkdown) text += " linkdown";
  return text;
}

// What was read, next hops one after the other.
std::string show(const Route& route) {
  std::string text = name_of(route.type) + to_string(route.destination);
  for (const auto& nexthop : route.nexthops) text += show(nexthop);
  if (route.table != kernel::kTableMain) text += " table " + std::to_string(route.table);
  if (!route.protocol.empty()) text += " proto " + route.protocol;
  if (!route.scope.empty()) text += " scope " + route.scope;
  if (route.source) text += " src " + to_string(*route.source);
  if (route.from) text += " from " + to_string(*route.from);
  if (route.metric != 0) text += " metric " + std::to_string(route.metric);
  if (route.mtu) text += " mtu " + std::to_string(*route.mtu);
  for (const std::string& word : route.unmodelled) text += " [" + word + "]";
  return text;
}

struct Case {
  std::string_view text, shown;
};

TEST(IpRoute, ReadsEveryForm) {
  constexpr Case kCases[] = {
      {"default via 169.254.31.29 dev rfp-0fbb351e-a ", "0.0.0.0/0 via 169.254.31.29 dev rfp-0fbb351e-a"},
      {"10.0.1.0/24 dev qr-1  proto kernel  scope link  src 10.0.1.1",
       "10.0.1.0/24 dev qr-1 proto kernel scope link src 10.0.1.1"},
      {"172.24.4.5 via 169.254.31.28 dev fpr-1", "172.24.4.5/32 via 169.254.31.28 dev fpr-1"},
      {"default via 10.0.0.1 dev eth0 table 16 proto static linkdown",
       "0.0.0.0/0 via 10.0.0.1 dev eth0 linkdown table 16 proto static"},
      {"10.0.0.0/8 via 10.0.0.1 dev eth0 onlink dead linkdown",
       "10.0.0.0/8 via 10.0.0.1 dev eth0 onlink dead linkdown"},
      {"local 127.0.0.0/8 dev lo table local proto kernel scope host src 127.0.0.1",
       "local 127.0.0.0/8 dev lo table 255 proto kernel scope host src 127.0.0.1"},
      {"broadcast 10.0.1.255 dev qr-1 table local", "broadcast 10.0.1.255/32 dev qr-1 table 255"},
      {"unicast default via 10.0.0.1 dev eth0 proto boot scope global",
       "0.0.0.0/0 via 10.0.0.1 dev eth0 proto boot scope global"},
      {"blackhole 10.9.0.0/16 proto static", "blackhole 10.9.0.0/16 proto static"},
      {"prohibit default metric 5", "prohibit 0.0.0.0/0 metric 5"},
      {"throw 0/8", "throw 0.0.0.0/8"},
      {"unreachable default dev lo  metric 4294967295  error -101 pref medium",
       "unreachable ::/0 metric 4294967295"},
      {"10.0.0.0/8 dev eth0 mtu lock 1400 advmss 1360 hoplimit 64 expires 10sec error 4294967195",
       "10.0.0.0/8 dev eth0 mtu 1400"},
      {"10.0.0.0/8 dev eth0 features ecn rto_min lock 5ms", "10.0.0.0/8 dev eth0"},
      {"fe80::/64 dev qr-1 proto kernel metric 256 pref medium",
       "fe80::/64 dev qr-1 proto kernel metric 256"},
      {"default via fe80::1 dev qr-1 proto ra metric 1024 expires 1798sec hoplimit 64 pref medium",
       "::/0 via fe80::1 dev qr-1 proto ra metric 1024"},
      {"default from 2001:db8::/64 via fe80::1 dev eth0 metric 1",
       "::/0 via fe80::1 dev eth0 from 2001:db8::/64 metric 1"},
      {"default via inet6 fe80::1 dev eth0", "0.0.0.0/0 via fe80::1 dev eth0"},
      {"anycast fe80:: dev qr-1 table local proto kernel metric 0 pref medium",
       "anycast fe80::/128 dev qr-1 table 255 proto kernel"},
      {"multicast ff00::/8 dev qr-1 table local metric 256",
       "multicast ff00::/8 dev qr-1 table 255 metric 256"},
      {"10.0.0.0/8 nhid 7 via 10.0.0.1 dev eth0", "10.0.0.0/8 via 10.0.0.1 dev eth0"},
      {"default proto static nexthop via 10.0.0.1 dev a weight 2 nexthop via 10.0.0.2 dev b weight 1 dead",
       "0.0.0.0/0 via 10.0.0.1 dev a weight 2 via 10.0.0.2 dev b dead proto static"},
      {"default metric 9 \\\tnexthop via 10.0.0.1 dev a weight 1 \\\tnexthop via 10.0.0.2 dev b weight 1",
       "0.0.0.0/0 via 10.0.0.1 dev a via 10.0.0.2 dev b metric 9"},
  };
  for (const Case& c : kCases) {
    const auto result = reading<Route>(c.text, reader(Family::V4));
    ASSERT_EQ(result.rows.size(), 1u) << c.text << " " << result.first_message();
    EXPECT_EQ(show(result.rows[0].value), c.shown) << c.text;
    EXPECT_EQ(result.of(LineState::Modelled), 1u) << c.text;
  }
}

TEST(IpRoute, KeepsWhatItDoesNotModel) {
  constexpr Case kCases[] = {
      {"10.0.0.0/8 tos 0x10 via 10.0.0.1 dev eth0", "10.0.0.0/8 via 10.0.0.1 dev eth0 [tos 0x10]"},
      {"10.0.0.0/8 encap ip id 7 src 1.1.1.1 dst 2.2.2.2 ttl 0 via 10.0.0.1 dev eth0",
       "10.0.0.0/8 via 10.0.0.1 dev eth0 [encap ip id 7 src 1.1.1.1 dst 2.2.2.2 ttl 0]"},
      {"10.0.0.0/8 nhid 7 proto static", "10.0.0.0/8 proto static [nhid 7]"},
      {"default via 10.0.0.1 dev eth0 table customers",
       "0.0.0.0/0 via 10.0.0.1 dev eth0 table 0 [table customers]"},
      {"default via fe80::1 dev eth0 pref high", "::/0 via fe80::1 dev eth0 [pref high]"},
      {"default via 10.0.0.1 dev eth0 shiny", "0.0.0.0/0 via 10.0.0.1 dev eth0 [shiny]"},
  };
  for (const Case& c : kCases) {
    const auto result = reading<Route>(c.text, reader(Family::V4));
    ASSERT_EQ(result.rows.size(), 1u) << c.text << " " << result.first_message();
    EXPECT_EQ(show(result.rows[0].value), c.shown) << c.text;
    EXPECT_EQ(result.of(LineState::Unmodelled), 1u) << c.text;
  }
}

TEST(IpRoute, TakesTheTableAndFamilyOfTheCommand) {
  const auto result = reading<Route>("default dev a\n", reader(Family::V6, 16));
  ASSERT_EQ(result.rows.size(), 1u);
  EXPECT_EQ(show(result.rows[0].value), "::/0 dev a table 16");
}

TEST(IpRoute, ReadsBothFamiliesOfOneText) {
  const auto result = reading<Route>(
      "default dev a\n"
      "10.0.0.0/8 dev a\n"
      "fe80::/64 dev a\n"
      "default dev b\n",
      reader(Family::V4));
  ASSERT_EQ(result.rows.size(), 4u);
  EXPECT_EQ(show(result.rows[0].value), "0.0.0.0/0 dev a");
  EXPECT_EQ(show(result.rows[3].value), "::/0 dev b");
}

TEST(IpRoute, JoinsNexthopLines) {
  constexpr std::string_view kText =
      "default proto static metric 100 \n"
      "\tnexthop via 10.0.0.1 dev a weight 1 \n"
      "\tnexthop via 10.0.0.2 dev b weight 5 linkdown \n"
      "10.0.0.0/8 dev a\n";
  const auto result = reading<Route>(kText, reader(Family::V4));
  ASSERT_EQ(result.rows.size(), 2u);
  EXPECT_EQ(show(result.rows[0].value),
            "0.0.0.0/0 via 10.0.0.1 dev a via 10.0.0.2 dev b weight 5 linkdown proto static metric 100");
  EXPECT_EQ(kText.substr(result.rows[0].at.span.end, 4), "\n10.");
  EXPECT_EQ(result.of(LineState::Modelled), 4u);
}

TEST(IpRoute, LearnsTheFamilyFromANexthopLine) {
  const auto result =
      reading<Route>("default metric 1024 \n\tnexthop via fe80::1 dev a weight 1\n", reader(Family::V4));
  ASSERT_EQ(result.rows.size(), 1u);
  EXPECT_EQ(show(result.rows[0].value), "::/0 via fe80::1 dev a metric 1024");
}

TEST(IpRoute, KeepsARouteWithABadNexthopButDoesNotTrustIt) {
  const auto result = reading<Route>("default\n\tnexthop via 10.0.0.1 dev a weight 1\n\tnexthop via 10.0",
                                     reader(Family::V4));
  ASSERT_EQ(result.rows.size(), 1u);
  EXPECT_EQ(show(result.rows[0].value), "0.0.0.0/0 via 10.0.0.1 dev a [nexthop]");
  EXPECT_EQ(result.of(LineState::Unrecognised), 1u);
}

TEST(IpRoute, SaysWhatIsWrong) {
  test::expect_bad<Route>(
      {
          {"RTNETLINK answers: No such process", "expected a destination, found 'RTNETLINK'"},
          {"10.0.0.0/24", "expected 'dev' and a device, found the end of the line"},
          {"default via 10.0.0.1", "expected 'dev' and a device, found the end of the line"},
          {"default via 10.0.0. dev a", "expected a gateway, found '10.0.0.'"},
          {"default via 10.0.0.1 dev", "expected a device, found the end of the line"},
          {"10.0.0.0/33 dev a", "expected a destination, found '10.0.0.0/33'"},
          {"default dev a src", "expected an address, found the end of the line"},
          {"default dev a mtu x", "expected an MTU, found 'x'"},
          {"default dev a metric -1", "expected a metric, found '-1'"},
          {"\tnexthop via 10.0.0.1 dev a weight 1",
           "expected a route before its next hops, found the end of the line"},
          {"unreachable", "expected a destination, found the end of the line"},
      },
      reader(Family::V4));
}

TEST(IpRouteJson, ReadsEveryForm) {
  constexpr Case kCases[] = {
      {R"([{"dst":"default","gateway":"10.0.0.1","dev":"a","table":"16","protocol":"static","flags":["linkdown"]}])",
       "0.0.0.0/0 via 10.0.0.1 dev a linkdown table 16 proto static"},
      {R"([{"type":"local","dst":"::1","dev":"lo","table":"local","protocol":"kernel","metric":0,"flags":[],"pref":"medium"}])",
       "local ::1/128 dev lo table 255 proto kernel"},
      {R"([{"dst":"10.0.0.0/8","dev":"a","prefsrc":"10.0.0.2","scope":"link","metric":7,"flags":[],"metrics":[{"mtu":1400}]}])",
       "10.0.0.0/8 dev a scope link src 10.0.0.2 metric 7 mtu 1400"},
      {R"([{"dst":"default","flags":[],"nexthops":[{"gateway":"10.0.0.1","dev":"a","weight":2,"flags":[]},)"
       R"({"via":{"family":"inet6","host":"fe80::1"},"dev":"b","weight":1,"flags":["onlink"]}]}])",
       "0.0.0.0/0 via 10.0.0.1 dev a weight 2 via fe80::1 dev b onlink"},
      {R"([{"dst":"default","via":{"family":"inet6","host":"fe80::1"},"dev":"b","flags":[]}])",
       "0.0.0.0/0 via fe80::1 dev b"},
      {R"([{"type":"unreachable","dst":"default","dev":"lo","metric":4294967295,"error":4294967195,"pref":"medium"}])",
       "unreachable ::/0 metric 4294967295"},
      {R"([{"dst":"10.0.0.0/8","nhid":4,"flags":[]}])", "10.0.0.0/8 [nhid 4]"},
      {R"([{"dst":"10.0.0.0/8","encap":"mpls","dev":"a","flags":[]}])", "10.0.0.0/8 dev a [encap]"},
  };
  for (const Case& c : kCases) {
    const auto result = reading<Route>(c.text, json_reader(Family::V4));
    ASSERT_EQ(result.rows.size(), 1u) << c.text << " " << result.first_message();
    EXPECT_EQ(show(result.rows[0].value), c.shown);
    EXPECT_EQ(result.of(LineState::Modelled), 1u);
  }
}

TEST(IpRouteJson, SaysWhatIsWrong) {
  for (const std::string_view text :
       {"[{\"dst\":\"default\"}]", "[{\"dev\":\"a\"}]", "[{\"dst\":\"x\",\"dev\":\"a\"}]",
        "[{\"dst\":\"default\",\"nexthops\":[]}]", "[{\"dst\":[],\"dev\":{}}]", "[[]]"}) {
    const auto result = reading<Route>(text, json_reader(Family::V4));
    EXPECT_EQ(result.of(LineState::Unrecognised), 1u) << text;
    EXPECT_TRUE(result.rows.empty()) << text;
  }
}

TEST(RouteN, ReadsEveryForm) {
  constexpr Case kCases[] = {
      {"0.0.0.0         10.0.0.1        0.0.0.0         UG    100    0        0 eth0",
       "0.0.0.0/0 via 10.0.0.1 dev eth0 metric 100"},
      {"169.254.108.36  0.0.0.0         255.255.255.254 U     0      0        0 rfp-1",
       "169.254.108.36/31 dev rfp-1"},
      {"169.254.169.254 192.168.0.1     255.255.255.255 UGH   0      0        0 eth0",
       "169.254.169.254/32 via 192.168.0.1 dev eth0"},
      {"10.9.0.0        -               255.255.0.0     !     0      -        0 -",
       "unreachable 10.9.0.0/16"},
  };
  for (const Case& c : kCases) {
    const std::string text =
        "Kernel IP routing table\nDestination Gateway Genmask Flags Metric Ref Use Iface\n" +
        std::string(c.text);
    const auto result = reading<Route>(text, read_route_n);
    ASSERT_EQ(result.rows.size(), 1u) << c.text << " " << result.first_message();
    EXPECT_EQ(show(result.rows[0].value), c.shown);
  }
}

TEST(RouteN, ReadsIpv6AndNetstat) {
  const auto six = reading<Route>(
      "Kernel IPv6 routing table\n"
      "Destination                    Next Hop                   Flag Met Ref Use If\n"
      "fe80::/64                      [::]                       U    256 2     0 eth0\n"
      "[::]/0                         fe80::1                    UG   1024 1     0 eth0\n",
      read_route_n);
  ASSERT_EQ(six.rows.size(), 2u) << six.first_message();
  EXPECT_EQ(show(six.rows[0].value), "fe80::/64 dev eth0 metric 256");
  EXPECT_EQ(show(six.rows[1].value), "::/0 via fe80::1 dev eth0 metric 1024");
  const auto netstat = reading<Route>(
      "Destination     Gateway         Genmask         Flags   MSS Window  irtt Iface\n"
      "0.0.0.0         10.0.0.1        0.0.0.0         UG     1400 0          0 eth0\n",
      read_route_n);
  ASSERT_EQ(netstat.rows.size(), 1u);
  EXPECT_EQ(netstat.rows[0].value.metric, 0u);
}

TEST(RouteN, SaysWhatIsWrong) {
  test::expect_bad<Route>(
      {
          {"bash: route: command not found", "expected a destination, found 'bash:'"},
          {"10.0.0.0 0.0.0.0 255.0.255.0 U 0 0 0 a", "expected a network mask, found '255.0.255.0'"},
          {"10.0.0.0 x 255.0.0.0 U 0 0 0 a", "expected a gateway, found 'x'"},
          {"10.0.0.0 0.0.0.0 255.0.0.0 U 0 0", "expected a count, found the end of the line"},
          {"10.0.0.0 0.0.0.0 255.0.0.0 U 0 0 0", "expected a device, found the end of the line"},
      },
      read_route_n);
}

TEST(IpRouteShared, ReadsEveryDumpAlike) {
  if (test::shared_folder().empty()) GTEST_SKIP() << "DVRTRACE_SHARED is not set";
  test::expect_all_read<Route>(
      {"ip_route", "ip_route_show", "ip_route_show_table_all", "ip_-4_route_show_table_all",
       "ip_route_table_main", "ip_route_table_16", "ip_route_list_table_16", "ip_route_show_table_16",
       "ip_r_show_table_16", "ip_route_table_167772417"},
      reader(Family::V4));
  test::expect_all_read<Route>({"ip_-6_route_show_table_all"}, reader(Family::V6));
  test::expect_all_read<Route>({"route_-n"}, read_route_n);
  const auto same = [](const auto& path, const auto& text, const auto& json) {
    EXPECT_EQ(text, json) << path;
  };
  test::expect_agreement<Route>("ip_route_show_table_all", "ip_-j_route_show_table_all", reader(Family::V4),
                                json_reader(Family::V4), same);
  test::expect_agreement<Route>("ip_-6_route_show_table_all", "ip_-j_-6_route_show_table_all",
                                reader(Family::V6), json_reader(Family::V6), same);
  test::expect_agreement<Route>("ip_route", "ip_-j_route", reader(Family::V4), json_reader(Family::V4), same);
}

}  // namespace
}  // namespace dvrtrace
