// Alike: flows that the reference and a dump have word for word.
//
// Of a bridge as Neutron's agents leave it that is nearly all of them. They need not be read a second time to be found equal, so what is
// read and compared by meaning is the rest.
#pragma once

#include <string_view>
#include <vector>

#include "src/openflow/flow.h"
#include "tracer/reference/expected.h"

namespace dvrtrace::check {

struct Alike {
  reference::Dump left;     // the expected lines that have no equal
  std::vector<bool> found;  // of each found flow, whether it was one of a pair
};

// Table, priority, match and actions count. Flows that learn() made have no equal, and lines that are alternatives are all left: which
// of them is there is judged together. `text`: the dump that `found` was read from.
Alike without_alike(reference::Dump expected, const openflow::FlowTable& found, std::string_view text);

}  // namespace dvrtrace::check
