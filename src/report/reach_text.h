// A reach matrix as text, and as rows of comma-separated values.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "src/report/style.h"
#include "src/trace/reach.h"

namespace dvrtrace {

struct ReachCount {
  std::uint64_t arrive = 0, vms = 0, groups = 0;  // arrive: of Reach::pairs
};
ReachCount count_of(const Reach& reach);
std::string title_of(const ReachTable& table);
// The cells of a table by row and column, which are indices of Reach::ends.
struct ReachGrid {
  explicit ReachGrid(const ReachTable& table);
  const ReachCell* at(std::size_t row, std::size_t column) const;  // null: nothing was asked
  std::set<std::size_t> rows, columns;

 private:
  std::map<std::pair<std::size_t, std::size_t>, const ReachCell*> cells_;
};
// "yes", "no", "?" where it is not known, "some" where members fare differently.
std::string word_of(const ReachCell& cell);

// Who is in each group, for each packet a matrix of them, and an example for everything that does not arrive. Matrices that are wider than
// the style allows become lists. `all`: examples for what arrives, too.
std::string print_reach(const Reach& reach, const Style& style, bool all);

// RFC 4180, with a line of heads: a line for each answer of each cell.
std::string print_reach_csv(const Reach& reach);

// The expectations that are broken, with examples; one line where none is.
std::string print_breaches(const Reach& reach, const Style& style);

}  // namespace dvrtrace
