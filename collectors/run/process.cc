#include "collectors/run/process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <pthread.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "src/base/text.h"

extern char** environ;

namespace dvrtrace {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kGrace{1000};     // between being asked to end and being made to
constexpr milliseconds kLastWords{200};  // for what is in the pipes when the program has ended
constexpr milliseconds kSlice{20};       // where the kernel cannot tell that a program has ended
constexpr milliseconds kLook{100};       // between two looks at whether the input is still held open
constexpr std::string_view kMorePath = ":/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin";

class End {
 public:
  explicit End(int fd = -1) : fd_(fd) {}
  End(End&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  End& operator=(End&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  End(const End&) = delete;
  End& operator=(const End&) = delete;
  ~End() { close(); }
  void close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }
  int get() const { return fd_; }
  bool open() const { return fd_ >= 0; }

 private:
  int fd_;
};

struct Pipe {
  End read, write;
};

bool make_pipe(Pipe& pipe) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return false;
  pipe.read = End(ends[0]);
  pipe.write = End(ends[1]);
  return true;
}

// A write to a program that does not read any more must not end this one.
class NoBrokenPipe {
 public:
  NoBrokenPipe() {
    sigemptyset(&broken_);
    sigaddset(&broken_, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &broken_, &before_);
  }
  NoBrokenPipe(const NoBrokenPipe&) = delete;
  NoBrokenPipe& operator=(const NoBrokenPipe&) = delete;
  ~NoBrokenPipe() {
    constexpr timespec kNow{0, 0};
    if (sigismember(&before_, SIGPIPE) == 0) sigtimedwait(&broken_, nullptr, &kNow);
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  const sigset_t& before() const { return before_; }

 private:
  sigset_t broken_{}, before_{};
};

std::string search_path() {
  const char* path = std::getenv("PATH");
  return std::string(path == nullptr ? "" : path) + std::string(kMorePath);
}

// This process's environment with another language and a longer PATH.
class Environment {
 public:
  Environment() {
    for (char** entry = environ; *entry != nullptr; ++entry) {
      const std::string_view text = *entry;
      if (!text.starts_with("LC_") && !text.starts_with("LANG") && !text.starts_with("PATH="))
        entries_.emplace_back(text);
    }
    entries_.emplace_back("LC_ALL=C");
    entries_.push_back("PATH=" + search_path());
    for (std::string& entry : entries_) pointers_.push_back(entry.data());
    pointers_.push_back(nullptr);
  }
  char** get() { return pointers_.data(); }

 private:
  std::vector<std::string> entries_;
  std::vector<char*> pointers_;
};

class SpawnSettings {
 public:
  explicit SpawnSettings(const sigset_t& mask) {
    posix_spawn_file_actions_init(&actions_);
    posix_spawnattr_init(&attributes_);
    sigset_t defaults;
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    posix_spawnattr_setsigmask(&attributes_, &mask);
    posix_spawnattr_setsigdefault(&attributes_, &defaults);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;
  ~SpawnSettings() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }
  void join(const End& end, int fd) { posix_spawn_file_actions_adddup2(&actions_, end.get(), fd); }
  posix_spawn_file_actions_t* actions() { return &actions_; }
  posix_spawnattr_t* attributes() { return &attributes_; }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

int shell_status(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status); }

class Running {
 public:
  Running(pid_t pid, std::string_view input, const ProcessLimits& limits, const Sink& sink, Ran& ran)
      : pid_(pid),
        input_(input),
        limits_(limits),
        sink_(sink),
        ran_(ran),
        deadline_(Clock::now() + limits.time) {
    ended_ = End(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  }

  void follow(Pipe& in, Pipe& out, Pipe& errors) {
    for (const Pipe* pipe : {&in, &out, &errors}) {
      const int fd = pipe == &in ? pipe->write.get() : pipe->read.get();
      ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
    }
    if (input_.empty() && !held()) in.write.close();
    // A program that has ended may have left others behind that hold its pipes: those are not waited for.
    while (!gave_up_ &&
           (!ran_.status || ((out.read.open() || errors.read.open()) && Clock::now() < deadline_))) {
      wait(in.write, out.read, errors.read);
      press();
    }
    if (!ran_.status) return;
    while (!ran_.too_long && take_output(out.read))
      continue;  // all that it wrote itself, however late this process was woken
    while (ran_.errors.size() < limits_.errors && take_errors(errors.read)) continue;
  }

 private:
  bool held() const { return limits_.hold != nullptr && limits_.hold->load(); }

  void wait(End& in, End& out, End& errors) {
    if (input_.empty() && !held()) in.close();
    // An end that is only held open is always ready, and not looked at.
    std::array<pollfd, 4> polled{{{input_.empty() ? -1 : in.get(), POLLOUT, 0},
                                  {out.get(), POLLIN, 0},
                                  {errors.get(), POLLIN, 0},
                                  {ran_.status ? -1 : ended_.get(), POLLIN, 0}}};
    const auto left = std::chrono::duration_cast<milliseconds>(deadline_ - Clock::now()) + milliseconds(1);
    const bool blind = !ran_.status && !ended_.open();
    const auto longest = blind ? std::min(left, kSlice) : held() ? std::min(left, kLook) : left;
    ::poll(polled.data(), polled.size(), static_cast<int>(std::clamp<long long>(longest.count(), 0, 60'000)));
    if (polled[0].revents != 0) write_input(in);
    if (polled[1].revents != 0) take_output(out);
    if (polled[2].revents != 0) take_errors(errors);
    if (blind || polled[3].revents != 0) reap();
  }

  void write_input(End& in) {
    const ssize_t count = ::write(in.get(), input_.data(), input_.size());
    if (count > 0) input_.remove_prefix(static_cast<std::size_t>(count));
    if ((input_.empty() && !held()) || (count < 0 && errno != EAGAIN && errno != EINTR)) in.close();
  }

  // Whether there was something.
  template <class Use>
  bool take(End& end, Use use) {
    if (!end.open()) return false;
    const ssize_t count = ::read(end.get(), buffer_.data(), buffer_.size());
    if (count > 0) use(std::string_view(buffer_.data(), static_cast<std::size_t>(count)));
    if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR)) end.close();
    return count > 0;
  }
  bool take_output(End& out) {
    return take(out, [&](std::string_view piece) {
      const std::uint64_t room = limits_.output - std::min(limits_.output, ran_.bytes);
      const auto kept = static_cast<std::size_t>(std::min<std::uint64_t>(room, piece.size()));
      ran_.too_long = ran_.too_long || piece.size() > kept;
      ran_.bytes += kept;
      if (sink_ && kept != 0) sink_(piece.substr(0, kept));
    });
  }
  bool take_errors(End& errors) {
    return take(errors, [&](std::string_view piece) {
      ran_.errors += piece.substr(0, limits_.errors - std::min(limits_.errors, ran_.errors.size()));
    });
  }

  void reap() {
    int status = 0;
    const pid_t reaped = ::waitpid(pid_, &status, WNOHANG);
    if (reaped == 0) return;
    ran_.status = reaped == pid_ ? shell_status(status) : 127;
    ran_.end = WallClock::now();
    deadline_ = Clock::now() + kLastWords;
  }

  // Past its time, or beyond its size.
  void press() {
    if (ran_.status) return;
    const bool late = Clock::now() >= deadline_;
    if (!late && !(ran_.too_long && pressed_ == 0)) return;
    if (pressed_ == 0 && !ran_.too_long) ran_.timed_out = true;
    if (pressed_ >= 2) {
      gave_up_ = true;
      return;
    }
    ::kill(pid_, pressed_ == 0 ? SIGTERM : SIGKILL);
    ++pressed_;
    deadline_ = Clock::now() + kGrace;
  }

  pid_t pid_;
  std::string_view input_;
  const ProcessLimits& limits_;
  const Sink& sink_;
  Ran& ran_;
  Clock::time_point deadline_;
  End ended_;
  int pressed_ = 0;
  bool gave_up_ = false;
  std::array<char, 65536> buffer_{};
};

}  // namespace

std::string find_program(std::string_view name) {
  if (name.find('/') != std::string_view::npos) {
    return ::access(std::string(name).c_str(), X_OK) == 0 ? std::string(name) : std::string{};
  }
  const std::string path = search_path();
  for (const std::string_view folder : split(path, ':')) {
    if (folder.empty()) continue;
    std::string candidate = fmt::format("{}/{}", folder, name);
    if (::access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return {};
}

Ran run_process(const Words& words, std::string_view input, const ProcessLimits& limits, const Sink& sink) {
  Ran ran;
  ran.start = ran.end = WallClock::now();
  const std::string program = words.empty() ? std::string{} : find_program(words.front());
  if (program.empty()) {
    ran.failure = fmt::format("{}: not installed", words.empty() ? "" : words.front());
    return ran;
  }
  const NoBrokenPipe no_broken_pipe;
  Pipe in, out, errors;
  if (!make_pipe(in) || !make_pipe(out) || !make_pipe(errors)) {
    ran.failure = std::strerror(errno);
    return ran;
  }
  SpawnSettings settings(no_broken_pipe.before());
  settings.join(in.read, STDIN_FILENO);
  settings.join(out.write, STDOUT_FILENO);
  settings.join(errors.write, STDERR_FILENO);
  Words copy = words;
  std::vector<char*> arguments;
  for (std::string& word : copy) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  Environment environment;
  pid_t pid = 0;
  const int error = ::posix_spawn(&pid, program.c_str(), settings.actions(), settings.attributes(),
                                  arguments.data(), environment.get());
  if (error != 0) {
    ran.failure = fmt::format("{}: {}", words.front(), std::strerror(error));
    return ran;
  }
  in.read.close();
  out.write.close();
  errors.write.close();
  Running(pid, input, limits, sink, ran).follow(in, out, errors);
  if (!ran.status) ran.end = WallClock::now();
  return ran;
}

Words words_in(std::string_view line) {
  Words words;
  for (const std::string_view word : words_of(line)) words.emplace_back(word);
  return words;
}

std::string shell_quoted(std::string_view word) {
  const bool plain = !word.empty() && std::ranges::all_of(word, [](char c) {
    return is_alpha(c) || is_digit(c) || std::string_view("-_./=:,+@%").find(c) != std::string_view::npos;
  });
  if (plain) return std::string(word);
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

}  // namespace dvrtrace
