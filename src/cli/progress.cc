#include "src/cli/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "src/base/text.h"
#include "src/cli/console.h"

namespace dvrtrace::cli {

namespace {

constexpr std::chrono::milliseconds kPatience{500}, kBetween{50};
constexpr std::string_view kClear = "\r\x1b[K";

bool on_terminal() {
  const char* term = std::getenv("TERM");
  return isatty(STDERR_FILENO) != 0 && term != nullptr && std::string_view(term) != "dumb";
}

}  // namespace

Progress::Progress(const Options& options)
    : terminal_(on_terminal()), unicode_(error_style(options).unicode), width_(error_style(options).width) {}

Progress::~Progress() {
  if (drawn_) std::fwrite(kClear.data(), 1, kClear.size(), stderr);
}

void Progress::show(std::size_t done, std::size_t all, const std::string& what) {
  if (!terminal_) return;
  const std::scoped_lock lock(mutex_);
  const auto now = std::chrono::steady_clock::now();
  if (now - start_ < kPatience || now - last_ < kBetween) return;
  last_ = now;
  drawn_ = true;
  const std::string line = std::string(kClear) + progress_line(done, all, what, width_, unicode_);
  std::fwrite(line.data(), 1, line.size(), stderr);
  std::fflush(stderr);
}

std::string progress_line(std::size_t done, std::size_t all, const std::string& what, std::size_t width,
                          bool unicode) {
  constexpr std::size_t kBar = 20;
  const std::size_t full = all == 0 ? 0 : std::min(kBar, done * kBar / all);
  std::string bar;
  for (std::size_t at = 0; at < kBar; ++at) bar += at < full ? (unicode ? "█" : "#") : (unicode ? "░" : ".");
  const std::string numbers = fmt::format(" {}/{} ", done, all);
  const std::size_t room = width - std::min(width, kBar + numbers.size() + 1);
  return bar + numbers + printable(what).substr(0, room);
}

}  // namespace dvrtrace::cli
