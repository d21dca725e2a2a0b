#include "tui/terminal/terminfo.h"

#include <curses.h>
// after curses.h, as it asks to be
#include <term.h>
#include <unistd.h>

namespace dvrtrace::tui {

bool load_terminfo() {
  int error = 0;
  return setupterm(nullptr, STDOUT_FILENO, &error) == OK;
}

void forget_terminfo() {
  if (TERMINAL* mine = set_curterm(nullptr)) del_curterm(mine);
}

std::string capability(const char* name) {
  const char* found = tigetstr(name);
  if (found == nullptr || found == reinterpret_cast<const char*>(-1)) return {};
  std::string text = found;
  for (std::size_t at = text.find("$<"); at != std::string::npos; at = text.find("$<", at)) {
    const std::size_t end = text.find('>', at);
    if (end == std::string::npos) break;
    text.erase(at, end - at + 1);
  }
  return text;
}

}  // namespace dvrtrace::tui
