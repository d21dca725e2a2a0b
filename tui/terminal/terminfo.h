// What terminfo says of the terminal. Apart from the rest, because its header makes macros of common words.
#pragma once

#include <string>

namespace dvrtrace::tui {

// Looks the terminal on standard output up, before ncurses takes it. False when TERM names none that is
// known.
bool load_terminfo();
// Gives it back; ncurses loads its own.
void forget_terminfo();

// A string of the terminal's description without its padding marks, "$<5>"; "" when it has none.
std::string capability(const char* name);

}  // namespace dvrtrace::tui
