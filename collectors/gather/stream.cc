#include "collectors/gather/stream.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <random>

#include "src/base/source.h"
#include "src/base/text.h"

namespace dvrtrace::gather {

namespace {

constexpr std::size_t kMostRuns = 200'000, kLongestMark = 1024, kMostErrors = 16384;
constexpr std::uint64_t kMostOfHost = 8ULL << 30;

std::string_view variable_of(Each each) {
  constexpr std::array<std::string_view, kEach> kNames{"",        "bridges", "namespaces",
                                                       "domains", "routers", "settings"};
  return kNames[static_cast<std::size_t>(each)];
}

// A command for the script: run KEY SUBJECT SECONDS WORDS...
std::string call(std::string_view how, const Command& command) {
  const auto tool = static_cast<std::size_t>(command.tool);
  std::string line = fmt::format("{} {} \"$n\" {} $p{}", how, command.key, command.seconds, tool);
  if (command.each == Each::Namespace) line += " ${n:+ip netns exec $n}";
  bool first = true;
  for (const std::string_view word : dvrtrace::words_of(command.line)) {
    if (const std::size_t at = word.find("{}"); at != std::string_view::npos) {
      line += fmt::format(" {}\"$n\"{}", word.substr(0, at), word.substr(at + 2));
    } else if (first) {
      line += fmt::format(" \"${{g{}}}{}\"", tool, word);
    } else {
      line += " " + shell_quoted(word);
    }
    first = false;
  }
  return line;
}

std::string chain_call(const Command& first) {
  std::string line = call("run", first);
  std::string_view last = first.key;
  for (const Command& command : commands()) {
    if (command.instead_of != last) continue;
    line += " ||\n    " + call("run", command);
    last = command.key;
  }
  return line;
}

constexpr std::string_view kHead =
    R"sh(# dvrtrace collect: commands that only read, one after the other; nothing is written to this host.
LC_ALL=C; export LC_ALL
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin:/snap/bin; export PATH
set -f
exec 3>&1
mark() { printf '\n%s %s\n' "$word" "$*"; }
now() { t=0; { read -r t x; } </proc/uptime; }
limited() { shift; "$@"; }
if command -v timeout >/dev/null 2>&1; then limited() { timeout -k 2 "$@"; }; fi
# run KEY SUBJECT SECONDS COMMAND...
run() {
  key=$1 subject=$2 seconds=$3; shift 3
  now; mark run "$key" "$t" "$subject"
  errors=$(limited "$seconds" "$@" 2>&1 >&3 3>&- </dev/null); status=$?
  now; mark end "$status" "$t"
  printf '%.4000s' "$errors"
  return "$status"
}
# The same for a command whose output is looked at: in $found.
look() {
  key=$1 subject=$2 seconds=$3; shift 3
  now; mark run "$key" "$t" "$subject"
  found=$(limited "$seconds" "$@" 2>&1 3>&- </dev/null); status=$?
  if [ "$status" = 0 ]; then printf '%s\n' "$found"; fi
  now; mark end "$status" "$t"
  if [ "$status" != 0 ]; then printf '%.4000s' "$found"; found=; fi
}
test_of() { limited 10 "$@" >/dev/null 2>&1 </dev/null; }
# The names in $found that a command may be given.
names() {
  names=
  while read -r name rest; do
    case $name in
      '' | -* | .* | *[!A-Za-z0-9_.:+@-]*) ;;
      *) names="$names $name" ;;
    esac
  done <<EOF
$found
EOF
}
now; mark start "$(id -u)" "$(date +%s.%N)" "$t"
if [ "$(id -u)" != 0 ] && command -v sudo >/dev/null 2>&1; then mark sudo; fi
n= p0= g0=
mark prefix 0
)sh";

std::string tools_of_script() {
  std::string text;
  for (std::size_t tool = 1; tool < kTools; ++tool) {
    text += fmt::format("h{0}= p{0}= g{0}=\n", tool);
    std::string_view word = "if";
    for (const Prefix& prefix : prefixes()) {
      if (static_cast<std::size_t>(prefix.tool) != tool) continue;
      const bool glued = prefix.words.ends_with('.');
      text +=
          fmt::format("{} test_of {}; then h{}=1 {}{}={}; mark prefix {} {}\n", word, prefix.test, tool,
                      glued ? "g" : "p", tool, shell_quoted(prefix.words), tool, shell_quoted(prefix.words));
      word = "elif";
    }
    text += "fi\n";
  }
  return text;
}

std::string guard_of(const Command& command) {
  return command.tool == Tool::System
             ? std::string{}
             : fmt::format("[ -n \"$h{}\" ] && ", static_cast<std::size_t>(command.tool));
}

}  // namespace

std::string random_word() {
  std::random_device device;
  std::string word = "dvrtrace";
  for (int i = 0; i < 4; ++i) word += fmt::format("{:08x}", static_cast<std::uint32_t>(device()));
  return word;
}

std::string word_of(std::string_view beginning) {
  const std::size_t length = random_word().size();
  for (const Span line : lines_of(beginning)) {
    const std::string_view text = beginning.substr(line.begin, line.end - line.begin);
    if (text.size() <= length || !text.substr(length).starts_with(" start ")) continue;
    std::string_view digits = text.substr(0, length);
    const bool hex =
        consume(digits, "dvrtrace") && digits.find_first_not_of("0123456789abcdef") == std::string_view::npos;
    if (hex) return std::string(text.substr(0, length));
  }
  return {};
}

std::string script_for(const std::string& word) {
  std::string text = fmt::format("word={}\n{}{}", word, kHead, tools_of_script());
  text += "bridges= namespaces= domains= routers= settings=\n";
  for (const Command& command : commands()) {
    if (command.finds == Each::Host) continue;
    text += fmt::format("{}{{ {}; names; {}=$names; }}\n", guard_of(command), call("look", command),
                        variable_of(command.finds));
  }
  text += fmt::format("for f in {}; do if [ -e \"/$f\" ]; then settings=\"$settings $f\"; fi; done\n",
                      fmt::join(settings_files(), " "));
  const std::span<const Command> all = commands();
  for (auto group = all.begin(); group != all.end();) {
    const auto end =
        std::find_if(group, all.end(), [&](const Command& each) { return each.each != group->each; });
    if (group->each == Each::Host)
      text += "n=\n";
    else
      text += fmt::format("for n in{} ${}; do\n", group->each == Each::Namespace ? " ''" : "",
                          variable_of(group->each));
    for (auto command = group; command != end; ++command) {
      if (!command->instead_of.empty() || command->finds != Each::Host) continue;
      text += fmt::format("  {}{{ {}; }}\n", guard_of(*command), chain_call(*command));
    }
    if (group->each != Each::Host) text += "done\n";
    group = end;
  }
  return text + "mark 'done'\n";
}

std::string first_line(std::string_view errors) {
  for (const std::string_view line : split(errors, '\n')) {
    if (!trim(line).empty()) return printable(trim(line).substr(0, 300));
  }
  return {};
}

void StreamReader::take(std::string_view piece) {
  passed_ += piece.size();
  if (passed_ > kMostOfHost) bad_ = true;
  if (bad_) return;
  while (!piece.empty()) {
    const std::size_t end = piece.find('\n');
    const std::string_view part = piece.substr(0, end);
    piece.remove_prefix(end == std::string_view::npos ? piece.size() : end + 1);
    if (in_line_) {
      take_content(part);
    } else if (line_.empty() && end != std::string_view::npos) {
      take_line(part);
      continue;
    } else {
      line_ += part;
      if (line_.size() > kLongestMark) {  // no mark is that long
        if (line_end_) take_content("\n");
        line_end_ = false;
        take_content(line_);
        line_.clear();
        in_line_ = true;
      }
    }
    if (end == std::string_view::npos) return;
    if (in_line_) {
      line_end_ = true;
      in_line_ = false;
    } else {
      take_line(std::exchange(line_, {}));
    }
  }
}

void StreamReader::take_line(std::string_view line) {
  if (line.starts_with(word_)) {
    line_end_ = false;  // it was the mark's
    line.remove_prefix(word_.size());
    return take_mark(line);
  }
  if (line_end_) take_content("\n");
  take_content(line);
  line_end_ = true;
}

void StreamReader::take_content(std::string_view bytes) {
  if (at_ == At::Errors) {
    errors_ += bytes.substr(0, kMostErrors - std::min(kMostErrors, errors_.size()));
  } else if (at_ == At::Output && running_) {
    const auto room = static_cast<std::size_t>(kMostOutput - std::min(kMostOutput, run_.bytes));
    run_.cut = run_.cut || bytes.size() > room;
    bytes = bytes.substr(0, room);
    run_.bytes += bytes.size();
    if (file_ && std::fwrite(bytes.data(), 1, bytes.size(), file_.get()) != bytes.size()) file_.reset();
  }
}

void StreamReader::take_mark(std::string_view rest) {
  const std::string_view what = take_word(rest);
  if (what == "start" && at_ == At::Before) {
    report_.root = take_word(rest) == "0";
    std::string_view epoch = take_word(rest);
    if (!epoch.ends_with(".%N")) std::from_chars(epoch.data(), epoch.data() + epoch.size(), epoch_);
    const std::string_view uptime = take_word(rest);
    std::from_chars(uptime.data(), uptime.data() + uptime.size(), uptime_);
    report_.start = epoch_;
    at_ = At::After;
  } else if (what == "sudo") {
    report_.sudo_asks = true;
  } else if (what == "prefix") {
    const auto tool = number<std::size_t>(take_word(rest));
    if (tool && *tool < kTools) report_.prefixes[*tool] = std::string(trim(rest));
  } else if (what == "run") {
    close();
    begin(rest);
  } else if (what == "end" && at_ == At::Output) {
    end(rest);
  } else if (what == "done") {
    close();
    done_ = true;
  }
}

double StreamReader::time_of(std::string_view uptime) const {
  double seconds = uptime_;
  std::from_chars(uptime.data(), uptime.data() + uptime.size(), seconds);
  return epoch_ + seconds - uptime_;
}

void StreamReader::begin(std::string_view rest) {
  const Command* command = find(take_word(rest));
  const std::string_view uptime = take_word(rest);
  const std::string_view subject = trim(rest);
  at_ = At::Output;
  errors_.clear();
  running_ = command != nullptr && is_subject(command->each, subject) && ++runs_ <= kMostRuns;
  if (!running_) return;
  const std::optional<std::string>& prefix = report_.prefixes[static_cast<std::size_t>(command->tool)];
  run_ = {};
  run_.command = command;
  run_.subject = subject;
  run_.path = path_of(*command, subject);
  run_.exec = fmt::format("{}", fmt::join(words_of(*command, subject, prefix.value_or("")), " "));
  run_.start = run_.end = time_of(uptime);
  file_ = folder_.open(run_.path);
}

void StreamReader::end(std::string_view rest) {
  at_ = At::Errors;
  constexpr int kTimedOut = 124, kKilled = 137;
  run_.status = number<unsigned>(take_word(rest)).value_or(255);
  run_.timed_out = run_.status == kTimedOut || run_.status == kKilled;
  run_.end = time_of(take_word(rest));
}

// The command that was running is over.
void StreamReader::close() {
  line_end_ = false;
  if (!running_) return;
  running_ = false;
  at_ = At::After;
  report_.end = std::max(report_.end, run_.end);
  if (!run_.good()) run_.message = run_.status ? first_line(errors_) : "the connection ended";
  if (file_ && run_.bytes == 0 && !run_.good()) std::fwrite(errors_.data(), 1, errors_.size(), file_.get());
  const bool written = file_ && std::fflush(file_.get()) == 0;
  file_.reset();
  if (written && leaves_nothing(run_)) folder_.remove(run_.path);
  if (!written && run_.good()) {
    run_.status = std::nullopt;
    run_.message = "it could not be saved";
  }
  report_.runs.push_back(run_);
}

bool StreamReader::finish() {
  if (!line_.empty()) {
    if (line_end_) take_content("\n");
    take_content(line_);
    line_.clear();
  }
  const bool was_running = running_;
  close();
  return done_ && !was_running && !bad_;
}

}  // namespace dvrtrace::gather
