// What a reader of a direction wants to know of its tree of hops, and its flat form does not say at once.
// Shared by text and JSON, so that both speak of the same hop.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/trace/finding.h"
#include "src/trace/trace.h"

namespace dvrtrace {

// For each hop whether it is on the way to the direction's end. A direction that marks none (it ended
// before it began) is taken to lead to the hop that stopped it.
std::vector<bool> hops_on_path(const Direction& direction);

std::vector<std::size_t> children_of(const Direction& direction, std::size_t hop);

// The device by which the packet left the hop on its way; of several the one that leads on. None: it did
// not leave.
const Device* way_out(const Direction& direction, std::size_t hop);

// For each hop the one that it leads to: on the way the next there, else the first of its copies; itself
// for the last.
std::vector<std::size_t> next_hops(const Direction& direction, const std::vector<bool>& on_path);

// For each hop whether something is found wrong in its place; notes do not count.
std::vector<bool> faulty_hops(const Direction& direction, const std::vector<Finding>& findings);

// How the hops of a direction are called: those on the way are numbered from 1. The copies of a flood in
// hop 2 are 2.1 and 2.2; the hops that 2.1 goes on to are 2.1/2 and 2.1/3, and a copy of a copy made there
// is 2.1/3.1.
struct HopNumbers {
  std::vector<std::string> labels;   // of each hop; "" for one that hangs on none
  std::vector<std::size_t> copies;   // the hops beside the way, in the order in which they are listed
};
HopNumbers number_hops(const Direction& direction, const std::vector<bool>& on_path);

// The step that stopped the packet in a hop. None: it went on.
const Stopped* stop_of(const Hop& hop);

// Where a step was read; not known for one that no line of a dump decided.
Provenance evidence_of(const Step& step);

// What stopped a direction, in the words of a finding: "flow", "route", "neighbour", ...
struct StopObject {
  std::string kind, text;
  std::optional<TableId> table;  // of a flow
  Provenance at;
};
StopObject stop_object(const Hop& hop);

}  // namespace dvrtrace
