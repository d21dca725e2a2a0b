#include "collectors/sysctl.h"

#include <gtest/gtest.h>

#include "tests/collectors/reading.h"

namespace dvrtrace {
namespace {

// Settings as rows, so that the checks of every reader apply.
test::Rows<std::string> read_rows(const SourceText& text, ReadLog& log) {
  test::Rows<std::string> rows;
  for (const auto& setting : read_sysctl(text, log)) {
    rows.push_back({setting.first + "=" + setting.second.value, setting.second.at});
  }
  return rows;
}

struct Case {
  std::string_view text, shown;
};

TEST(Sysctl, ReadsEveryForm) {
  constexpr Case kCases[] = {
      {"net.ipv4.ip_forward = 1", "net.ipv4.ip_forward=1"},
      {"net.ipv4.ip_forward=1\r\n", "net.ipv4.ip_forward=1"},
      {"net.ipv4.conf.fg-081d537b-06.proxy_arp = 1", "net.ipv4.conf.fg-081d537b-06.proxy_arp=1"},
      {"net.ipv4.conf.eth0/100.rp_filter = 2", "net.ipv4.conf.eth0/100.rp_filter=2"},
      {"net/ipv4/conf/eth0.100/rp_filter = 2", "net/ipv4/conf/eth0.100/rp_filter=2"},
      {"net.ipv4.ip_forward = 0\nnet.ipv4.ip_forward = 1\n", "net.ipv4.ip_forward=1"},
  };
  for (const Case& c : kCases) {
    const auto result = test::reading<std::string>(c.text, read_rows);
    ASSERT_EQ(result.rows.size(), 1u) << c.text;
    EXPECT_EQ(result.rows[0].value, c.shown);
    EXPECT_TRUE(result.diagnostics.empty()) << c.text;
  }
  for (const char* text : {"net.ipv4.ip_local_port_range = 32768\t60999", "kernel.core_pattern = |/bin/x a=b", "kernel.domainname = \n"}) {
    const auto result = test::reading<std::string>(text, read_rows);
    EXPECT_TRUE(result.rows.empty()) << text;
    EXPECT_EQ(result.of(LineState::Ignored), 1u) << text;
  }
}

TEST(Sysctl, PassesOverComplaints) {
  const auto result = test::reading<std::string>(
      "sysctl: permission denied on key 'fs.protected_fifos'\n"
      "sysctl: reading key \"net.ipv6.conf.all.stable_secret\": Input/output error\n"
      "\n"
      "net.ipv4.ip_forward = 1\n",
      read_rows);
  EXPECT_EQ(result.of(LineState::Ignored), 3u);
  EXPECT_EQ(result.of(LineState::Modelled), 1u);
}

TEST(Sysctl, SaysWhatIsWrong) {
  test::expect_bad<std::string>(
      {
          {"bash: sysctl: command not found",
           "expected 'key = value', found 'bash: sysctl: command not found'"},
          {"sysctl: cannot stat /proc/sys/net/x: No such file or directory",
           "expected 'key = value', found 'sysctl: cannot stat /proc/sys/net/x: No such file or directo...'"},
          {"net.ipv4.ip_for", "expected 'key = value', found 'net.ipv4.ip_for'"},
          {"net.ipv4.ip_forward =", "expected 'key = value', found 'net.ipv4.ip_forward ='"},
          {"forward = 1", "expected 'key = value', found 'forward = 1'"},
          {"a sentence. x = 1", "expected 'key = value', found 'a sentence. x = 1'"},
      },
      read_rows);
}

TEST(SysctlShared, ReadsEveryDump) {
  if (test::shared_folder().empty()) GTEST_SKIP() << "DVRTRACE_SHARED is not set";
  test::expect_all_read<std::string>({"sysctl_-a", "sysctl", "sysctl_net.ipv4.ip_forward"}, read_rows);
}

}  // namespace
}  // namespace dvrtrace
