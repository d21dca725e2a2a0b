#include "collectors/ip_link.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/collectors/reading.h"

namespace dvrtrace {
namespace {

using kernel::Link;
using test::reading;

std::string show(const kernel::Address& address) {
  std::string text = to_string(address.ip);
  if (address.peer) text += " peer " + to_string(*address.peer);
  text += "/" + std::to_string(address.length) + " " + address.scope;
  if (address.secondary) text += " secondary";
  if (address.tentative) text += " tentative";
  return text;
}

std::string show(const Link& link) {
  std::string text = std::to_string(link.index) + " " + link.name;
  if (!link.peer.empty()) text += "@" + link.peer;
  text += std::string(link.up ? " up" : " down") + (link.lower_up ? "" : " no-carrier") +
          (link.arp ? "" : " noarp") + (link.loopback ? " loopback" : "");
  if (link.mtu != 0) text += " mtu " + std::to_string(link.mtu);
  if (!link.kind.empty()) text += " kind " + link.kind;
  if (!link.master.empty()) text += " master " + link.master;
  if (!link.link_netns.empty()) text += " netns " + link.link_netns;
  if (link.link_netnsid) text += " netnsid " + std::to_string(*link.link_netnsid);
  if (link.mac) text += " " + to_string(*link.mac);
  if (link.vlan_id) text += " vlan " + std::to_string(*link.vlan_id);
  if (link.bridge_ageing) text += " ageing " + std::to_string(*link.bridge_ageing);
  if (link.vlan_filtering) text += *link.vlan_filtering ? " filtering" : " not filtering";
  for (const auto& address : link.addresses) text += ", " + show(address.value);
  for (const std::string& word : link.unmodelled) text += " [" + word + "]";
  return text;
}

struct Case {
  std::string_view text, shown;
};

template <class Read, std::size_t N>
void expect_each(const Case (&cases)[N], Read read) {
  for (const Case& c : cases) {
    const auto result = reading<Link>(c.text, read);
    ASSERT_EQ(result.rows.size(), 1u) << c.text << " " << result.first_message();
    EXPECT_EQ(show(result.rows[0].value), c.shown) << c.text;
    EXPECT_EQ(result.of(LineState::Unrecognised), 0u) << c.text << " " << result.first_message();
  }
}

#define ETH0 "2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP\n"

TEST(IpLink, ReadsTheFirstLine) {
  constexpr Case kCases[] = {
      {"1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN group default qlen 1000",
       "1 lo up loopback mtu 65536"},
      {"17: qr-ddbdc784-d7: <BROADCAST,UP,LOWER_UP> mtu 1450 qdisc noqueue state UNKNOWN",
       "17 qr-ddbdc784-d7 up mtu 1450"},
      {"2: eth0@if8: <NO-CARRIER,BROADCAST,UP> mtu 1500 qdisc noqueue state DOWN",
       "2 eth0@if8 up no-carrier mtu 1500"},
      {"6: br-tun: <BROADCAST,MULTICAST> mtu 1500 qdisc noop state DOWN",
       "6 br-tun down no-carrier mtu 1500"},
      {"12: tap1@if2: <UP,LOWER_UP,M-DOWN> mtu 1450 qdisc noqueue master qbr1 state UP mode DEFAULT",
       "12 tap1@if2 up mtu 1450 master qbr1"},
      {"7: tun0: <POINTOPOINT,NOARP,UP,LOWER_UP> mtu 1400 qdisc fq state UNKNOWN",
       "7 tun0 up noarp mtu 1400"},
      {"8: e: <UP,LOWER_UP> mtu 1500 xdpgeneric/id:9 qdisc mq state UP", "8 e up mtu 1500 [xdp]"},
  };
  expect_each(kCases, read_ip_addr);
}

TEST(IpLink, ReadsTheLinesOfALink) {
  constexpr Case kCases[] = {
      {ETH0 "    link/ether fa:16:3e:66:13:af brd ff:ff:ff:ff:ff:ff link-netnsid 3\n",
       "2 eth0 up mtu 1500 netnsid 3 fa:16:3e:66:13:af"},
      {ETH0 "    link/ether fa:16:3e:66:13:af brd ff:ff:ff:ff:ff:ff link-netns qrouter-1\n",
       "2 eth0 up mtu 1500 netns qrouter-1 fa:16:3e:66:13:af"},
      {ETH0 "    link/ether fa:16:3e:66:13:af brd ff:ff:ff:ff:ff:ff protodown on\n",
       "2 eth0 up mtu 1500 fa:16:3e:66:13:af [protodown]"},
      {ETH0 "    link/none \n", "2 eth0 up mtu 1500"},
      {ETH0 "    link/sit 0.0.0.0 brd 0.0.0.0\n", "2 eth0 up mtu 1500"},
      {ETH0 "    inet 10.0.1.1/24 brd 10.0.1.255 scope global eth0\n       valid_lft forever preferred_lft "
            "forever\n",
       "2 eth0 up mtu 1500, 10.0.1.1/24 global"},
      {ETH0
       "    inet 10.0.1.2/24 metric 100 brd 10.0.1.255 scope global secondary dynamic noprefixroute eth0\n",
       "2 eth0 up mtu 1500, 10.0.1.2/24 global secondary"},
      {ETH0 "    inet 10.0.1.1 peer 10.0.1.2/32 scope global eth0\n",
       "2 eth0 up mtu 1500, 10.0.1.1 peer 10.0.1.2/32 global"},
      {ETH0 "    inet6 fe80::1/64 scope link tentative dadfailed\n",
       "2 eth0 up mtu 1500, fe80::1/64 link tentative"},
      {ETH0 "    inet6 2001:db8::1/64 scope global deprecated nodad proto kernel_ra\n",
       "2 eth0 up mtu 1500, 2001:db8::1/64 global"},
      {ETH0 "    altname enp1s0\n    alias uplink to spine\n", "2 eth0 up mtu 1500"},
  };
  expect_each(kCases, read_ip_addr);
}

TEST(IpLink, ReadsTheKind) {
  constexpr Case kCases[] = {
      {ETH0 "    link/ether fa:16:3e:66:13:af brd ff:ff:ff:ff:ff:ff promiscuity 0 \n    veth addrgenmode "
            "eui64 numtxqueues 2\n",
       "2 eth0 up mtu 1500 kind veth fa:16:3e:66:13:af"},
      {ETH0 "    vlan protocol 802.1Q id 100 <REORDER_HDR> addrgenmode eui64\n",
       "2 eth0 up mtu 1500 kind vlan vlan 100"},
      {ETH0 "    vxlan id 42 remote 10.0.0.1 dev eth0\n", "2 eth0 up mtu 1500 kind vxlan"},
      {ETH0 "    bridge forward_delay 0 ageing_time 30000 stp_state 0 vlan_filtering 1 bridge_id "
            "8000.1:2:3:4:5:6\n",
       "2 eth0 up mtu 1500 kind bridge ageing 30000 filtering"},
      {ETH0 "    link/ether fa:16:3e:66:13:af brd ff:ff:ff:ff:ff:ff promiscuity 1 \n    newkind option 1\n   "
            " bridge_slave state forwarding\n",
       "2 eth0 up mtu 1500 kind newkind fa:16:3e:66:13:af"},
      {ETH0 "    prog/xdp id 9 tag 3b185187f1855c4c\n", "2 eth0 up mtu 1500 [xdp]"},
  };
  expect_each(kCases, read_ip_addr);
}

TEST(IpLink, PassesOverStatistics) {
  constexpr Case kCases[] = {
      {ETH0 "    RX: bytes  packets  errors  dropped overrun mcast   \n    892050     4897     0       0     "
            "  0       0       \n"
            "    RX errors: length   crc     frame   fifo    missed\n               0        0       0       "
            "0       0       \n"
            "    TX:  bytes packets errors dropped carrier collsns           \n        892050    4897      0 "
            "      0       0       0 \n",
       "2 eth0 up mtu 1500"},
  };
  expect_each(kCases, read_ip_addr);
}

TEST(IpLink, ReadsOneLineForms) {
  const auto result = reading<Link>(
      "1: lo    inet 127.0.0.1/8 scope host lo\\       valid_lft forever preferred_lft forever\n"
      "1: lo    inet6 ::1/128 scope host \\       valid_lft forever preferred_lft forever\n"
      "2: eth0@if8: <UP,LOWER_UP> mtu 1500 qdisc noqueue state UP \\    link/ether fa:16:3e:66:13:af brd "
      "ff:ff:ff:ff:ff:ff promiscuity 0 "
      "\\    veth addrgenmode eui64\n"
      "2: eth0    inet 10.0.0.1/24 scope global eth0\\       valid_lft forever preferred_lft forever\n",
      read_ip_addr);
  ASSERT_EQ(result.rows.size(), 2u) << result.first_message();
  EXPECT_EQ(show(result.rows[0].value), "1 lo up, 127.0.0.1/8 host, ::1/128 host");
  EXPECT_EQ(show(result.rows[1].value),
            "2 eth0@if8 up mtu 1500 kind veth fa:16:3e:66:13:af, 10.0.0.1/24 global");
  EXPECT_EQ(result.of(LineState::Modelled), 4u);
}

TEST(IpLink, KeepsThePlaces) {
  constexpr std::string_view kText = ETH0 "    inet 10.0.1.1/24 scope global eth0\n";
  const auto result = reading<Link>(kText, read_ip_addr);
  ASSERT_EQ(result.rows.size(), 1u);
  const Span link = result.rows[0].at.span, address = result.rows[0].value.addresses.at(0).at.span;
  EXPECT_EQ(kText.substr(link.begin, 7), "2: eth0");
  EXPECT_EQ(kText.substr(address.begin, 8), "    inet");
}

TEST(IpLink, SaysWhatIsWrong) {
  test::expect_bad<Link>(
      {
          {"Device \"eth9\" does not exist.", "expected the first line of a link, found 'Device'"},
          {"    link/ether fa:16:3e:66:13:af", "expected the first line of a link, found 'link/ether'"},
          {"2: eth0@if8", "expected a device and ':', found 'eth0@if8'"},
          {"2: eth0: <BROADCAST,MULT", "expected a device's flags, found '<BROADCAST,MULT'"},
          {"2: eth0: <UP>", "expected 'mtu', found '<UP>'"},
          {"2: eth0: <UP> mtu 15", "expected an MTU and the link's state, found '15'"},
          {"2: eth0: <UP> mtu x qdisc mq", "expected an MTU and the link's state, found 'x'"},
      },
      read_ip_addr);
}

TEST(IpLink, SaysWhatIsWrongInsideALink) {
  constexpr test::BadLine kLines[] = {
      {"    link/ether fa:16:3e:66:13:a", "expected a MAC address, found 'fa:16:3e:66:13:a'"},
      {"    link/ether", "expected a MAC address, found the end of the line"},
      {"    inet 10.0.1.", "expected an address, found '10.0.1.'"},
      {"    inet 10.0.1.1", "expected an address with its prefix length, found '10.0.1.1'"},
      {"    inet fe80::1/64 scope link", "expected an address, found 'fe80::1/64'"},
      {"    inet 10.0.1.1/33 scope link", "expected an address with its prefix length, found '10.0.1.1/33'"},
      {"    inet 10.0.1.1/24 brd 10.0.1.255", "expected a scope, found '10.0.1.255'"},
      {"    inet 10.0.1.1/24 brd 10.0.1.255 scope glo", "expected a scope, found 'glo'"},
      {"    link/ether fa:16:3e:66:13:af link-netns", "expected a namespace, found the end of the line"},
      {"    Nonsense", "expected a line of a link, found 'Nonsense'"},
  };
  for (const test::BadLine& line : kLines) {
    const auto result = reading<Link>(ETH0 + std::string(line.text), read_ip_addr);
    EXPECT_EQ(result.of(LineState::Unrecognised), 1u) << line.text;
    EXPECT_EQ(result.first_message(), line.message) << line.text;
    ASSERT_EQ(result.rows.size(), 1u);
    EXPECT_TRUE(result.rows[0].value.addresses.empty());
  }
}

// The addresses behind a bad first line are nobody's, not the link's before it.
TEST(IpLink, DoesNotGiveAddressesToTheWrongLink) {
  const auto result =
      reading<Link>(ETH0 "3: eth1: <UP\n    inet 10.0.1.1/24 scope global eth1\n", read_ip_addr);
  ASSERT_EQ(result.rows.size(), 1u);
  EXPECT_TRUE(result.rows[0].value.addresses.empty());
  EXPECT_EQ(result.of(LineState::Unrecognised), 2u);
}

TEST(IpLinkJson, ReadsEveryForm) {
  constexpr Case kCases[] = {
      {R"([{"ifindex":1,"ifname":"lo","flags":["LOOPBACK","UP","LOWER_UP"],"mtu":65536,"address":"00:00:00:00:00:00",)"
       R"("addr_info":[{"family":"inet","local":"127.0.0.1","prefixlen":8,"scope":"host","label":"lo"},{}]}])",
       "1 lo up loopback mtu 65536 00:00:00:00:00:00, 127.0.0.1/8 host"},
      {R"([{},{"ifindex":2,"link_index":8,"ifname":"e","flags":["NOARP"],"mtu":1500,"master":"b","link_netnsid":4,)"
       R"("linkinfo":{"info_kind":"veth"},"addr_info":[{"local":"10.0.0.1","address":"10.0.0.2","prefixlen":32,"scope":"global",)"
       R"("secondary":true,"tentative":true}]}])",
       "2 e@if8 down no-carrier noarp mtu 1500 kind veth master b netnsid 4, 10.0.0.1 peer 10.0.0.2/32 "
       "global secondary tentative"},
      {R"([{"ifindex":2,"link":"eth0","ifname":"eth0.5","flags":["UP"],"mtu":1500,"linkinfo":{"info_kind":"vlan","info_data":{"protocol":"802.1Q","id":5}}}])",
       "2 eth0.5@eth0 up no-carrier mtu 1500 kind vlan vlan 5"},
      {R"([{"ifindex":2,"link":null,"ifname":"b","flags":[],"mtu":9,"linkinfo":{"info_kind":"bridge","info_data":{"ageing_time":0,"vlan_filtering":0}}}])",
       "2 b@NONE down no-carrier mtu 9 kind bridge ageing 0 not filtering"},
  };
  expect_each(kCases, read_ip_addr_json);
}

TEST(IpLinkJson, SaysWhatIsWrong) {
  for (const std::string_view text :
       {"[{\"ifname\":\"e\"}]", "[{\"ifindex\":1}]", "[{\"ifindex\":1,\"ifname\":\"e\",\"addr_info\":{}}]",
        "[{\"ifindex\":1,\"ifname\":\"e\",\"addr_info\":[{\"local\":\"x\"}]}]",
        "[{\"ifindex\":1,\"ifname\":7}]"}) {
    const auto result = reading<Link>(text, read_ip_addr_json);
    EXPECT_EQ(result.of(LineState::Unrecognised), 1u) << text;
    EXPECT_TRUE(result.rows.empty()) << text;
  }
}

// The text names the namespace that JSON only numbers.
void expect_same(const std::filesystem::path& path, const test::Rows<Link>& text,
                 const test::Rows<Link>& json) {
  ASSERT_EQ(text.size(), json.size()) << path;
  for (std::size_t i = 0; i < text.size(); ++i) {
    Link expected = text[i].value;
    if (!expected.link_netns.empty()) {
      expected.link_netns.clear();
      expected.link_netnsid = json[i].value.link_netnsid;
    }
    EXPECT_EQ(show(expected), show(json[i].value)) << path;
    EXPECT_EQ(expected, json[i].value) << path;
  }
}

// Of an address only one form may have the kind, and `ip -o` none of the flags.
void expect_same_addresses(const std::filesystem::path& path, const test::Rows<Link>& lines,
                           const test::Rows<Link>& one_line) {
  for (const auto& link : one_line) {
    const auto same_index = [&](const auto& other) { return other.value.index == link.value.index; };
    const auto found = std::find_if(lines.begin(), lines.end(), same_index);
    ASSERT_NE(found, lines.end()) << path;
    EXPECT_EQ(found->value.addresses, link.value.addresses) << path;
  }
}

TEST(IpLinkShared, ReadsEveryDumpAlike) {
  if (test::shared_folder().empty()) GTEST_SKIP() << "DVRTRACE_SHARED is not set";
  test::expect_all_read<Link>({"ip_addr", "ip_a", "ip_-o_addr", "ip_-d_link", "ip_-d_address", "ip_-s_link",
                               "ip_-s_-d_link", "ip_addr_show_sg-1d0b51ca-38"},
                              read_ip_addr);
  test::expect_agreement<Link>("ip_addr", "ip_-j_addr", read_ip_addr, read_ip_addr_json, expect_same);
  test::expect_agreement<Link>("ip_-d_link", "ip_-j_-d_link", read_ip_addr, read_ip_addr_json, expect_same);
  test::expect_agreement<Link>("ip_addr", "ip_-o_addr", read_ip_addr, read_ip_addr, expect_same_addresses);
}

}  // namespace
}  // namespace dvrtrace
