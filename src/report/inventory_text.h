// An inventory as text.
#pragma once

#include <string>

#include "src/base/source.h"
#include "src/report/inventory.h"
#include "src/report/style.h"

namespace dvrtrace {

// `all`: every missing dump, unrecognised file and contradiction, not only the first of each.
std::string print_text(const Inventory& inventory, const Sources& sources, const Style& style, bool all);

}  // namespace dvrtrace
