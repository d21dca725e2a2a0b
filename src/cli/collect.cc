// dvrtrace collect: the dumps of this host, or of many over ssh.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "collectors/gather/fleet.h"
#include "collectors/gather/here.h"
#include "collectors/gather/stream.h"
#include "collectors/source/file_tree.h"
#include "collectors/source/open_stream.h"
#include "src/base/text.h"
#include "src/cli/console.h"
#include "src/cli/inputs.h"
#include "src/cli/program.h"
#include "src/cli/progress.h"
#include "src/cli/remote.h"
#include "src/report/table.h"

namespace dvrtrace::cli {
namespace {

using gather::HostReport;
using gather::Target;

// --- what is run --------------------------------------------------------------------------------------

std::string_view per(gather::Each each) {
  switch (each) {
    case gather::Each::Host:
      return "once";
    case gather::Each::Bridge:
      return "for each bridge";
    case gather::Each::Namespace:
      return "for the host, and for each namespace with 'ip netns exec {}' in front";
    case gather::Each::Domain:
      return "for each libvirt domain";
    case gather::Each::Router:
      return "for each HA router";
    case gather::Each::Settings:
      return "for each of the files below";
  }
  return {};
}

std::string command_list() {
  std::string text =
      "Read-only commands, in this order; {} stands for each bridge, namespace, domain, router or file.\n";
  gather::Each last = gather::Each::Settings;
  for (const gather::Command& command : gather::commands()) {
    if (command.each != last || command.key == gather::commands().front().key)
      text += fmt::format("\n{}:\n", per(command.each));
    last = command.each;
    std::string line = fmt::format("  {}", command.line);
    if (!command.instead_of.empty())
      line += fmt::format("   (when '{}' fails)", gather::find(command.instead_of)->line);
    text += fmt::format("{}\n      {} s; {}{}\n", line, command.seconds, command.needed ? "needed: " : "",
                        command.without);
  }
  for (const std::string_view file : gather::settings_files()) text += fmt::format("      /{}\n", file);
  text += "\nIn front of them, the first that works:\n";
  for (const gather::Prefix& prefix : gather::prefixes()) {
    if (!prefix.words.empty())
      text += fmt::format("  {:<44}  {}\n", prefix.words, gather::name_of(prefix.tool));
  }
  return text;
}

// --- hosts --------------------------------------------------------------------------------------------

tl::expected<std::vector<Target>, Failure> listed_targets(const Options& options) {
  const auto list = read_host_list(options);
  if (!list) return tl::unexpected<Failure>(list.error());
  auto selected = list->select(options.words);
  if (!selected) return fail("usage", fmt::format("{}: {}", options.host_list, selected.error().message));
  if (selected->empty()) return fail("usage", fmt::format("{}: no host in it", options.host_list));
  return std::move(*selected);
}

tl::expected<std::vector<Target>, Failure> typed_targets(const Options& options) {
  std::vector<Target> targets;
  for (const std::string& word : options.words) {
    const auto target = gather::target_of(word);
    if (!target) return fail("usage", target.error().message);
    if (std::ranges::find(targets, target->name, &Target::name) != targets.end())
      return fail("usage", fmt::format("host '{}' is named twice", target->name));
    targets.push_back(*target);
  }
  return targets;
}

std::string own_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 && name[0] != 0 ? std::string(name.data())
                                                                          : "localhost";
}

// --- what came of it ----------------------------------------------------------------------------------

std::string text_of(const std::vector<HostReport>& reports, const std::string& folder,
                    const Options& options) {
  constexpr std::size_t kMostLacks = 3;
  std::string text;
  std::size_t whole = 0, there = 0;
  for (const HostReport& report : reports) {
    const std::vector<std::string> lacks = report.lacks();
    whole += lacks.empty() ? 1 : 0;
    there += report.folder.empty() ? 0 : 1;
    text += fmt::format("{}  ", printable(report.host));
    if (report.folder.empty())
      text += "nothing collected\n";
    else
      text += fmt::format("{} commands in {:.1f} s{}\n", report.runs.size(), report.end - report.start,
                          lacks.empty() ? "" : ", not all of it:");
    const std::size_t shown = options.verbose ? lacks.size() : std::min(lacks.size(), kMostLacks);
    for (std::size_t i = 0; i < shown; ++i) text += fmt::format("  {}\n", printable(lacks[i]));
    if (lacks.size() > shown)
      text += fmt::format("  and {} more (-v, or dvrtrace inventory)\n", lacks.size() - shown);
  }
  text += fmt::format("{} of {} hosts whole{}\n", whole, reports.size(),
                      there == 0 ? "" : fmt::format("; in {}", folder));
  return text;
}

std::string json_of(const std::vector<HostReport>& reports, const std::string& folder) {
  using Json = nlohmann::ordered_json;
  Json hosts = Json::array();
  for (const HostReport& report : reports) {
    std::size_t failed = 0;
    for (const gather::CommandRun& run : report.runs) failed += run.good() ? 0 : 1;
    hosts.push_back({{"host", report.host},
                     {"folder", report.folder.empty() ? Json() : Json(report.folder)},
                     {"whole", report.lacks().empty()},
                     {"lacks", report.lacks()},
                     {"commands", report.runs.size()},
                     {"failed_commands", failed},
                     {"seconds", report.end - report.start},
                     {"command_seconds", report.command_seconds()}});
  }
  const Json document{
      {"schema", "dvrtrace.collect/1"}, {"tool", tool_name()}, {"folder", folder}, {"hosts", hosts}};
  return document.dump(1, ' ', true, Json::error_handler_t::replace) + "\n";
}

int status_of(const std::vector<HostReport>& reports) {
  const bool none =
      std::ranges::all_of(reports, [](const HostReport& report) { return report.folder.empty(); });
  const bool all =
      std::ranges::all_of(reports, [](const HostReport& report) { return report.lacks().empty(); });
  return none ? kCouldNotRun : all ? kDelivered : kNotDelivered;
}

tl::expected<std::vector<HostReport>, Failure> over_ssh(const Options& options, const std::string& folder) {
  const auto targets = options.host_list.empty() ? typed_targets(options) : listed_targets(options);
  if (!targets) return tl::unexpected<Failure>(targets.error());
  gather::FleetSettings settings;
  settings.tool = tool_name();
  const auto limit = seconds_in(options.timeout, settings.host_seconds, "--timeout");
  const auto connect = seconds_in(options.connect_timeout, settings.connect_seconds, "--connect-timeout");
  const auto at_once = seconds_in(options.parallel, static_cast<unsigned>(settings.at_once), "--parallel");
  for (const auto* value : {&limit, &connect, &at_once}) {
    if (!*value) return tl::unexpected<Failure>(value->error());
  }
  settings.host_seconds = *limit;
  settings.connect_seconds = *connect;
  settings.at_once = *at_once;
  if (!options.ssh.empty()) settings.ssh = words_in(options.ssh);
  Progress progress(options);
  return gather::gather_fleet(*targets, folder, settings, [&](std::size_t ended, const HostReport& report) {
    progress.show(ended, targets->size(), report.host);
  });
}

// "cmp1=FILE", or a file that is named for its host: "cmp1.stream.gz".
std::pair<std::string, std::string> host_and_file(const std::string& word) {
  const std::size_t equals = word.find('=');
  if (equals != std::string::npos) return {word.substr(0, equals), word.substr(equals + 1)};
  const std::string name = word.substr(word.rfind('/') + 1);
  return {name.substr(0, name.rfind(".stream")), word};
}

tl::expected<std::vector<HostReport>, Failure> unpacked(const Options& options, const std::string& folder) {
  std::vector<HostReport> reports;
  for (const std::string& word : options.unpack) {
    const auto [host, file] = host_and_file(word);
    auto stream = open_stream(file);
    if (!stream) return fail("unreadable-input", fmt::format("{}: {}", file, stream.error().message));
    reports.push_back(gather::unpack_stream(host, **stream, folder, tool_name()));
  }
  return reports;
}

tl::expected<std::vector<HostReport>, Failure> here(const Options& options, const std::string& folder) {
  const std::string name = own_name();
  const auto made = gather::HostFolder::make(fmt::format("{}/{}", folder, gather::folder_name_of(name)));
  if (!made) return fail("output", made.error().message);
  Progress progress(options);
  return std::vector{gather::gather_here(
      name, *made, tool_name(),
      [&](std::size_t ended, std::size_t all, const std::string& last) { progress.show(ended, all, last); })};
}

}  // namespace

Outcome run_collect(const Options& options) {
  if (options.list)
    return answer(command_list(), options) ? Outcome(kDelivered)
                                           : fail("output", "the answer could not be written");
  if (options.script)
    return answer(gather::script_for(gather::random_word()), options)
               ? Outcome(kDelivered)
               : fail("output", "the answer could not be written");
  const std::string folder = options.output.empty() ? name_of_now("dvrtrace") : options.output;
  const bool remote = !options.words.empty() || !options.host_list.empty();
  if (remote && !options.unpack.empty())
    return fail("usage", "--unpack takes hosts' streams and collects none: name either hosts or streams");
  const auto reports = !options.unpack.empty() ? unpacked(options, folder)
                       : remote                ? over_ssh(options, folder)
                                               : here(options, folder);
  if (!reports) return tl::unexpected<Failure>(reports.error());
  const std::string text =
      options.format == "json" ? json_of(*reports, folder) : text_of(*reports, folder, options);
  if (!answer(text, options)) return fail("output", "the answer could not be written");
  return status_of(*reports);
}

}  // namespace dvrtrace::cli
