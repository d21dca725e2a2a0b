#include "src/cli/options.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "src/base/text.h"
#include "src/cli/suggest.h"

namespace dvrtrace::cli {
namespace {

constexpr auto kLast = CLI::MultiOptionPolicy::TakeLast;

void declare_inputs(CLI::App& app, Options& o) {
  const auto repeatable = [&](const char* names, std::vector<std::string>& value, const char* type,
                              const char* description) {
    app.add_option(names, value, description)->type_name(type)->allow_extra_args(false)->group("Inputs");
  };
  repeatable("-i,--input", o.inputs, "[NAME=]INPUT",
             "a host's folder, a folder of hosts, an archive or a sosreport; repeatable, a later one wins "
             "file by file");
  repeatable("--neutron", o.neutron, "PATH", "Neutron's objects as JSON, a file or a folder; repeatable");
}

void declare_value(CLI::App& app, const char* names, std::string& value, const char* type, const char* group,
                   const char* description) {
  app.add_option(names, value, description)->type_name(type)->multi_option_policy(kLast)->group(group);
}

void declare_flag(CLI::App& app, const char* names, bool& value, const char* group, const char* description) {
  app.add_flag(names, value, description)->multi_option_policy(kLast)->group(group);
}

void declare_release(CLI::App& app, Options& o) {
  declare_value(app, "--release", o.release, "RELEASE", "Inputs",
                "the release of Neutron to compare with (found out)");
}

// What every command that traces is given: see OpenedCloud.
void declare_cloud(CLI::App& app, Options& o) {
  declare_inputs(app, o);
  declare_release(app, o);
  declare_value(app, "--fill", o.fill, "none|reference", "Inputs",
                "take what the dumps lack from what Neutron should have programmed");
}

void declare_packet(CLI::App& app, Options& o) {
  constexpr const char* kGroup = "The packet";
  declare_value(app, "--direction", o.direction, "both|request|reply", kGroup, "trace one direction alone");
  declare_value(app, "--sport", o.source_port, "PORT", kGroup, "source port of TCP, UDP or SCTP");
  declare_value(app, "--ttl", o.ttl, "NUMBER", kGroup, "time to live that the packet starts with (64)");
  declare_value(app, "--size", o.size, "BYTES", kGroup, "size of the IP packet, for the MTUs on the way");
  declare_flag(app, "--df", o.dont_fragment, kGroup, "forbid fragments");
  declare_value(app, "--src-ip", o.source_ip, "ADDRESS", kGroup, "a source address other than A's own");
  declare_value(app, "--src-mac", o.source_mac, "MAC", kGroup, "a source MAC other than A's own");
  declare_value(app, "--dst-mac", o.destination_mac, "MAC", kGroup,
                "the destination MAC, instead of resolving the next hop");
  declare_flag(app, "--established", o.established, kGroup, "a packet of a connection that exists already");
}

void declare_format(CLI::App& app, Options& o, const char* formats = "text|json") {
  constexpr const char* kGroup = "The answer";
  declare_value(app, "-o,--format", o.format, formats, kGroup, "how the answer is written");
  declare_flag(app, "--json", o.json, kGroup, "short for --format json");
}

void declare_general(CLI::App& app, Options& o) {
  constexpr const char* kGroup = "The answer";
  declare_flag(app, "-v,--verbose", o.verbose, kGroup, "more messages on standard error");
  declare_value(app, "--color", o.color, "auto|always|never", kGroup, "colours in the text");
  declare_flag(app, "--no-pager", o.no_pager, kGroup, "do not send long text through PAGER");
}

void declare_help(CLI::App& app, Options& o) {
  declare_flag(app, "-h", o.short_help, "General", "a short help");
  declare_flag(app, "--help", o.long_help, "General", "the whole help, with examples");
}

void declare_from(CLI::App& app, Options& o) {
  declare_cloud(app, o);
  declare_value(app, "--questions", o.questions, "FILE", "Inputs",
                "many questions, one per line: 'A to B [PACKET]'; - is standard input");
  declare_packet(app, o);
  declare_format(app, o, "text|json|html|dot");
  declare_value(app, "-d,--detail", o.detail, "brief|path|full", "The answer",
                "how much of the way is shown");
  declare_flag(app, "--show-arp", o.show_arp, "The answer",
               "show how addresses were resolved, also where nothing hangs on it");
  declare_flag(app, "-n,--numeric", o.numeric, "The answer", "numbers only, no names for them");
  declare_flag(app, "-q,--quiet", o.quiet, "The answer", "only the verdict");
  declare_general(app, o);
}

void declare_verify(CLI::App& app, Options& o) {
  declare_cloud(app, o);
  app.add_option(
         "-r,--read", o.captures,
         "a capture, with the place where it was taken, or a folder of them; - is standard input; repeatable")
      ->type_name("[PLACE=]CAPTURE")
      ->allow_extra_args(false)
      ->group("Inputs");
  declare_flag(app, "--all", o.all, "Inputs", "no question: every flow that a VM in the captures begins");
  declare_packet(app, o);
  declare_format(app, o);
  declare_value(app, "-d,--detail", o.detail, "brief|path|full", "The answer",
                "how much is shown: the answer, the way, or copies and captures too");
  declare_value(app, "--write", o.write, "FILE", "The answer",
                "write the flow's packets into this pcapng, in the order of the way, with comments");
  declare_flag(app, "-n,--numeric", o.numeric, "The answer", "numbers only, no names for them");
  declare_flag(app, "-q,--quiet", o.quiet, "The answer", "only the answer's first line");
  declare_general(app, o);
}

void declare_capture(CLI::App& app, Options& o) {
  declare_cloud(app, o);
  declare_packet(app, o);
  declare_value(app, "--count", o.count, "PACKETS", "The captures",
                "end a capture after so many packets (1000)");
  declare_value(app, "--seconds", o.seconds, "SECONDS", "The captures", "end a capture after so long (30)");
  constexpr const char* kRun = "Running them";
  declare_flag(app, "--run", o.run, kRun,
               "capture on the hosts over ssh, fetch the captures and verify them");
  declare_flag(
      app, "--probe", o.probe, kRun,
      "send a marked ping when all listen: from A where that is a namespace, else from the DHCP or router "
      "namespace nearest to A, which is then the question");
  declare_value(app, "--to", o.output, "DIR", kRun, "the folder for the captures (dvrtrace-captures-TIME)");
  declare_value(app, "--inventory", o.host_list, "FILE", kRun,
                "how hosts are reached: an Ansible inventory (INI or YAML), or a host on each line");
  declare_value(app, "--ssh", o.ssh, "COMMAND", kRun, "the ssh to use, with options of your own (ssh)");
  declare_value(app, "--connect-timeout", o.connect_timeout, "SECONDS", kRun,
                "until a host that does not answer is given up (10)");
  declare_flag(app, "--list", o.list, kRun, "only print what is run on hosts");
  declare_format(app, o);
  declare_value(app, "-d,--detail", o.detail, "brief|path|full", "The answer",
                "full: every device on the way, not only those that decide");
  declare_general(app, o);
}

void declare_inventory(CLI::App& app, Options& o) {
  declare_inputs(app, o);
  declare_format(app, o);
  declare_general(app, o);
}

void declare_ofproto_trace(CLI::App& app, Options& o) {
  declare_value(app, "--from", o.folder, "DIR", "Inputs", "the folder with the dumps of one host");
  declare_value(app, "--bridge", o.bridge, "BR", "Inputs", "the bridge that the packet comes into");
  app.add_option("--ct-next", o.ct_next,
                 "ct_state at the next return from connection tracking, as trk,est; repeatable, then trk,new")
      ->type_name("FLAGS")
      ->allow_extra_args(false)
      ->group("The packet");
  declare_format(app, o);
  declare_general(app, o);
}

void declare_check(CLI::App& app, Options& o) {
  declare_inputs(app, o);
  declare_release(app, o);
  declare_format(app, o, "text|json|html");
  declare_general(app, o);
}

void declare_reach(CLI::App& app, Options& o) {
  declare_cloud(app, o);
  declare_value(app, "--expect", o.expect, "FILE", "What is asked",
                "what must arrive and what must not, a line each: '[not] A to B [PACKET]'");
  declare_value(app, "--from", o.from_pattern, "PATTERN", "What is asked",
                "only from VMs so called: names, addresses, networks, hosts, security groups; * and ?");
  declare_value(app, "--to", o.to_pattern, "PATTERN", "What is asked", "only to these");
  declare_format(app, o, "text|json|csv|html");
  declare_value(app, "-d,--detail", o.detail, "brief|path|full", "The answer",
                "full: an example for what arrives, too");
  declare_general(app, o);
}

void declare_diff(CLI::App& app, Options& o) {
  declare_inputs(app, o);
  const auto repeatable = [&](const char* name, std::vector<std::string>& value, const char* type,
                              const char* description) {
    app.add_option(name, value, description)->type_name(type)->allow_extra_args(false)->group("Inputs");
  };
  repeatable("--with", o.with, "[NAME=]INPUT", "what it is compared with, the later state; repeatable");
  repeatable("--with-neutron", o.with_neutron, "PATH",
             "Neutron's objects of the later state (those of --neutron, where it has none); repeatable");
  declare_packet(app, o);
  declare_format(app, o);
  declare_value(app, "-d,--detail", o.detail, "brief|path|full", "The answer",
                "how much is shown: kinds of paths, some of them, or all");
  declare_flag(app, "-q,--quiet", o.quiet, "The answer", "only the first line");
  declare_general(app, o);
}

void declare_reference(CLI::App& app, Options& o) {
  declare_inputs(app, o);
  declare_release(app, o);
  declare_value(app, "--to", o.output, "DIR", "The answer",
                "write the dumps into this folder, one below it for each host");
  declare_general(app, o);
}

void declare_collect(CLI::App& app, Options& o) {
  constexpr const char* kHosts = "Hosts";
  declare_value(app, "--inventory", o.host_list, "FILE", kHosts,
                "hosts to collect over ssh: an Ansible inventory (INI or YAML), or a host on each line; HOST "
                "then names hosts or groups of it");
  declare_value(app, "--ssh", o.ssh, "COMMAND", kHosts, "the ssh to use, with options of your own (ssh)");
  declare_value(app, "--timeout", o.timeout, "SECONDS", kHosts,
                "for all of a host; what has arrived by then is kept (300)");
  declare_value(app, "--connect-timeout", o.connect_timeout, "SECONDS", kHosts,
                "until a host that does not answer is given up (10)");
  declare_value(app, "--parallel", o.parallel, "NUMBER", kHosts, "hosts at once (24)");
  declare_flag(app, "--list", o.list, kHosts, "only print the commands that are run");
  declare_flag(app, "--script", o.script, kHosts,
               "only print the script that runs them, to be run by other means: sh SCRIPT >HOST.stream");
  app.add_option("--unpack", o.unpack, "what the script printed on a host, compressed or not; repeatable")
      ->type_name("[HOST=]FILE")
      ->allow_extra_args(false)
      ->group(kHosts);
  declare_value(app, "--to", o.output, "DIR", "The answer",
                "the folder for the dumps, one below it for each host (dvrtrace-TIME)");
  declare_format(app, o);
  declare_general(app, o);
}

void declare_bundle(CLI::App& app, Options& o) {
  declare_inputs(app, o);
  constexpr const char* kBundle = "The bundle";
  declare_flag(app, "--redact", o.redact, kBundle,
               "replace addresses, MACs, UUIDs and names, the same everywhere");
  declare_value(app, "--map", o.map_file, "FILE", kBundle,
                "what was replaced by what (ARCHIVE.map.json); one that is there is used again");
  declare_value(app, "--ask", o.ask, "QUESTION", kBundle,
                "add the answer to a question: 'vm1 to vm2 tcp/80'");
  declare_general(app, o);
}

void declare_view(CLI::App& app, Options& o) {
  constexpr const char* kGroup = "The screen";
  declare_cloud(app, o);
  declare_packet(app, o);
  declare_flag(app, "--check", o.check, kGroup, "the findings of the whole cloud, as check lists them");
  declare_flag(app, "--ascii", o.ascii, kGroup,
               "draw with ASCII alone; so it is done where the locale is not UTF-8");
  declare_value(app, "--screen", o.screen, "COLUMNSxROWS", kGroup,
                "print a screen of this size as text, and open no terminal");
  declare_value(app, "--keys", o.keys, "KEYS", kGroup,
                "keys to press first, as 'r Down Tab Enter'; words are typed");
  declare_flag(app, "-n,--numeric", o.numeric, kGroup, "numbers only, no names for them");
  declare_flag(app, "-v,--verbose", o.verbose, kGroup, "more messages on standard error");
  declare_value(app, "--color", o.color, "auto|always|never", kGroup, "colours on the screen");
}

void declare_nothing(CLI::App&, Options&) {}

}  // namespace

const std::vector<Command>& commands() {
  static const std::vector<Command> all{
      {"from",
       "A to B [PACKET]",
       "where a packet goes, both ways, and what stops it",
       "A and B: a VM's name, an instance's or port's UUID or the first 11 characters of a port's, a device, "
       "a MAC,\n"
       "a fixed or floating IP, any address outside, HOST:NETNS, or the word outside. NETWORK/IP, ROUTER/IP "
       "and\n"
       "HOST/IP narrow an address that several have.\n"
       "PACKET: icmp (the default), tcp/PORT, udp/PORT, sctp/PORT, arp, dhcp, or a flow as ovs-fields writes "
       "it, in quotes.\n",
       {{"both ways between two VMs, by name", "dvrtrace from vm1 to vm2 -i hosts --neutron neutron"},
        {"a connection to a port", "dvrtrace from vm1 to 10.0.2.12 tcp/80 -i hosts"},
        {"the way out, every step with its line of the dumps",
         "dvrtrace from 10.0.1.11 to 8.8.8.8 -d full -i hosts"},
        {"several reports, one of them named", "dvrtrace from vm1 to vm2 -i cmp1=a.tar.xz -i b.tar.xz"},
        {"for a script", "dvrtrace from vm1 to vm2 -o json -i hosts"},
        {"many questions, a line of JSON for each", "dvrtrace from --questions pairs.txt -o json -i hosts"},
        {"a page to attach to a ticket", "dvrtrace from vm1 to vm2 -o html -i hosts >vm1-to-vm2.html"}},
       declare_from},
      {"view",
       "[from A to B [PACKET] | FILE]",
       "the same on a screen to move in: path, steps, evidence; what-if",
       "Shows a question's answer, a saved trace (FILE, as from ... -o json writes it), with --check what is "
       "wrong in the cloud, and\n"
       "without any of these the ends that a question can have, to choose from. Needs a terminal, unless "
       "--screen prints one.\n",
       {{"a question", "dvrtrace view from vm1 to vm2 -i hosts --neutron neutron"},
        {"a trace that somebody saved", "dvrtrace view trace.json -i hosts"},
        {"one screen as text", "dvrtrace view from vm1 to vm2 -i hosts --screen 120x40"}},
       declare_view},
      {"verify",
       "from A to B [PACKET]",
       "whether captures agree with where a packet should go",
       "A, B and PACKET are those of from. Each capture is of a place: HOST:NETNS:DEVICE=FILE, "
       "HOST:DEVICE=FILE in the root\n"
       "namespace, or a file named HOST__NETNS__DEVICE.pcap, with root for the root namespace. Where nothing "
       "says it, what the\n"
       "capture holds may. pcap and pcapng are read, compressed or not. Exit status 0: they agree, 1: they "
       "do not, 3: they\n"
       "cannot tell.\n",
       {{"a folder of captures", "dvrtrace verify from vm1 to vm2 -i hosts --neutron neutron -r captures"},
        {"every flow in the captures", "dvrtrace verify --all -i hosts --neutron neutron -r captures"},
        {"two captures, named",
         "dvrtrace verify from vm1 to vm2 -i hosts -r cmp1:eth1=a.pcap -r cmp2:eth1=b.pcap.gz"}},
       declare_verify},
      {"capture",
       "from A to B [PACKET]",
       "where to capture, and what: commands for the hosts",
       "A, B and PACKET are those of from. Of each host on the way the devices where the packet comes in and "
       "goes out are\n"
       "named, with the filter for it there, also within a tunnel. The files are named as verify reads "
       "them.\n"
       "Nothing is run, but with --run: then the captures are taken over ssh, and verified.\n",
       {{"for a connection", "dvrtrace capture from vm1 to vm2 tcp/80 -i hosts --neutron neutron"},
        {"capture a ping and verify it",
         "dvrtrace capture from vm1 to vm2 --run --probe -i hosts --neutron neutron"}},
       declare_capture},
      {"inventory",
       "",
       "hosts, networks, routers, VMs and floating IPs; what is missing",
       "What the inputs hold: hosts with their roles, networks, routers, VMs, floating IPs; the dumps that "
       "are missing and the\n"
       "commands that would give them; how much of each host was understood, and what contradicts itself.\n",
       {{"all hosts below a folder", "dvrtrace inventory -i hosts --neutron neutron"}},
       declare_inventory},
      {"ofproto-trace",
       "FLOW",
       "one packet through the OpenFlow tables of a bridge, as ovs-appctl ofproto/trace shows it",
       "FLOW is a packet as ofproto/trace takes it, in quotes. Patch ports are crossed, conntrack forks "
       "followed;\n"
       "no switch needs to run: the tables are those of the dumps in DIR.\n",
       {{"a packet that comes in by port 5",
         "dvrtrace ofproto-trace --from hosts/cmp1 --bridge br-int 'icmp,in_port=5,nw_dst=10.0.1.12'"}},
       declare_ofproto_trace},
      {"check",
       "",
       "what is not as Neutron's agents program it: cause, evidence, repair",
       "Compares what is found on each host with what Neutron's objects and release ask for, and looks for "
       "what no agent would\n"
       "leave so. What breaks most comes first. Without Neutron's objects the dumps alone are judged.\n",
       {{"a whole cloud", "dvrtrace check -i hosts --neutron neutron"}},
       declare_check},
      {"reach",
       "[PACKET...]",
       "who reaches whom: all pairs of VMs, floating IPs, the outside, metadata, DHCP",
       "Each PACKET, icmp by default, between all VMs, from and to the outside and to floating IPs; metadata "
       "and DHCP with their "
       "own.\n"
       "VMs of which the dumps say the same are asked about once, and shown as one group. Exit status with "
       "--expect: 0 it is so, "
       "1 it\n"
       "is not, 3 the dumps do not tell.\n",
       {{"the matrix", "dvrtrace reach icmp tcp/22 -i hosts --neutron neutron"},
        {"in a cloud's own CI", "dvrtrace reach --expect policy.txt -i hosts --neutron neutron"}},
       declare_reach},
      {"diff",
       "[from A to B [PACKET]]",
       "what changed between two snapshots, and whose packets fare otherwise",
       "Compares by meaning: counters, ages, order, and the numbers that agents and switches give out do not "
       "count. The paths whose\n"
       "verdict or way changed come first, then the changes, those first that explain them. Without a "
       "question all pairs of VMs are\n"
       "asked about, the way out, metadata, DHCP and floating IPs. Exit status: 0 nothing changed, 1 "
       "something did.\n",
       {{"before and after a change", "dvrtrace diff -i before --with after --neutron neutron"},
        {"what it did to one path", "dvrtrace diff from vm1 to vm2 tcp/80 -i before --with after"}},
       declare_diff},
      {"reference",
       "[HOST...]",
       "what Neutron's agents should have programmed, as dumps",
       "Prints flows, rules, routes, neighbours, iptables and settings of the hosts as Neutron's agents "
       "program them. Numbers that\n"
       "agents and switches choose are those of the inputs.\n",
       {{"a cloud that is only planned", "dvrtrace reference --neutron neutron --release zed --to planned"},
        {"into a folder that -i takes", "dvrtrace reference cmp1 -i hosts --neutron neutron --to expected"}},
       declare_reference},
      {"collect",
       "[HOST...]",
       "the dumps of this host, or of many over ssh, in a folder that -i takes",
       "Without a HOST, of this one. Commands that only read are run, as root or by sudo where that asks for "
       "no password; a script that\n"
       "needs nothing but a shell runs them on other hosts, which is what --list prints. Hosts are reached "
       "as your ssh reaches them, and\n"
       "no password is asked for. A folder in the layout of a sos report is written for each host, with a "
       "manifest.json that tells when each\n"
       "command ran and how it ended. Exit status: 0 all is there, 1 some of it is missing, 2 nothing was "
       "collected.\n",
       {{"this host", "sudo dvrtrace collect --to snapshot"},
        {"three hosts", "dvrtrace collect cmp1 cmp2 net1 --to snapshot"},
        {"a group of an Ansible inventory", "dvrtrace collect compute --inventory hosts.ini --to snapshot"}},
       declare_collect},
      {"bundle",
       "ARCHIVE",
       "an archive of the dumps, redacted if asked, to send to others",
       "ARCHIVE ends in .tar.zst, .tar.xz, .tar.gz or .tar, and is an input like any other. It holds the "
       "files that dvrtrace reads, with\n"
       "checksums, and nothing else. Redacted, it traces as before, in other names; what stands for what is "
       "written to a map that is\n"
       "yours to keep.\n",
       {{"for a support case, redacted, with the question",
         "dvrtrace bundle case.tar.zst --redact --ask 'vm1 to vm2' -i snapshot"}},
       declare_bundle},
      {"completion",
       "bash|zsh|fish",
       "completions for a shell",
       "",
       {{"for bash, in this session", "source <(dvrtrace completion bash)"}},
       declare_nothing},
  };
  return all;
}

const Command* find_command(std::string_view name) {
  const auto found = std::ranges::find(commands(), name, &Command::name);
  return found == commands().end() ? nullptr : &*found;
}

std::unique_ptr<CLI::App> declaration(const Command* command, Options& options) {
  auto app = std::make_unique<CLI::App>();
  app->set_help_flag();
  app->allow_extras();  // words, and options that nobody knows: both looked at by parse()
  if (command != nullptr) command->declare(*app, options);
  declare_help(*app, options);
  if (command == nullptr) declare_flag(*app, "--version", options.version, "General", "the version");
  return app;
}

std::vector<std::string> OptionText::choices() const {
  std::vector<std::string> all;
  if (value.find('|') == std::string::npos) return all;
  for (const std::string_view choice : split(value, '|')) all.emplace_back(choice);
  return all;
}

std::vector<OptionText> option_texts(const CLI::App& app) {
  std::vector<OptionText> all;
  for (const CLI::Option* option : app.get_options()) {
    OptionText text;
    if (!option->get_snames().empty()) text.short_name = "-" + option->get_snames().front();
    if (!option->get_lnames().empty()) text.long_name = "--" + option->get_lnames().front();
    if (option->get_items_expected_max() > 0) text.value = option->get_type_name();
    text.description = option->get_description();
    text.group = option->get_group();
    all.push_back(std::move(text));
  }
  return all;
}

namespace {

using Words = std::vector<std::string>;

bool is_option(std::string_view word) { return word.size() > 1 && word[0] == '-'; }

// The option that a word names ("--ttl=3", "-ojson"), among those that some command has. "--" names none.
const OptionText* named(std::string_view word, const std::vector<OptionText>& all) {
  const bool is_long = word.starts_with("--");
  const std::string_view name = is_long ? word.substr(0, word.find('=')) : word.substr(0, 2);
  const auto found = std::ranges::find(all, name, is_long ? &OptionText::long_name : &OptionText::short_name);
  return found == all.end() ? nullptr : &*found;
}

// Whether the option's value is the next word.
bool takes_next(std::string_view word, const OptionText& option) {
  if (option.value.empty()) return false;
  return word.starts_with("--") ? word.find('=') == std::string_view::npos : word.size() == 2;
}

std::vector<OptionText> options_of(const Command* command) {
  Options unused;
  return option_texts(*declaration(command, unused));
}

std::vector<OptionText> options_of_all() {
  std::vector<OptionText> all = options_of(nullptr);
  for (const Command& command : commands()) std::ranges::move(options_of(&command), std::back_inserter(all));
  return all;
}

// The place of the command: the first word that is neither an option nor an option's value.
std::size_t find_command_word(const Words& words) {
  if (words.empty() || !is_option(words.front())) return 0;
  const std::vector<OptionText> all = options_of_all();
  std::size_t i = 0;
  while (i < words.size() && is_option(words[i])) {
    const OptionText* option = named(words[i], all);
    i += option != nullptr && takes_next(words[i], *option) ? 2 : 1;
  }
  return std::min(i, words.size());
}

// Of the options in the environment those that this command takes. One that no command takes stays, and is
// an error.
Words fitting(const Words& environment, const Command* command) {
  if (environment.empty()) return {};
  const std::vector<OptionText> mine = options_of(command), all = options_of_all();
  Words kept;
  for (std::size_t i = 0; i < environment.size(); ++i) {
    const OptionText* option = is_option(environment[i]) ? named(environment[i], all) : nullptr;
    const bool with_value =
        option != nullptr && takes_next(environment[i], *option) && i + 1 < environment.size();
    if (option == nullptr || named(environment[i], mine) != nullptr) {
      kept.push_back(environment[i]);
      if (with_value) kept.push_back(environment[i + 1]);
    }
    if (with_value) ++i;
  }
  return kept;
}

Failure usage(std::string message, std::string hint, std::string_view command) {
  if (hint.empty())
    hint = command.empty() ? "dvrtrace --help" : "dvrtrace " + std::string(command) + " --help";
  return {"usage", std::move(message), std::move(hint), {}};
}

Failure unknown_option(const std::string& word, const CLI::App& app, std::string_view command) {
  const std::string name = word.substr(0, word.find('='));
  Words right;
  for (const OptionText& option : option_texts(app)) {
    if (!option.long_name.empty()) right.push_back(option.long_name);
  }
  for (const Command& other : commands()) {
    if (other.name == command || named(name, options_of(&other)) == nullptr) continue;
    return usage("option " + name + " is not one of " +
                     (command.empty() ? "dvrtrace's own" : std::string(command)) + ", but of dvrtrace " +
                     std::string(other.name),
                 "", command);
  }
  return usage("unknown option " + name, did_you_mean(name, right), command);
}

// A value that must be one of a list is.
tl::expected<void, Failure> check_choices(const CLI::App& app, std::string_view command) {
  const std::vector<OptionText> texts = option_texts(app);
  const std::vector<const CLI::Option*> options = app.get_options();
  for (std::size_t i = 0; i < options.size(); ++i) {
    const Words choices = texts[i].choices();
    if (choices.empty()) continue;
    for (const std::string& value : options[i]->results()) {
      if (std::ranges::find(choices, value) != choices.end()) continue;
      return tl::unexpected<Failure>(
          usage(texts[i].long_name + " is one of " + texts[i].value + ", not '" + value + "'",
                did_you_mean(value, choices), command));
    }
  }
  return {};
}

}  // namespace

tl::expected<Options, Failure> parse(Words arguments, const std::string& environment) {
  const Words from_environment = CLI::detail::split_up(environment);
  const std::size_t at = find_command_word(arguments);
  Options options;
  const Command* command = nullptr;
  if (at < arguments.size()) {
    options.command = arguments[at];
    command = find_command(options.command);
    if (command == nullptr) {
      Words right;
      for (const Command& known : commands()) right.emplace_back(known.name);
      return tl::unexpected<Failure>(
          usage("unknown command '" + options.command + "'", did_you_mean(options.command, right), ""));
    }
    arguments.erase(arguments.begin() + static_cast<std::ptrdiff_t>(at));
  }
  const Words first = fitting(from_environment, command);
  arguments.insert(arguments.begin(), first.begin(), first.end());

  const auto app = declaration(command, options);
  try {
    std::ranges::reverse(arguments);  // as CLI11 wants them
    app->parse(arguments);
  } catch (const CLI::ParseError& error) {
    return tl::unexpected<Failure>(usage(error.what(), "", options.command));
  }
  if (options.short_help || options.long_help || options.version) return options;
  for (std::string& word : app->remaining()) {
    if (word == "--") continue;
    if (is_option(word)) return tl::unexpected<Failure>(unknown_option(word, *app, options.command));
    options.words.push_back(std::move(word));
  }
  if (const auto checked = check_choices(*app, options.command); !checked)
    return tl::unexpected<Failure>(checked.error());
  if (options.json) options.format = "json";
  return options;
}

bool wants_json(const Words& arguments, const std::string& environment) {
  Words words = CLI::detail::split_up(environment);
  words.insert(words.end(), arguments.begin(), arguments.end());
  bool json = false, short_form = false;
  for (std::size_t i = 0; i < words.size(); ++i) {
    std::string_view word = words[i];
    if (word == "--json") short_form = true;
    if ((word == "-o" || word == "--format") && i + 1 < words.size()) json = words[i + 1] == "json";
    if (consume(word, "--format=") || consume(word, "-o")) json = word == "json" || (word.empty() && json);
  }
  return json || short_form;
}

}  // namespace dvrtrace::cli
