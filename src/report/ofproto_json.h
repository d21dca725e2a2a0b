// The answer of `ofproto-trace` as JSON: steps, final flows and outputs, each as ofproto/trace means it.
#pragma once

#include <string>

#include "src/base/source.h"
#include "src/trace/ofproto_trace.h"

namespace dvrtrace {

std::string print_json(const OfprotoTrace& trace, const Sources& sources, const std::string& tool);

}  // namespace dvrtrace
