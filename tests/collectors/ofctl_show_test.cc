#include "collectors/ofctl_show.h"

#include "tests/collectors/ovs_reading.h"

namespace dvrtrace {
namespace {

constexpr std::string_view kShow = R"(OFPT_FEATURES_REPLY (OF1.3) (xid=0x2): dpid:000056500f160946
n_tables:254, n_buffers:0
capabilities: FLOW_STATS TABLE_STATS
OFPST_PORT_DESC reply (OF1.3) (xid=0x3):
 1(patch-int): addr:ee:dd:70:4c:4a:b7
     config:     0
     state:      LIVE
     current:    10GB-FD COPPER
     speed: 0 Mbps now, 0 Mbps max
 2(qvo-1 (x) y): addr:9a:c2:01:42:91:09
     config:     PORT_DOWN NO_RECV NO_FLOOD NO_FWD NO_PACKET_IN
     state:      LINK_DOWN
 3("7"): addr:86:0b:e4:ce:ed:45
 LOCAL(br-tun): addr:56:50:0f:16:09:46
OFPT_GET_CONFIG_REPLY (OF1.3) (xid=0x5): frags=nx-match miss_send_len=0
)";

TEST(OfctlShow, PortsAndFlags) {
  Reading reading(kShow);
  const BridgeFeatures features = read_ofctl_show(reading.text, reading.log);
  EXPECT_EQ(reading.first_message(), "");
  EXPECT_EQ(features.datapath_id, 0x56500f160946u);
  EXPECT_EQ(features.frags, "nx-match");
  ASSERT_EQ(features.ports.size(), 4u);
  const PortDesc& first = features.ports[0].value;
  EXPECT_EQ(first.number, Ofport{1});
  EXPECT_EQ(first.name, "patch-int");
  EXPECT_EQ(first.mac, parse_mac("ee:dd:70:4c:4a:b7"));
  EXPECT_FALSE(first.port_down || first.link_down || first.no_flood);
  const PortDesc& second = features.ports[1].value;
  EXPECT_EQ(second.name, "qvo-1 (x) y");
  EXPECT_TRUE(second.port_down && second.no_recv && second.no_flood && second.no_fwd && second.no_packet_in &&
              second.link_down);
  EXPECT_EQ(features.ports[2].value.name, "7");
  EXPECT_EQ(features.ports[3].value.number, kPortLocal);
  EXPECT_EQ(lines_of(reading.text.at(features.ports[1].at.span)).count(), 3u);
  EXPECT_TRUE(reading.counted());
  EXPECT_EQ(reading.of(LineState::Ignored), 5u);
}

TEST(OfctlShow, Faults) {
  struct Case {
    std::string_view text, message;
  };
  const Case cases[] = {
      {" 3(qvo", "expected a port 'NUMBER(NAME): addr:MAC', found ' 3(qvo'"},
      {" x(tap): addr:00:00:00:00:00:01", "expected a port number, found ' x(tap): addr:00:00:00:00:00:01'"},
      {" 3(tap): addr:00:00", "expected a MAC address after 'addr:', found ' 3(tap): addr:00:00'"},
      {"     config:     0", "expected a port before its configuration, found '     config:     0'"},
      {"ovs-ofctl: br-x is not a bridge or a socket",
       "expected a port 'NUMBER(NAME): addr:MAC', found 'ovs-ofctl: br-x is not a bridge or a socket'"},
  };
  for (const Case& c : cases) {
    Reading reading(c.text);
    read_ofctl_show(reading.text, reading.log);
    EXPECT_EQ(reading.first_message(), c.message);
    EXPECT_EQ(reading.of(LineState::Unrecognised), 1u);
  }
}

TEST(OfctlShow, PortNumbers) {
  struct Case {
    std::string_view text;
    std::optional<Ofport> port;
  };
  const Case cases[] = {{"1", Ofport{1}},           {"LOCAL", kPortLocal},           {"65534", kPortLocal},
                        {"4294967294", kPortLocal}, {"CONTROLLER", kPortController}, {"", std::nullopt},
                        {"-1", std::nullopt},       {"tap1", std::nullopt}};
  for (const Case& c : cases) EXPECT_EQ(parse_ofport(c.text), c.port) << c.text;
}

TEST(OfctlShow, IsTotal) {
  expect_total(kShow, [](Reading& r) { read_ofctl_show(r.text, r.log); });
}

TEST(OfctlShow, SharedFilesAreUnderstood) {
  if (shared_data().empty()) GTEST_SKIP() << "DVRTRACE_SHARED is not set";
  std::size_t ports = 0;
  for (const char* root :
       {"lab/ovsfw/hosts", "lab/hybrid/hosts", "lab/ha6/hosts", "public", "ovs-cases/cases"}) {
    for (const char* part : {"_show_br", "dump-ports-desc", "show-br"}) {
      for (const auto& path : files_named(shared_data() / root, part)) {
        const std::string name = path.filename().string();
        const std::string bytes = bytes_of(path);
        if (name.find("appctl") != std::string::npos || bytes.find("\novs-ofctl: ") != std::string::npos)
          continue;
        Reading reading(bytes);
        ports += read_ofctl_show(reading.text, reading.log).ports.size();
        EXPECT_EQ(reading.of(LineState::Unrecognised), 0u) << path << reading.first_message();
        EXPECT_TRUE(reading.counted());
      }
    }
  }
  EXPECT_GT(ports, 1000u);
}

}  // namespace
}  // namespace dvrtrace
