// Findings as JSON: those of a trace, and the document of a check, schema dvrtrace.check/1 (docs: design 3.2).
#pragma once

#include <string>
#include <vector>

#include "src/report/trace_json.h"
#include "src/trace/finding.h"

namespace dvrtrace {

// What the check could not judge, and why.
struct Caveat {
  std::string host, code, text;
};

struct CheckReport {
  std::string release;            // of Neutron, as found or asked for; "" not known
  bool neutron = false;           // Neutron's own objects were given
  std::vector<Finding> findings;  // what breaks most first
  std::vector<Caveat> caveats;
};

std::string print_json(const CheckReport& report, const JsonContext& context);

}  // namespace dvrtrace
