#include "collectors/failed_command.h"

#include <gtest/gtest.h>

namespace dvrtrace {
namespace {

struct Case {
  std::string_view text, message;  // the message of the failure; "" for a dump
};

TEST(FailedCommand, IsToldFromADump) {
  constexpr Case kCases[] = {
      {"ovs-ofctl: br-x: failed to connect to socket (No such file or directory)\n",
       "ovs-ofctl: br-x: failed to connect to socket (No such file or directory)"},
      {"2026-11-21T21:20:36Z|00001|vconn|WARN|unix:/run/br-int.mgmt: version negotiation failed (we support version 0x06)\n"
       "ovs-ofctl: br-int: failed to connect to socket (Broken pipe)\n",
       "ovs-ofctl: br-int: failed to connect to socket (Broken pipe)"},
      {"2026-11-21T21:20:36Z|00001|vconn|WARN|unix:/run/br-int.mgmt: version negotiation failed (we support version 0x06)\n",
       "2026-11-21T21:20:36Z|00001|vconn|WARN|unix:/run/br-int.mgmt: version negotiation failed (we support version 0x06)"},
      {"exec of \"netstat\" failed: No such file or directory\n", "exec of \"netstat\" failed: No such file or directory"},
      {"multicast snooping is disabled\novs-appctl: ovs-vswitchd: server returned an error\n", "multicast snooping is disabled"},
      {"ovs-vsctl: unix:/var/run/openvswitch/db.sock: database connection failed (No such file or directory)\n",
       "ovs-vsctl: unix:/var/run/openvswitch/db.sock: database connection failed (No such file or directory)"},
      {"Cannot open network namespace \"qrouter-1\": No such file or directory\n",
       "Cannot open network namespace \"qrouter-1\": No such file or directory"},
      {"Object \"rul\" is unknown, try \"ip help\".\n", "Object \"rul\" is unknown, try \"ip help\"."},
      {"iptables v1.8.9 (legacy): can't initialize iptables table `nat': Permission denied (you must be root)\n"
       "Perhaps iptables or your kernel needs to be upgraded.\n",
       "iptables v1.8.9 (legacy): can't initialize iptables table `nat': Permission denied (you must be root)"},
      {"bash: ipset: command not found\n", "bash: ipset: command not found"},
      {"timeout: failed to run command 'conntrack': No such file or directory\n",
       "timeout: failed to run command 'conntrack': No such file or directory"},
      {"[timeout] after 300 s\n", "[timeout] after 300 s"},
      {"RTNETLINK answers: No such file or directory\nError talking to the kernel\n", "RTNETLINK answers: No such file or directory"},
      {"", ""},
      {"0:\tfrom all lookup local\n", ""},
      {"NXST_FLOW reply (xid=0x4):\n", ""},
      // Log lines before a dump, and the phrases of a message within one.
      {"2026-11-21T21:20:36Z|00001|ofp_util|WARN|something\nNXST_FLOW reply (xid=0x4):\n", ""},
      {"-A INPUT -m comment --comment \"Permission denied\" -j DROP\n# x\n-A OUTPUT\n-N a\n-N b\n-N c\n-N d\n-N e\n-N f\n", ""},
      {"[{\"ifname\":\"eth0\",\"alias\":\"command not found\"}]\n", ""},
      {"conntrack v1.4.6 (conntrack-tools): 0 flow entries have been shown.\n", ""},
  };
  for (const Case& each : kCases) EXPECT_EQ(failed_command(each.text).value_or(""), each.message) << each.text;
}

TEST(FailedCommand, ADumpThatGrumblesFirstIsADump) {
  std::string text = "sysctl: cannot stat /proc/sys/net/x: No such file or directory\n";
  for (int i = 0; i < 20; ++i) text += "net.ipv4.ip_forward = 1\n";
  EXPECT_FALSE(failed_command(text));
}

TEST(FailedCommand, DataIsNoText) {
  EXPECT_TRUE(is_binary(std::string_view("\xd4\xc3\xb2\xa1\x02\0\x04\0\0\0\0\0\0\0\0\0", 16)));
  EXPECT_FALSE(is_binary("0:\tfrom all lookup local\n"));
  EXPECT_FALSE(is_binary(""));
  // One stray byte is for the reader of the line.
  EXPECT_FALSE(is_binary(std::string(200, 'x') + std::string(1, '\0')));
}

}  // namespace
}  // namespace dvrtrace
