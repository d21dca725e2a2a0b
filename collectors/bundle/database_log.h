// The log that is Open vSwitch's database: records, each a line "OVSDB JSON LENGTH SHA1" and then LENGTH
// bytes, a line of JSON.
#pragma once

#include <string>
#include <string_view>

namespace dvrtrace::redact {

// A log whose records' contents were replaced, line by line, with lengths and sums that are right again. A
// record of which they were not right in `original` (it breaks off, or somebody changed it before) stays
// wrong.
std::string with_right_sums(std::string_view original, std::string_view replaced);

}  // namespace dvrtrace::redact
