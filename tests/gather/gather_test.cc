#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "collectors/dump_name.h"
#include "collectors/gather/host_list.h"
#include "collectors/gather/stream.h"

namespace dvrtrace::gather {
namespace {

namespace fs = std::filesystem;

// --- the list -----------------------------------------------------------------------------------------

std::string subject_for(Each each) {
  switch (each) {
    case Each::Bridge:
      return "br-int";
    case Each::Namespace:
      return "qrouter-13c6faff-a669-4a80-a7d3-abf49773ab4c";
    case Each::Domain:
      return "instance-00000001";
    case Each::Router:
      return "13c6faff-a669-4a80-a7d3-abf49773ab4c";
    case Each::Settings:
      return "etc/neutron/l3_agent.ini";
    case Each::Host:
      return "";
  }
  return "";
}

// What a command leaves must be what a reader takes: under the name that it would have in a sos report.
TEST(Commands, leave_files_that_are_read) {
  const std::set<std::string_view> for_others{"domains", "routers", "ovs-show"};
  for (const Command& command : commands()) {
    const std::string subject = subject_for(command.each);
    ASSERT_TRUE(is_subject(command.each, subject)) << command.key;
    const DumpName name = classify(path_of(command, subject));
    if (!for_others.contains(command.key)) {
      EXPECT_GT(name.kind, FileKind::Ignored) << path_of(command, subject);
    }
    if (command.each == Each::Bridge) {
      EXPECT_EQ(name.bridge, subject) << command.key;
    }
    if (command.each == Each::Namespace) {
      EXPECT_EQ(name.netns, subject) << command.key;
    }
  }
}

TEST(Commands, are_named_as_sos_names_them) {
  EXPECT_EQ(path_of(*find("flows"), "br-int"),
            "sos_commands/openvswitch/ovs-ofctl_-O_OpenFlow13_dump-flows_br-int");
  EXPECT_EQ(path_of(*find("fdb"), "br-int"), "sos_commands/openvswitch/ovs-appctl_fdb.show_br-int");
  EXPECT_EQ(path_of(*find("rules"), "qrouter-U"),
            "sos_commands/networking/namespaces/qrouter-U/ip_netns_exec_qrouter-U_ip_-4_rule_list");
  EXPECT_EQ(path_of(*find("conntrack"), "snat-U"),
            "sos_commands/conntrack/ip_netns_exec_snat-U_conntrack_-L_-o_extended");
  EXPECT_EQ(path_of(*find("settings"), "etc/neutron/l3_agent.ini"), "etc/neutron/l3_agent.ini");
}

TEST(Commands, run_in_containers_and_out_of_snaps) {
  const auto line = [](const char* key, const char* subject, const char* prefix) {
    std::string text;
    for (const std::string& word : words_of(*find(key), subject, prefix))
      text += (text.empty() ? "" : " ") + word;
    return text;
  };
  EXPECT_EQ(line("fdb", "br-int", ""), "ovs-appctl fdb/show br-int");
  EXPECT_EQ(line("fdb", "br-int", "docker exec openvswitch_vswitchd"),
            "docker exec openvswitch_vswitchd ovs-appctl fdb/show br-int");
  EXPECT_EQ(line("fdb", "br-int", "openstack-hypervisor."),
            "openstack-hypervisor.ovs-appctl fdb/show br-int");
  EXPECT_EQ(line("iptables", "qrouter-U", "podman exec neutron_l3_agent"),
            "podman exec neutron_l3_agent ip netns exec qrouter-U iptables-save -c");
}

TEST(Commands, stand_for_others_that_give_the_same) {
  const auto key = [](const char* line) {
    return instead_of(line) == nullptr ? "" : std::string(instead_of(line)->key);
  };
  EXPECT_EQ(key("ovs-ofctl dump-flows br-int"), "flows");
  EXPECT_EQ(key("ovs-ofctl -O OpenFlow14 show br-int"), "show");
  EXPECT_EQ(key("ip rule"), "rules");
  EXPECT_EQ(key("ip -6 rule"), "rules6");
  EXPECT_EQ(key("ip -6 route show table all"), "routes");
  EXPECT_EQ(key("ip6tables-save"), "ip6tables");
  EXPECT_EQ(key("bridge -d link"), "bridge-ports");
  EXPECT_EQ(key("ovs-appctl fdb/show br-int"), "fdb");
  EXPECT_EQ(key("reboot"), "");
}

TEST(Commands, are_given_no_names_that_could_harm) {
  EXPECT_EQ(found_in(Each::Bridge, "br-int\nbr;reboot\n-O\n../x\n$(id)\n\nbr-int\nbr-tun\n"),
            (std::vector<std::string>{"br-int", "br-tun"}));
  EXPECT_EQ(found_in(Each::Namespace, "qrouter-U (id: 9)\nfip-V\n"),
            (std::vector<std::string>{"qrouter-U", "fip-V"}));
  EXPECT_FALSE(is_subject(Each::Settings, "etc/shadow"));
  EXPECT_FALSE(is_subject(Each::Router, "13c6faff-a669-4a80-a7d3-abf49773ab4c.pid.keepalived"));
}

// --- the stream ---------------------------------------------------------------------------------------

class Stream : public ::testing::Test {
 protected:
  Stream() : folder_(fs::temp_directory_path() / ("dvrtrace-stream-" + random_word())) {}
  ~Stream() override { fs::remove_all(folder_); }

  // Pieces of `size` bytes, as a network may deliver them.
  bool read(std::string_view text, std::size_t size = 1 << 16) {
    fs::remove_all(folder_);
    report_ = {};
    const auto folder = HostFolder::make(folder_.string());
    if (!folder) return false;
    StreamReader reader("W", *folder, report_);
    for (std::size_t at = 0; at < text.size(); at += size) reader.take(text.substr(at, size));
    return reader.finish();
  }
  std::string file(const std::string& name) const {
    std::ifstream in(folder_ / name, std::ios::binary);
    std::stringstream text;
    text << in.rdbuf();
    return in ? text.str() : "(no file)";
  }

  fs::path folder_;
  HostReport report_;
};

const std::string kFlows = "sos_commands/openvswitch/ovs-ofctl_-O_OpenFlow13_dump-flows_br-int";

TEST_F(Stream, gives_each_dump_as_it_was_however_it_is_cut) {
  const std::string text =
      "\nW start 0 1700000000.5 100.00\n\nW prefix 1 \n\nW run flows 101.00 br-int\nfirst\n\nlast\n\nW end 0 "
      "102.50\n"
      "\nW run show 102.50 br-int\nno end of line\nW end 0 103.00\n\nW run fdb 103.00 br-int\n\nW end 1 "
      "104.00\nno such bridge\n\nW done\n";
  for (const std::size_t size : {1UL, 2UL, 3UL, 7UL, 1000UL}) {
    ASSERT_TRUE(read(text, size)) << size;
    EXPECT_EQ(file(kFlows), "first\n\nlast\n");
    EXPECT_EQ(file("sos_commands/openvswitch/ovs-ofctl_-O_OpenFlow13_show_br-int"), "no end of line");
    EXPECT_EQ(file("sos_commands/openvswitch/ovs-appctl_fdb.show_br-int"), "no such bridge\n");
    ASSERT_EQ(report_.runs.size(), 3U);
    EXPECT_DOUBLE_EQ(report_.runs[0].start, 1700000001.5);
    EXPECT_DOUBLE_EQ(report_.runs[0].end, 1700000003.0);
    EXPECT_EQ(report_.runs[2].status, 1);
    EXPECT_EQ(report_.runs[2].message, "no such bridge");
    EXPECT_TRUE(report_.root);
  }
}

TEST_F(Stream, that_breaks_off_keeps_what_came) {
  EXPECT_FALSE(read("\nW start 0 1700000000 1\n\nW run flows 1 br-int\nfirst\nsec"));
  EXPECT_EQ(file(kFlows), "first\nsec");
  ASSERT_EQ(report_.runs.size(), 1U);
  EXPECT_FALSE(report_.runs[0].good());
  EXPECT_EQ(report_.runs[0].message, "the connection ended");
}

TEST_F(Stream, writes_nowhere_else) {
  read(
      "\nW start 0 1 1\n\nW run flows 1 ../../../../tmp/x\nx\n\nW end 0 2\n\nW run nonsense 1 br-int\nx\n\nW "
      "end 0 2\n"
      "\nW run settings 1 etc/shadow\nx\n\nW end 0 2\n\nW run router-state 1 ..\nx\n\nW end 0 2\n\nW done\n");
  EXPECT_TRUE(report_.runs.empty());
  EXPECT_TRUE(fs::is_empty(folder_));
}

TEST_F(Stream, takes_a_line_without_end_for_a_dump) {
  const std::string line(100'000, 'x');
  ASSERT_TRUE(read("\nW start 0 1 1\n\nW run flows 1 br-int\n" + line + "\nW end 0 2\n\nW done\n", 1000));
  EXPECT_EQ(file(kFlows), line);
}

TEST_F(Stream, never_writes_over_a_dump) {
  read(
      "\nW start 0 1 1\n\nW run flows 1 br-int\nfirst\n\nW end 0 2\n\nW run flows 1 br-int\nsecond\n\nW end "
      "0 2\n\nW done\n");
  EXPECT_EQ(file(kFlows), "first\n");
  EXPECT_FALSE(report_.runs[1].good());
}

TEST(Script, has_each_command_and_is_a_shell_s) {
  const std::string script = script_for("W");
  for (const Command& command : commands())
    EXPECT_NE(script.find(" " + std::string(command.key) + " \"$n\" "), std::string::npos) << command.key;
  std::string out;
  const Ran ran = run_process({"sh", "-n"}, script, {}, [&](std::string_view piece) { out += piece; });
  EXPECT_TRUE(ran.good()) << ran.errors;
}

// --- what is missing ----------------------------------------------------------------------------------

CommandRun ran(const char* key, const char* subject, int status) {
  CommandRun run;
  run.command = find(key);
  run.subject = subject;
  run.exec = key;
  run.status = status;
  return run;
}

TEST(Report, names_what_a_trace_will_miss) {
  HostReport report;
  report.prefixes.fill("");
  report.runs = {ran("flows", "br-int", 0), ran("flows", "br-x", 1), ran("flows10", "br-x", 0),
                 ran("conntrack", "", 127), ran("date", "", 1)};
  EXPECT_EQ(report.lacks(),
            std::vector<std::string>{});  // br-x speaks OpenFlow 1.0, and the rest can be done without
  report.runs.push_back(ran("fdb", "br-int", 1));
  EXPECT_EQ(report.lacks(), std::vector<std::string>{"fdb: status 1"});
  report.prefixes[static_cast<std::size_t>(Tool::Ovs)].reset();
  report.root = false;
  report.sudo_asks = true;
  EXPECT_EQ(report.lacks(), (std::vector<std::string>{"not as root: sudo asks for a password",
                                                      "Open vSwitch: not installed", "fdb: status 1"}));
}

// --- lists of hosts -----------------------------------------------------------------------------------

struct Listed {
  HostList list;
  std::size_t complaints = 0;
  std::string hosts(const std::vector<std::string>& words = {}) const {
    const auto selected = list.select(words);
    if (!selected) return selected.error().message;
    std::string text;
    for (const Target& target : *selected) text += (text.empty() ? "" : " ") + target.destination();
    return text;
  }
};

Listed listed(std::string_view text) {
  Diagnostics diagnostics;
  Listed result{read_host_list({SourceId{0}, "hosts", text}, diagnostics), 0};
  result.complaints = diagnostics.all().size();
  return result;
}

TEST(HostList, is_a_host_on_each_line) {
  EXPECT_EQ(listed("cmp1\n# no\n\nroot@net1\ncmp1\n").hosts(), "cmp1 root@net1");
}

TEST(HostList, is_an_inventory_of_ansible) {
  const Listed ini = listed(
      "[compute]\ncmp[01:03]\n[network]\nnet1 ansible_host=10.0.0.9 ansible_user=\"ops\" ansible_port=2222\n"
      "[cloud:children]\ncompute\nnetwork\n[cloud:vars]\nansible_become=yes\n[other]\ndb1 # not of ours\n");
  EXPECT_EQ(ini.complaints, 0U);
  EXPECT_EQ(ini.hosts(), "cmp01 cmp02 cmp03 ssh://ops@10.0.0.9:2222 db1");
  EXPECT_EQ(ini.hosts({"cloud"}), "cmp01 cmp02 cmp03 ssh://ops@10.0.0.9:2222");
  EXPECT_EQ(ini.hosts({"net1", "cmp02"}), "cmp02 ssh://ops@10.0.0.9:2222");
  EXPECT_EQ(ini.hosts({"cmp9"}), "no host and no group 'cmp9' in the list");
}

TEST(HostList, is_an_inventory_in_yaml) {
  const Listed yaml = listed(
      "---\nall:\n  vars:\n    x: y\n  children:\n    compute:\n      hosts:\n        cmp[1:2]:\n        "
      "cmp7:\n          ansible_host: 10.0.0.7\n"
      "          ansible_user: \"root\"\n    network:\n      hosts:\n        net1: {ansible_host: 10.0.0.9, "
      "ansible_port: 22}\n");
  EXPECT_EQ(yaml.complaints, 0U);
  EXPECT_EQ(yaml.hosts(), "cmp1 cmp2 root@10.0.0.7 ssh://10.0.0.9:22");
  EXPECT_EQ(yaml.hosts({"network"}), "ssh://10.0.0.9:22");
}

TEST(HostList, gives_ssh_no_options) {
  EXPECT_EQ(listed("-oProxyCommand=x\ncmp1\n").hosts(), "cmp1");
  EXPECT_EQ(listed("cmp1 ansible_host=-oProxyCommand=x\ncmp2 ansible_user='$(id)'\n").hosts(), "");
  EXPECT_FALSE(target_of("-v").has_value());
  EXPECT_FALSE(target_of("a b").has_value());
  EXPECT_EQ(target_of("ops@cmp1")->destination(), "ops@cmp1");
  EXPECT_EQ(folder_name_of("ops@10.0.0.1"), "10.0.0.1");
  EXPECT_EQ(folder_name_of(".."), "");
}

}  // namespace
}  // namespace dvrtrace::gather
