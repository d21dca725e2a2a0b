// Cases as data: unindented input, indented expectations below it, '#' comments between.
//
//   resubmit(,60)
//       prints as resubmit(,60)
//   movee:1
//       error 0: unknown action 'movee'
//
// Adding a case is adding lines.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

namespace dvrtrace {

struct DataCase {
  std::string input;
  std::vector<std::string> expectations;
  int line = 0;
};

inline std::vector<DataCase> read_cases(const std::string& path) {
  std::vector<DataCase> cases;
  std::ifstream file(path);
  EXPECT_TRUE(file.good()) << "tests run in the project's root; not found: " << path;
  std::string text;
  for (int line = 1; std::getline(file, text); ++line) {
    if (text.empty() || text.front() == '#') continue;
    if (text.front() != ' ') {
      cases.push_back({text, {}, line});
    } else if (!cases.empty()) {
      cases.back().expectations.push_back(text.substr(text.find_first_not_of(' ')));
    }
  }
  EXPECT_FALSE(cases.empty()) << path;
  return cases;
}

}  // namespace dvrtrace
