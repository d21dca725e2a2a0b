// A line on the terminal that says how far something is. Nothing where standard error is no terminal, and nothing of
// what is done within half a second.
#pragma once

#include <chrono>
#include <cstddef>
#include <mutex>
#include <string>

#include "src/cli/options.h"

namespace dvrtrace::cli {

class Progress {
 public:
  explicit Progress(const Options& options);
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress();  // takes the line away

  // Safe from several threads.
  void show(std::size_t done, std::size_t all, const std::string& what);

 private:
  bool terminal_, unicode_, drawn_ = false;
  std::size_t width_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now(), last_{};
  std::mutex mutex_;
};

// "[####....] 12/40 what", not wider than `width`.
std::string progress_line(std::size_t done, std::size_t all, const std::string& what, std::size_t width,
                          bool unicode);

}  // namespace dvrtrace::cli
