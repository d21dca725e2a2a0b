// The commands that are run on a host to collect its dumps: the one list. What runs on this host, the script that
// travels to others, `dvrtrace collect --list`, the manual and `inventory` are all made from it.
//
// Every command only reads. A command is of the host, or is run once for each bridge, namespace, libvirt domain, HA
// router or file of settings; `{}` in it stands for that one. Those come from the commands that `finds` them.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/run/process.h"

namespace dvrtrace::gather {

enum class Each {
  Host,
  Bridge,
  Namespace,
  Domain,
  Router,
  Settings
};  // Namespace: "" for the root namespace as well
inline constexpr std::size_t kEach = 6;

// Whose command it is. Each may need words in front, to run in a container or out of a snap.
enum class Tool { System, Ovs, Netfilter, Agent, Libvirt };
inline constexpr std::size_t kTools = 5;

struct Command {
  std::string_view key;
  Each each = Each::Host;
  Tool tool = Tool::System;
  std::string_view
      folder;  // of sos_commands; "" where the output is a copy of the file that the last word names
  std::string_view line;        // words, with a blank between
  unsigned seconds = 30;        // that it may take
  bool needed = false;          // without it a trace that passes here ends Unknown
  std::string_view without;     // what is not known when it is missing
  Each finds = Each::Host;      // what its output lists, one a line
  std::string_view instead_of;  // the key of another, that it is run in place of when that one failed
};
std::span<const Command> commands();
const Command* find(std::string_view key);
// The command of the list that gives the same as `line`, which may have other options; null when none does.
const Command* instead_of(std::string_view line);

// Where a tool may be. The first whose test succeeds is used.
struct Prefix {
  Tool tool = Tool::System;
  std::string_view
      words;  // in front of the command: "docker exec openvswitch_vswitchd", "openstack-hypervisor."
  std::string_view test;
};
std::span<const Prefix> prefixes();
std::string_view name_of(Tool tool);  // "Open vSwitch"

// Files with the agents' settings, wherever they may be. Secrets in them are replaced before they are saved.
std::span<const std::string_view> settings_files();

// The words to run. `prefix` as of the tool, "" in front of none.
Words words_of(const Command& command, std::string_view subject, std::string_view prefix = {});
// The file with the output, below the folder of a host, named as sos names it.
std::string path_of(const Command& command, std::string_view subject);
// What a command that finds `each` found, from its output.
std::vector<std::string> found_in(Each each, std::string_view output);
// Whether a command for each of them may be given `name`. Such a name needs no quoting, and leads out of no folder.
bool is_subject(Each each, std::string_view name);

}  // namespace dvrtrace::gather
