// Catalogue: the faults that have a name.
//
// A deviation from the reference gets its code from what the line was for and from what became of it:
// DVR-<subject>-MISSING, -WRONG or -UNEXPECTED. Faults of which a dump alone tells have codes of their own.
// docs/findings.md lists them all; a test holds the two together.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "src/base/diagnostics.h"
#include "src/trace/finding.h"

namespace dvrtrace::check {

// What a line of the reference is for.
struct Purpose {
  std::string_view rule;      // the beginning of its rule's name: "TUN-60"
  std::string_view subject;   // "L2POP-UNICAST"
  std::string_view does;      // "sends what is meant for a port on another host into the tunnel to that host"
  std::string_view without;   // what happens when it is missing or wrong
  Severity severity = Severity::Error;  // of its absence
  int rank = 50;              // what breaks more comes first: 0 to 99
};

// The purpose with the longest beginning that fits; a general one for a rule that has none of its own.
const Purpose& purpose_of(std::string_view rule);
std::span<const Purpose> purposes();

// A fault that needs no reference to be seen.
struct Invariant {
  std::string_view code;      // "DVR-RP-FILTER-STRICT"
  Severity severity = Severity::Error;
  std::string_view cause;
  int rank = 50;
};
const Invariant& invariant(std::string_view code);

// A finding of an invariant: with its code, severity and cause, of the object at the place.
Finding finding_of(std::string_view code, std::string_view host, std::string_view place_kind, std::string_view place,
                   std::string_view object_kind, std::string object, Provenance at);
std::span<const Invariant> invariants();

}  // namespace dvrtrace::check
