// Work in pieces that do not depend on each other, done side by side.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <thread>
#include <vector>

namespace dvrtrace {

// Threads for each core where the work begins with reading files: while one waits for the disk, another has something to do.
inline constexpr std::size_t kThreadsReadingFiles = 2;

// Runs `work(0)` to `work(count - 1)`, on all cores where there is enough of it.
template <class Work>
void run_on_all_cores(std::size_t count, Work work, std::size_t threads_per_core = 1) {
  std::atomic<std::size_t> next = 0;
  const auto run = [&] {
    for (std::size_t each = next++; each < count; each = next++) work(each);
  };
  const std::size_t threads = std::max<std::size_t>(1, std::thread::hardware_concurrency()) * threads_per_core;
  std::vector<std::jthread> others;
  for (std::size_t thread = 1; thread < std::min(threads, count); ++thread) others.emplace_back(run);
  run();
}

}  // namespace dvrtrace
