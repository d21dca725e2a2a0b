// Work in pieces that do not depend on each other, done side by side.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <thread>
#include <vector>

namespace dvrtrace {

// Runs `work(0)` to `work(count - 1)`, on all cores where there is enough of it.
template <class Work>
void run_on_all_cores(std::size_t count, Work work) {
  std::atomic<std::size_t> next = 0;
  const auto run = [&] {
    for (std::size_t each = next++; each < count; each = next++) work(each);
  };
  const std::size_t cores = std::max<std::size_t>(1, std::thread::hardware_concurrency());
  std::vector<std::jthread> others;
  for (std::size_t core = 1; core < std::min(cores, count); ++core) others.emplace_back(run);
  run();
}

}  // namespace dvrtrace
