// A reach matrix as one JSON document, schema dvrtrace.reach/1 (docs/reach.md).
#pragma once

#include <string>

#include "src/trace/reach.h"

namespace dvrtrace {

std::string print_reach_json(const Reach& reach, const std::string& tool);

}  // namespace dvrtrace
