// Signals of a program that holds a terminal.
#pragma once

#include <csignal>
#include <string>

namespace dvrtrace::tui {

// What signals asked for since it was last asked.
struct Asked {
  int leave = 0;  // the signal that ends the program; SIGINT included
  bool stop = false, continued = false, resized = false;
};

// While one is there, signals are noted, and one that kills restores the terminal first. One at a time.
class SignalGuard {
 public:
  // `restore`: what to write to standard output when nothing else can be done any more. The modes of the
  // terminal are those of standard input at this moment.
  explicit SignalGuard(const std::string& restore);
  ~SignalGuard();
  SignalGuard(const SignalGuard&) = delete;
  SignalGuard& operator=(const SignalGuard&) = delete;

  // Becomes readable when a signal came.
  int descriptor() const;
  Asked take();

  // While something is computed that does not look for signals, one that ends the program does so at once.
  void busy(bool yes);

  // The modes are put back; the program stops until it is continued.
  void stop_here();
};

}  // namespace dvrtrace::tui
