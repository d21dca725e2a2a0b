// page.css and page.js, as every page carries them.
#pragma once

#include <string_view>

namespace dvrtrace {

extern const std::string_view kPageStyle, kPageScript;

}  // namespace dvrtrace
