#include "collectors/linux_bridge.h"

#include <gtest/gtest.h>

#include "tests/collectors/reading.h"

namespace dvrtrace {
namespace {

using kernel::BridgeFdbEntry;
using kernel::BridgePort;
using test::reading;

std::string show(const BridgePort& port) {
  std::string text = port.bridge + " " + port.device + " " + (port.state.empty() ? "?" : port.state);
  if (!port.learning) text += " no-learning";
  if (!port.flood) text += " no-flood";
  for (const std::string& word : port.unmodelled) text += " [" + word + "]";
  return text;
}

std::string show(const BridgeFdbEntry& entry) {
  std::string text =
      to_string(entry.mac) + " " + (entry.bridge.empty() ? "-" : entry.bridge) + " " + entry.device;
  if (entry.port_number) text += "port " + std::to_string(*entry.port_number);
  if (entry.vlan) text += " vlan " + std::to_string(*entry.vlan);
  if (entry.local) text += " local";
  return text;
}

struct Case {
  std::string_view text, shown;
};

template <class Row, class Read, std::size_t N>
void expect_each(const Case (&cases)[N], Read read) {
  for (const Case& c : cases) {
    const auto result = reading<Row>(c.text, read);
    ASSERT_EQ(result.rows.size(), 1u) << c.text << " " << result.first_message();
    EXPECT_EQ(show(result.rows[0].value), c.shown) << c.text;
    EXPECT_EQ(result.of(LineState::Unrecognised), 0u) << c.text << " " << result.first_message();
  }
}

auto read_macs(const SourceText& text, ReadLog& log) { return read_brctl_showmacs(text, "qbr1", log); }

#define TAP1 \
  "12: tap1@if2: <BROADCAST,UP,LOWER_UP> mtu 1450 master qbr1 state forwarding priority 32 cost 2 \n"

TEST(BridgeLink, ReadsEveryForm) {
  constexpr Case kCases[] = {
      {TAP1, "qbr1 tap1 forwarding"},
      {"12: tap1 state UP @eth0: <BROADCAST,UP,LOWER_UP> mtu 1450 master qbr1 state blocking priority 32 "
       "cost 2",
       "qbr1 tap1 blocking"},
      {"12: tap1 state UP : <BROADCAST,UP,LOWER_UP> mtu 1450 master qbr1 state disabled priority 32 cost 2",
       "qbr1 tap1 disabled"},
      {TAP1 "    hairpin off guard off learning off flood off mcast_flood on bcast_flood on isolated off "
            "locked off \n",
       "qbr1 tap1 forwarding no-learning no-flood"},
      {TAP1 "    hairpin on learning on flood on isolated on \n",
       "qbr1 tap1 forwarding [hairpin on] [isolated on]"},
      {TAP1 "    learning on shape round \n", "qbr1 tap1 forwarding [shape round]"},
  };
  expect_each<BridgePort>(kCases, read_bridge_link);
}

TEST(BridgeLink, PassesOverWhatIsNoPort) {
  for (const std::string_view line :
       {"3: br0: <BROADCAST,UP> mtu 1500 master br0", "4: enp1: <BROADCAST,UP> mtu 1500 hwmode VEB", "  "}) {
    const auto result = reading<BridgePort>(line, read_bridge_link);
    EXPECT_EQ(result.of(LineState::Ignored), 1u) << line;
    EXPECT_TRUE(result.rows.empty()) << line;
  }
}

TEST(BridgeLink, SaysWhatIsWrong) {
  test::expect_bad<BridgePort>(
      {
          {"Cannot find bridge device", "expected a port of a bridge, found 'Cannot'"},
          {"12: tap1@if2: <BROADCAST,UP", "expected a device's flags, found '<BROADCAST,UP'"},
          {"12: tap1@if2: <UP> mtu 1450",
           "expected 'master', a bridge, 'state' and a state, found the end of the line"},
          {"12: tap1@if2: <UP> mtu 1450 master", "expected a value, found the end of the line"},
          {"12: tap1@if2: <UP> mtu 1450 master qbr1",
           "expected 'master', a bridge, 'state' and a state, found the end of the line"},
          {"12: tap1@if2: <UP> mtu 1450 master qbr1 state for", "expected a port's state, found 'for'"},
          {"    hairpin off", "expected a port of a bridge, found 'hairpin'"},
      },
      read_bridge_link);
}

TEST(BridgeLinkJson, ReadsEveryForm) {
  constexpr Case kCases[] = {
      {R"([{"ifindex":12,"link":"e","ifname":"tap1","flags":["UP"],"mtu":1450,"master":"qbr1","state":"forwarding","priority":32,"cost":2}])",
       "qbr1 tap1 forwarding"},
      {R"([{"ifname":"tap1","master":"qbr1","state":"learning","hairpin":false,"learning":false,"flood":false,"isolated":true}])",
       "qbr1 tap1 learning no-learning no-flood [isolated on]"},
      {R"([{"ifname":"br0","master":"br0"},{"ifname":"enp1","hwmode":"VEB"},{"ifname":"a","master":"b","state":"forwarding"}])",
       "b a forwarding"},
  };
  expect_each<BridgePort>(kCases, read_bridge_link_json);
}

TEST(BridgeFdb, ReadsEveryForm) {
  constexpr Case kCases[] = {
      {"33:33:00:00:00:01 dev eth0 self permanent", "33:33:00:00:00:01 - eth0 local"},
      {"fe:16:3e:47:6e:95 dev tap1 master qbr1 permanent", "fe:16:3e:47:6e:95 qbr1 tap1 local"},
      {"fe:16:3e:47:6e:95 dev tap1 vlan 1 master qbr1 permanent", "fe:16:3e:47:6e:95 qbr1 tap1 vlan 1 local"},
      {"fa:16:3e:47:6e:95 dev tap1 vlan 0 used 3/5 master qbr1 ", "fa:16:3e:47:6e:95 qbr1 tap1"},
      {"fa:16:3e:47:6e:95 dev tap1 used 3/5 extern_learn offload master master qbr1 static",
       "fa:16:3e:47:6e:95 qbr1 tap1"},
      {"fa:16:3e:47:6e:95 dev tap1 self router sticky stale", "fa:16:3e:47:6e:95 - tap1"},
      {"fa:16:3e:47:6e:95 dev tap1 master permanent", "fa:16:3e:47:6e:95 - tap1 local"},
  };
  expect_each<BridgeFdbEntry>(kCases, read_bridge_fdb);
}

TEST(BridgeFdb, DoesNotModelRemoteEntries) {
  for (const std::string_view line :
       {"00:00:00:00:00:00 dev vxlan1 dst 10.0.0.1 port 4789 vni 5 via eth0 self permanent",
        "00:00:00:00:00:00 dev vxlan1 dst 10.0.0.1 via ifindex 7 link-netnsid 0 self permanent",
        "fa:16:3e:47:6e:95 dev tap1 locked master br0 stale"}) {
    const auto result = reading<BridgeFdbEntry>(line, read_bridge_fdb);
    EXPECT_EQ(result.of(LineState::Unmodelled), 1u) << line << result.first_message();
    EXPECT_TRUE(result.rows.empty());
  }
}

TEST(BridgeFdb, SaysWhatIsWrong) {
  test::expect_bad<BridgeFdbEntry>(
      {
          {"Cannot find bridge device", "expected a MAC address, found 'Cannot'"},
          {"fa:16:3e:47:6e:9", "expected a MAC address, found 'fa:16:3e:47:6e:9'"},
          {"fa:16:3e:47:6e:95 dev", "expected a device, found the end of the line"},
          {"fa:16:3e:47:6e:95 dev tap1",
           "expected 'dev' and a device, and 'self' or 'master', found the end of the line"},
          {"fa:16:3e:47:6e:95 dev tap1 self perman", "expected an attribute of an entry, found 'perman'"},
          {"fa:16:3e:47:6e:95 dev tap1 vlan x self", "expected a VLAN, found 'x'"},
      },
      read_bridge_fdb);
}

TEST(BridgeFdbJson, ReadsEveryForm) {
  constexpr Case kCases[] = {
      {R"([{"mac":"fe:16:3e:47:6e:95","ifname":"tap1","vlan":1,"flags":[],"master":"qbr1","state":"permanent"}])",
       "fe:16:3e:47:6e:95 qbr1 tap1 vlan 1 local"},
      {R"([{"mac":"33:33:00:00:00:01","ifname":"eth0","flags":["self"],"state":"permanent"}])",
       "33:33:00:00:00:01 - eth0 local"},
      {R"([{"mac":"33:33:00:00:00:01","ifname":"v","dst":"10.0.0.1","flags":["self"],"state":"permanent"},)"
       R"({"mac":"fa:16:3e:47:6e:95","ifname":"tap1","flags":[],"master":"qbr1","state":""}])",
       "fa:16:3e:47:6e:95 qbr1 tap1"},
  };
  expect_each<BridgeFdbEntry>(kCases, read_bridge_fdb_json);
}

TEST(BrctlShow, ReadsPortsAndBridgesWithout) {
  const auto result = reading<BridgePort>(
      "bridge name\tbridge id\t\tSTP enabled\tinterfaces\n"
      "qbr1\t\t8000.6e195112da70\tno\t\tqvb1\n"
      "\t\t\t\t\t\t\ttap1\n"
      "virbr0\t\t8000.52540033a2b1\tyes\t\t\n"
      "br9\t\t8000.52540033a2b2\tyes\t\teth9\n",
      read_brctl_show);
  ASSERT_EQ(result.rows.size(), 3u) << result.first_message();
  EXPECT_EQ(show(result.rows[0].value), "qbr1 qvb1 forwarding");
  EXPECT_EQ(show(result.rows[1].value), "qbr1 tap1 forwarding");
  EXPECT_EQ(show(result.rows[2].value), "br9 eth9 ?");
  EXPECT_EQ(result.of(LineState::Ignored), 2u);
}

TEST(BrctlShow, SaysWhatIsWrong) {
  test::expect_bad<BridgePort>(
      {
          {"brctl: command not found", "expected a bridge's id, found 'command'"},
          {"\t\t\ttap1", "expected a bridge, found 'tap1'"},
          {"qbr1 8000.6e195112da", "expected a bridge's id, found '8000.6e195112da'"},
          {"qbr1 8000.6e195112da70 n", "expected 'yes' or 'no', found 'n'"},
          {"qbr1 8000.6e195112da70 no tap1 tap2", "expected the end of the line, found 'tap2'"},
      },
      read_brctl_show);
}

TEST(BrctlShowmacs, ReadsEveryForm) {
  constexpr Case kCases[] = {
      {"  1\t22:be:2d:16:17:5e\tyes\t\t   0.00", "22:be:2d:16:17:5e qbr1 port 1 local"},
      {"port no\tmac addr\t\tis local?\tageing timer\n  2\tfa:16:3e:47:a4:ab\tno\t\t   3.21",
       "fa:16:3e:47:a4:ab qbr1 port 2"},
  };
  expect_each<BridgeFdbEntry>(kCases, read_macs);
}

TEST(BrctlShowmacs, SaysWhatIsWrong) {
  test::expect_bad<BridgeFdbEntry>(
      {
          {"read of forward table failed: No such device", "expected a port's number, found 'read'"},
          {"1 22:be:2d:16", "expected a MAC address, found '22:be:2d:16'"},
          {"1 22:be:2d:16:17:5e maybe 0.00", "expected 'yes' or 'no', found 'maybe'"},
          {"1 22:be:2d:16:17:5e yes", "expected an age, found the end of the line"},
      },
      read_macs);
}

TEST(LinuxBridgeShared, ReadsEveryDumpAlike) {
  if (test::shared_folder().empty()) GTEST_SKIP() << "DVRTRACE_SHARED is not set";
  test::expect_all_read<BridgePort>({"bridge_link", "bridge_-d_link"}, read_bridge_link);
  test::expect_all_read<BridgeFdbEntry>({"bridge_fdb", "bridge_fdb_show"}, read_bridge_fdb);
  test::expect_all_read<BridgePort>({"brctl_show"}, read_brctl_show);
  const auto same = [](const auto& path, const auto& text, const auto& json) {
    EXPECT_EQ(text, json) << path;
  };
  test::expect_agreement<BridgePort>("bridge_link", "bridge_-j_link", read_bridge_link, read_bridge_link_json,
                                     same);
  test::expect_agreement<BridgePort>("bridge_-d_link", "bridge_-j_link", read_bridge_link,
                                     read_bridge_link_json, same);
  test::expect_agreement<BridgeFdbEntry>("bridge_fdb_show", "bridge_-j_fdb_show", read_bridge_fdb,
                                         read_bridge_fdb_json, same);
}

}  // namespace
}  // namespace dvrtrace
