#include "collectors/gather/tap.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <thread>

#include "collectors/gather/host_folder.h"
#include "collectors/gather/stream.h"
#include "collectors/run/ssh.h"
#include "src/base/text.h"

namespace dvrtrace::gather {

namespace {

using std::chrono::seconds;
using Clock = std::chrono::steady_clock;

constexpr int kTimeLimit = 124, kInterrupted = 130, kNotFound = 127;
constexpr seconds kEnding{10};  // for a host to end its capture, beyond which its connection is cut
constexpr std::size_t kMagic = 4;
constexpr std::uint64_t kHeader = 24;  // bytes of a capture without packets

// The command for the host's shell. It ends when its standard input does: that of a connection that is gone
// as well.
std::string until_told(const Words& words) {
  std::string line;
  for (const std::string& word : words) line += " " + shell_quoted(word);
  return "exec 3<&0; (cat <&3; kill -INT $$) >/dev/null 2>&1 & exec" + line + " </dev/null 3<&-";
}

// What tcpdump or the shell complained of: not how many packets there were, nor that it listens.
std::string complaint_in(const std::string& errors) {
  std::string_view last;
  for (const std::string_view line : split(errors, '\n')) {
    const std::string_view text = trim(line);
    const bool usual = text.find("listening on ") != std::string_view::npos ||
                       text.find(" packet") != std::string_view::npos || text.starts_with("Warning:") ||
                       text.starts_with("**");
    if (!text.empty() && !usual) last = text;
  }
  return printable(last.substr(0, 300));
}

// Micro- or nanoseconds, in either order of bytes.
bool begins_capture(std::string_view bytes) {
  constexpr std::array<std::string_view, 4> kMagics{"\xd4\xc3\xb2\xa1", "\xa1\xb2\xc3\xd4",
                                                    "\x4d\x3c\xb2\xa1", "\xa1\xb2\x3c\x4d"};
  return std::ranges::any_of(kMagics, [&](std::string_view magic) { return bytes.starts_with(magic); });
}

class Taps {
 public:
  Taps(std::span<const Tap> taps, const std::string& folder, const TapSettings& settings, const TapTold& told)
      : taps_(taps),
        folder_(folder),
        settings_(settings),
        told_(told),
        ssh_(settings.ssh, settings.connect_seconds) {
    reports_.taps.resize(taps.size());
  }

  TapReports run(const std::optional<ProbeOrder>& probe) {
    std::vector<std::jthread> threads;
    for (std::size_t tap = 0; tap < taps_.size(); ++tap) threads.emplace_back([this, tap] { follow(tap); });
    wait_until(Clock::now() + seconds(2 * settings_.connect_seconds) + kEnding,
               [this] { return listen_ + early_ >= taps_.size(); });
    const bool any = [this] {
      const std::scoped_lock lock(mutex_);
      return listen_ > 0;
    }();
    if (any && probe) {
      send(*probe);
      wait_until(Clock::now() + seconds(settings_.linger), [this] { return ended_ == taps_.size(); });
    } else if (any) {
      wait_until(Clock::now() + seconds(settings_.seconds), [this] { return ended_ == taps_.size(); });
    }
    hold_ = false;
    threads.clear();
    return std::move(reports_);
  }

 private:
  template <class Holds>
  void wait_until(Clock::time_point end, Holds holds) {
    std::unique_lock lock(mutex_);
    changed_.wait_until(lock, end, holds);
  }

  void tell(std::size_t listen, std::size_t ended, std::size_t early) {
    const std::scoped_lock lock(mutex_);
    listen_ += listen;
    ended_ += ended;
    early_ += early;
    if (told_) told_(listen_, ended_);
    changed_.notify_all();
  }

  // The longest that anything may take: the others' connecting, the time of all, the ending.
  seconds longest() const {
    return seconds(3 * settings_.connect_seconds + settings_.seconds + settings_.linger) + 3 * kEnding;
  }

  void follow(std::size_t index) {
    const Tap& tap = taps_[index];
    TapReport& report = reports_.taps[index];
    if (tap.file.find('/') != std::string::npos) {  // a name out of a dump leads out of no folder
      report.failure = fmt::format("'{}' cannot be the name of a file", printable(tap.file));
      return tell(0, 1, 1);
    }
    File file;
    std::string beginning;
    bool unwritten = false, other = false;
    const auto take = [&](std::string_view piece) {
      if (other) return;
      if (!report.listened) {  // the first bytes are there when it listens
        beginning += piece;
        if (beginning.size() < kMagic) return;
        other = !begins_capture(beginning);
        if (other) return tell(0, 0, 1);
        file.reset(std::fopen(fmt::format("{}/{}", folder_, tap.file).c_str(), "wbe"));
        report.listened = true;
        tell(1, 0, 0);
        piece = beginning;
      }
      unwritten =
          unwritten || !file || std::fwrite(piece.data(), 1, piece.size(), file.get()) != piece.size();
      report.bytes += piece.size();
    };
    const ProcessLimits limits{longest(), settings_.most_bytes, 16 << 10, &hold_};
    const Words words = ssh_.words(tap.host.destination(), as_root({"sh", "-c", until_told(tap.words)}));
    const Ran ran = run_process(words, {}, limits, take);
    if (file && std::fflush(file.get()) != 0) unwritten = true;
    report.cut = ran.too_long;
    report.failure = unwritten ? fmt::format("{}: it could not be written", tap.file)
                     : other   ? fmt::format("expected a capture, found '{}'", first_line(beginning))
                               : failure_of(ran, report);
    tell(0, 1, report.listened || other ? 0 : 1);
  }

  static std::string failure_of(const Ran& ran, const TapReport& report) {
    if (!ran.started()) return ran.failure;
    if (ran.too_long) return fmt::format("cut at {} bytes", report.bytes);
    if (ran.timed_out) return "no end within its time";
    const bool usual = ran.status == 0 || ran.status == kTimeLimit || ran.status == kInterrupted;
    if (report.listened && report.bytes >= kHeader && usual) return {};
    const std::string complaint = complaint_in(ran.errors);
    if (!complaint.empty()) return complaint;
    return ran.status == kNotFound ? "tcpdump: not installed"
           : report.listened       ? "the connection ended"
                                   : "no answer";
  }

  void send(const ProbeOrder& probe) {
    const ProcessLimits limits{seconds(settings_.connect_seconds + settings_.seconds) + kEnding, 64 << 10,
                               16 << 10, nullptr};
    std::string text;
    const Ran ran = run_process(ssh_.words(probe.host.destination(), as_root(probe.words)), {}, limits,
                                [&](std::string_view piece) { text += piece; });
    reports_.probe = text + (ran.started() ? ran.errors : ran.failure);
    if (!ran.timed_out) reports_.probe_status = ran.status;
  }

  std::span<const Tap> taps_;
  const std::string& folder_;
  const TapSettings& settings_;
  const TapTold& told_;
  Ssh ssh_;
  TapReports reports_;
  std::atomic<bool> hold_ = true;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t listen_ = 0, ended_ = 0, early_ = 0;  // early: ended, and never listened
};

}  // namespace

TapReports tap(std::span<const Tap> taps, const std::optional<ProbeOrder>& probe, const std::string& folder,
               const TapSettings& settings, const TapTold& told) {
  return Taps(taps, folder, settings, told).run(probe);
}

}  // namespace dvrtrace::gather
