#include "collectors/ipset.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace dvrtrace {
namespace {

struct Read {
  std::vector<kernel::Ipset> sets;
  LineCounts lines;
  Diagnostics diagnostics;
};

Read read(std::string_view bytes) {
  Read result;
  ReadLog log{result.diagnostics, {}};
  result.sets = read_ipset({SourceId{0}, "ipset", bytes}, log);
  result.lines = log.lines;
  EXPECT_EQ(result.lines.total(), lines_of(bytes).count()) << bytes;
  return result;
}

std::vector<std::string> printed(const std::vector<Sourced<Prefix>>& prefixes) {
  std::vector<std::string> texts;
  for (const auto& prefix : prefixes) texts.push_back(to_string(prefix.value));
  return texts;
}

using Texts = std::vector<std::string>;

TEST(Ipset, ReadsAList) {
  const Read read_list = read(
      "Name: NIPv445e4aeab-843f-4aa6-bb59-\n"
      "Type: hash:net\n"
      "Revision: 7\n"
      "Header: family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0xa97849d1\n"
      "Size in memory: 696\n"
      "References: 4\n"
      "Number of entries: 2\n"
      "Members:\n"
      "10.0.1.11\n"
      "10.1.0.0/16 nomatch\n"
      "\n"
      "Name: NIPv6x\n"
      "Type: hash:net\n"
      "Header: family inet6 hashsize 1024 maxelem 65536\n"
      "Members:\n"
      "fd00:1::/64\n"
      "fd00:2::5 timeout 299\n");
  ASSERT_EQ(read_list.sets.size(), 2u);
  EXPECT_EQ(read_list.sets[0].name, "NIPv445e4aeab-843f-4aa6-bb59-");
  EXPECT_EQ(read_list.sets[0].type, "hash:net");
  EXPECT_EQ(printed(read_list.sets[0].prefixes), Texts{"10.0.1.11/32"});
  EXPECT_EQ(printed(read_list.sets[0].exceptions), Texts{"10.1.0.0/16"});
  EXPECT_EQ(read_list.sets[1].family, Family::V6);
  EXPECT_EQ(printed(read_list.sets[1].prefixes), (Texts{"fd00:1::/64", "fd00:2::5/128"}));
  EXPECT_TRUE(read_list.diagnostics.empty());
}

TEST(Ipset, SaveAndListAreEqual) {
  const Read saved = read(
      "create A hash:net family inet hashsize 1024 maxelem 65536\n"
      "create B hash:ip family inet hashsize 1024\n"
      "add A 10.0.1.11\n"
      "add A 0.0.0.0/1 nomatch\n"
      "add B 10.0.0.9\n");
  const Read listed = read(
      "Name: A\nType: hash:net\nHeader: family inet hashsize 1024\nMembers:\n0.0.0.0/1 nomatch\n10.0.1.11\n\n"
      "Name: B\nType: hash:ip\nHeader: family inet\nMembers:\n10.0.0.9\n");
  EXPECT_EQ(saved.sets, listed.sets);
}

struct MemberCase {
  std::string_view member;
  Texts prefixes, exceptions;
};

TEST(Ipset, ReadsMembers) {
  const std::vector<MemberCase> cases = {
      {"10.0.0.1", {"10.0.0.1/32"}, {}},
      {"10.0.0.0/24", {"10.0.0.0/24"}, {}},
      {"10.0.0.0/24 nomatch", {}, {"10.0.0.0/24"}},
      {"10.0.0.1 timeout 299 packets 0 bytes 0", {"10.0.0.1/32"}, {}},
      {"10.0.0.1 comment \"not nomatch\"", {"10.0.0.1/32"}, {}},
      {"10.0.0.1 comment \"x\" nomatch", {}, {"10.0.0.1/32"}},
      {"10.0.0.1-10.0.0.6", {"10.0.0.1/32", "10.0.0.2/31", "10.0.0.4/31", "10.0.0.6/32"}, {}},
      {"0.0.0.0-255.255.255.255", {"0.0.0.0/0"}, {}},
      {"255.255.255.254-255.255.255.255", {"255.255.255.254/31"}, {}},
  };
  for (const MemberCase& test : cases) {
    const std::string text = "create S hash:net family inet\nadd S " + std::string(test.member) + "\n";
    const Read result = read(text);
    ASSERT_EQ(result.sets.size(), 1u);
    EXPECT_EQ(printed(result.sets[0].prefixes), test.prefixes) << test.member;
    EXPECT_EQ(printed(result.sets[0].exceptions), test.exceptions) << test.member;
  }
}

TEST(Ipset, RangesOfIpv6) {
  const Read result = read("create S hash:ip family inet6\nadd S fd00::-fd00:0:0:1:ffff:ffff:ffff:ffff\nadd S fd00::ff-fd00::100\n");
  EXPECT_EQ(printed(result.sets.at(0).prefixes), (Texts{"fd00::/63", "fd00::ff/128", "fd00::100/128"}));
}

TEST(Ipset, MembersStandForNetworksOfTheNetmask) {
  const Read result = read("create S hash:ip family inet hashsize 64 netmask 24\nadd S 10.0.7.0\n");
  EXPECT_EQ(printed(result.sets.at(0).prefixes), Texts{"10.0.7.0/24"});
}

TEST(Ipset, KeepsMembersOfOtherTypesAsWritten) {
  const Read result = read("create S hash:ip,port family inet\nadd S 10.0.0.1,tcp:80\n");
  EXPECT_EQ(result.sets.at(0).others, Texts{"10.0.0.1,tcp:80"});
  EXPECT_EQ(result.lines.of(LineState::Unmodelled), 1u);
}

TEST(Ipset, LeavesOutASetWhoseMembersAreNotShown) {
  const Read result = read("Name: A\nType: hash:net\nHeader: family inet\nReferences: 1\nNumber of entries: 5\n");
  EXPECT_TRUE(result.sets.empty());
  ASSERT_EQ(result.diagnostics.all().size(), 1u);
  EXPECT_EQ(result.diagnostics.all()[0].message, "set A is listed without its members");
}

struct BadCase {
  std::string_view text, message;
};

TEST(Ipset, DiagnosesWhatItCannotRead) {
  const std::vector<BadCase> cases = {
      {"hello", "expected a field of a set, create or add, found 'hello'"},
      {"Type: hash:net", "expected 'Name:' before the fields of a set, found 'Type'"},
      {"Name:", "expected the name of a set, found the end of the line"},
      {"create A", "expected the name and type of a set, found the end of the line"},
      {"create A hash:net family inet5", "expected inet or inet6, found 'inet5'"},
      {"add A 10.0.0.1", "expected the name of a set created before, found 'A'"},
      {"create A hash:net family inet\nadd A 10.0.0.300", "expected an IPv4 address, network or range, found '10.0.0.300'"},
      {"create A hash:net family inet\nadd A fd00::1", "expected an IPv4 address, network or range, found 'fd00::1'"},
      {"create A hash:net family inet\nadd A 10.0.0.9-10.0.0.1", "expected an IPv4 address, network or range, found '10.0.0.9-10.0.0.1'"},
      {"create A hash:net family inet\nadd A", "expected an IPv4 address, network or range, found the end of the line"},
  };
  for (const BadCase& test : cases) {
    const Read result = read(test.text);
    EXPECT_EQ(result.lines.of(LineState::Unrecognised), 1u) << test.text;
    ASSERT_FALSE(result.diagnostics.empty()) << test.text;
    EXPECT_EQ(result.diagnostics.all()[0].message, test.message);
  }
}

TEST(Ipset, AnUnreadMemberIsNotForgotten) {
  EXPECT_EQ(read("create A hash:net family inet\nadd A 10.0.0.x\n").sets.at(0).others, Texts{"10.0.0.x"});
}

}  // namespace
}  // namespace dvrtrace
