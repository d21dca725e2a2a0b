// Runs a reader over a text in a test, and checks what holds for every reader and every text: each
// line has one state, and no place lies outside the text.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/diagnostics.h"
#include "src/base/source.h"

namespace dvrtrace::test {

template <class Row>
using Rows = std::vector<Sourced<Row>>;

template <class Row>
struct Reading {
  Rows<Row> rows;
  LineCounts lines;
  std::vector<Diagnostic> diagnostics;

  std::uint64_t of(LineState state) const { return lines.of(state); }
  std::string first_message() const { return diagnostics.empty() ? "" : diagnostics.front().message; }
};

template <class Row, class Read>
Reading<Row> reading(std::string_view bytes, Read read) {
  Diagnostics diagnostics;
  ReadLog log{diagnostics, {}};
  const SourceText text{SourceId{0}, "test", bytes};
  Reading<Row> result;
  result.rows = read(text, log);
  result.lines = log.lines;
  result.diagnostics = diagnostics.all();
  EXPECT_EQ(result.lines.total(), lines_of(bytes).count()) << bytes;
  for (const auto& row : result.rows) {
    EXPECT_LE(row.at.span.begin, row.at.span.end);
    EXPECT_LE(row.at.span.end, bytes.size());
  }
  for (const Diagnostic& diagnostic : result.diagnostics) {
    EXPECT_LE(diagnostic.at.span.begin, diagnostic.at.span.end);
    EXPECT_LE(diagnostic.at.span.end, bytes.size());
    EXPECT_FALSE(diagnostic.hint.empty()) << diagnostic.message;
  }
  EXPECT_TRUE(result.of(LineState::Unrecognised) == 0 || !result.diagnostics.empty()) << bytes;
  return result;
}

// A line that cannot be read, and the start of what is said about it.
struct BadLine {
  std::string_view text, message;
};

template <class Row, class Read>
void expect_bad(std::initializer_list<BadLine> lines, Read read) {
  for (const BadLine& line : lines) {
    const auto result = reading<Row>(line.text, read);
    EXPECT_EQ(result.of(LineState::Unrecognised), 1u) << line.text;
    EXPECT_TRUE(result.rows.empty()) << line.text;
    EXPECT_EQ(result.first_message(), line.message) << line.text;
  }
}

// The dumps that other projects and the lab left, when they are there: the folder is named by the
// environment variable DVRTRACE_SHARED.
inline std::string shared_folder() {
  const char* folder = std::getenv("DVRTRACE_SHARED");
  return folder ? folder : "";
}

inline std::string contents(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Calls `visit` for each file of the lab, the published dumps and the seeds whose name ends with
// `ending` ("ip_addr" of "ip_netns_exec_qrouter-1_ip_addr").
inline void for_each_dump(
    std::string_view ending,
    const std::function<void(const std::filesystem::path&, const std::string&)>& visit) {
  for (const char* part : {"data/lab", "data/public", "data/seeds"}) {
    const std::filesystem::path root = std::filesystem::path(shared_folder()) / part;
    if (!std::filesystem::exists(root)) continue;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
      if (!entry.is_regular_file()) continue;
      const std::string name = entry.path().filename();
      const bool whole = name == ending ||
                         (name.ends_with(ending) &&
                          std::string("_.").find(name[name.size() - ending.size() - 1]) != std::string::npos);
      if (whole) visit(entry.path(), contents(entry.path()));
    }
  }
}

// Reads every such dump and expects no line that is not recognised. Returns how many there were.
template <class Row, class Read>
std::size_t expect_all_read(std::initializer_list<std::string_view> endings, Read read) {
  std::size_t count = 0;
  for (const std::string_view ending : endings) {
    for_each_dump(ending, [&](const std::filesystem::path& path, const std::string& bytes) {
      const auto result = reading<Row>(bytes, read);
      EXPECT_EQ(result.of(LineState::Unrecognised), 0u) << path << "\n" << result.first_message();
      EXPECT_EQ(result.of(LineState::Unmodelled), 0u) << path << "\n" << result.first_message();
      ++count;
    });
  }
  EXPECT_GT(count, 0u);
  return count;
}

// Reads each dump that ends with `text_ending` and, where there is one, its brother with
// `json_ending`, and expects the same rows. Counters run on between two dumps, so `same` may be lax.
template <class Row, class ReadText, class ReadJson, class Same>
void expect_agreement(std::string_view text_ending, std::string_view json_ending, ReadText read_text,
                      ReadJson read_json, Same same) {
  std::size_t pairs = 0;
  for_each_dump(text_ending, [&](const std::filesystem::path& path, const std::string& bytes) {
    std::string name = path.filename();
    name.replace(name.size() - text_ending.size(), text_ending.size(), json_ending);
    const std::filesystem::path brother = path.parent_path() / name;
    if (!std::filesystem::exists(brother)) return;
    const std::string json = contents(brother);
    ++pairs;
    same(path, reading<Row>(bytes, read_text).rows, reading<Row>(json, read_json).rows);
  });
  EXPECT_GT(pairs, 0u) << text_ending;
}

}  // namespace dvrtrace::test
