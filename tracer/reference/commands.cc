#include "tracer/reference/commands.h"

#include <fmt/format.h>

#include "src/base/text.h"

namespace dvrtrace::reference {
namespace {

bool kernel_made(const Line& line) { return line.rule.empty() || line.rule.starts_with("KERNEL"); }

// The lines of `ip addr`: "2: qr-1@if2: <...> mtu 1450 ...", "    link/ether MAC ...", "    inet ADDRESS ...".
class LinkCommands {
 public:
  explicit LinkCommands(std::vector<std::string>& commands) : commands_(commands) {}

  void add(const Line& line) {
    std::string_view rest = line.text;
    const std::string_view first = take_word(rest);
    if (first.ends_with(':') && is_digit(first.front())) {
      start(rest);
    } else if (first == "link/ether" && device_ != "lo") {
      commands_.push_back(fmt::format("link set dev {} address {}", device_, take_word(rest)));
    } else if (first.starts_with("inet") && !kernel_made(line)) {
      const std::string_view address = take_word(rest);
      take_word(rest);  // "scope"
      commands_.push_back(
          fmt::format("address replace {} scope {} dev {}", address, take_word(rest), device_));
    }
  }

 private:
  void start(std::string_view rest) {
    std::string_view name = take_word(rest);
    name.remove_suffix(1);
    device_ = take_until(name, '@');
    if (device_ == "lo") return commands_.push_back("link set dev lo up");
    std::string command = fmt::format("link set dev {}", device_);
    for (std::string_view word = take_word(rest); !word.empty(); word = take_word(rest)) {
      if (word == "mtu" || word == "master") command += fmt::format(" {} {}", word, take_word(rest));
    }
    commands_.push_back(command + " up");
  }

  std::vector<std::string>& commands_;
  std::string device_;
};

// "52350:\tfrom 10.0.1.11 lookup 16"
std::string rule_command(std::string_view text) {
  const std::string_view priority = take_until(text, ':');
  return fmt::format("rule add priority {} {}", priority, trim(text));
}

// "default via 10.0.1.1 dev qr-1 proto static metric 1024 pref medium"
std::string route_command(std::string_view text) {
  constexpr std::string_view kPreference = " pref medium";
  if (text.ends_with(kPreference)) text.remove_suffix(kPreference.size());
  return fmt::format("route replace {}", text);
}

// "10.0.1.11 dev qr-1 lladdr MAC PERMANENT"
std::string neighbour_command(std::string_view text) {
  constexpr std::string_view kState = " PERMANENT";
  if (text.ends_with(kState)) text.remove_suffix(kState.size());
  return fmt::format("neighbour replace {} nud permanent", text);
}

}  // namespace

std::vector<std::string> ip_batch(const Host& host, std::string_view netns, Family family) {
  const bool v4 = family == Family::V4;
  std::vector<std::string> commands;
  for (const Dump& dump : host.dumps) {
    if (dump.netns != netns || !dump.bridge.empty()) continue;
    const std::string_view path = dump.path;
    const bool of_v6 = path.find("ip_-6_") != std::string_view::npos;
    if (v4 == of_v6) continue;
    LinkCommands links(commands);
    for (const Line& line : dump.lines) {
      if (v4 && path.ends_with("ip_addr")) links.add(line);
      if (kernel_made(line)) continue;
      if (path.ends_with("_rule")) commands.push_back(rule_command(line.text));
      if (path.ends_with("_route_show_table_all")) commands.push_back(route_command(line.text));
      if (v4 && path.ends_with("_neigh_show_nud_all")) commands.push_back(neighbour_command(line.text));
    }
  }
  return commands;
}

}  // namespace dvrtrace::reference
