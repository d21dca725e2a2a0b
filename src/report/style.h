// Style: how text is dressed for where it goes. A value, handed in; nothing here asks the terminal. Colour
// is never the only sign of anything.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "src/trace/trace.h"

namespace dvrtrace {

struct Style {
  bool colour = false, unicode = false;
  std::size_t width = 100;  // columns

  std::string_view arrow() const { return unicode ? "→" : "->"; }
  std::string_view bar() const { return unicode ? "─" : "-"; }
};

enum class Paint { Plain, Strong, Faint, Good, Bad, Doubtful, Place, Changed };

Paint paint_of(Verdict verdict);

// The text in the SGR codes of the paint; unchanged without colour.
std::string painted(const Style& style, Paint paint, std::string_view text);

}  // namespace dvrtrace
