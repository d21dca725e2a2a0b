#pragma once

#include <cstddef>
#include <string_view>

namespace dvrtrace {

// The length of the well-formed UTF-8 sequence at the front of `text`, which is not empty; 0 when none stands there.
std::size_t utf8_length(std::string_view text);

}  // namespace dvrtrace
