#include "src/report/trace_text.h"

#include <gtest/gtest.h>

#include "src/report/page.h"
#include "src/report/words.h"
#include "tests/report/sample.h"

namespace dvrtrace {
namespace {

constexpr Style kAscii{false, false, 100};

struct TextOfTrace : testing::Test {
  Sources sources;
  sample::Cited at{sources};
  Glossary names = sample::glossary(), nothing;

  std::string print(const Trace& trace, Detail detail, const Style& style = kAscii) const {
    return print_text(trace, {sources, names, style, detail});
  }
};

bool holds(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

TEST_F(TextOfTrace, BriefIsTheVerdictAndThePlaces) {
  EXPECT_EQ(print(sample::trace(at), Detail::Brief),
            "Delivered: vm1 reaches vm2 (to-vm)\n"
            "\n"
            "from    vm1  10.0.1.11  fa:16:3e:00:00:01  network net1  on cmp1\n"
            "        port f7ddce7f-66da-481b-94a0-f1dd434a9ba6\n"
            "to      vm2  10.0.2.12  fa:16:3e:00:00:02  network net2  on cmp2\n"
            "packet  icmp echo request, TTL 64\n"
            "\n"
            "request: Delivered (to-vm): it reaches the VM, 5 hops\n"
            "  1  cmp1  VM vm1  -> tap1\n"
            "  2  cmp1  br-int  tap1 -> qr-1\n"
            "  3  cmp1  qrouter-13c6faff-a669-4a80-a7d3-abf49773ab4c (router r1)  qr-1 -> qr-2\n"
            "  4  cmp1  br-tun  patch-int -> vxlan-ac1f000c\n"
            "  5  cmp2  VM vm2  tap2\n"
            "\n"
            "assumed\n"
            "  ASSUME_CT_NEW  no dump of the connection table\n");
}

TEST_F(TextOfTrace, PathShowsWhatDecidedAndWhereItWasRead) {
  const std::string text = print(sample::trace(at), Detail::Path);
  EXPECT_TRUE(holds(text,
                    "  2  cmp1  br-int  tap1 (port 5) -> qr-1 (port 9)\n"
                    "      table 0, priority 100: in_port=5 -> load:0x5->NXM_NX_REG5[],resubmit(,60)\n"
                    "      table 60, priority 3: any -> NORMAL\n"
                    "      NORMAL in local VLAN 2 = net2: MAC not in the table, flooded to 2 ports\n"
                    "        hosts/cmp1/dump-flows_br-int:3,7\n"
                    "      + 1 copy not on the way: VM vm4\n"))
      << text;
  EXPECT_TRUE(holds(text, "      ip rule 167772417: from 10.0.1.1/24 lookup 167772417 (10.0.1.1)\n")) << text;
  EXPECT_TRUE(holds(text,
                    "      nw_ttl 64 -> 63\n"
                    "      eth_src fa:16:3e:00:00:01 (vm1) -> fa:16:3e:00:00:bb (gateway of net2)\n"
                    "        hosts/cmp1/ip_route:9\n"))
      << text;
  EXPECT_TRUE(
      holds(text,
            "      tun_id none -> VNI 58814 (0xe5be) = net2\n"
            "      into VXLAN, VNI 58814 (0xe5be) = net2, VTEP 172.31.0.11 -> VTEP 172.31.0.12 (cmp2),\n"
            "          by vxlan-ac1f000c\n"))
      << text;
}

TEST_F(TextOfTrace, WhatOnlyLeadsFromTableToTableIsLeftToFull) {
  EXPECT_FALSE(holds(print(sample::trace(at), Detail::Path), "table 59"));
  EXPECT_FALSE(holds(print(sample::trace(at), Detail::Path), "reg5 0x0"));
  const std::string full = print(sample::trace(at), Detail::Full);
  EXPECT_TRUE(holds(full,
                    "table 59, priority 0: any -> resubmit(,60)  [cookie 0xab, 12 packets]\n"
                    "        hosts/cmp1/dump-flows_br-int:4\n"))
      << full;
  EXPECT_TRUE(holds(full, "reg5 0x0 -> 0x5"));
}

TEST_F(TextOfTrace, FullListsTheCopies) {
  const std::string full = print(sample::trace(at), Detail::Full);
  EXPECT_TRUE(holds(full, "flooded to 2 ports: tap4 (vm4), qr-1\n")) << full;
  EXPECT_TRUE(holds(full, "\n2.1  cmp1  VM vm4\n")) << full;
  EXPECT_TRUE(holds(full, "Dropped (not-for-this-host): the frame is addressed to another MAC\n")) << full;
}

TEST_F(TextOfTrace, ACopyIsNumberedByWhereItWasMade) {
  Trace trace = sample::trace(at);
  std::vector<Hop>& hops = trace.directions[0].hops;
  for (const std::size_t parent : {3u, 6u, 6u}) {
    hops.push_back(sample::hop(parent, {PlaceKind::Bridge, "cmp3", "br-int"}, {}));
    hops.back().on_path = false;
  }
  const std::string full = print(trace, Detail::Full);
  const std::size_t begin = full.find("\n    2.1  cmp1"), next = full.find("\n  2.1/2  cmp3"),
                    split = full.find("\n2.1/2.1  cmp3");
  EXPECT_LT(begin, next) << full;
  EXPECT_LT(next, split) << full;
  EXPECT_LT(split, full.find("\n2.1/2.2  cmp3")) << full;
}

TEST_F(TextOfTrace, UnknownSaysWhatWouldSettleIt) {
  const std::string text = print(sample::unknown_trace(at), Detail::Brief);
  EXPECT_TRUE(text.starts_with(
      "Unknown: vm1 to vm2: the request can be followed as far as br-tun on cmp1: a dump is missing"))
      << text;
  EXPECT_TRUE(holds(text, "request: Unknown (dump-missing) in br-tun on cmp1: a dump is missing, 4 hops\n"))
      << text;
  EXPECT_TRUE(holds(text, "\nneeds   ovs-ofctl dump-flows br-tun on cmp1\n")) << text;
}

TEST_F(TextOfTrace, TheVerdictAloneIsOneLine) {
  EXPECT_EQ(print_verdict(sample::trace(at), {sources, nothing, kAscii, Detail::Path}),
            "Delivered: vm1 reaches vm2 (to-vm)\n");
}

TEST_F(TextOfTrace, WorksWithoutNames) {
  const std::string text = print_text(sample::trace(at), {sources, nothing, kAscii, Detail::Full});
  EXPECT_TRUE(holds(text, "NORMAL in local VLAN 2: MAC not in the table"));
  EXPECT_TRUE(holds(text, "VNI 58814 (0xe5be), VTEP 172.31.0.11 -> VTEP 172.31.0.12,"));
  EXPECT_FALSE(holds(text, "router r1"));
}

TEST_F(TextOfTrace, AsciiIsAsciiAndUnicodeHasArrows) {
  for (const char byte : print(sample::trace(at), Detail::Full)) ASSERT_GT(byte, 0);
  EXPECT_TRUE(holds(print(sample::trace(at), Detail::Brief, {false, true, 100}), "tap1 \u2192 qr-1"));
}

TEST_F(TextOfTrace, ColourChangesNoWord) {
  const std::string plain = print(sample::trace(at), Detail::Full),
                    colour = print(sample::trace(at), Detail::Full, {true, false, 100});
  std::string stripped;
  for (std::size_t i = 0; i < colour.size(); ++i) {
    if (colour[i] == '\x1b') {
      i = colour.find('m', i);
    } else {
      stripped += colour[i];
    }
  }
  EXPECT_EQ(stripped, plain);
  EXPECT_TRUE(holds(colour, "\x1b[1;32mDelivered\x1b[0m"));
}

TEST_F(TextOfTrace, LinesAreAsWideAsTheTerminal) {
  const std::string text = print(sample::trace(at), Detail::Full, {false, false, 80});
  for (const Span span : lines_of(text)) {
    const std::string line = text.substr(span.begin, span.end - span.begin);
    if (holds(line, "qrouter-")) continue;
    EXPECT_LE(line.size(), 80u) << line;
  }
}

TEST_F(TextOfTrace, ANameCannotSpeakToTheTerminal) {
  Trace trace = sample::trace(at);
  trace.question.from.name = "vm\x1b[2J";
  trace.directions[0].hops[0].place.name = "vm\x1b[2J";
  EXPECT_FALSE(holds(print(trace, Detail::Full), "\x1b"));
}

TEST_F(TextOfTrace, APushedTagIsOneChange) {
  Trace trace = sample::trace(at);
  trace.directions[0].hops[4].steps = {Changed{"vlan_tci", "0x0000", "0x1000"},
                                       Changed{"vlan_vid", "0x1000", "0x1002"}};
  EXPECT_TRUE(holds(print(trace, Detail::Path), "vlan_tci untagged -> local VLAN 2 = net2\n"))
      << print(trace, Detail::Path);
  EXPECT_FALSE(holds(print(trace, Detail::Path), "VLAN 0"));
}

TEST_F(TextOfTrace, AnIptablesLineIsShownWithoutItsCounters) {
  Trace trace = sample::trace(at);
  trace.directions[0].hops[2].steps = {
      ChainHit{"nat",
               "float-snat",
               "[4:252] -A float-snat -s 10.0.1.11/32 -j SNAT --to-source 172.24.4.201",
               "SNAT",
               {}},
      ChainHit{"mangle", "scope", "-A scope -j MARK --set-xmark 0x4000000", "MARK 0x4000000", {}}};
  const std::string text = print(trace, Detail::Path);
  EXPECT_TRUE(holds(text, "iptables nat float-snat: -s 10.0.1.11/32 -j SNAT --to-source 172.24.4.201\n"))
      << text;
  EXPECT_FALSE(holds(text, "MARK"));
}

TEST(Words, NumbersAreTranslated) {
  const Glossary names = sample::glossary();
  const Place br_int{PlaceKind::Bridge, "cmp1", "br-int"}, br_ex{PlaceKind::Bridge, "cmp1", "br-ex"};
  EXPECT_EQ(table_text("2852022899"), "2852022899 (169.254.106.115)");
  EXPECT_EQ(table_text("16"), "16");
  EXPECT_EQ(table_text("main"), "main");
  EXPECT_EQ(rule_text("57481: from 10.0.1.5 lookup 16"), "from 10.0.1.5 lookup 16");
  EXPECT_EQ(vni_text(52, names), "VNI 52 (0x34)");
  EXPECT_EQ(vlan_text(2, br_int, names), "local VLAN 2 = net2");
  EXPECT_EQ(vlan_text(2, br_ex, names), "VLAN 2");
  EXPECT_EQ(vlan_text(4095, br_int, names), "local VLAN 4095 (dead: not wired by the agent)");
  EXPECT_EQ(field_text("vlan_tci", "0x1002", br_int, names), "local VLAN 2 = net2");
  EXPECT_EQ(field_text("tun_id", "0x34", br_int, names), "VNI 52 (0x34)");
}

TEST(Page, BreaksAtSpacesAndCommasAndNeverWithinAName) {
  Page page({false, false, 20});
  page.line(2, "aaaa,bbbb,cccc,dddd eeee");
  page.line(0, "a-name-that-is-longer-than-the-line b");
  EXPECT_EQ(page.text(),
            "  aaaa,bbbb,cccc,\n"
            "      dddd eeee\n"
            "a-name-that-is-longer-than-the-line\n"
            "    b\n");
}

}  // namespace
}  // namespace dvrtrace
