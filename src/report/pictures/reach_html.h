// A reach matrix as one page of HTML: for each packet the matrix, below it an entry for each cell with its examples, and who is in each
// group.
#pragma once

#include <string>

#include "src/report/trace_json.h"
#include "src/trace/reach.h"

namespace dvrtrace {

std::string print_html(const Reach& reach, const JsonContext& context);

}  // namespace dvrtrace
