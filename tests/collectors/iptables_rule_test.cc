#include "collectors/iptables_rule.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "src/net/ip.h"

namespace dvrtrace {
namespace {

using namespace kernel;

struct MatchCase {
  std::string_view options;
  std::vector<Match> matches;
  Family family = Family::V4;
};

Prefix prefix(std::string_view text) { return parse_prefix(text).value(); }
Ip ip(std::string_view text) { return parse_ip(text).value(); }

IptablesRule rule_of(std::string_view options, Family family = Family::V4) {
  const auto rule = iptables::read_rule(options, family);
  EXPECT_TRUE(rule) << options << ": expected " << (rule ? "" : rule.error().expected);
  return rule ? *rule : IptablesRule{};
}

void check(const std::vector<MatchCase>& cases) {
  for (const MatchCase& test : cases) {
    EXPECT_EQ(rule_of(test.options, test.family).matches, test.matches) << test.options;
  }
}

TEST(IptablesRule, EveryRuleHasAddressesDevicesAndAProtocol) {
  check({
      {"", {}},
      {"-s 10.0.0.5/32", {AddressMatch{true, false, prefix("10.0.0.5/32")}}},
      {"! -d 10.0.0.0/255.255.255.0", {AddressMatch{false, true, prefix("10.0.0.0/24")}}},
      {"-d ! 10.0.0.0/24", {AddressMatch{false, true, prefix("10.0.0.0/24")}}},
      {"--source 10.0.0.0/8 --destination 0.0.0.0/0", {AddressMatch{true, false, prefix("10.0.0.0/8")}}},
      {"-s fe80::/64", {AddressMatch{true, false, prefix("fe80::/64")}}, Family::V6},
      {"-s 10.0.0.1,10.0.0.2", {UnmodelledMatch{"-s 10.0.0.1,10.0.0.2"}}},
      {"! -s 10.0.0.1/255.0.0.255", {UnmodelledMatch{"! -s 10.0.0.1/255.0.0.255"}}},
      {"-s web.example.org", {UnmodelledMatch{"-s web.example.org"}}},
      {"-i qr-+ ! -o rfp-1", {DeviceMatch{true, false, "qr-+"}, DeviceMatch{false, true, "rfp-1"}}},
      {"-i ! lo -o +", {DeviceMatch{true, true, "lo"}}},
      {"-p tcp", {ProtocolMatch{false, 6}}},
      {"! -p 17", {ProtocolMatch{true, 17}}},
      {"-p all", {}},
      {"-p icmpv6", {ProtocolMatch{false, 58}}, Family::V6},
      {"-p ipv6-icmp", {ProtocolMatch{false, 58}}, Family::V6},
      {"-p vrrp", {ProtocolMatch{false, 112}}},
      {"-p TCP", {ProtocolMatch{false, 6}}},
      {"-p xyzzy", {UnmodelledMatch{"-p xyzzy"}}},
      {"-f", {FragmentMatch{false}}},
      {"! -f", {FragmentMatch{true}}},
  });
}

TEST(IptablesRule, Ports) {
  const ProtocolMatch tcp{false, 6}, udp{false, 17};
  check({
      {"-p tcp -m tcp", {tcp}},
      {"-p tcp -m tcp --dport 80", {tcp, PortMatch{false, true, false, {{80, 80}}}}},
      {"-p udp -m udp --sport 67 --dport 68", {udp, PortMatch{true, false, false, {{67, 67}}}, PortMatch{false, true, false, {{68, 68}}}}},
      {"-p tcp --dport 80:90", {tcp, PortMatch{false, true, false, {{80, 90}}}}},
      {"-p tcp -m tcp ! --dport :1023", {tcp, PortMatch{false, true, true, {{0, 1023}}}}},
      {"-p tcp -m tcp --sport 1024:", {tcp, PortMatch{true, false, false, {{1024, 65535}}}}},
      {"-p tcp -m tcp --dport ! 22", {tcp, PortMatch{false, true, true, {{22, 22}}}}},
      {"-p tcp --dport https", {tcp, PortMatch{false, true, false, {{443, 443}}}}},
      {"-p sctp -m sctp --dport 5", {ProtocolMatch{false, 132}, PortMatch{false, true, false, {{5, 5}}}}},
      {"-p udp -m udp -m multiport --dports 5000:5999", {udp, PortMatch{false, true, false, {{5000, 5999}}}}},
      {"-p tcp -m multiport ! --sports 1,2:3", {tcp, PortMatch{true, false, true, {{1, 1}, {2, 3}}}}},
      {"-p tcp -m multiport --ports 53", {tcp, PortMatch{true, true, false, {{53, 53}}}}},
      {"-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN", {tcp, TcpFlagsMatch{false, 0x17, 0x02}}},
      {"-p tcp -m tcp ! --syn", {tcp, TcpFlagsMatch{true, 0x17, 0x02}}},
      {"-p tcp -m tcp --tcp-flags ALL NONE", {tcp, TcpFlagsMatch{false, 0x3f, 0}}},
      {"-p tcp -m tcp --tcp-option 5", {tcp, UnmodelledMatch{"-m tcp --tcp-option 5"}}},
      {"-m tcp -m conntrack --dport 22 --ctstate NEW", {PortMatch{false, true, false, {{22, 22}}}, CtStateMatch{false, kCtNew}}},
  });
}

TEST(IptablesRule, Icmp) {
  const ProtocolMatch icmp{false, 1}, icmp6{false, 58};
  check({
      {"-p icmp -m icmp --icmp-type 8", {icmp, IcmpMatch{.type = 8}}},
      {"-p icmp -m icmp ! --icmp-type 3/4", {icmp, IcmpMatch{.inverted = true, .type = 3, .code_first = 4, .code_last = 4}}},
      {"-p icmp --icmp-type echo-request", {icmp, IcmpMatch{.type = 8}}},
      {"-p icmp --icmp-type fragmentation-needed", {icmp, IcmpMatch{.type = 3, .code_first = 4, .code_last = 4}}},
      {"-p icmp -m icmp --icmp-type any", {icmp, IcmpMatch{.any = true}}},
      {"-p ipv6-icmp -m icmp6 --icmpv6-type 134", {icmp6, IcmpMatch{.type = 134}}, Family::V6},
      {"-p ipv6-icmp -m icmp6 --icmpv6-type 1/4", {icmp6, IcmpMatch{.type = 1, .code_first = 4, .code_last = 4}}, Family::V6},
      {"-p ipv6-icmp --icmpv6-type neighbour-solicitation", {icmp6, IcmpMatch{.type = 135}}, Family::V6},
  });
}

TEST(IptablesRule, Extensions) {
  check({
      {"-m conntrack --ctstate RELATED,ESTABLISHED", {CtStateMatch{false, kCtRelated | kCtEstablished}}},
      {"-m conntrack ! --ctstate DNAT", {CtStateMatch{true, kCtDnat}}},
      {"-m state --state INVALID", {CtStateMatch{false, kCtInvalid}}},
      {"-m conntrack --ctstate NEW ! --ctorigdst 10.0.0.1 --ctdir ORIGINAL", {CtStateMatch{false, kCtNew}, UnmodelledMatch{"-m conntrack ! --ctorigdst 10.0.0.1 --ctdir ORIGINAL"}}},
      {"-m mark --mark 0x1/0xffff", {MarkMatch{false, false, 1, 0xffff}}},
      {"-m mark ! --mark 0x4000000", {MarkMatch{false, true, 0x4000000, 0xffffffff}}},
      {"-m connmark ! --mark 0x0/0xffff0000", {MarkMatch{true, true, 0, 0xffff0000}}},
      {"-m mac --mac-source FA:16:3E:00:00:01", {MacMatch{false, Mac{0xfa163e000001}}}},
      {"-m physdev --physdev-in tap1 --physdev-is-bridged", {PhysdevMatch{"tap1", "", false, false, true, {}, {}}}},
      {"-m physdev ! --physdev-out tap+ ! --physdev-is-in --physdev-is-out", {PhysdevMatch{"", "tap+", false, true, {}, false, true}}},
      {"-m set --match-set NIPv4x src", {SetMatch{false, "NIPv4x", {true}}}},
      {"-m set ! --match-set s src,dst", {SetMatch{true, "s", {true, false}}}},
      {"-m set --set s dst", {SetMatch{false, "s", {false}}}},
      {"-m set --match-set s dst --return-nomatch", {SetMatch{false, "s", {false}}, UnmodelledMatch{"-m set --return-nomatch"}}},
      {"-m addrtype --dst-type LOCAL", {AddrtypeMatch{"", "LOCAL", false, false, false, false}}},
      {"-m addrtype ! --src-type LOCAL,BROADCAST --limit-iface-in", {AddrtypeMatch{"LOCAL,BROADCAST", "", true, false, true, false}}},
      {"-m iprange --src-range 10.0.0.1-10.0.0.9 ! --dst-range 1.1.1.1-1.1.1.2", {RangeMatch{true, false, ip("10.0.0.1"), ip("10.0.0.9")}, RangeMatch{false, true, ip("1.1.1.1"), ip("1.1.1.2")}}},
      {"-m comment --comment plain", {CommentMatch{"plain"}}},
      {"-m comment --comment \"a \\\"b\\\" \\\\ c -j DROP\"", {CommentMatch{"a \"b\" \\ c -j DROP"}}},
      {"-m comment --comment \"\"", {CommentMatch{""}}},
      {"-m limit --limit 3/sec", {LimitMatch{"3/sec burst 5"}}},
      {"-m limit --limit 3/sec --limit-burst 10", {LimitMatch{"3/sec burst 10"}}},
      {"-m hashlimit --hashlimit-upto 3/sec --hashlimit-mode srcip --hashlimit-name x", {LimitMatch{"3/sec burst 5"}}},
      {"-m hashlimit --hashlimit-above 3/sec --hashlimit-name x", {UnmodelledMatch{"-m hashlimit --hashlimit-above 3/sec"}}},
      {"-m rpfilter --invert", {RpfilterMatch{true}}},
      {"-m rpfilter --loose", {RpfilterMatch{false}, UnmodelledMatch{"-m rpfilter --loose"}}},
  });
}

// What is not known is kept and never lets a rule match more than it does.
TEST(IptablesRule, KeepsWhatItDoesNotKnow) {
  check({
      {"-m pkttype ! --pkt-type multicast", {UnmodelledMatch{"-m pkttype ! --pkt-type multicast"}}},
      {"-m u32 --u32 \"0x0 & 0xff=0x1\" -p tcp", {UnmodelledMatch{"-m u32 --u32 \"0x0 & 0xff=0x1\""}, ProtocolMatch{false, 6}}},
      {"-m recent --set --name x --rsource", {UnmodelledMatch{"-m recent --set --name x --rsource"}}},
      {"-m set --match-set s src -m recent --set --name x", {SetMatch{false, "s", {true}}, UnmodelledMatch{"-m recent --set --name x"}}},
      {"-m owner ! --uid-owner 0-10", {UnmodelledMatch{"-m owner ! --uid-owner 0-10"}}},
      {"-m socket", {UnmodelledMatch{"-m socket"}}},
      {"-m string --string \"GET -j /\" --algo bm", {UnmodelledMatch{"-m string --string \"GET -j /\" --algo bm"}}},
      {"--frobnicate 5 -p tcp", {UnmodelledMatch{"--frobnicate 5"}, ProtocolMatch{false, 6}}},
      {"stray", {UnmodelledMatch{"stray"}}},
  });
}

struct TargetCase {
  std::string_view options;
  Target target;
  Family family = Family::V4;
};

NatTo nat(bool destination, std::optional<Ip> first, std::optional<Ip> last, std::optional<PortRange> ports) {
  NatTo to;
  to.destination = destination;
  to.first = first;
  to.last = last;
  to.ports = ports;
  return to;
}

Ct ct(bool notrack, std::optional<std::uint16_t> zone, std::string helper = {}) {
  return Ct{notrack, zone, std::move(helper)};
}

TEST(IptablesRule, Targets) {
  using enum ConnMark::Operation;
  const Ip a = ip("10.0.0.1"), b = ip("10.0.0.9"), six = ip("fd00::1");
  NatTo shifted = nat(true, a, a, PortRange{80, 90});
  shifted.port_base = 8080;
  const std::vector<TargetCase> cases = {
      {"", NoTarget{}},
      {"-j ACCEPT", Accept{}},
      {"-j DROP", Drop{}},
      {"-j RETURN", Return{}},
      {"-j REJECT --reject-with icmp-host-prohibited", Reject{"icmp-host-prohibited"}},
      {"-j REJECT", Reject{"icmp-port-unreachable"}},
      {"-j REJECT", Reject{"icmp6-port-unreachable"}, Family::V6},
      {"-j neutron-l3-agent-snat", Jump{"neutron-l3-agent-snat", false}},
      {"-g DOCKER", Jump{"DOCKER", true}},
      {"-j DNAT --to-destination 10.0.0.1", nat(true, a, a, {})},
      {"-j DNAT --to-destination 10.0.0.1:80 --random", nat(true, a, a, PortRange{80, 80})},
      {"-j DNAT --to-destination 10.0.0.1-10.0.0.9:80-90 --persistent", nat(true, a, b, PortRange{80, 90})},
      {"-j DNAT --to-destination :8080", nat(true, {}, {}, PortRange{8080, 8080})},
      {"-j DNAT --to-destination 10.0.0.1:80-90/8080", shifted},
      {"-j SNAT --to-source 10.0.0.1 --random-fully", nat(false, a, a, {})},
      {"-j DNAT --to-destination [fd00::1]:80", nat(true, six, six, PortRange{80, 80}), Family::V6},
      {"-j DNAT --to-destination [fd00::1]", nat(true, six, six, {}), Family::V6},
      {"-j SNAT --to-source fd00::1", nat(false, six, six, {}), Family::V6},
      {"-j SNAT --to-source 10.0.0.1 --frob", UnmodelledTarget{"SNAT --to-source 10.0.0.1 --frob"}},
      {"-j REDIRECT --to-ports 9697", Redirect{PortRange{9697, 9697}}},
      {"-j REDIRECT", Redirect{}},
      {"-j MASQUERADE --to-ports 1024-2000 --random", Masquerade{PortRange{1024, 2000}}},
      {"-j NETMAP --to 10.1.0.0/16", Netmap{prefix("10.1.0.0/16")}},
      {"-j MARK --set-xmark 0x4000000/0xffff0000", SetMark{0xffff0000, 0x4000000}},
      {"-j MARK --set-mark 0x1/0xf0", SetMark{0xf1, 0x1}},
      {"-j MARK --set-mark 1", SetMark{0xffffffff, 1}},
      {"-j MARK --and-mark 0xff", SetMark{0xffffff00, 0}},
      {"-j MARK --or-mark 0x10", SetMark{0x10, 0x10}},
      {"-j MARK --xor-mark 0x10", SetMark{0, 0x10}},
      {"-j CONNMARK --set-xmark 0x1/0xff", ConnMark{Set, 0xff, 1, 0xffffffff, 0xffffffff}},
      {"-j CONNMARK --save-mark", ConnMark{Save, 0xffffffff, 0, 0xffffffff, 0xffffffff}},
      {"-j CONNMARK --save-mark --nfmask 0xffff0000 --ctmask 0xffff", ConnMark{Save, 0xffffffff, 0, 0xffff0000, 0xffff}},
      {"-j CONNMARK --restore-mark --mask 0xff", ConnMark{Restore, 0xffffffff, 0, 0xff, 0xff}},
      {"-j CT --zone 4097", ct(false, 4097)},
      {"-j CT --notrack", ct(true, {})},
      {"-j NOTRACK", ct(true, {})},
      {"-j CT --helper tftp --ctevents new", ct(false, {}, "tftp")},
      {"-j CT --zone-orig 5", UnmodelledTarget{"CT --zone-orig 5"}},
      {"-j CT --zone mark", UnmodelledTarget{"CT --zone mark"}},
      {"-j LOG --log-prefix \"a -j DROP\" --log-level 4", Harmless{"LOG"}},
      {"-j CHECKSUM --checksum-fill", Harmless{"CHECKSUM"}},
      {"-j TCPMSS --clamp-mss-to-pmtu", Harmless{"TCPMSS"}},
      {"-j TPROXY --on-port 80 --on-ip 0.0.0.0", UnmodelledTarget{"TPROXY --on-port 80 --on-ip 0.0.0.0"}},
      {"-j NFQUEUE --queue-num 0", UnmodelledTarget{"NFQUEUE --queue-num 0"}},
      {"-j QUEUE", UnmodelledTarget{"QUEUE"}},
      {"-j FROB --by 5", UnmodelledTarget{"FROB --by 5"}},
      {"-j ACCEPT -m comment --comment last", Accept{}},
  };
  for (const TargetCase& test : cases) {
    EXPECT_EQ(rule_of(test.options, test.family).target, test.target) << test.options;
  }
}

TEST(IptablesRule, OptionsBehindTheTargetAreTheTargets) {
  const IptablesRule rule = rule_of("-m connmark --mark 0x1 -j CONNMARK --restore-mark --mask 0xff");
  EXPECT_EQ(rule.matches, std::vector<Match>{Match(MarkMatch{.connection = true, .value = 1})});
  EXPECT_TRUE(std::holds_alternative<ConnMark>(rule.target));
}

TEST(IptablesRule, ReadsCounters) {
  const IptablesRule rule = rule_of("-p tcp -c 12 3456 -j ACCEPT");
  EXPECT_EQ(rule.packets, 12u);
  EXPECT_EQ(rule.bytes, 3456u);
}

struct BadCase {
  std::string_view options, word, expected;
};

TEST(IptablesRule, SaysWhatItExpected) {
  const std::vector<BadCase> cases = {
      {"-s", "", "a value after -s"},
      {"-p tcp !", "", "an option after '!'"},
      {"! -p all", "all", "a protocol other than all after '!'"},
      {"-p tcp --dport 80x", "80x", "a port or a range of ports"},
      {"-p tcp --dport 90:80", "90:80", "a port or a range of ports"},
      {"-p tcp --dport 65536", "65536", "a port or a range of ports"},
      {"-p tcp -m multiport --dports 1,,2", "1,,2", "ports"},
      {"-p tcp --tcp-flags SYN", "", "a value after --tcp-flags"},
      {"-p tcp --tcp-flags SYN FOO", "FOO", "TCP flags"},
      {"-p icmp --icmp-type 300", "300", "an ICMP type"},
      {"-m state --state NEWISH", "NEWISH", "connection states"},
      {"-m mark --mark 0x1/", "0x1/", "a mark"},
      {"-m mac --mac-source fa:16", "fa:16", "a MAC address"},
      {"-m set --match-set name both", "both", "src or dst for each dimension of the set"},
      {"-m iprange --src-range 9.9.9.9-1.1.1.1", "9.9.9.9-1.1.1.1", "a range of addresses"},
      {"-c 5 x", "x", "a number of bytes"},
      {"-j", "", "a value after -j"},
      {"-j DNAT", "DNAT", "--to-destination"},
      {"-j DNAT --to-destination 10.0.0", "10.0.0", "an address, a range or ports"},
      {"-j DNAT --to-destination 10.0.0.1:", "10.0.0.1:", "an address, a range or ports"},
      {"-j REDIRECT --to-ports x", "x", "a port or a range of ports"},
      {"-j MARK --set-mark x", "x", "a mark"},
      {"-j CONNMARK --save-mark --mask x", "x", "a mask"},
      {"-j CT --zone x", "x", "a zone"},
  };
  for (const BadCase& test : cases) {
    const auto rule = iptables::read_rule(test.options, Family::V4);
    ASSERT_FALSE(rule) << test.options;
    EXPECT_EQ(rule.error().word, test.word) << test.options;
    EXPECT_EQ(rule.error().expected, test.expected) << test.options;
  }
}

}  // namespace
}  // namespace dvrtrace
