// The answer of `ofproto-trace` as text, laid out as people know it from ofproto/trace.
#pragma once

#include <string>

#include "src/trace/ofproto_trace.h"

namespace dvrtrace {

std::string print_text(const OfprotoTrace& trace);

}  // namespace dvrtrace
