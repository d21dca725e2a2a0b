#include "collectors/iptables_list.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "collectors/iptables_phrases.h"
#include "collectors/iptables_rule.h"
#include "collectors/iptables_save.h"

namespace dvrtrace {
namespace {

using namespace kernel;

struct Read {
  Iptables tables;
  LineCounts lines;
  Diagnostics diagnostics;
};

Read list(std::string_view bytes, Family family = Family::V4, std::string_view table = "nat") {
  Read result;
  ReadLog log{result.diagnostics, {}};
  result.tables = read_iptables_list({SourceId{0}, "list", bytes}, family, table, log);
  result.lines = log.lines;
  EXPECT_EQ(result.lines.total(), lines_of(bytes).count());
  return result;
}

// The rule of one row below the given column header.
IptablesRule row(std::string_view header, std::string_view row, Family family = Family::V4) {
  const Read read = list("Chain A (policy ACCEPT)\n" + std::string(header) + "\n" + std::string(row) + "\n", family);
  EXPECT_EQ(read.lines.of(LineState::Unrecognised), 0u) << row;
  if (read.tables.tables.empty() || read.tables.tables[0].chains[0].rules.size() != 1) {
    ADD_FAILURE() << "not one rule: " << row;
    return {};
  }
  return read.tables.tables[0].chains[0].rules[0].value;
}

constexpr std::string_view kVerbose = " pkts bytes target     prot opt in     out     source               destination";
constexpr std::string_view kShort = "target     prot opt source               destination";
constexpr std::string_view kNumbered = "num   pkts bytes target     prot opt in     out     source               destination";

struct RowCase {
  std::string_view header, row, options;  // the same rule as iptables-save writes it
  Family family = Family::V4;
};

TEST(IptablesList, ReadsColumns) {
  const std::vector<RowCase> cases = {
      {kVerbose, "    0     0 ACCEPT     all  --  *      *       0.0.0.0/0            0.0.0.0/0", "-j ACCEPT"},
      {kVerbose, "    0     0 ACCEPT     0    --  any    any     anywhere             anywhere", "-j ACCEPT"},
      {kVerbose, "    0     0 SNAT       all  --  *      *       10.0.2.3             0.0.0.0/0            to:172.24.4.7", "-s 10.0.2.3/32 -j SNAT --to-source 172.24.4.7"},
      {kVerbose, "    0     0            tcp  --  *      *       0.0.0.0/0            0.0.0.0/0            tcp dpt:80", "-p tcp -m tcp --dport 80"},
      {kVerbose, "    0     0            0    --  *      *       0.0.0.0/0            0.0.0.0/0", ""},
      {kVerbose, "    0     0 ACCEPT    !tcp  --  !lo    !rfp-1  !10.0.0.0/8          !1.1.1.1", "! -s 10.0.0.0/8 ! -d 1.1.1.1/32 ! -i lo ! -o rfp-1 ! -p tcp -j ACCEPT"},
      {kVerbose, "    0     0 ACCEPT     all  -f  *      *       0.0.0.0/0            0.0.0.0/0", "-f -j ACCEPT"},
      {kVerbose, "    0     0 ACCEPT     all  !f  *      *       0.0.0.0/0            0.0.0.0/0", "! -f -j ACCEPT"},
      {kVerbose, "    0     0 neutron-l3-agent-float-snat  0    --  *      *       0.0.0.0/0            0.0.0.0/0", "-j neutron-l3-agent-float-snat"},
      {kVerbose, "    0     0 X  0    --  *      *       0.0.0.0/0            0.0.0.0/0           [goto] ", "-g X"},
      {kNumbered, "1        0     0 DROP       17   --  qr-+   *       0.0.0.0/0            0.0.0.0/0", "-i qr-+ -p udp -j DROP"},
      {kShort, "DROP       udp  --  0.0.0.0/0            10.0.0.1             udp spt:67", "-d 10.0.0.1/32 -p udp -m udp --sport 67 -j DROP"},
      {kShort, "           all  --  0.0.0.0/0            10.0.0.1", "-d 10.0.0.1/32"},
      {kVerbose, "    0     0 DROP       0    --  *      *       ::                   ff02::/16", "-s ::/128 -d ff02::/16 -j DROP", Family::V6},
      {kVerbose, "    0     0 DROP       icmpv6    *      *       ::/0                 ::/0                 ipv6-icmptype 134", "-p ipv6-icmp -m icmp6 --icmpv6-type 134 -j DROP", Family::V6},
      {kVerbose, "    0     0            all      *      *       ::/0                 fe80::/64", "-d fe80::/64", Family::V6},
      {kVerbose, "    0     0 ACCEPT     all  --  *      *       web.example.org      0.0.0.0/0", "-s web.example.org -j ACCEPT"},
  };
  for (const RowCase& test : cases) {
    const auto saved = iptables::read_rule(test.options, test.family);
    ASSERT_TRUE(saved) << test.options;
    EXPECT_EQ(row(test.header, test.row, test.family), *saved) << test.row;
  }
}

struct CounterCase {
  std::string_view row;
  std::uint64_t packets, bytes;
};

TEST(IptablesList, ReadsCounters) {
  const std::vector<CounterCase> cases = {
      {"    0   228 ACCEPT all -- * * 0.0.0.0/0 0.0.0.0/0", 0, 228},
      {" 173K   12M ACCEPT all -- * * 0.0.0.0/0 0.0.0.0/0", 173000, 12000000},
      {"    1    2G ACCEPT all -- * * 0.0.0.0/0 0.0.0.0/0", 1, 2000000000},
      {" 914503835 99999999999 ACCEPT all -- * * 0.0.0.0/0 0.0.0.0/0", 914503835, 99999999999},
  };
  for (const CounterCase& test : cases) {
    const IptablesRule rule = row(kVerbose, test.row);
    EXPECT_EQ(rule.packets, test.packets) << test.row;
    EXPECT_EQ(rule.bytes, test.bytes) << test.row;
  }
}

struct PhraseCase {
  std::string_view target, tail, options;
  Family family = Family::V4;
};

TEST(IptablesList, PhrasesSayWhatOptionsSay) {
  const std::vector<PhraseCase> cases = {
      {"DROP", "tcp dpt:80", "-m tcp --dport 80 -j DROP"},
      {"DROP", "tcp dpts:80:90", "-m tcp --dport 80:90 -j DROP"},
      {"DROP", "tcp dpt:!80", "-m tcp ! --dport 80 -j DROP"},
      {"DROP", "udp spts:!1:2 dpt:68", "-m udp ! --sport 1:2 --dport 68 -j DROP"},
      {"DROP", "tcp ! dpt:http", "-m tcp ! --dport 80 -j DROP"},
      {"DROP", "tcp flags:0x17/0x02", "-m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j DROP"},
      {"DROP", "tcp flags:!FIN,SYN,RST,ACK/SYN", "-m tcp ! --tcp-flags FIN,SYN,RST,ACK SYN -j DROP"},
      {"DROP", "tcp multiport dports 1,2:3", "-m tcp -m multiport --dports 1,2:3 -j DROP"},
      {"DROP", "multiport sports  !53", "-m multiport ! --sports 53 -j DROP"},
      {"DROP", "multiport ports 53", "-m multiport --ports 53 -j DROP"},
      {"DROP", "state RELATED,ESTABLISHED", "-m state --state RELATED,ESTABLISHED -j DROP"},
      {"ACCEPT", "! ctstate DNAT", "-m conntrack ! --ctstate DNAT -j ACCEPT"},
      {"ACCEPT", "ctstate NEW ! ctorigdst 10.0.0.1 ctdir ORIGINAL", "-m conntrack --ctstate NEW ! --ctorigdst 10.0.0.1 --ctdir ORIGINAL -j ACCEPT"},
      {"ACCEPT", "mark match 0x1/0xffff", "-m mark --mark 0x1/0xffff -j ACCEPT"},
      {"DROP", "mark match ! 0x4000000/0xffff0000", "-m mark ! --mark 0x4000000/0xffff0000 -j DROP"},
      {"DROP", "MARK match 0x2", "-m mark --mark 0x2 -j DROP"},
      {"DROP", "connmark match  0x0/0xffff0000", "-m connmark --mark 0x0/0xffff0000 -j DROP"},
      {"DROP", "CONNMARK match ! 0x1", "-m connmark ! --mark 0x1 -j DROP"},
      {"DROP", "PHYSDEV match --physdev-in tap1 --physdev-is-bridged", "-m physdev --physdev-in tap1 --physdev-is-bridged -j DROP"},
      {"DROP", "PHYSDEV match ! --physdev-out tap+ ! --physdev-is-in ! ctstate NEW", "-m physdev ! --physdev-out tap+ ! --physdev-is-in -m conntrack ! --ctstate NEW -j DROP"},
      {"RETURN", "MAC fa:16:3e:00:00:01", "-m mac --mac-source fa:16:3e:00:00:01 -j RETURN"},
      {"RETURN", "MACFA:16:3E:00:00:01", "-m mac --mac-source fa:16:3e:00:00:01 -j RETURN"},
      {"RETURN", "MAC ! fa:16:3e:00:00:01", "-m mac ! --mac-source fa:16:3e:00:00:01 -j RETURN"},
      {"RETURN", "match-set NIPv4x src", "-m set --match-set NIPv4x src -j RETURN"},
      {"RETURN", "! match-set s src,dst", "-m set ! --match-set s src,dst -j RETURN"},
      {"RETURN", "icmptype 8 code 0", "-m icmp --icmp-type 8/0 -j RETURN"},
      {"RETURN", "icmp type 8", "-m icmp --icmp-type 8 -j RETURN"},
      {"RETURN", "icmp !type 3", "-m icmp ! --icmp-type 3 -j RETURN"},
      {"RETURN", "icmp echo-request", "-m icmp --icmp-type 8 -j RETURN"},
      {"RETURN", "icmptype 255", "-m icmp --icmp-type any -j RETURN"},
      {"RETURN", "ipv6-icmptype 134", "-m icmp6 --icmpv6-type 134 -j RETURN", Family::V6},
      {"RETURN", "ipv6-icmp router-advertisement", "-m icmp6 --icmpv6-type 134 -j RETURN", Family::V6},
      {"DOCKER", "ADDRTYPE match dst-type LOCAL", "-m addrtype --dst-type LOCAL -j DOCKER"},
      {"DOCKER", "ADDRTYPE match src-type !LOCAL dst-type BROADCAST limit-in", "-m addrtype ! --src-type LOCAL --dst-type BROADCAST --limit-iface-in -j DOCKER"},
      {"DROP", "source IP range 10.0.0.1-10.0.0.9 destination IP range ! 1.1.1.1-1.1.1.2", "-m iprange --src-range 10.0.0.1-10.0.0.9 ! --dst-range 1.1.1.1-1.1.1.2 -j DROP"},
      {"DROP", "/* a \"b\" to:1.1.1.1 */", "-m comment --comment \"a \\\"b\\\" to:1.1.1.1\" -j DROP"},
      {"DROP", "/*  */ state INVALID", "-m comment --comment \"\" -m state --state INVALID -j DROP"},
      {"DROP", "limit: avg 3/sec burst 5", "-m limit --limit 3/sec -j DROP"},
      {"DROP", "limit: up to 3/sec burst 9 mode srcip", "-m hashlimit --hashlimit-upto 3/sec --hashlimit-burst 9 --hashlimit-mode srcip -j DROP"},
      {"DROP", "rpfilter validmark invert", "-m rpfilter --invert --validmark -j DROP"},
      {"DROP", "PKTTYPE != multicast", "-m pkttype ! --pkt-type multicast -j DROP"},
      {"ACCEPT", "policy match dir out pol ipsec", "-m policy --dir out --pol ipsec -j ACCEPT"},
      {"REJECT", "tcp dpt:25 reject-with tcp-reset", "-m tcp --dport 25 -j REJECT --reject-with tcp-reset"},
      {"REJECT", "reject-with icmp-port-unreachable", "-j REJECT"},
      {"DNAT", "to:10.0.0.1", "-j DNAT --to-destination 10.0.0.1"},
      {"DNAT", "tcp dpt:1 to:10.0.0.1-10.0.0.9:80-90 random persistent", "-m tcp --dport 1 -j DNAT --to-destination 10.0.0.1-10.0.0.9:80-90 --random --persistent"},
      {"DNAT", "to:10.0.0.1:80-90/8080", "-j DNAT --to-destination 10.0.0.1:80-90/8080"},
      {"DNAT", "to:[fd00::1]:80", "-j DNAT --to-destination [fd00::1]:80", Family::V6},
      {"SNAT", "mark match ! 0x2/0xffff ctstate DNAT to:172.24.4.7 random-fully", "-m mark ! --mark 0x2/0xffff -m conntrack --ctstate DNAT -j SNAT --to-source 172.24.4.7 --random-fully"},
      {"REDIRECT", "tcp dpt:80 redir ports 9697", "-m tcp --dport 80 -j REDIRECT --to-ports 9697"},
      {"MASQUERADE", "masq ports: 1024-2000 random", "-j MASQUERADE --to-ports 1024-2000 --random"},
      {"MASQUERADE", "", "-j MASQUERADE"},
      {"NETMAP", "to:10.1.0.0/16", "-j NETMAP --to 10.1.0.0/16"},
      {"MARK", "MARK xset 0x1/0xffff", "-j MARK --set-xmark 0x1/0xffff"},
      {"MARK", "mark match 0x5 MARK set 0x1", "-m mark --mark 0x5 -j MARK --set-xmark 0x1/0xffffffff"},
      {"MARK", "MARK and 0xffff0000", "-j MARK --set-xmark 0x0/0xffff"},
      {"MARK", "MARK or 0x10", "-j MARK --set-xmark 0x10/0x10"},
      {"MARK", "MARK xor 0x10", "-j MARK --set-xmark 0x10/0x0"},
      {"CONNMARK", "connmark match  0x0/0xffff0000 CONNMARK save mask 0xffff0000", "-m connmark --mark 0x0/0xffff0000 -j CONNMARK --save-mark --nfmask 0xffff0000 --ctmask 0xffff0000"},
      {"CONNMARK", "CONNMARK restore", "-j CONNMARK --restore-mark"},
      {"CONNMARK", "CONNMARK save nfmask 0xff ctmask ~0xff00", "-j CONNMARK --save-mark --nfmask 0xff --ctmask 0xff00"},
      {"CONNMARK", "CONNMARK xset 0x1/0xff", "-j CONNMARK --set-xmark 0x1/0xff"},
      {"CT", "/* Set zone for x */ CT zone 4097", "-m comment --comment \"Set zone for x\" -j CT --zone 4097"},
      {"CT", "CT notrack", "-j CT --notrack"},
      {"CT", "CT helper tftp", "-j CT --helper tftp"},
      {"NOTRACK", "", "-j NOTRACK"},
      {"CHECKSUM", "udp dpt:68 CHECKSUM fill", "-m udp --dport 68 -j CHECKSUM --checksum-fill"},
      {"LOG", "limit: avg 3/hour burst 5 LOG flags 0 level 4 prefix \"to:1.1.1.1 \"", "-m limit -j LOG --log-prefix x"},
      {"TCPMSS", "tcp flags:0x06/0x02 TCPMSS clamp to PMTU", "-m tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu"},
  };
  for (const PhraseCase& test : cases) {
    const auto saved = iptables::read_rule(test.options, test.family);
    ASSERT_TRUE(saved) << test.options;
    IptablesRule listed;
    iptables::read_phrases(test.tail, test.target, test.family, listed);
    EXPECT_EQ(listed, *saved) << test.target << " " << test.tail;
  }
}

struct UnknownCase {
  std::string_view target, tail;
  std::vector<Match> matches;
  Target expected;
};

// An unknown phrase swallows what might be its own words, but not where the target goes.
TEST(IptablesList, KeepsUnknownPhrases) {
  const std::vector<UnknownCase> cases = {
      {"DROP", "STRING match  \"tcp dpt:80\" ALGO name bm", {UnmodelledMatch{"STRING match  \"tcp dpt:80\" ALGO name bm"}}, Drop{}},
      {"DROP", "state NEW owner UID match 0 dpt:80", {CtStateMatch{false, kCtNew}, UnmodelledMatch{"owner UID match 0 dpt:80"}}, Drop{}},
      {"DROP", "! owner UID match 0", {UnmodelledMatch{"! owner UID match 0"}}, Drop{}},
      {"REJECT", "owner UID match 0 reject-with tcp-reset", {UnmodelledMatch{"owner UID match 0"}}, Reject{"tcp-reset"}},
      {"DROP", "tcp dpt:xyzzy", {UnmodelledMatch{"dpt:xyzzy"}}, Drop{}},
      {"DROP", "limit: above 3/sec burst 5 mode srcip", {UnmodelledMatch{"limit: above 3/sec burst 5 mode srcip"}}, Drop{}},
      {"DROP", "/* not closed", {UnmodelledMatch{"/* not closed"}}, Drop{}},
      {"DROP", "!", {UnmodelledMatch{"!"}}, Drop{}},
      {"DNAT", "to:nowhere", {UnmodelledMatch{"to:nowhere"}}, UnmodelledTarget{"DNAT"}},
      {"DNAT", "", {}, UnmodelledTarget{"DNAT"}},
      {"MARK", "MARK frob 5", {UnmodelledMatch{"MARK frob 5"}}, UnmodelledTarget{"MARK"}},
      {"CT", "CT zone-orig 5", {UnmodelledMatch{"CT zone-orig 5"}}, Ct{}},
      {"TPROXY", "TPROXY redirect 0.0.0.0:0 mark 0x1/0x1", {}, UnmodelledTarget{"TPROXY redirect 0.0.0.0:0 mark 0x1/0x1"}},
      {"QUEUE", "", {}, UnmodelledTarget{"QUEUE"}},
  };
  for (const UnknownCase& test : cases) {
    IptablesRule listed;
    iptables::read_phrases(test.tail, test.target, Family::V4, listed);
    EXPECT_EQ(listed.matches, test.matches) << test.tail;
    EXPECT_EQ(listed.target, test.expected) << test.target << " " << test.tail;
  }
}

TEST(IptablesList, ReadsChains) {
  const Read read = list(
      "Chain PREROUTING (policy ACCEPT 2 packets, 144 bytes)\n"
      " pkts bytes target     prot opt in     out     source               destination         \n"
      "    3   228 neutron-l3-agent-PREROUTING  0    --  *      *       0.0.0.0/0            0.0.0.0/0           \n"
      "\n"
      "Chain FORWARD (policy DROP)\n"
      "Chain neutron-l3-agent-PREROUTING (1 references)\n");
  EXPECT_TRUE(read.diagnostics.empty());
  const IptablesTable& table = *read.tables.find("nat");
  EXPECT_TRUE(table.complete);
  ASSERT_EQ(table.chains.size(), 3u);
  EXPECT_EQ(table.chains[0].policy_accept, true);
  EXPECT_EQ(table.chains[1].policy_accept, false);
  EXPECT_EQ(table.chains[2].policy_accept, std::nullopt);
  EXPECT_EQ(read.lines.of(LineState::Modelled), 4u);
  EXPECT_EQ(read.lines.of(LineState::Ignored), 2u);
}

TEST(IptablesList, SaysWhenTheListingDoesNotShowAll) {
  const Read brief = list("Chain A (policy ACCEPT)\ntarget prot opt source destination\nACCEPT all -- 0.0.0.0/0 0.0.0.0/0\n");
  EXPECT_FALSE(brief.tables.tables.at(0).complete);
  EXPECT_EQ(brief.diagnostics.all().at(0).message, "the listing has no in and out columns (-v was not given)");
  const Read single = list("Chain neutron-l3-agent-snat (1 references)\n");
  EXPECT_FALSE(single.tables.tables.at(0).complete);
  EXPECT_EQ(single.diagnostics.all().at(0).severity, Severity::Note);
  const Read twice = list("Chain A (policy ACCEPT)\nChain A (policy DROP)\n");
  EXPECT_FALSE(twice.tables.tables.at(0).complete);
  EXPECT_TRUE(list("").tables.tables.empty());
}

struct BadCase {
  std::string_view line, message;
};

TEST(IptablesList, DiagnosesWhatItCannotRead) {
  const std::vector<BadCase> cases = {
      {"x 0 ACCEPT all -- * * 0.0.0.0/0 0.0.0.0/0", "expected a number of packets, found 'x'"},
      {"0 5Q ACCEPT all -- * * 0.0.0.0/0 0.0.0.0/0", "expected a number of bytes, found '5Q'"},
      {"0", "expected a number of bytes, found the end of the line"},
      {"0 99999999999999999999P A", "expected a number of bytes, found '99999999999999999999P'"},
      {"0 0 ACCEPT", "expected a target, a protocol and options, found 'ACCEPT'"},
      {"0 0 ACCEPT all ==  * * 0.0.0.0/0 0.0.0.0/0", "expected a target, a protocol and options, found 'ACCEPT'"},
      {"0 0 ACCEPT all -- * *", "expected a source and a destination, found the end of the line"},
      {"Chain X (policy MAYBE)", "expected ACCEPT or DROP, found 'MAYBE)'"},
      {"Chain X", "expected a policy or references in brackets, found the end of the line"},
      {"iptables: No chain/target/match by that name.", "expected a number of packets, found 'iptables:'"},
  };
  for (const BadCase& test : cases) {
    const Read read = list("Chain A (policy ACCEPT)\n" + std::string(test.line) + "\n");
    EXPECT_EQ(read.lines.of(LineState::Unrecognised), 1u) << test.line;
    ASSERT_FALSE(read.diagnostics.empty()) << test.line;
    EXPECT_EQ(read.diagnostics.all()[0].message, test.message);
    EXPECT_FALSE(read.tables.tables.at(0).complete) << test.line;
  }
  EXPECT_EQ(list("0 0 ACCEPT all -- * * 0.0.0.0/0 0.0.0.0/0").diagnostics.all().at(0).message.substr(0, 22), "expected a line \"Chain");
}

// Over the dumps of the lab and of published articles.

std::string contents(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

struct Listing {
  std::filesystem::path path, saved;  // of the same namespace, if there is one
  std::string table;
  Family family;
};

// "..._iptables_-t_nat_-nvL" beside "..._iptables-save_-c"
std::vector<Listing> listings(const char* shared) {
  std::vector<Listing> found;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(std::filesystem::path(shared) / "data")) {
    const std::string name = entry.path().filename().string();
    const std::size_t at = name.find("_-t_");
    if (at == std::string::npos || !name.ends_with("_-nvL")) continue;
    found.push_back({entry.path(), entry.path().parent_path() / (name.substr(0, at) + "-save_-c"),
                     name.substr(at + 4, name.size() - at - 9),
                     name.find("ip6tables") == std::string::npos ? Family::V4 : Family::V6});
  }
  return found;
}

TEST(IptablesList, RecognisesEveryLineOfTheSharedDumps) {
  const char* shared = std::getenv("DVRTRACE_SHARED");
  if (shared == nullptr) GTEST_SKIP() << "DVRTRACE_SHARED is not set";
  for (const Listing& listing : listings(shared)) {
    const Read read = list(contents(listing.path), listing.family, listing.table);
    EXPECT_EQ(read.lines.of(LineState::Unrecognised) + read.lines.of(LineState::Unmodelled), 0u) << listing.path;
  }
}

// A listing has all built-in chains of a table that does not exist; a dump leaves the table out.
bool nothing_in(const IptablesTable& table) {
  for (const Chain& chain : table.chains) {
    if (chain.policy_accept != true || !chain.rules.empty()) return false;
  }
  return true;
}

TEST(IptablesList, EqualsTheDumpOfTheSameNamespace) {
  const char* shared = std::getenv("DVRTRACE_SHARED");
  if (shared == nullptr) GTEST_SKIP() << "DVRTRACE_SHARED is not set";
  std::size_t compared = 0;
  for (const Listing& listing : listings(shared)) {
    if (!std::filesystem::exists(listing.saved)) continue;
    const std::string dump = contents(listing.saved);
    Diagnostics diagnostics;
    ReadLog log{diagnostics, {}};
    const Iptables saved = read_iptables_save({SourceId{0}, "save", dump}, listing.family, log);
    const Iptables listed = list(contents(listing.path), listing.family, listing.table).tables;
    const IptablesTable* in_dump = saved.find(listing.table);
    const IptablesTable* in_list = listed.find(listing.table);
    if (in_dump == nullptr) {
      EXPECT_TRUE(in_list == nullptr || nothing_in(*in_list)) << listing.path;
      continue;
    }
    ASSERT_NE(in_list, nullptr) << listing.path;
    EXPECT_EQ(*in_list, *in_dump) << listing.path;
    ++compared;
  }
  EXPECT_GT(compared, 0u);
}

}  // namespace
}  // namespace dvrtrace
