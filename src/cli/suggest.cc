#include "src/cli/suggest.h"

#include <algorithm>

#include "src/base/text.h"

namespace dvrtrace::cli {
namespace {

// Edits that make one of the other: insert, delete, replace, exchange two neighbours.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j) d[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = d[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, replaced});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  }
  return d[a.size()][b.size()];
}

}  // namespace

std::string nearest(std::string_view word, const std::vector<std::string>& right) {
  constexpr std::size_t kLongest = 64;  // nobody mistypes more than that
  if (word.empty() || word.size() > kLongest) return {};
  const std::string typed = to_lower(word);
  std::string best;
  std::size_t least = std::max<std::size_t>(1, word.size() / 3) + 1;
  for (const std::string& candidate : right) {
    if (candidate.size() > kLongest || candidate == word) continue;
    const std::size_t edits = distance(typed, to_lower(candidate));
    if (edits < least) {
      least = edits;
      best = candidate;
    }
  }
  return best;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& right) {
  const std::string best = nearest(word, right);
  return best.empty() ? std::string{} : "did you mean " + best + "?";
}

}  // namespace dvrtrace::cli
