#include "collectors/gather/fleet.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>

#include "collectors/gather/host_folder.h"
#include "collectors/gather/stream.h"
#include "collectors/run/ssh.h"

namespace dvrtrace::gather {

namespace {

constexpr int kSshFailed = 255;
constexpr std::size_t kLongestBeginning = 64 << 10;  // of what a login shell may say before the script does

double seconds_since_1970(WallClock::time_point time) {
  return std::chrono::duration<double>(time.time_since_epoch()).count();
}

// What kept a host from being collected whole.
std::string failure_of(const Ran& ran, bool finished, const HostReport& report,
                       const FleetSettings& settings) {
  if (finished) return {};
  const std::string after =
      report.runs.empty() ? std::string{} : fmt::format(", after {} commands", report.runs.size());
  if (!ran.started()) return ran.failure;
  if (ran.timed_out) return fmt::format("no end within {} s{}", settings.host_seconds, after);
  const std::string complaint = ssh_complaint(ran.errors);
  if (ran.status == kSshFailed && !complaint.empty()) return complaint + after;
  return fmt::format("the connection ended{}{}{}", after, complaint.empty() ? "" : ": ", complaint);
}

Result<HostFolder> folder_for(const std::string& host, const std::string& folder) {
  const std::string name = folder_name_of(host);
  if (name.empty()) return failure(fmt::format("'{}' cannot be the name of a folder", host));
  return HostFolder::make(fmt::format("{}/{}", folder, name));
}

// Completes the folder of a host. Nothing of a host is no host.
void keep(HostReport& report, const HostFolder& folder, const std::string& tool) {
  if (report.runs.empty()) return folder.remove_all();
  report.folder = folder.path();
  if (!folder.write("version.txt", tool + "\n") ||
      !folder.write("sos_reports/manifest.json", manifest_json(report, tool)))
    report.failure = fmt::format("{}: the dumps could not be written", folder.path());
}

HostReport gather_one(const Target& target, const std::string& folder, const FleetSettings& settings,
                      Ssh& ssh) {
  HostReport report;
  report.host = target.name;
  const auto made = folder_for(target.name, folder);
  if (!made) {
    report.failure = made.error().message;
    return report;
  }
  const std::string word = random_word();
  StreamReader reader(word, *made, report);
  const ProcessLimits limits{std::chrono::seconds(settings.host_seconds), ~std::uint64_t{0}, 16 << 10};
  const Ran ran = run_process(ssh.words(target.destination(), as_root({"sh", "-s"})), script_for(word),
                              limits, [&](std::string_view piece) { reader.take(piece); });
  const bool finished = reader.finish();
  report.failure = failure_of(ran, finished, report, settings);
  report.start = report.start == 0 ? seconds_since_1970(ran.start) : report.start;
  report.end = std::max(report.end, report.start);
  keep(report, *made, settings.tool);
  return report;
}

}  // namespace

std::vector<HostReport> gather_fleet(std::span<const Target> targets, const std::string& folder,
                                     const FleetSettings& settings, const HostTold& told) {
  std::vector<HostReport> reports(targets.size());
  Ssh ssh(settings.ssh, settings.connect_seconds);
  std::mutex mutex;
  std::atomic<std::size_t> next = 0;
  std::size_t ended = 0;
  const auto work = [&] {
    for (std::size_t each = next++; each < targets.size(); each = next++) {
      reports[each] = gather_one(targets[each], folder, settings, ssh);
      const std::scoped_lock lock(mutex);
      ++ended;
      if (told) told(ended, reports[each]);
    }
  };
  std::vector<std::jthread> others;
  for (std::size_t other = 1; other < std::min(settings.at_once, targets.size()); ++other)
    others.emplace_back(work);
  work();
  others.clear();
  return reports;
}

HostReport unpack_stream(const std::string& host, ByteStream& stream, const std::string& folder,
                         const std::string& tool) {
  HostReport report;
  report.host = host;
  std::vector<char> buffer(256 << 10);
  std::string beginning;  // until the word is known that this run of the script made its marks of
  Result<std::size_t> count = 0;
  const auto read = [&] { return (count = stream.read(buffer.data(), buffer.size())) && *count != 0; };
  std::string word;
  while (word.empty() && beginning.size() < kLongestBeginning && read()) {
    beginning.append(buffer.data(), *count);
    word = word_of(beginning);
  }
  if (word.empty()) {
    report.failure = count ? "expected what the script of dvrtrace collect prints, found another text"
                           : count.error().message;
    return report;
  }
  const auto made = folder_for(host, folder);
  if (!made) {
    report.failure = made.error().message;
    return report;
  }
  StreamReader reader(word, *made, report);
  reader.take(beginning);
  while (read()) reader.take(std::string_view(buffer.data(), *count));
  const bool finished = reader.finish();
  if (!count)
    report.failure = count.error().message;
  else if (!finished)
    report.failure = fmt::format("it breaks off, after {} commands", report.runs.size());
  report.end = std::max(report.end, report.start);
  keep(report, *made, tool);
  return report;
}

}  // namespace dvrtrace::gather
