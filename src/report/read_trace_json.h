// Reads what trace_json.h and finding_json.h write: a saved trace (dvrtrace.trace/1) or a saved check
// (dvrtrace.check/1); and of a verification (dvrtrace.verify/1) the trace in it, and what was seen at each
// crossing.
//
// Any bytes give a value or a Result's error; what of a document is not as it should be is reported and
// left out, and what a later version has added is passed over. read(print(trace)) prints the same again.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/diagnostics.h"
#include "src/base/result.h"
#include "src/base/source.h"
#include "src/report/trace_json.h"
#include "src/trace/finding.h"
#include "src/trace/trace.h"

namespace dvrtrace {

// A crossing of a verification: "seen", "altered", "not-seen", "missed", "cannot-tell" or "not-captured".
struct SeenCrossing {
  std::string state;
  std::string altered;                  // the fields, with what was expected and found
  std::optional<std::int64_t> latency;  // nanoseconds, the median
  std::uint64_t packets = 0;
};
struct SeenDirection {
  std::string direction, text;
  std::vector<SeenCrossing> crossings;  // in the order of the trace's
};

struct SavedAnswer {
  std::string tool;
  std::vector<SeenDirection> seen;  // of a verification
  std::vector<JsonInput> inputs;
  std::optional<Trace> trace;  // none: a check
  std::vector<Finding> findings;
};

// The text of a dump by the name that the document has for it; none when it is not at hand.
using FindDump = std::function<std::optional<std::string>(const std::string& file)>;

// Dumps that `find` gives, and that still have the line that is cited, are added to `sources` with their
// text; the others by name alone. `name`: of the document, for the diagnostics.
Result<SavedAnswer> read_trace_json(std::string_view name, std::string_view text, const FindDump& find,
                                    Sources& sources, Diagnostics& diagnostics);

}  // namespace dvrtrace
