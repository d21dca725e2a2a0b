// Findings as HTML: those of a trace, and the page of a check.
#pragma once

#include <string>
#include <vector>

#include "src/report/finding_json.h"
#include "src/report/pictures/html_page.h"
#include "src/trace/finding.h"

namespace dvrtrace {

// Each unfolds to what was expected and found, why it matters, what repairs it, and its evidence. The first
// one is unfolded.
Markup html_findings(const std::vector<Finding>& findings, const Sources& sources);

// One page, by itself: what is wrong in the cloud, by host, and what could not be judged.
std::string print_html(const CheckReport& report, const JsonContext& context);

}  // namespace dvrtrace
