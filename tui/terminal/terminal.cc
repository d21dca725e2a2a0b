#include "tui/terminal/terminal.h"

#include <curses.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cwchar>
#include <optional>
#include <string>
#include <utility>

#include "tui/terminal/crash_guard.h"
#include "tui/terminal/terminfo.h"

namespace dvrtrace::tui {
namespace {

// What takes the terminal out of the viewer: mouse, keypad, colours, cursor, the other screen.
std::string restoring_bytes() {
  const std::string mouse = capability("kmous");
  std::string bytes = mouse.empty() ? "" : "\x1b[?1006l\x1b[?1003l\x1b[?1002l\x1b[?1000l";
  for (const char* name : {"rmkx", "sgr0", "op", "cnorm", "rmcup"}) bytes += capability(name);
  return bytes + "\r\n";
}

constexpr std::array kPaints{Paint::Good, Paint::Bad, Paint::Doubtful, Paint::Place, Paint::Changed};
constexpr std::array<short, 5> kColours{COLOR_GREEN, COLOR_RED, COLOR_YELLOW, COLOR_CYAN, COLOR_MAGENTA};

// The screen of ncurses while the viewer has it.
class Screen {
 public:
  Screen() = default;
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;
  ~Screen() { close(); }

  bool open(bool colour) {
    screen_ = newterm(nullptr, stdout, stdin);
    if (screen_ == nullptr) return false;
    if (capability("cup").empty()) {
      close();
      return false;
    }
    cbreak();
    noecho();
    nonl();
    intrflush(stdscr, FALSE);
    keypad(stdscr, TRUE);
    nodelay(stdscr, TRUE);
    constexpr int kMillisecondsAfterEscape = 50;
    set_escdelay(kMillisecondsAfterEscape);
    curs_set(0);
    mousemask(BUTTON1_PRESSED | BUTTON4_PRESSED | BUTTON5_PRESSED, nullptr);
    mouseinterval(0);
    colour_ = colour && has_colors() && start_color() == OK;
    if (colour_) {
      const short background = use_default_colors() == OK ? -1 : COLOR_BLACK;
      for (std::size_t i = 0; i < kPaints.size(); ++i)
        init_pair(static_cast<short>(i + 1), kColours[i], background);
    }
    return true;
  }

  void close() {
    if (screen_ == nullptr) return;
    endwin();
    delscreen(screen_);
    screen_ = nullptr;
  }

  void show(const Canvas& canvas) const {
    std::wstring run;
    for (std::size_t row = 0; row < canvas.rows(); ++row) {
      move(static_cast<int>(row), 0);
      attr_t dress = 0;
      run.clear();
      const auto flush = [&] {
        if (run.empty()) return;
        attrset(static_cast<int>(dress));
        addnwstr(run.c_str(), static_cast<int>(run.size()));
        run.clear();
      };
      for (std::size_t column = 0; column < canvas.columns(); ++column) {
        const Cell& cell = canvas.at(row, column);
        if (cell.glyph == 0) continue;
        if (const attr_t next = dress_of(cell); next != dress) {
          flush();
          dress = next;
        }
        run += static_cast<wchar_t>(cell.glyph);
      }
      flush();
    }
    refresh();
  }

 private:
  attr_t dress_of(const Cell& cell) const {
    attr_t dress = A_NORMAL;
    const auto paint = std::ranges::find(kPaints, cell.paint);
    if (paint != kPaints.end() && colour_)
      dress |= static_cast<attr_t>(COLOR_PAIR(paint - kPaints.begin() + 1));
    if (cell.paint == Paint::Strong || cell.paint == Paint::Good || cell.paint == Paint::Bad ||
        cell.paint == Paint::Doubtful)
      dress |= A_BOLD;
    if (cell.paint == Paint::Faint && colour_) dress |= A_DIM;
    if (cell.accent == Accent::Chosen || cell.accent == Accent::Bar) dress |= A_REVERSE;
    if (cell.accent == Accent::Found) dress |= A_UNDERLINE | A_BOLD;
    return dress;
  }

  SCREEN* screen_ = nullptr;
  bool colour_ = false;
};

// --- keys ---------------------------------------------------------------------------------------------

Key key_of(bool is_function, wint_t code) {
  if (!is_function) {
    switch (code) {
      case L'\r':
      case L'\n':
        return {KeyName::Enter, 0};
      case L'\t':
        return {KeyName::Tab, 0};
      case 0x1b:
        return {KeyName::Escape, 0};
      case 0x08:
      case 0x7f:
        return {KeyName::Backspace, 0};
      case 0x0c:
        return {KeyName::Character, U'L'};  // Ctrl-L
      default:
        return {KeyName::Character, static_cast<char32_t>(code)};
    }
  }
  switch (code) {
    case KEY_UP:
      return {KeyName::Up, 0};
    case KEY_DOWN:
      return {KeyName::Down, 0};
    case KEY_LEFT:
      return {KeyName::Left, 0};
    case KEY_RIGHT:
      return {KeyName::Right, 0};
    case KEY_PPAGE:
      return {KeyName::PageUp, 0};
    case KEY_NPAGE:
      return {KeyName::PageDown, 0};
    case KEY_HOME:
      return {KeyName::Home, 0};
    case KEY_END:
      return {KeyName::End, 0};
    case KEY_ENTER:
      return {KeyName::Enter, 0};
    case KEY_BTAB:
      return {KeyName::BackTab, 0};
    case KEY_BACKSPACE:
      return {KeyName::Backspace, 0};
    case KEY_DC:
      return {KeyName::Delete, 0};
    case KEY_F(1):
      return {KeyName::F1, 0};
    default:
      return {KeyName::Character, 0};  // commands nothing
  }
}

class Mouse {
 public:
  std::optional<MousePressed> take() {
    MEVENT event;
    if (getmouse(&event) != OK || event.x < 0 || event.y < 0) return std::nullopt;
    MousePressed pressed{MousePressed::What::Click, static_cast<std::size_t>(event.y),
                         static_cast<std::size_t>(event.x)};
    if ((event.bstate & BUTTON4_PRESSED) != 0) {
      pressed.what = MousePressed::What::WheelUp;
    } else if ((event.bstate & BUTTON5_PRESSED) != 0) {
      pressed.what = MousePressed::What::WheelDown;
    } else if ((event.bstate & BUTTON1_PRESSED) != 0) {
      constexpr std::chrono::milliseconds kDoubleClick{400};
      const auto now = std::chrono::steady_clock::now();
      const bool again = now - last_ < kDoubleClick && pressed.row == row_ && pressed.column == column_;
      if (again) pressed.what = MousePressed::What::Open;
      last_ = again ? std::chrono::steady_clock::time_point{} : now;
      row_ = pressed.row;
      column_ = pressed.column;
    } else {
      return std::nullopt;
    }
    return pressed;
  }

 private:
  std::chrono::steady_clock::time_point last_;
  std::size_t row_ = 0, column_ = 0;
};

// --- copying ------------------------------------------------------------------------------------------

std::string base64(std::string_view text) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < text.size(); i += 3) {
    std::uint32_t bits = 0;
    const std::size_t count = std::min<std::size_t>(3, text.size() - i);
    for (std::size_t j = 0; j < 3; ++j)
      bits = bits << 8 | (j < count ? static_cast<unsigned char>(text[i + j]) : 0u);
    for (std::size_t j = 0; j < 4; ++j) out += j <= count ? kDigits[bits >> (18 - 6 * j) & 63] : '=';
  }
  return out;
}

// Terminals that are known to take a copy (OSC 52), or to pass over what they do not take.
void copy_to_terminal(const std::string& text) {
  constexpr std::size_t kMost = 70'000;
  const char* term = std::getenv("TERM");
  const std::string_view name = term == nullptr ? "" : term;
  constexpr std::array<std::string_view, 9> kKnown{"xterm", "tmux",    "screen", "alacritty", "foot",
                                                   "kitty", "wezterm", "rxvt",   "st-"};
  if (text.size() > kMost ||
      std::ranges::none_of(kKnown, [&](std::string_view known) { return name.starts_with(known); }))
    return;
  const std::string sequence = "\x1b]52;c;" + base64(text) + "\x07";
  std::fwrite(sequence.data(), 1, sequence.size(), stdout);
  std::fflush(stdout);
}

// --- the loop -----------------------------------------------------------------------------------------

class Session {
 public:
  Session(Model model, const Backend& backend) : model_(std::move(model)), backend_(backend) {}

  Result<Model> run() {
    if (!has_terminal()) return failure("a viewer needs a terminal on standard input and output");
    int leave = 0;
    {
      // The guard is there before ncurses changes anything, and learns what to write as soon as terminfo is
      // known.
      Screen screen;
      if (!load_terminfo()) return failure("the terminal is of a kind that terminfo does not know (TERM)");
      const std::string restore = restoring_bytes();
      forget_terminfo();
      SignalGuard signals(restore);
      if (!screen.open(model_.style.colour)) return failure("the terminal cannot place its cursor (TERM)");
      leave = loop(screen, signals);
      screen.close();
    }
    if (leave != 0 && leave != SIGINT) raise(leave);  // ends the program as the signal means it
    return std::move(model_);
  }

 private:
  int loop(Screen& screen, SignalGuard& signals) {
    constexpr int kMostEmptyReads = 20;
    int empty_reads = 0;
    resize();
    while (!model_.quit) {
      screen.show(drawn(model_));
      std::array<pollfd, 2> wait{{{STDIN_FILENO, POLLIN, 0}, {signals.descriptor(), POLLIN, 0}}};
      if (poll(wait.data(), wait.size(), -1) < 0 && errno != EINTR) return SIGHUP;
      const Asked asked = signals.take();
      if (asked.leave != 0) return asked.leave;
      if (asked.stop) {
        endwin();
        signals.stop_here();
      }
      if (asked.stop || asked.continued) {
        reset_prog_mode();
        keypad(stdscr, TRUE);  // ncurses would do so when it reads, too late for the first key
        clearok(curscr, TRUE);
      }
      if (asked.resized || asked.continued || asked.stop) resize();
      if ((wait[0].revents & (POLLIN | POLLHUP | POLLERR | POLLNVAL)) == 0) continue;
      // A terminal that is gone may send no signal, and poll then says again and again that there is something to read.
      empty_reads = read_keys(screen, signals) ? 0 : empty_reads + 1;
      const bool gone =
          (wait[0].revents & (POLLHUP | POLLERR | POLLNVAL)) != 0 || empty_reads > kMostEmptyReads;
      if (empty_reads > 0 && gone) return SIGHUP;
    }
    return 0;
  }

  void resize() {
    winsize size{};
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0 || size.ws_col == 0) {
      size.ws_row = static_cast<unsigned short>(LINES);
      size.ws_col = static_cast<unsigned short>(COLS);
    }
    resize_term(size.ws_row,
                size.ws_col);  // resizeterm() would put a key of its own in front of those that are typed
    clearok(curscr, TRUE);     // what the terminal made of the old screen is nobody's to know
    happened(Resized{size.ws_col, size.ws_row});
  }

  // All that was typed so far. False when there was nothing.
  bool read_keys(Screen& screen, SignalGuard& signals) {
    bool any = false;
    wint_t code = 0;
    for (int kind = get_wch(&code); kind != ERR && !model_.quit; kind = get_wch(&code)) {
      any = true;
      if (kind == KEY_CODE_YES && code == KEY_MOUSE) {
        if (const auto pressed = mouse_.take()) happened(*pressed);
      } else {
        const Key key = key_of(kind == KEY_CODE_YES, code);
        if (command_of(key) == Command::Redraw && !model_.prompt) clearok(curscr, TRUE);
        happened(KeyPressed{key});
      }
      do_requests(screen, signals);
    }
    return any;
  }

  void happened(const Event& event) { model_ = update(std::move(model_), event); }

  void do_requests(Screen& screen, SignalGuard& signals) {
    while (model_.request) {
      screen.show(drawn(model_));  // says what is being done
      const Request request = *std::exchange(model_.request, std::nullopt);
      if (const auto* copy = std::get_if<CopyText>(&request)) copy_to_terminal(copy->text);
      signals.busy(true);
      Event answer = Told{};
      try {
        answer = backend_(request, model_);
      } catch (...) {
        signals.busy(false);
        throw;
      }
      signals.busy(false);
      happened(answer);
    }
  }

  Model model_;
  const Backend& backend_;
  Mouse mouse_;
};

}  // namespace

bool has_terminal() { return isatty(STDIN_FILENO) != 0 && isatty(STDOUT_FILENO) != 0; }

Result<Model> run_on_terminal(Model model, const Backend& backend) {
  return Session(std::move(model), backend).run();
}

}  // namespace dvrtrace::tui
