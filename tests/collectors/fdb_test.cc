#include "collectors/fdb.h"

#include "tests/collectors/ovs_reading.h"

namespace dvrtrace {
namespace {

constexpr std::string_view kTable =
    " port  VLAN  MAC                Age\n"
    "LOCAL     0  52:54:00:db:00:11   14\n"
    "    1  4095  52:54:00:db:00:21  300\n"
    "   12     5  00:00:00:00:00:aa  static\n";

TEST(Fdb, Entries) {
  Reading reading(kTable);
  const auto entries = read_fdb_show(reading.text, "br-int", reading.log);
  ASSERT_EQ(entries.size(), 3u);
  EXPECT_EQ(entries[0].value.port, kPortLocal);
  EXPECT_EQ(entries[0].value.age, 14u);
  EXPECT_EQ(entries[1].value.vlan, 4095);
  EXPECT_EQ(entries[2].value.mac, parse_mac("00:00:00:00:00:aa"));
  EXPECT_TRUE(entries[2].value.is_static);
  EXPECT_FALSE(entries[2].value.age);
  EXPECT_EQ(reading.text.at(entries[1].at.span), "    1  4095  52:54:00:db:00:21  300");
  EXPECT_EQ(reading.of(LineState::Ignored), 1u);
  EXPECT_TRUE(reading.counted());
}

TEST(Fdb, SeveralBridges) {
  Reading reading(
      "Bridge   Port  VLAN  MAC                Age\n"
      "br-ex       1     0  50:54:00:00:00:05    1\n"
      "            2     0  50:54:00:00:00:06    2\n"
      "br-int\n"
      "br-tun      3     0  50:54:00:00:00:07    3\n"
      "        LOCAL     0  50:54:00:00:00:08    4\n");
  const auto entries = read_fdb_show(reading.text, "br-tun", reading.log);
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[0].value.port, Ofport{3});
  EXPECT_EQ(entries[1].value.age, 4u);
  EXPECT_EQ(reading.of(LineState::Ignored), 4u);
  EXPECT_TRUE(reading.diagnostics.empty());
}

TEST(Fdb, Faults) {
  struct Case {
    std::string_view line, expected;
  };
  const Case cases[] = {
      {"    1     0  52:54:00", "an entry 'port VLAN MAC age'"},
      {"    x     0  52:54:00:db:00:21  1", "a port number"},
      {"    1  4096  52:54:00:db:00:21  1", "a VLAN"},
      {"    1     0  52:54:00:db:00     1", "a MAC address"},
      {"    1     0  52:54:00:db:00:21  old", "an age in seconds or 'static'"},
      {"no such bridge", "an entry 'port VLAN MAC age'"},
  };
  for (const Case& c : cases) {
    const std::string text = std::string(kTable) + std::string(c.line);
    Reading reading(text);
    EXPECT_EQ(read_fdb_show(reading.text, "", reading.log).size(), 3u);
    EXPECT_EQ(reading.first_message(),
              "expected " + std::string(c.expected) + ", found '" + std::string(c.line) + "'");
    EXPECT_TRUE(reading.counted());
  }
}

TEST(Fdb, IsTotal) {
  expect_total(kTable, [](Reading& r) { read_fdb_show(r.text, "", r.log); });
}

TEST(Fdb, SharedFilesAreUnderstood) {
  if (shared_data().empty()) GTEST_SKIP() << "DVRTRACE_SHARED is not set";
  std::size_t entries = 0;
  for (const char* root : {"lab", "public", "seeds", "ovs-cases/cases"}) {
    for (const char* part : {"fdb.show", "fdb-br"}) {
      for (const auto& path : files_named(shared_data() / root, part)) {
        const std::string bytes = bytes_of(path);
        Reading reading(bytes);
        entries += read_fdb_show(reading.text, "", reading.log).size();
        EXPECT_EQ(reading.of(LineState::Unrecognised), 0u) << path << reading.first_message();
        EXPECT_TRUE(reading.counted());
      }
    }
  }
  EXPECT_GT(entries, 500u);
}

}  // namespace
}  // namespace dvrtrace
