// The command line: every option of every command, declared once. Help, completions and the parser are all
// made from this declaration.
#pragma once

#include <CLI/App.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "src/cli/failure.h"

namespace dvrtrace::cli {

// What was typed; still words, so that a wrong one is named as it was written.
struct Options {
  std::string command;
  std::vector<std::string> words;  // what is neither an option nor the command
  std::vector<std::string> inputs, neutron;
  std::string folder = ".", bridge;          // ofproto-trace
  std::vector<std::string> ct_next;
  std::string fill = "none";                 // from
  std::string questions;
  std::string expect, from_pattern, to_pattern;  // reach
  std::string release, output;               // check, reference, collect
  std::string host_list, ssh, timeout, connect_timeout, parallel;  // collect
  bool list = false, script = false;
  std::vector<std::string> unpack;
  std::string map_file, ask;                 // bundle
  bool redact = false;
  std::vector<std::string> with, with_neutron;  // diff
  std::vector<std::string> captures;         // verify
  bool all = false;
  std::string write;
  std::string count, seconds;                // capture
  bool run = false, probe = false;
  std::string direction = "both", source_port, ttl, size, source_ip, source_mac, destination_mac;
  bool dont_fragment = false, established = false, show_arp = false;
  std::string format = "text", detail = "path", color = "auto";
  bool json = false, numeric = false, quiet = false, verbose = false, no_pager = false;
  bool check = false, ascii = false;         // view
  std::string screen, keys;
  bool short_help = false, long_help = false, version = false;
};

struct Command {
  std::string_view name, arguments, summary;
  std::string_view description;  // below the usage line in the long help
  std::vector<std::pair<std::string_view, std::string_view>> examples;  // what for, command line
  void (*declare)(CLI::App& app, Options& options);
};

const std::vector<Command>& commands();
const Command* find_command(std::string_view name);

// The declaration of a command, or with nullptr that of the program itself: what may stand before a command.
std::unique_ptr<CLI::App> declaration(const Command* command, Options& options);

// An option as help and completions need it.
struct OptionText {
  std::string short_name, long_name;  // "-i", "--input"; either may be empty
  std::string value;                  // "text|json", "PATH"; "" for a flag
  std::string description, group;
  std::vector<std::string> choices() const;  // of a value that is one of a list
};
std::vector<OptionText> option_texts(const CLI::App& app);

// `arguments`: without the program's name. `environment`: DVRTRACE_OPTIONS, which comes first; what a
// command does not take is passed over there.
tl::expected<Options, Failure> parse(std::vector<std::string> arguments, const std::string& environment);

// Whether an answer as JSON was asked for, also of a command line that cannot be parsed.
bool wants_json(const std::vector<std::string>& arguments, const std::string& environment);

}  // namespace dvrtrace::cli
