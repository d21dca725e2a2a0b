// A trace as one page of HTML: the findings that explain it, its way drawn, and each hop with its steps,
// which unfold to the lines of the dumps that decided them.
#pragma once

#include <string>

#include "src/report/glossary.h"
#include "src/report/trace_json.h"
#include "src/trace/trace.h"

namespace dvrtrace {

std::string print_html(const Trace& trace, const JsonContext& context, const Glossary& glossary);

}  // namespace dvrtrace
