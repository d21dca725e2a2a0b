#include "collectors/gather/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "src/base/text.h"

namespace dvrtrace::gather {

namespace {

using Json = nlohmann::ordered_json;

// The first of the commands that are run in place of each other.
std::string_view first_of(const Command* command) {
  while (!command->instead_of.empty()) command = find(command->instead_of);
  return command->key;
}

std::string why(const CommandRun& run) {
  if (run.timed_out) return "time limit";
  if (run.cut) return "longer than is kept";
  if (run.not_installed()) return "not installed";
  if (!run.message.empty()) return run.message;
  return run.status ? fmt::format("status {}", *run.status) : "it did not end";
}

Json command_json(const CommandRun& run) {
  const Words words = words_in(run.exec);
  Json parameters = Json::array();
  for (std::size_t i = 1; i < words.size(); ++i) parameters.push_back(words[i]);
  Json json{{"command", words.empty() ? "" : words.front()},
            {"parameters", parameters},
            {"exec", run.exec},
            {"filepath", run.path},
            {"truncated", run.cut},
            {"return_code", run.timed_out ? 124 : run.status.value_or(-1)},
            {"start_time", run.start},
            {"end_time", run.end},
            {"run_time", run.end - run.start},
            {"tags", Json::array({run.command->key})}};
  if (!run.message.empty()) json["stderr"] = run.message;
  return json;
}

}  // namespace

std::vector<std::string> HostReport::lacks() const {
  std::vector<std::string> all;
  if (!failure.empty()) all.push_back(failure);
  if (!root) {
    all.emplace_back(sudo_asks ? "not as root: sudo asks for a password" : "not as root");
  }
  if (runs.empty()) return all;
  for (const Tool tool : {Tool::Ovs, Tool::Netfilter}) {
    if (!prefixes[static_cast<std::size_t>(tool)])
      all.push_back(fmt::format("{}: not installed", name_of(tool)));
  }
  std::vector<std::pair<const CommandRun*, bool>>
      chains;  // the first run of each, and whether one of them was good
  for (const CommandRun& run : runs) {
    const auto chain = std::ranges::find_if(chains, [&](const auto& each) {
      return each.first->subject == run.subject && first_of(each.first->command) == first_of(run.command);
    });
    if (chain == chains.end())
      chains.emplace_back(&run, run.good());
    else
      chain->second = chain->second || run.good();
  }
  for (const auto& [run, good] : chains) {
    if (!good && run->command->needed) all.push_back(fmt::format("{}: {}", run->exec, why(*run)));
  }
  return all;
}

double HostReport::command_seconds() const {
  double sum = 0;
  for (const CommandRun& run : runs) sum += run.end - run.start;
  return sum;
}

std::string manifest_json(const HostReport& report, const std::string& tool) {
  Json plugins = Json::object();
  for (const CommandRun& run : report.runs) {
    const std::string plugin(run.command->folder.empty() ? "neutron" : run.command->folder);
    Json& commands = plugins[plugin]["commands"];
    if (commands.is_null()) commands = Json::array();
    commands.push_back(command_json(run));
  }
  Json prefixes = Json::object();
  for (std::size_t i = 0; i < kTools; ++i) {
    const std::string name(name_of(static_cast<Tool>(i)));
    if (report.prefixes[i]) prefixes[name] = *report.prefixes[i];
  }
  const Json manifest{{"version", tool},
                      {"cmdline", "dvrtrace collect"},
                      {"start_time", in_utc(report.start)},
                      {"end_time", in_utc(report.end)},
                      {"run_time", report.end - report.start},
                      {"dvrtrace",
                       {{"schema", "dvrtrace.manifest/1"},
                        {"host", report.host},
                        {"root", report.root},
                        {"prefixes", prefixes},
                        {"lacks", report.lacks()}}},
                      {"components", {{"report", {{"plugins", plugins}}}}}};
  return manifest.dump(1, ' ', true, Json::error_handler_t::replace) + "\n";
}

}  // namespace dvrtrace::gather
