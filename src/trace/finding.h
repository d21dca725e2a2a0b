// Finding: one thing that is not as it should be: where, why it matters, what shows it and what repairs it.
//
// Stands beside Trace, because a trace that does not deliver says why by the findings that explain it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "src/base/diagnostics.h"
#include "src/base/source.h"
#include "src/net/ids.h"

namespace dvrtrace {

struct Finding {
  std::string code;                  // of the catalogue: "DVR-FIP-RULE-MISSING"
  Severity severity = Severity::Error;
  std::string host;
  std::string place_kind;            // "bridge", "namespace", "host"; of a namespace "" is the root namespace
  std::string place;
  std::string object_kind;           // "flow", "port", "tunnel", "link", "ip-rule", "route", "neighbour", ...
  std::string object;                // in the words of the tool that prints it
  std::optional<TableId> table;      // of a flow
  std::string name;                  // of a port, link or sysctl; ""
  std::string expected, found;       // "" where there is none
  Provenance at;                     // what shows it: the row found, or the place where one is missing
  std::vector<std::string> affects;  // VMs and other ports by their names
  std::string cause;                 // what it is for, and what follows
  std::string repair;                // a command, or several, a line each; "" when no command repairs it
  std::string explains;              // of a trace: "the request, dropped on br-int of cmp1"; ""
};

}  // namespace dvrtrace
