#include "collectors/conntrack.h"

#include <gtest/gtest.h>

#include "tests/collectors/reading.h"

namespace dvrtrace {
namespace {

using kernel::Connection;
using kernel::Tuple;
using test::reading;

std::string show(const Tuple& tuple) {
  return to_string(tuple.source) + ":" + std::to_string(tuple.source_port) + ">" +
         to_string(tuple.destination) + ":" + std::to_string(tuple.destination_port);
}

std::string show(const Connection& connection) {
  std::string text = std::to_string(connection.original.protocol) + " " + show(connection.original) + " " +
                     show(connection.reply);
  if (connection.zone != 0) text += " zone " + std::to_string(connection.zone);
  if (connection.mark != 0) text += " mark " + std::to_string(connection.mark);
  if (!connection.label.zero()) text += " label " + to_string(connection.label);
  if (!connection.tcp_state.empty()) text += " " + connection.tcp_state;
  if (connection.unreplied) text += " unreplied";
  if (connection.assured) text += " assured";
  if (connection.timeout) text += " " + std::to_string(*connection.timeout) + "s";
  return text;
}

struct Case {
  std::string_view text, shown;
};

template <class Read, std::size_t N>
void expect_each(const Case (&cases)[N], Read read) {
  for (const Case& c : cases) {
    const auto result = reading<Connection>(c.text, read);
    ASSERT_EQ(result.rows.size(), 1u) << c.text << " " << result.first_message();
    EXPECT_EQ(show(result.rows[0].value), c.shown) << c.text;
    EXPECT_TRUE(result.diagnostics.empty()) << c.text << " " << result.first_message();
  }
}

TEST(Conntrack, ReadsEveryForm) {
  constexpr Case kCases[] = {
      {"tcp      6 431999 ESTABLISHED src=10.0.0.1 dst=10.0.0.2 sport=1000 dport=80 src=10.0.0.2 "
       "dst=10.0.0.9 sport=80 "
       "dport=1000 [ASSURED] mark=7 secctx=system_u:object_r:unlabeled_t:s0 zone=3 use=1",
       "6 10.0.0.1:1000>10.0.0.2:80 10.0.0.2:80>10.0.0.9:1000 zone 3 mark 7 ESTABLISHED assured 431999s"},
      {"ipv4     2 udp      17 29 src=10.0.0.1 dst=10.0.0.2 sport=1 dport=53 packets=1 bytes=60 [UNREPLIED] "
       "src=10.0.0.2 "
       "dst=10.0.0.1 sport=53 dport=1 packets=0 bytes=0 mark=0 use=1",
       "17 10.0.0.1:1>10.0.0.2:53 10.0.0.2:53>10.0.0.1:1 unreplied 29s"},
      {"icmp     1 8 src=10.0.0.1 dst=10.0.0.2 type=8 code=1 id=77 src=10.0.0.2 dst=10.0.0.1 type=0 code=0 "
       "id=77 mark=0 use=2",
       "1 10.0.0.1:77>10.0.0.2:2049 10.0.0.2:77>10.0.0.1:0 8s"},
      {"ipv6     10 icmpv6   58 24 src=fe80::1 dst=fe80::2 type=128 code=0 id=7 [UNREPLIED] src=fe80::2 "
       "dst=fe80::1 type=129 "
       "code=0 id=7 mark=0 use=1",
       "58 fe80::1:7>fe80::2:32768 fe80::2:7>fe80::1:33024 unreplied 24s"},
      {"unknown  112 599 src=169.254.1.1 dst=224.0.0.18 [UNREPLIED] src=224.0.0.18 dst=169.254.1.1 mark=0 "
       "use=1",
       "112 169.254.1.1:0>224.0.0.18:0 224.0.0.18:0>169.254.1.1:0 unreplied 599s"},
      {"gre      47 170 src=10.0.0.1 dst=10.0.0.2 srckey=0x0 dstkey=0x1 src=10.0.0.2 dst=10.0.0.1 srckey=0x1 "
       "dstkey=0x0 mark=0 use=1",
       "47 10.0.0.1:0>10.0.0.2:0 10.0.0.2:0>10.0.0.1:0 170s"},
      {"tcp      6 src=10.0.0.1 dst=10.0.0.2 sport=1 dport=80 src=10.0.0.2 dst=10.0.0.1 sport=80 dport=1 "
       "[OFFLOAD] mark=0 use=2",
       "6 10.0.0.1:1>10.0.0.2:80 10.0.0.2:80>10.0.0.1:1"},
      {"sctp     132 10 COOKIE_WAIT src=10.0.0.1 dst=10.0.0.2 sport=1 dport=2 src=10.0.0.2 dst=10.0.0.1 "
       "sport=2 dport=1 mark=0 "
       "[start=Thu Jan  1 00:00:00 2026] delta-time=4 use=1 id=3414 labels=0x10000000000000002",
       "132 10.0.0.1:1>10.0.0.2:2 10.0.0.2:2>10.0.0.1:1 label ::1:0:0:0:2 10s"},
  };
  expect_each(kCases, read_conntrack);
}

TEST(Conntrack, PassesOverTheSummary) {
  const auto result = reading<Connection>(
      "conntrack v1.4.7 (conntrack-tools): 0 flow entries have been shown.\n", read_conntrack);
  EXPECT_EQ(result.of(LineState::Ignored), 1u);
}

// stderr cuts into stdout wherever a block of 4096 bytes ends.
TEST(Conntrack, PutsARowTogetherThatTheSummaryCut) {
  constexpr std::string_view kRow =
      "udp      17 29 src=10.0.0.1 dst=10.0.0.2 sport=1 dport=53 src=10.0.0.2 dst=10.0.0.1 sport=53 dport=1 "
      "mark=0 use=1\n";
  for (std::size_t cut = 1; cut + 1 < kRow.size(); ++cut) {
    const std::string text = std::string(kRow) + std::string(kRow.substr(0, cut)) +
                             "conntrack v1.4.7 (conntrack-tools): 3 flow entries have been shown.\n" +
                             std::string(kRow.substr(cut)) + std::string(kRow);
    const auto result = reading<Connection>(text, read_conntrack);
    ASSERT_EQ(result.rows.size(), 3u) << cut << " " << result.first_message();
    EXPECT_EQ(result.rows[0], result.rows[1]) << cut;
    EXPECT_EQ(result.rows[1].at.span.begin, kRow.size());
    EXPECT_EQ(result.rows[1].at.span.end, text.size() - kRow.size() - 1);
    EXPECT_EQ(result.of(LineState::Modelled), 4u);
  }
}

TEST(Conntrack, DoesNotModelZonesOfOneDirectionAndNamedLabels) {
  for (const std::string_view member : {"zone-orig=1", "labels=customer"}) {
    const auto result = reading<Connection>(
        "udp 17 29 src=10.0.0.1 dst=10.0.0.2 sport=1 dport=53 src=10.0.0.2 dst=10.0.0.1 sport=53 dport=1 "
        "mark=0 " +
            std::string(member) + " use=1",
        read_conntrack);
    EXPECT_EQ(result.of(LineState::Unmodelled), 1u) << member;
  }
}

TEST(Conntrack, SaysWhatIsWrong) {
  test::expect_bad<Connection>(
      {
          {"conntrack v1.4.7 (conntrack-tools): Operation failed",
           "expected a protocol's number, found 'v1.4.7'"},
          {"udp 17", "expected the addresses of a connection, found the end of the line"},
          {"udp 17 29 src=10.0.0.1 dst=10.0.0.2 sport=1 dport=53",
           "expected the addresses and ports of both directions, found the end of the line"},
          {"udp 17 29 src=10.0.0.1 dst=10.0.0.2 sport=1 dport=5 src=10.0.0.2 dst=10.0.0.1 sport=5 dport=1 "
           "mark=0",
           "expected 'use=', found the end of the line"},
          {"udp 17 29 src=10.0.0.1 dst=fe80::1 sport=1 dport=5 src=10.0.0.2 dst=10.0.0.1 sport=5 dport=1 "
           "use=1",
           "expected the addresses and ports of both directions, found the end of the line"},
          {"udp 17 29 src=10.0.0.1 dst=10.0.0.2 sport=99999 dport=5",
           "expected a member of a connection, found 'sport=99999'"},
          {"udp 17 29 src=10.0.0 dst=10.0.0.2", "expected a member of a connection, found 'src=10.0.0'"},
          {"udp 17 29 src=10.0.0.1 dst=10.0.0.2 sp", "expected a member of a connection, found 'sp'"},
          {"udp 17 29 src=1.1.1.1 dst=2.2.2.2 src=2.2.2.2 dst=1.1.1.1 src=3.3.3.3",
           "expected one original and one reply direction, found 'src=3.3.3.3'"},
          {"udp 17 29 [start=Thu Jan", "expected ']', found the end of the line"},
      },
      read_conntrack);
}

TEST(DpctlConntrack, ReadsEveryForm) {
  constexpr Case kCases[] = {
      {"icmp,orig=(src=10.0.1.11,dst=8.8.8.8,id=24026,type=8,code=0),reply=(src=8.8.8.8,dst=10.0.1.11,id="
       "24026,type=0,code=0),zone=1",
       "1 10.0.1.11:24026>8.8.8.8:2048 8.8.8.8:24026>10.0.1.11:0 zone 1"},
      {"tcp,orig=(src=10.0.1.1,dst=10.0.2.2,sport=5,dport=80),reply=(src=10.0.2.2,dst=10.0.1.1,sport=80,"
       "dport=5),zone=1,"
       "mark=0x1,labels=0x2,protoinfo=(state=TIME_WAIT)",
       "6 10.0.1.1:5>10.0.2.2:80 10.0.2.2:80>10.0.1.1:5 zone 1 mark 1 label ::2 TIME_WAIT"},
      {"tcp,orig=(src=fe80::1,dst=fe80::2,sport=5,dport=80,packets=5,bytes=9),reply=(src=fe80::2,dst=fe80::1,"
       "sport=80,dport=5),id=0,"
       "zone=4,status=0,timeout=30,mark=1,protoinfo=(state_orig=ESTABLISHED,state_reply=SYN_SENT,wscale_orig="
       "10,flags_orig=WINDOW_SCALE)",
       "6 fe80::1:5>fe80::2:80 fe80::2:80>fe80::1:5 zone 4 mark 1 ESTABLISHED 30s"},
      {"udp,orig=(src=10.0.1.1,dst=10.0.2.2,sport=5,dport=8),reply=(src=10.0.2.2,dst=10.0.1.1,sport=8,dport="
       "5),id=9,zone=2,"
       "status=SEEN_REPLY|ASSURED|CONFIRMED,timeout=5,helper=ftp",
       "17 10.0.1.1:5>10.0.2.2:8 10.0.2.2:8>10.0.1.1:5 zone 2 assured 5s"},
      {"udp,orig=(src=10.0.1.1,dst=10.0.2.2,sport=5,dport=8),reply=(src=10.0.2.2,dst=10.0.1.1,sport=8,dport="
       "5),status=CONFIRMED",
       "17 10.0.1.1:5>10.0.2.2:8 10.0.2.2:8>10.0.1.1:5 unreplied"},
      {"112,orig=(src=10.0.1.1,dst=224.0.0.18,sport=0,dport=0),reply=(src=224.0.0.18,dst=10.0.1.1,sport=0,"
       "dport=0)",
       "112 10.0.1.1:0>224.0.0.18:0 224.0.0.18:0>10.0.1.1:0"},
  };
  expect_each(kCases, read_dpctl_conntrack);
}

TEST(DpctlConntrack, SaysWhatIsWrong) {
  test::expect_bad<Connection>(
      {
          {"ovs-vswitchd: opening datapath (No such device)",
           "expected a connection, found 'ovs-vswitchd: opening datapath (No such device)'"},
          {"tcp,orig=(src=10.0.1.1", "expected a connection, found 'tcp,orig=(src=10.0.1.1'"},
          {"udp,orig=(src=1.1.1.1,dst=2.2.2.2,sport=5,dport=8)",
           "expected a connection, found 'udp,orig=(src=1.1.1.1,dst=2.2.2.2,sport=5,dport=8)'"},
          {"udp,orig=(src=1.1.1.1,dst=2.2.2.2),reply=(src=2.2.2.2,dst=1.1.1.1),zon",
           "expected a connection, found 'zon'"},
          {"udp,orig=(src=1.1.1.1,dst=2.2.2.2),reply=(src=2.2.2.2,dst=1.1.1.1),zone=70000",
           "expected a connection, found 'zone=70000'"},
          {"udp,orig=(src=1.1.1.1,dst=2.2.2.2),reply=(src=2.2.2.2,dst=1.1.1.1),colour=1",
           "expected a connection, found 'colour=1'"},
      },
      read_dpctl_conntrack);
}

TEST(ConntrackShared, ReadsEveryDump) {
  if (test::shared_folder().empty()) GTEST_SKIP() << "DVRTRACE_SHARED is not set";
  test::expect_all_read<Connection>({"conntrack_-L", "conntrack_-L_-o_extended", "conntrack_-L_-f_ipv6"},
                                    read_conntrack);
  test::expect_all_read<Connection>({"dpctl.dump-conntrack", "dpctl.dump-conntrack_-m"},
                                    read_dpctl_conntrack);
}

}  // namespace
}  // namespace dvrtrace
