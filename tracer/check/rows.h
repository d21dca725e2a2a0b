// Rows: what a dump of one kind says, each row as what it is about and what it says of that; and two dumps compared by them.
#pragma once

#include <string>
#include <vector>

#include "tracer/check/comparison.h"

namespace dvrtrace::check {

struct Row {
  std::string about;  // rows of both sides with the same are compared
  std::string says;   // what must be equal then
  std::string text;   // as it is shown
  Provenance at;
};
using Rows = std::vector<Row>;

// The kind, namespace and family of every difference; the rest is filled in.
struct Setting {
  ObjectKind kind = ObjectKind::Link;
  std::string netns, family;
  bool whole = true;     // what `found` lacks is not there
  bool expected_whole = true;  // what `expected` lacks is not there
  bool foreign = false;  // what is not expected may be others' work: it is no difference
};

// Adds what differs to `comparison`, and what was compared.
void compare_rows(const Rows& found, const Rows& expected, const Setting& setting, Comparison& comparison);

}  // namespace dvrtrace::check
