// The headers of a packet by name, before and after a hop.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "src/report/glossary.h"
#include "src/trace/trace.h"

namespace dvrtrace {

struct HeaderRow {
  std::string_view name;      // "eth src", "VLAN", "IP dst", ...
  std::string before, after;  // as it arrived, as the next hop gets it; "none" for what is not there then
  bool changed = false;  // what they mean, not how it is called: a local VLAN may go on under the same number
};

// Of the packet of a hop, and of the hop that it leads to; that is `hop` itself where it ends, and `after`
// is "" then.
std::vector<HeaderRow> header_rows(const Direction& direction, std::size_t hop, std::size_t next,
                                   const Glossary& glossary, std::string_view arrow);

}  // namespace dvrtrace
