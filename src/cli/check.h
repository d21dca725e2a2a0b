// The judgement of a whole cloud, as `check` prints it and `view --check` shows it.
#pragma once

#include <vector>

#include "src/base/diagnostics.h"
#include "src/base/source.h"
#include "src/cli/failure.h"
#include "src/cli/options.h"
#include "src/report/finding_json.h"
#include "src/report/trace_json.h"

namespace dvrtrace::cli {

struct CheckedCloud {
  CheckReport report;
  std::vector<JsonInput> inputs;
  std::vector<Diagnostic> diagnostics;  // printed already
};

// Whether the hosts' texts stay in `sources` to be shown, or only the lines that findings and diagnostics cite.
enum class Texts { Keep, Forget };

// The inputs of the options. `sources` gets their texts.
tl::expected<CheckedCloud, Failure> check_cloud(const Options& options, Sources& sources, Texts texts);

}  // namespace dvrtrace::cli
