// Console: what the program knows of where its output goes, and the way there. The answer goes to standard
// output, everything else to standard error; as JSON there is exactly one document on standard output,
// also when the command failed.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "src/base/diagnostics.h"
#include "src/cli/failure.h"
#include "src/cli/options.h"
#include "src/report/style.h"
#include "src/report/trace_json.h"

namespace dvrtrace::cli {

std::string tool_version();  // "0.1.0"
std::string tool_name();     // "dvrtrace 0.1.0"

// How text is to look on standard output or standard error, as the options, the environment and the
// terminal say.
Style output_style(const Options& options);
Style error_style(const Options& options);

// Writes an answer; long text on a terminal through PAGER. False when it could not be written.
bool answer(const std::string& text, const Options& options);

void print_failure(const Failure& failure, const Options& options, bool as_json);

// The failure of one of many questions, as a line of JSON.
std::string failure_line(const Failure& failure, const JsonLine& line);
// As print_failure() says it on standard error.
std::string failure_text(const Failure& failure, const Style& style);

// The errors and warnings, counted, the first few in full; with --verbose all, notes too.
void print_diagnostics(const std::vector<Diagnostic>& diagnostics, const Sources& sources,
                       const Options& options);

}  // namespace dvrtrace::cli
