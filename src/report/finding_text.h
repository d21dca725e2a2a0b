// Findings as text: what, where, why, and the commands that repair it.
#pragma once

#include <string>
#include <vector>

#include "src/base/source.h"
#include "src/report/finding_json.h"
#include "src/report/page.h"
#include "src/report/style.h"
#include "src/trace/finding.h"

namespace dvrtrace {

Paint paint_of(Severity severity);

// Where it is: "br-tun table 4", "root namespace". As it was read: not made harmless.
std::string place_of(const Finding& finding);

// One finding, with its evidence and repair. `full`: with what was expected and found.
void write_finding(const Finding& finding, const Sources& sources, Page& page, bool full);

// `all`: notes too, and what could not be judged.
std::string print_text(const CheckReport& report, const Sources& sources, const Style& style, bool all);

}  // namespace dvrtrace
