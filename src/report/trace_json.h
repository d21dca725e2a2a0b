// A trace as one JSON document, schema dvrtrace.trace/1 (docs: design 3.1). Fields are added, never
// changed, within a version. Control characters and what is beyond ASCII come out escaped, so the text is
// exact and harmless to a terminal.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "src/base/diagnostics.h"
#include "src/base/source.h"
#include "src/snapshot/host.h"
#include "src/trace/finding.h"
#include "src/trace/trace.h"

namespace dvrtrace {

struct JsonInput {
  std::string host, path;
  std::string collected_at;  // "" not known
  std::optional<Taken> taken = {};  // when its dumps were, as far as they were read
};

// Which of many questions a document answers: it is a line of its own then.
struct JsonLine {
  std::size_t number = 0;  // from 1
  std::string asked;
};

struct JsonContext {
  const Sources& sources;
  std::string tool;  // "dvrtrace 0.1.0"
  std::vector<JsonInput> inputs;
  std::vector<Diagnostic> diagnostics;
  std::vector<Finding> findings;  // what explains the trace first
  std::optional<JsonLine> line = {};
};

std::string print_json(const Trace& trace, const JsonContext& context);

}  // namespace dvrtrace
