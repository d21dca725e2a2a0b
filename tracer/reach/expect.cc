#include "tracer/reach/expect.h"

#include <fmt/format.h>

#include "src/base/text.h"

namespace dvrtrace::reach {

std::vector<Expectation> read_expectations(const SourceText& text, Diagnostics& diagnostics) {
  std::vector<Expectation> expectations;
  std::size_t number = 0;
  for (const Span span : lines_of(text.bytes)) {
    ++number;
    const std::string_view line = trim(text.at(span));
    if (line.empty() || line.starts_with('#')) continue;
    std::string_view rest = line;
    std::vector<std::string_view> words;
    for (std::string_view word = take_word(rest); !word.empty(); word = take_word(rest))
      words.push_back(word);
    Expectation expectation{number, std::string(line), true, {}, {}, {}, text.provenance(span)};
    if (words.front() == "not") {
      expectation.must = false;
      words.erase(words.begin());
    }
    if (words.size() < 3 || words.size() > 4 || words[1] != "to") {
      diagnostics.error(text.provenance(span), "expected '[not] A to B [PACKET]'",
                        "the expectations are not looked at");
      continue;
    }
    expectation.from = words[0];
    expectation.to = words[2];
    if (words.size() == 4) expectation.packet = words[3];
    expectations.push_back(std::move(expectation));
  }
  return expectations;
}

bool fits(std::string_view pattern, std::string_view name) {
  // Where the last * stood, and how much of the name it has taken so far.
  std::size_t p = 0, n = 0, star = std::string_view::npos, taken = 0;
  while (n < name.size()) {
    if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == name[n]) && pattern[p] != '*') {
      ++p, ++n;
    } else if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      taken = n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++taken;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace dvrtrace::reach
