#include "collectors/run/ssh.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "src/base/text.h"

namespace dvrtrace {

namespace {

constexpr unsigned kKeptOpen = 15;  // seconds after the last command of a host
constexpr std::size_t kLongestFolder =
    50;  // of a socket's path, which has 107 bytes, 41 of them its name and ssh's suffix

std::string private_folder() {
  const char* runtime = std::getenv("XDG_RUNTIME_DIR");
  for (std::string base : {std::string(runtime == nullptr ? "" : runtime), std::string("/tmp")}) {
    base += "/dvrtrace-XXXXXX";
    if (base.front() == '/' && base.size() < kLongestFolder && ::mkdtemp(base.data()) != nullptr) return base;
  }
  return {};
}

}  // namespace

Ssh::Ssh(Words program, unsigned connect)
    : program_(std::move(program)), connect_(connect), folder_(private_folder()) {}

Ssh::~Ssh() {
  if (folder_.empty()) return;
  std::error_code error;
  for (const std::string& host : hosts_) {
    if (std::filesystem::is_empty(folder_, error)) break;
    Words words = program_;
    for (std::string& option : options()) words.push_back(std::move(option));
    words.insert(words.end(), {"-O", "exit", "--", host});
    run_process(words, {}, {.time = std::chrono::seconds(2)}, {});
  }
  std::filesystem::remove_all(folder_, error);
}

Words Ssh::options() const {
  Words words{"-T", "-o", "BatchMode=yes"};
  if (folder_.empty()) return words;
  words.insert(words.end(), {"-o", fmt::format("ControlPath={}/%C", folder_)});
  return words;
}

Words Ssh::words(const std::string& host, const std::string& command) {
  {
    const std::scoped_lock lock(mutex_);
    hosts_.insert(host);
  }
  Words words = program_;
  for (std::string& option : options()) words.push_back(std::move(option));
  if (!folder_.empty())
    words.insert(words.end(),
                 {"-o", "ControlMaster=auto", "-o", fmt::format("ControlPersist={}", kKeptOpen)});
  words.insert(words.end(), {"-o", fmt::format("ConnectTimeout={}", connect_), "-o", "ServerAliveInterval=5",
                             "-o", "ServerAliveCountMax=3", "--", host, command});
  return words;
}

// The login shell may be any; the inner one is POSIX's.
std::string as_root(const Words& words) {
  std::string line;
  for (const std::string& word : words) line += " " + shell_quoted(word);
  const std::string inner = fmt::format(
      "if [ \"$(id -u)\" != 0 ] && sudo -n sh -c : 2>/dev/null; then exec sudo -n{0}; else "
      "exec{0}; fi",
      line);
  return fmt::format("exec sh -c {}", shell_quoted(inner));
}

std::string ssh_complaint(std::string_view errors) {
  std::string_view last;
  for (const std::string_view line : split(errors, '\n')) {
    const std::string_view text = trim(line);
    if (!text.empty() && !text.starts_with("Warning:") && !text.starts_with("**")) last = text;
  }
  return printable(last.substr(0, 300));
}

}  // namespace dvrtrace
