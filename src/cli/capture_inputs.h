// The captures of a command line, opened.
#pragma once

#include <string>
#include <vector>

#include "src/cli/failure.h"
#include "src/cli/options.h"
#include "tracer/verify/read_captures.h"

namespace dvrtrace::cli {

// What -r names: "PLACE=FILE", a file, a folder. `hosts`: that are known, `points`: where the packet should pass. A capture that
// cannot be read comes with the reason; a failure is a command line that cannot be meant.
tl::expected<std::vector<verify::CaptureSource>, Failure> open_captures(
    const Options& options, const std::vector<std::string>& hosts, const std::vector<CapturePoint>& points);

}  // namespace dvrtrace::cli
