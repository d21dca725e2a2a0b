// A verification as one JSON document, schema dvrtrace.verify/1 (docs/verify.md). It holds the trace that was
// verified, as a document of dvrtrace.trace/1, so that it can be shown without anything else.
#pragma once

#include <string>

#include "src/report/trace_json.h"
#include "src/trace/verification.h"

namespace dvrtrace {

std::string print_json(const Verification& verification, const Trace& trace, const JsonContext& context);

}  // namespace dvrtrace
