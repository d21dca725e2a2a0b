// A trace for Graphviz: the drawing of the page, to be laid out by `dot`.
#pragma once

#include <string>
#include <vector>

#include "src/report/glossary.h"
#include "src/trace/finding.h"
#include "src/trace/trace.h"

namespace dvrtrace {

// A cluster for each direction, in it one for each host; a node for each hop; on each edge the device by
// which the packet leaves, and what it is from there on where that changed. Any bytes in a name give a file
// that `dot` reads.
std::string print_dot(const Trace& trace, const std::vector<Finding>& findings, const Glossary& glossary);

}  // namespace dvrtrace
