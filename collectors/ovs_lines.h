// Lines that the commands of Open vSwitch print beside their output.
#pragma once

#include <string_view>

#include "src/base/text.h"

namespace dvrtrace {

// "2025-05-14T14:23:33Z|00001|vconn|WARN|...": a log line that went to the same file.
inline bool is_ovs_log_line(std::string_view line) {
  const std::string_view time = take_until(line, '|'), sequence = take_until(line, '|');
  return time.size() >= 20 && is_digit(time.front()) && time.ends_with('Z') && number(sequence).has_value();
}

}  // namespace dvrtrace
