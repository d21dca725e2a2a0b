// A table of text whose columns are as wide as they must be. Columns in which no row has anything are left
// out.
#pragma once

#include <string>
#include <vector>

#include "src/report/style.h"

namespace dvrtrace {

struct Table {
  std::vector<std::string> heads;
  std::vector<std::vector<std::string>> rows;  // each as long as `heads`
};

std::string print_table(const Table& table, std::size_t indent, const Style& style);

}  // namespace dvrtrace
