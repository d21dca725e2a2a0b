// dvrtrace from --questions FILE: many questions over one reading of the inputs.
#pragma once

#include "src/cli/failure.h"
#include "src/cli/options.h"

namespace dvrtrace::cli {

// The status is 2 where a question could not be asked, else 1 where a packet does not arrive, else 3 where an answer is unknown.
Outcome answer_questions(const Options& options);

}  // namespace dvrtrace::cli
