#include "collectors/ip_neigh.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/collectors/reading.h"

namespace dvrtrace {
namespace {

using kernel::Neighbour;
using State = kernel::NeighbourState;
using test::reading;

std::string show(const Neighbour& neighbour) {
  constexpr std::string_view kNames[] = {"PERMANENT", "NOARP",  "REACHABLE",  "STALE", "DELAY",
                                         "PROBE",     "FAILED", "INCOMPLETE", "NONE"};
  std::string text = to_string(neighbour.ip) + " " + neighbour.device;
  if (neighbour.mac) text += " " + to_string(*neighbour.mac);
  if (neighbour.router) text += " router";
  if (neighbour.proxy) text += " proxy";
  return text + " " + std::string(kNames[static_cast<std::size_t>(neighbour.state)]);
}

struct Case {
  std::string_view text, shown;
};

template <class Read, std::size_t N>
void expect_each(const Case (&cases)[N], Read read) {
  for (const Case& c : cases) {
    const auto result = reading<Neighbour>(c.text, read);
    ASSERT_EQ(result.rows.size(), 1u) << c.text << " " << result.first_message();
    EXPECT_EQ(show(result.rows[0].value), c.shown) << c.text;
    EXPECT_TRUE(result.diagnostics.empty()) << c.text << " " << result.first_message();
  }
}

TEST(IpNeigh, KnowsHowOldAnEntryIs) {
  const auto age = [](std::string_view text) {
    return reading<Neighbour>(text, read_ip_neigh).rows.at(0).value.age;
  };
  EXPECT_EQ(age("10.0.1.5 dev qr-1 lladdr fa:16:3e:da:75:6d  used 334/310/335probes 0 PERMANENT "), 335u);
  EXPECT_EQ(age("10.0.1.5 dev qr-1 lladdr fa:16:3e:da:75:6d  ref 1 used 16/5/17 probes 1 REACHABLE "), 17u);
  EXPECT_EQ(age("10.0.1.5 dev qr-1 lladdr fa:16:3e:da:75:6d PERMANENT"), std::nullopt);
}

TEST(IpNeigh, ReadsEveryForm) {
  constexpr Case kCases[] = {
      {"10.0.1.5 dev qr-1 lladdr fa:16:3e:da:75:6d PERMANENT", "10.0.1.5 qr-1 fa:16:3e:da:75:6d PERMANENT"},
      {"fe80::1 dev qr-1 lladdr fa:16:3e:da:75:6d router STALE ",
       "fe80::1 qr-1 fa:16:3e:da:75:6d router STALE"},
      {"10.0.1.6 dev qr-1  FAILED", "10.0.1.6 qr-1 FAILED"},
      {"10.0.1.6 dev qr-1  INCOMPLETE", "10.0.1.6 qr-1 INCOMPLETE"},
      {"10.0.1.5 dev qr-1 lladdr fa:16:3e:da:75:6d  used 334/310/334probes 0 PERMANENT ",
       "10.0.1.5 qr-1 fa:16:3e:da:75:6d PERMANENT"},
      {"10.0.1.5 dev qr-1 lladdr fa:16:3e:da:75:6d  ref 1 used 16/5/16probes 1 REACHABLE ",
       "10.0.1.5 qr-1 fa:16:3e:da:75:6d REACHABLE"},
      {"10.0.1.5 dev qr-1 lladdr fa:16:3e:da:75:6d used 16/5/16 probes 1 DELAY",
       "10.0.1.5 qr-1 fa:16:3e:da:75:6d DELAY"},
      {"10.0.1.9 dev eth0 proxy", "10.0.1.9 eth0 proxy NONE"},
      {"10.0.1.5 dev e lladdr fa:16:3e:da:75:6d extern_learn  proto zebra",
       "10.0.1.5 e fa:16:3e:da:75:6d NONE"},
      {"10.0.1.5 dev e lladdr fa:16:3e:da:75:6d managed offload PROBE proto static",
       "10.0.1.5 e fa:16:3e:da:75:6d PROBE"},
      {"0.0.0.0 dev lo lladdr 00:00:00:00:00:00 NOARP", "0.0.0.0 lo 00:00:00:00:00:00 NOARP"},
      {"10.0.1.5 dev gre1 lladdr 192.0.2.1 NOARP", "10.0.1.5 gre1 NOARP"},
  };
  expect_each(kCases, read_ip_neigh);
}

TEST(IpNeigh, SaysWhatIsWrong) {
  test::expect_bad<Neighbour>(
      {
          {"Object \"neigh\" is unknown", "expected an address, found 'Object'"},
          {"10.0.1.5", "expected 'dev' and a device, found the end of the line"},
          {"10.0.1.5 dev", "expected a device, found the end of the line"},
          {"10.0.1.5 dev qr-ddb", "expected the state of a neighbour, found the end of the line"},
          {"10.0.1.5 dev e lladdr fa:16:3e:da:75:6", "expected a MAC address, found 'fa:16:3e:da:75:6'"},
          {"10.0.1.5 dev e lladdr fa:16:3e:da:75:6d",
           "expected the state of a neighbour, found the end of the line"},
          {"10.0.1.5 dev e lladdr fa:16:3e:da:75:6d PERMA",
           "expected a property or the state of a neighbour, found 'PERMA'"},
          {"10.0.1.5 dev e used", "expected a value, found the end of the line"},
          {"10.0.1.5 lladdr fa:16:3e:da:75:6d STALE",
           "expected 'dev' and a device, found the end of the line"},
      },
      read_ip_neigh);
}

TEST(IpNeighJson, ReadsEveryForm) {
  constexpr Case kCases[] = {
      {R"([{"dst":"10.0.0.1","dev":"e","lladdr":"fa:16:3e:da:75:6d","state":["REACHABLE"]}])",
       "10.0.0.1 e fa:16:3e:da:75:6d REACHABLE"},
      {R"([{"dst":"fe80::1","dev":"e","lladdr":"fa:16:3e:da:75:6d","router":null,"state":["STALE"]}])",
       "fe80::1 e fa:16:3e:da:75:6d router STALE"},
      {R"([{"dst":"10.0.0.1","dev":"e","proxy":null}])", "10.0.0.1 e proxy NONE"},
      {R"([{"dst":"10.0.0.1","dev":"e","state":["FAILED"]}])", "10.0.0.1 e FAILED"},
  };
  expect_each(kCases, read_ip_neigh_json);
}

TEST(IpNeighJson, SaysWhatIsWrong) {
  for (const std::string_view text :
       {"[{\"dev\":\"e\"}]", "[{\"dst\":\"10.0.0.1\"}]", "[{\"dst\":1,\"dev\":\"e\"}]",
        "[{\"dst\":\"10.0.0.1\",\"dev\":\"e\",\"lladdr\":\"fa:1\"}]"}) {
    const auto result = reading<Neighbour>(text, read_ip_neigh_json);
    EXPECT_EQ(result.of(LineState::Unrecognised), 1u) << text;
    EXPECT_TRUE(result.rows.empty()) << text;
  }
}

TEST(ArpN, ReadsEveryForm) {
  constexpr Case kCases[] = {
      {"192.168.100.2            ether   fa:16:3e:a3:93:e9   CM                    qr-1",
       "192.168.100.2 qr-1 fa:16:3e:a3:93:e9 PERMANENT"},
      {"169.254.106.115          ether   de:50:a0:c4:aa:21   C                     rfp-1",
       "169.254.106.115 rfp-1 de:50:a0:c4:aa:21 STALE"},
      {"10.0.0.3                         (incomplete)                              eth0",
       "10.0.0.3 eth0 INCOMPLETE"},
      {"10.0.0.7                 *       <from_interface>    MP                    eth0",
       "10.0.0.7 eth0 proxy NONE"},
  };
  expect_each(kCases, read_arp_n);
}

TEST(ArpN, SaysWhatIsWrong) {
  test::expect_bad<Neighbour>(
      {
          {"arp: command not found", "expected an address, found 'arp:'"},
          {"10.0.0.1 ether fa:16:3e:a3:93", "expected a MAC address, found 'fa:16:3e:a3:93'"},
          {"10.0.0.1 ether fa:16:3e:a3:93:e9 eth0", "expected flags, found 'eth0'"},
          {"10.0.0.1 ether fa:16:3e:a3:93:e9 C", "expected a device, found the end of the line"},
      },
      read_arp_n);
}

// Between two dumps an entry may grow old; which there are and their MACs stay.
void expect_same(const std::filesystem::path& path, const test::Rows<Neighbour>& text,
                 const test::Rows<Neighbour>& json) {
  ASSERT_EQ(text.size(), json.size()) << path;
  for (std::size_t i = 0; i < text.size(); ++i) {
    Neighbour expected = text[i].value;
    expected.state = json[i].value.state;
    EXPECT_EQ(show(expected), show(json[i].value)) << path;
  }
}

TEST(IpNeighShared, ReadsEveryDumpAlike) {
  if (test::shared_folder().empty()) GTEST_SKIP() << "DVRTRACE_SHARED is not set";
  test::expect_all_read<Neighbour>({"ip_neigh", "ip_nei", "ip_neigh_show_nud_all", "ip_-4_neigh_show",
                                    "ip_-6_neigh_show", "ip_-s_-s_neigh_show", "ip_neigh_show_proxy"},
                                   read_ip_neigh);
  test::expect_all_read<Neighbour>({"arp_-n"}, read_arp_n);
  test::expect_agreement<Neighbour>("ip_neigh", "ip_-j_neigh", read_ip_neigh, read_ip_neigh_json,
                                    expect_same);
}

}  // namespace
}  // namespace dvrtrace
