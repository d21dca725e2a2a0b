// The viewer on a terminal: the only place that knows of ncurses.
//
// The terminal is left as it was found, however the viewer ends: by a key, an exception, a signal that ends
// or stops the program, or a crash. Where ncurses can no longer be called, in the handler of a signal,
// prepared bytes are written and the saved modes set.
#pragma once

#include "src/base/result.h"
#include "tui/model.h"

namespace dvrtrace::tui {

// Whether standard input and output are a terminal.
bool has_terminal();

// Runs until the model quits; gives the last model. `model` gets the terminal's size. Fails when standard
// input and output are no terminal, or one that cannot place its cursor. A signal that ends the program
// ends it here, with the terminal restored.
Result<Model> run_on_terminal(Model model, const Backend& backend);

}  // namespace dvrtrace::tui
