#include "collectors/gather/here.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <mutex>
#include <thread>

#include "collectors/gather/stream.h"
#include "src/base/text.h"

namespace dvrtrace::gather {

namespace {

// At a time. The switch's daemon answers one after the other, and a host that is in trouble must not get more of it.
constexpr std::size_t kAtOnce = 4;
constexpr std::chrono::seconds kProbe{10};

double seconds_since_1970(WallClock::time_point time) {
  return std::chrono::duration<double>(time.time_since_epoch()).count();
}

// One command and what is run in its place when it fails.
struct Chain {
  std::vector<const Command*> commands;
  std::string subject;
};

std::vector<const Command*> chain_of(const Command& first) {
  std::vector<const Command*> chain{&first};
  for (const Command& command : commands()) {
    if (command.instead_of == chain.back()->key) chain.push_back(&command);
  }
  return chain;
}

class Here {
 public:
  Here(HostReport& report, const HostFolder& folder, const Told& told)
      : report_(report), folder_(folder), told_(told) {}

  void gather() {
    find_tools();
    for (const Command& command : commands()) {
      if (command.finds == Each::Host || !prefix_of(command)) continue;
      subjects_[static_cast<std::size_t>(command.finds)] = found_in(command.finds, run(command, ""));
    }
    const std::vector<Chain> chains = plan();
    std::atomic<std::size_t> next = 0, ended = 0;
    const auto work = [&] {
      for (std::size_t each = next++; each < chains.size(); each = next++) {
        run_chain(chains[each]);
        const std::scoped_lock lock(mutex_);
        if (told_) told_(++ended, chains.size(), report_.runs.back().exec);
      }
    };
    std::vector<std::jthread> others;
    for (std::size_t other = 1; other < std::min(kAtOnce, chains.size()); ++other) others.emplace_back(work);
    work();
  }

 private:
  const std::optional<std::string>& prefix_of(const Command& command) const {
    return report_.prefixes[static_cast<std::size_t>(command.tool)];
  }

  void find_tools() {
    report_.prefixes[static_cast<std::size_t>(Tool::System)] = "";
    for (const Prefix& prefix : prefixes()) {
      std::optional<std::string>& found = report_.prefixes[static_cast<std::size_t>(prefix.tool)];
      if (found || !run_process(words_in(prefix.test), {}, {.time = kProbe, .output = 1 << 20}, {}).good())
        continue;
      found = std::string(prefix.words);
    }
  }

  std::vector<Chain> plan() {
    auto& namespaces = subjects_[static_cast<std::size_t>(Each::Namespace)];
    namespaces.insert(namespaces.begin(), "");
    subjects_[static_cast<std::size_t>(Each::Host)] = {""};
    for (const std::string_view file : settings_files()) {
      std::error_code error;
      if (std::filesystem::exists(fmt::format("/{}", file), error))
        subjects_[static_cast<std::size_t>(Each::Settings)].emplace_back(file);
    }
    // All commands of one bridge or namespace together: what belongs together is of about one time.
    std::vector<Chain> chains;
    const std::span<const Command> all = commands();
    for (auto group = all.begin(); group != all.end();) {
      const auto end =
          std::find_if(group, all.end(), [&](const Command& each) { return each.each != group->each; });
      for (const std::string& subject : subjects_[static_cast<std::size_t>(group->each)]) {
        for (auto command = group; command != end; ++command) {
          const bool first = command->instead_of.empty() && command->finds == Each::Host;
          if (first && prefix_of(*command)) chains.push_back({chain_of(*command), subject});
        }
      }
      group = end;
    }
    return chains;
  }

  void run_chain(const Chain& chain) {
    for (const Command* command : chain.commands) {
      bool good = false;
      run(*command, chain.subject, &good);
      if (good) return;
    }
  }

  std::string run(const Command& command, const std::string& subject, bool* good = nullptr) {
    const Words words = words_of(command, subject, *prefix_of(command));
    std::string output;
    const Ran ran =
        run_process(words, {}, {.time = std::chrono::seconds(command.seconds), .output = kMostOutput},
                    [&](std::string_view piece) { output += piece; });
    CommandRun run;
    run.command = &command;
    run.subject = subject;
    run.path = path_of(command, subject);
    run.exec = fmt::format("{}", fmt::join(words, " "));
    run.status = ran.started() ? ran.status : 127;
    run.timed_out = ran.timed_out;
    run.cut = ran.too_long;
    run.start = seconds_since_1970(ran.start);
    run.end = seconds_since_1970(ran.end);
    run.bytes = ran.bytes;
    if (!run.good()) run.message = first_line(ran.started() ? ran.errors : ran.failure);
    if (good != nullptr) *good = run.good();
    save(run, output, ran.started() ? ran.errors : ran.failure);
    return output;
  }

  void save(CommandRun& run, const std::string& output, const std::string& errors) {
    const bool only_complained = output.empty() && !run.good();
    const bool written = leaves_nothing(run) || folder_.write(run.path, only_complained ? errors : output);
    if (!written && run.good()) {
      run.status = std::nullopt;
      run.message = "it could not be saved";
    }
    const std::scoped_lock lock(mutex_);
    report_.runs.push_back(run);
  }

  HostReport& report_;
  const HostFolder& folder_;
  const Told& told_;
  std::mutex mutex_;
  std::array<std::vector<std::string>, kEach> subjects_;
};

}  // namespace

HostReport gather_here(const std::string& host, const HostFolder& folder, const std::string& tool,
                       const Told& told) {
  HostReport report;
  report.host = host;
  report.folder = folder.path();
  report.root = ::geteuid() == 0;
  report.start = seconds_since_1970(WallClock::now());
  Here(report, folder, told).gather();
  report.end = seconds_since_1970(WallClock::now());
  std::ranges::stable_sort(report.runs, {}, &CommandRun::start);
  if (!folder.write("version.txt", tool + "\n") ||
      !folder.write("sos_reports/manifest.json", manifest_json(report, tool)))
    report.failure = fmt::format("{}: the dumps could not be written", folder.path());
  return report;
}

}  // namespace dvrtrace::gather
