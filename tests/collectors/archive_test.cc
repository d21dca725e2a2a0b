#include "collectors/source/archive.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "collectors/catalog.h"
#include "tests/collectors/tree.h"

namespace dvrtrace {
namespace {

using test::Tree;

constexpr std::string_view kFlows = "cmp1/sos_commands/openvswitch/ovs-ofctl_dump-flows_br-int";
constexpr std::string_view kText = " table=0, priority=1 actions=NORMAL\n";

// A member of a tar, as POSIX has it. `kind`: '0' a file, '1' a hard link, '2' a symbolic link.
std::string member(std::string_view name, std::string_view text = {}, char kind = '0',
                   std::string_view link = {}) {
  std::array<char, 512> header{};
  const auto put = [&](std::size_t at, std::string_view field) {
    std::ranges::copy(field, header.begin() + static_cast<long>(at));
  };
  put(0, name);
  put(100, "0000644");
  put(108, "0000000");
  put(116, "0000000");
  put(124, fmt::format("{:011o}", text.size()));
  put(136, "00000000000");
  put(148, "        ");
  header[156] = kind;
  put(157, link);
  put(257, "ustar");
  put(263, "00");
  unsigned sum = 0;
  for (const char c : header) sum += static_cast<unsigned char>(c);
  put(148, fmt::format("{:06o}", sum));
  header[154] = '\0';
  std::string bytes(header.data(), header.size());
  bytes += text;
  bytes.append((512 - text.size() % 512) % 512, '\0');
  return bytes;
}

std::string tar(std::initializer_list<std::string> members) {
  std::string bytes;
  for (const std::string& each : members) bytes += each;
  return bytes + std::string(1024, '\0');
}

struct Read {
  explicit Read(const std::string& bytes, const ArchiveLimits& limits = {}) : folder{{"it.tar", bytes}} {
    auto read = read_archive(folder.path("it.tar"), "it.tar", may_be_read, diagnostics, limits);
    if (read)
      files = std::move(*read);
    else
      failure = read.error().message;
  }
  const FileEntry& file(std::string_view path) const {
    const auto found = std::ranges::find(files, path, &FileEntry::path);
    if (found != files.end()) return *found;
    ADD_FAILURE() << "no file " << path;
    static const FileEntry none;
    return none;
  }
  bool has(std::string_view path) const {
    return std::ranges::find(files, path, &FileEntry::path) != files.end();
  }
  std::string text(std::string_view path) const {
    const FileEntry& found = file(path);
    return found.text ? *found.text : found.fault;
  }
  bool reports(std::string_view what) const {
    return std::ranges::any_of(diagnostics.all(), [&](const Diagnostic& each) {
      return each.message.find(what) != std::string::npos;
    });
  }

  Tree folder;
  Diagnostics diagnostics;
  std::vector<FileEntry> files;
  std::string failure;
};

TEST(Archive, KeepsTheTextsThatAreWantedAndTheNamesOfAll) {
  const Read read(tar({member(kFlows, kText), member("./cmp1//var/log/syslog", "a\nb\nc")}));
  EXPECT_TRUE(read.diagnostics.empty());
  EXPECT_EQ(read.text(kFlows), kText);
  EXPECT_FALSE(read.file("cmp1/var/log/syslog").text);
  EXPECT_EQ(read.file("cmp1/var/log/syslog").lines, 3u);
}

TEST(Archive, TheLastOfSeveralMembersWithOnePathCounts) {
  const Read read(tar({member(kFlows, "old\n"), member(kFlows, kText)}));
  EXPECT_EQ(read.files.size(), 1u);
  EXPECT_EQ(read.text(kFlows), kText);
}

TEST(Archive, AnArchiveInAnArchiveIsAFolder) {
  const Read read(tar({member("top/cmp1.tar", tar({member(kFlows, kText)})), member("top/date", "now\n")}));
  EXPECT_EQ(read.text("top/cmp1.tar/" + std::string(kFlows)), kText);
  EXPECT_EQ(read.text("top/date"), "now\n");
  EXPECT_TRUE(read.diagnostics.empty());
}

TEST(Archive, WhatIsCalledAnArchiveAndIsNoneDoesNotStopTheRest) {
  const Read read(tar({member("cmp2.tar.gz", "words\n"), member(kFlows, kText)}));
  EXPECT_EQ(read.text(kFlows), kText);
  EXPECT_TRUE(read.reports("cmp2.tar.gz: expected an archive"));
}

TEST(Archive, LinksCountForTheirFilesInTheArchive) {
  const std::string folder = "cmp1/sos_commands/openvswitch/";
  const Read read(
      tar({member("cmp1/flows", {}, '2', "sos_commands/openvswitch/ovs-ofctl_dump-flows_br-int"),
           member("cmp1/lib", {}, '2', "sos_commands"),
           member("cmp1/far", {}, '2', "lib/openvswitch/ovs-ofctl_dump-flows_br-int"),
           member(folder + "ovs-ofctl_dump-flows_br-ex", {}, '1', kFlows), member(kFlows, kText)}));
  EXPECT_EQ(read.text("cmp1/flows"), kText);
  EXPECT_EQ(read.file("cmp1/flows").link_to, kFlows);
  EXPECT_EQ(read.text("cmp1/far"), kText);
  EXPECT_FALSE(read.has("cmp1/lib"));
  EXPECT_EQ(read.text(folder + "ovs-ofctl_dump-flows_br-ex"), kText);
  EXPECT_EQ(read.file(folder + "ovs-ofctl_dump-flows_br-ex").link_to, "");
}

TEST(Archive, LinksAreNotFollowedOut) {
  const Read read(
      tar({member("a/x", {}, '2', "/etc/passwd"), member("a/y", {}, '2', "../../etc/passwd"),
           member("a/z", {}, '1', "/etc/passwd"), member("a/self", {}, '2', "self"), member(kFlows, kText)}));
  for (const char* path : {"a/x", "a/y", "a/z"})
    EXPECT_EQ(read.file(path).fault, "a link that leads out of the archive");
  EXPECT_EQ(read.file("a/self").fault, "a link that leads in a circle");
}

TEST(Archive, PathsThatLeadOutAreRefused) {
  const Read read(
      tar({member("/abs", kText), member("../up", kText), member("a/../b", kText), member(kFlows, kText)}));
  EXPECT_EQ(read.files.size(), 1u);
  EXPECT_TRUE(read.reports("found 3 that lead out of it or are too long, the first '/abs'"));
}

TEST(Archive, WhatItBreaksOffInIsCut) {
  std::string bytes =
      tar({member("cmp1/sos_commands/host/hostname", "cmp1\n"), member(kFlows, std::string(3000, 'x'))});
  bytes.resize(3 * 512 + 1000);
  const Read read(bytes);
  EXPECT_FALSE(read.file("cmp1/sos_commands/host/hostname").cut);
  EXPECT_TRUE(read.file(kFlows).cut);
  EXPECT_TRUE(read.reports("the archive breaks off"));
}

TEST(Archive, ATarWithoutItsEndMayHaveHadMore) {
  const Read read(member(kFlows, std::string(512, 'x')));
  EXPECT_FALSE(read.file(kFlows).cut);
  EXPECT_TRUE(read.reports("the archive breaks off"));
}

TEST(Archive, ATextThatIsTooLongIsCut) {
  ArchiveLimits limits;
  limits.member = 100;
  const Read read(tar({member(kFlows, std::string(1000, 'x')), member("date", "now\n")}), limits);
  EXPECT_EQ(read.text(kFlows).size(), 100u);
  EXPECT_TRUE(read.file(kFlows).cut);
  EXPECT_EQ(read.text("date"), "now\n");
}

TEST(Archive, WhatThereIsNoRoomForIsAFaultAndNotAnEmptyFile) {
  ArchiveLimits limits;
  limits.kept = 1000;
  const Read read(tar({member(kFlows, std::string(1000, 'x')), member("date", "now\n")}), limits);
  EXPECT_EQ(read.file("date").fault, "there was no room for it");
  EXPECT_TRUE(read.reports("date: expected dumps, found more than"));
}

TEST(Archive, NamesThatNothingIsReadFromAreCountedWhereThereAreTooMany) {
  ArchiveLimits limits;
  limits.listed = 1;
  const Read read(tar({member("a/1"), member("a/2"), member("a/3"), member(kFlows, kText)}), limits);
  EXPECT_EQ(read.files.size(), 2u);
  EXPECT_EQ(read.text(kFlows), kText);
  EXPECT_TRUE(read.reports("found 2 more"));
}

TEST(Archive, TooManyDumpsAndTooManyMembersEndTheReading) {
  ArchiveLimits few;
  few.wanted = 1;
  EXPECT_TRUE(Read(tar({member("date"), member(kFlows, kText)}), few).reports("found more than 1 of them"));
  few = {};
  few.members = 1;
  EXPECT_TRUE(Read(tar({member("date"), member(kFlows, kText)}), few).reports("found more than 1 members"));
}

TEST(Archive, AnythingElseIsNoArchive) {
  EXPECT_FALSE(Read("").failure.empty());
  EXPECT_FALSE(Read("words\n").failure.empty());
  EXPECT_FALSE(Read(std::string("\x1f\x8b\x08\0", 4)).failure.empty());
  Diagnostics diagnostics;
  EXPECT_FALSE(read_archive("/dev/null", "x", may_be_read, diagnostics));
}

TEST(Archive, InnerArchivesAreKnownByNameButNotAmongCopiesOfAHost) {
  EXPECT_TRUE(is_inner_archive("sosreport-cmp1.tar.xz"));
  EXPECT_TRUE(is_inner_archive("collect/sosreport-cmp1.tgz"));
  EXPECT_FALSE(is_inner_archive("cmp1/var/log/old.tar.gz"));
  EXPECT_FALSE(is_inner_archive("cmp1/syslog.gz"));
  EXPECT_EQ(without_archive_ending("a.tar.xz"), "a");
  EXPECT_EQ(without_archive_ending("a.gz"), "a.gz");
}

TEST(Archive, WhatMayBeReadIsKnownFromThePath) {
  for (const char* path :
       {"x/sos_commands/networking/namespaces/qrouter-1/ip_netns_exec_qrouter-1_ip_-4_rule_list",
        "x/etc/hostname", "x/var/lib/openvswitch/conf.db",
        "x/sos_strings/openvswitch/ovs-ofctl_dump-flows_br-int.tailed", "neutron/ports.json",
        "x/sos_reports/manifest.json", "commands.json", "x/openvswitch/ovs-vsctl_show",
        "x/etc/neutron/l3_agent.ini", "x/etc/libvirt/qemu/i.xml", "ip_rule", "dump-flows-br-int.txt"})
    EXPECT_TRUE(may_be_read(path)) << path;
  for (const char* path :
       {"x/var/log/messages", "x/sos_commands/kernel/dmesg", "x/proc/meminfo", "x/sos_reports/sos.html"})
    EXPECT_FALSE(may_be_read(path)) << path;
}

}  // namespace
}  // namespace dvrtrace
