#include "collectors/dpif_show.h"

#include "tests/collectors/ovs_reading.h"

namespace dvrtrace {
namespace {

constexpr std::string_view kShow = R"(system@ovs-system: hit:1427 missed:665
  br-int:
    br-int 65534/7: (internal)
    patch tun 3/none: (patch: peer=patch-int)
  br-tun:
    vxlan-ac1f000c 3/11: (vxlan: egress_pkt_mark=0, key=flow, remote_ip=172.31.0.12)
)";

TEST(DpifShow, Ports) {
  Reading reading(kShow);
  const auto ports = read_dpif_show(reading.text, reading.log);
  EXPECT_EQ(reading.first_message(), "");
  ASSERT_EQ(ports.size(), 3u);
  EXPECT_EQ(ports[0].bridge, "br-int");
  EXPECT_EQ(ports[0].ofport, kPortLocal);
  EXPECT_EQ(ports[0].datapath_port, 7u);
  EXPECT_EQ(ports[0].type, "internal");
  EXPECT_EQ(ports[1].name, "patch tun");
  EXPECT_FALSE(ports[1].datapath_port);
  EXPECT_EQ(ports[1].options, (StringMap{{"peer", "patch-int"}}));
  EXPECT_EQ(ports[2].bridge, "br-tun");
  EXPECT_EQ(ports[2].options.at("remote_ip"), "172.31.0.12");
  EXPECT_TRUE(reading.counted());
  EXPECT_EQ(reading.of(LineState::Ignored), 1u);
}

TEST(DpifShow, OldReleasesCountPerBridge) {
  Reading reading(
      "system@ovs-system: hit:17 missed:2\n"
      "\tflows: cur: 0, avg: 1, max: 5, life span: 7ms\n"
      "\tbr-int: hit:17 missed:2\n"
      "\t\ttap1 5/12: (system)\n");
  const auto ports = read_dpif_show(reading.text, reading.log);
  ASSERT_EQ(ports.size(), 1u);
  EXPECT_EQ(ports[0].bridge, "br-int");
  EXPECT_TRUE(reading.diagnostics.empty());
}

TEST(DpifShow, Faults) {
  for (const std::string_view line :
       {"tap1 5/12: (sys", "tap1 x/12: (system)", "tap1 5/y: (system)", "5/1: (system)", "rubbish"}) {
    Reading reading(line);
    EXPECT_TRUE(read_dpif_show(reading.text, reading.log).empty()) << line;
    EXPECT_EQ(reading.first_message(),
              "expected a port 'NAME OFPORT/PORT: (TYPE)', found '" + std::string(line) + "'");
    EXPECT_EQ(reading.of(LineState::Unrecognised), 1u) << line;
  }
}

TEST(NameList, OneALine) {
  Reading reading(
      "br-ex\n2025-05-14T14:23:33Z|00001|vconn|WARN|x\nbr int\n\novs-vsctl: no bridge named br\n");
  EXPECT_EQ(read_name_list(reading.text, reading.log), (std::vector<std::string>{"br-ex", "br int"}));
  EXPECT_EQ(reading.of(LineState::Ignored), 2u);
  EXPECT_EQ(reading.of(LineState::Unrecognised), 1u);
  EXPECT_TRUE(reading.counted());
}

TEST(DpifShow, IsTotal) {
  expect_total(kShow, [](Reading& r) { read_dpif_show(r.text, r.log); });
}

TEST(DpifShow, SharedFilesAreUnderstood) {
  if (shared_data().empty()) GTEST_SKIP() << "DVRTRACE_SHARED is not set";
  std::size_t ports = 0;
  for (const char* root : {"lab", "ovs-cases/cases"}) {
    for (const char* part : {"dpif-show.txt", "dpif.show"}) {
      for (const auto& path : files_named(shared_data() / root, part)) {
        if (path.filename().string().find("features") != std::string::npos) continue;
        const std::string bytes = bytes_of(path);
        Reading reading(bytes);
        ports += read_dpif_show(reading.text, reading.log).size();
        EXPECT_EQ(reading.of(LineState::Unrecognised), 0u) << path << reading.first_message();
      }
    }
  }
  EXPECT_GT(ports, 1000u);
}

}  // namespace
}  // namespace dvrtrace
