// An inventory as one JSON document, schema dvrtrace.inventory/1. Fields are added, never changed, within
// a version.
#pragma once

#include <string>

#include "src/base/source.h"
#include "src/report/inventory.h"

namespace dvrtrace {

std::string print_json(const Inventory& inventory, const Sources& sources, const std::string& tool);

}  // namespace dvrtrace
