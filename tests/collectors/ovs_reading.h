// What the tests of the readers share: a text with its log, and the files of the shared data.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/diagnostics.h"
#include "src/base/source.h"

namespace dvrtrace {

// A text as a reader gets it, and what the reader says of it.
struct Reading {
  explicit Reading(std::string_view bytes, std::string_view name = "dump") : text{SourceId{0}, name, bytes} {}

  SourceText text;
  Diagnostics diagnostics;
  ReadLog log{diagnostics, {}};

  std::uint64_t of(LineState state) const { return log.lines.of(state); }
  // Every line has got one state.
  bool counted() const { return log.lines.total() == lines_of(text.bytes).count(); }
  std::string first_message() const { return diagnostics.empty() ? "" : diagnostics.all().front().message; }
  // Nothing points outside the text.
  bool points_inside() const {
    return std::all_of(diagnostics.all().begin(), diagnostics.all().end(), [&](const Diagnostic& each) {
      return !each.at.known() ||
             (each.at.span.begin <= each.at.span.end && each.at.span.end <= text.bytes.size());
    });
  }
};

inline std::string bytes_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// The folder of shared data; empty where there is none.
inline std::filesystem::path shared_data() {
  const char* root = std::getenv("DVRTRACE_SHARED");
  return root != nullptr && *root != '\0' ? std::filesystem::path(root) / "data" : std::filesystem::path();
}

// All files under `folder` whose name has `part`, in order.
inline std::vector<std::filesystem::path> files_named(const std::filesystem::path& folder,
                                                      std::string_view part) {
  std::vector<std::filesystem::path> found;
  if (!std::filesystem::exists(folder)) return found;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file() && entry.path().filename().string().find(part) != std::string::npos) {
      found.push_back(entry.path());
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

// The folders of the lab's hosts, "lab/VARIANT/hosts/HOST".
inline std::vector<std::filesystem::path> lab_hosts() {
  std::vector<std::filesystem::path> hosts;
  for (const char* variant : {"ovsfw", "hybrid", "ha6"}) {
    const auto folder = shared_data() / "lab" / variant / "hosts";
    if (!std::filesystem::exists(folder)) continue;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) hosts.push_back(entry.path());
  }
  std::sort(hosts.begin(), hosts.end());
  return hosts;
}

// Cuts a text at many places and damages bytes of it: `read` must account for every line each time.
template <class Read>
void expect_total(std::string_view bytes, Read read) {
  std::uint32_t random = 12345;
  const auto next = [&] { return random = random * 1664525 + 1013904223; };
  for (int round = 0; round < 60; ++round) {
    std::string damaged(bytes.substr(0, round % 2 == 0 ? next() % (bytes.size() + 1) : bytes.size()));
    for (int hit = 0; hit < round % 8 && !damaged.empty(); ++hit) {
      damaged[next() % damaged.size()] = "\0\n\"[]{}:,=\\ -9x\xff"[next() % 17];
    }
    Reading reading(damaged);
    read(reading);
    ASSERT_TRUE(reading.counted()) << damaged;
    ASSERT_TRUE(reading.points_inside()) << damaged;
    ASSERT_FALSE(reading.of(LineState::Unrecognised) > 0 && reading.diagnostics.empty()) << damaged;
  }
}

}  // namespace dvrtrace
