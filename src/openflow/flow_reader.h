// Reading the rows of a dump, which mostly do what others of it do.
#pragma once

#include <cstdint>
#include <string_view>

#include "src/openflow/action_reader.h"
#include "src/openflow/flow.h"

namespace dvrtrace::openflow {

// As in flow.h. `known`: of the rows of the same text and with the same names that were read before.
FlowLine read_flow_line(std::string_view line, std::uint32_t base, Names& names, KnownActions& known);

}  // namespace dvrtrace::openflow
