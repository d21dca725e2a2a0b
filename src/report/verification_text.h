// A verification as text: what agrees, where it stops, and a table of the crossings of each direction.
#pragma once

#include <string>

#include "src/base/source.h"
#include "src/report/glossary.h"
#include "src/report/style.h"
#include "src/trace/verification.h"

namespace dvrtrace {

struct VerificationContext {
  const Sources& sources;
  const Glossary& glossary;
  Style style;
  bool full = false;  // copies of floods as well, and all captures
};

std::string print_text(const Verification& verification, const Trace& trace,
                       const VerificationContext& context);
// Only the line with the answer.
std::string print_verdict(const Verification& verification, const VerificationContext& context);

}  // namespace dvrtrace
