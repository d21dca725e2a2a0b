#include "tui/terminal/crash_guard.h"

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdlib>

namespace dvrtrace::tui {
namespace {

constexpr std::array kCrashes{SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS, SIGXCPU, SIGXFSZ};
constexpr std::array kLeaving{SIGTERM, SIGHUP, SIGQUIT, SIGINT};
constexpr std::array kOthers{SIGTSTP, SIGCONT, SIGWINCH};
constexpr int kSignals = 65;

// Everything that a handler touches. Handlers may only call what POSIX lists as async-signal-safe: write,
// tcsetattr, sigaction, raise are.
struct State {
  std::array<char, 512> restore{};
  std::size_t length = 0;
  termios modes{};
  bool has_modes = false;
  int read_end = -1, write_end = -1;
  std::array<struct sigaction, kSignals> before{};
};
State state;
volatile std::sig_atomic_t leave_signal = 0, stop_asked = 0, continued = 0, resized = 0, is_busy = 0;

void restore_terminal() {
  const ssize_t ignored = write(STDOUT_FILENO, state.restore.data(), state.length);
  static_cast<void>(ignored);
  if (state.has_modes) tcsetattr(STDIN_FILENO, TCSANOW, &state.modes);
}

void wake() {
  const char byte = 0;
  const ssize_t ignored = write(state.write_end, &byte, 1);
  static_cast<void>(ignored);
}

// The signal does what it would have done without us: it comes again as soon as this handler returns.
void die_of(int signal) {
  restore_terminal();
  sigaction(signal, &state.before[static_cast<std::size_t>(signal)], nullptr);
  raise(signal);
}

extern "C" void on_crash(int signal) {
  const int error = errno;
  die_of(signal);
  errno = error;
}

extern "C" void on_signal(int signal) {
  const int error = errno;
  switch (signal) {
    case SIGTSTP:
      stop_asked = 1;
      break;
    case SIGCONT:
      continued = 1;
      break;
    case SIGWINCH:
      resized = 1;
      break;
    default:
      if (is_busy != 0) die_of(signal);
      leave_signal = signal;
  }
  wake();
  errno = error;
}

void install(int signal, void (*handler)(int), int flags) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = flags;
  sigemptyset(&action.sa_mask);
  sigaction(signal, &action, nullptr);
}

// A stack of its own, for the crash that is an overflow of the stack.
alignas(16) std::array<char, 65536> crash_stack;

}  // namespace

SignalGuard::SignalGuard(const std::string& restore) {
  state.length = std::min(restore.size(), state.restore.size());
  std::copy_n(restore.begin(), state.length, state.restore.begin());
  state.has_modes = tcgetattr(STDIN_FILENO, &state.modes) == 0;
  std::array<int, 2> ends{-1, -1};
  if (pipe2(ends.data(), O_NONBLOCK | O_CLOEXEC) == 0) {
    state.read_end = ends[0];
    state.write_end = ends[1];
  }
  stack_t stack{};
  stack.ss_sp = crash_stack.data();
  stack.ss_size = crash_stack.size();
  sigaltstack(&stack, nullptr);
  const auto all = [](auto visit) {
    for (const int signal : kCrashes) visit(signal);
    for (const int signal : kLeaving) visit(signal);
    for (const int signal : kOthers) visit(signal);
  };
  all([](int signal) { sigaction(signal, nullptr, &state.before[static_cast<std::size_t>(signal)]); });
  for (const int signal : kCrashes) install(signal, on_crash, SA_ONSTACK | SA_NODEFER);
  // What was ignored stays so, as under nohup.
  const auto ignored = [](int signal) {
    return state.before[static_cast<std::size_t>(signal)].sa_handler == SIG_IGN;
  };
  for (const int signal : kLeaving) {
    if (!ignored(signal)) install(signal, on_signal, 0);
  }
  for (const int signal : kOthers) {
    if (!ignored(signal)) install(signal, on_signal, 0);
  }
}

SignalGuard::~SignalGuard() {
  for (const int signal : kCrashes)
    sigaction(signal, &state.before[static_cast<std::size_t>(signal)], nullptr);
  for (const int signal : kLeaving)
    sigaction(signal, &state.before[static_cast<std::size_t>(signal)], nullptr);
  for (const int signal : kOthers)
    sigaction(signal, &state.before[static_cast<std::size_t>(signal)], nullptr);
  if (state.has_modes) tcsetattr(STDIN_FILENO, TCSANOW, &state.modes);
  stack_t none{};
  none.ss_flags = SS_DISABLE;
  sigaltstack(&none, nullptr);
  if (state.read_end >= 0) close(state.read_end);
  if (state.write_end >= 0) close(state.write_end);
  state.read_end = state.write_end = -1;
}

int SignalGuard::descriptor() const { return state.read_end; }

Asked SignalGuard::take() {
  std::array<char, 64> bytes{};
  while (read(state.read_end, bytes.data(), bytes.size()) > 0) {
  }
  Asked asked;
  asked.leave = leave_signal;
  asked.stop = stop_asked != 0;
  asked.continued = continued != 0;
  asked.resized = resized != 0;
  leave_signal = 0;
  stop_asked = 0;
  continued = 0;
  resized = 0;
  return asked;
}

void SignalGuard::busy(bool yes) { is_busy = yes ? 1 : 0; }

void SignalGuard::stop_here() {
  termios now{};
  const bool has_now = tcgetattr(STDIN_FILENO, &now) == 0;
  if (state.has_modes) tcsetattr(STDIN_FILENO, TCSADRAIN, &state.modes);
  struct sigaction ours {};
  sigaction(SIGTSTP, &state.before[SIGTSTP], &ours);
  raise(SIGTSTP);
  sigaction(SIGTSTP, &ours, nullptr);
  // What was changed meanwhile is what is to be left behind at the end.
  if (tcgetattr(STDIN_FILENO, &state.modes) == 0) state.has_modes = true;
  if (has_now) tcsetattr(STDIN_FILENO, TCSADRAIN, &now);
}

}  // namespace dvrtrace::tui
