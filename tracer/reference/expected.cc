#include "tracer/reference/expected.h"

namespace dvrtrace::reference {

std::string text_of(const Dump& dump) {
  std::string text;
  std::size_t size = 0;
  for (const Line& line : dump.lines) size += line.text.size() + 1;
  text.reserve(size);
  for (const Line& line : dump.lines) {
    text += line.text;
    text += '\n';
  }
  return text;
}

}  // namespace dvrtrace::reference
