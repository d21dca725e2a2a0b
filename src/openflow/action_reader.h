// Reads action lists: "load:0x5->NXM_NX_REG5[],resubmit(,71)".
#pragma once

#include <optional>
#include <string_view>

#include "src/openflow/action.h"
#include "src/openflow/names.h"
#include "src/openflow/scanner.h"

namespace dvrtrace::openflow {

// A whole list; "drop" and "" give an empty one. Total: what could be read before an error is
// returned, and `error` says where it is, relative to the text.
Actions read_actions(std::string_view text, Names& names, std::optional<ReadError>& error);

// "NXM_NX_REG6[0..15]", "reg0[3]", "eth_src". None for an unknown field or a range beyond it.
std::optional<Subfield> read_subfield(std::string_view text);
std::string print_subfield(const Subfield& part);

}  // namespace dvrtrace::openflow
