#include "src/cli/console.h"

#include <fmt/format.h>
#include <langinfo.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <clocale>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "src/base/text.h"
#include "src/report/table.h"

namespace dvrtrace::cli {
namespace {

constexpr std::size_t kWidthOfNoTerminal = 100, kNarrowest = 80, kWidest = 160;
constexpr std::size_t kDiagnosticsShown = 3;

std::string environment(const char* variable) {
  const char* value = std::getenv(variable);
  return value == nullptr ? "" : value;
}

winsize window(int stream) {
  winsize size{};
  if (isatty(stream) == 0 || ioctl(stream, TIOCGWINSZ, &size) != 0) return {};
  return size;
}

std::size_t width_of(int stream) {
  std::size_t width = window(stream).ws_col;
  if (width == 0) width = number<std::size_t>(environment("COLUMNS")).value_or(kWidthOfNoTerminal);
  return std::clamp(width, kNarrowest, kWidest);
}

Style style_of(const Options& options, int stream) {
  Style style;
  const bool fit = isatty(stream) != 0 && environment("TERM") != "dumb" && environment("NO_COLOR").empty();
  style.colour = options.color == "always" || (options.color == "auto" && fit);
  std::setlocale(LC_CTYPE, "");
  style.unicode = std::string_view(nl_langinfo(CODESET)) == "UTF-8";
  style.width = width_of(stream);
  return style;
}

bool write_all(const std::string& text, std::FILE* stream) {
  return std::fwrite(text.data(), 1, text.size(), stream) == text.size() && std::fflush(stream) == 0;
}

// False when there was no pager to be had; what it did with the text is its own matter.
bool page(const std::string& text) {
  const char* given = std::getenv("PAGER");
  const std::string pager = given == nullptr ? "less -FRX" : given;
  if (trim(pager).empty() || trim(pager) == "cat") return false;
  std::signal(SIGPIPE, SIG_IGN);  // a pager that is left early closes the pipe
  std::FILE* pipe = popen(pager.c_str(), "w");
  if (pipe == nullptr) return false;
  write_all(text, pipe);
  constexpr int kShellFoundNoSuchCommand = 127;
  const int status = pclose(pipe);
  return !(WIFEXITED(status) && WEXITSTATUS(status) == kShellFoundNoSuchCommand);
}

nlohmann::ordered_json candidate_json(const Choice& choice) {
  return {{"name", choice.name},       {"kind", choice.kind}, {"host", choice.host},
          {"network", choice.network}, {"ip", choice.ip},     {"port", choice.port}};
}

nlohmann::ordered_json failure_json(const Failure& failure) {
  nlohmann::ordered_json error{{"code", failure.code}, {"message", failure.message}};
  if (!failure.hint.empty()) error["hint"] = failure.hint;
  error["candidates"] = nlohmann::ordered_json::array();
  for (const Choice& choice : failure.candidates) error["candidates"].push_back(candidate_json(choice));
  return {{"schema", "dvrtrace.error/1"}, {"tool", tool_name()}, {"error", error}};
}

std::string candidate_table(const std::vector<Choice>& candidates, const Style& style) {
  Table table{{"name", "kind", "host", "network", "address", "port"}, {}};
  for (const Choice& c : candidates) {
    table.rows.push_back({printable(c.name), printable(c.kind), printable(c.host), printable(c.network),
                          printable(c.ip), printable(c.port)});
  }
  return print_table(table, 2, style);
}

}  // namespace

std::string tool_version() { return DVRTRACE_VERSION; }
std::string tool_name() { return "dvrtrace " + tool_version(); }

Style output_style(const Options& options) { return style_of(options, STDOUT_FILENO); }
Style error_style(const Options& options) { return style_of(options, STDERR_FILENO); }

bool answer(const std::string& text, const Options& options) {
  const std::size_t rows = window(STDOUT_FILENO).ws_row;
  const auto lines = static_cast<std::size_t>(std::ranges::count(text, '\n'));
  const bool is_long = rows != 0 && lines >= rows;
  if (is_long && !options.no_pager && options.format == "text" && page(text)) return true;
  return write_all(text, stdout);
}

std::string failure_line(const Failure& failure, const JsonLine& line) {
  nlohmann::ordered_json document = failure_json(failure);
  document["line"] = line.number;
  document["asked"] = line.asked;
  return document.dump(-1, ' ', true, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

std::string failure_text(const Failure& failure, const Style& style) {
  std::string text = painted(style, Paint::Bad, "dvrtrace:") + " " + printable(failure.message) + "\n";
  if (!failure.candidates.empty()) text += candidate_table(failure.candidates, style);
  if (!failure.hint.empty()) text += "  " + printable(failure.hint) + "\n";
  return text;
}

void print_failure(const Failure& failure, const Options& options, bool as_json) {
  if (as_json)
    write_all(
        failure_json(failure).dump(1, ' ', true, nlohmann::ordered_json::error_handler_t::replace) + "\n",
        stdout);
  write_all(failure_text(failure, error_style(options)), stderr);
}

void print_diagnostics(const std::vector<Diagnostic>& diagnostics, const Sources& sources,
                       const Options& options) {
  std::size_t errors = 0, warnings = 0, shown = 0;
  std::string text;
  for (const Diagnostic& diagnostic : diagnostics) {
    errors += diagnostic.severity == Severity::Error ? 1 : 0;
    warnings += diagnostic.severity == Severity::Warning ? 1 : 0;
    if (!options.verbose && (diagnostic.severity == Severity::Note || shown == kDiagnosticsShown)) continue;
    text += render(diagnostic, sources);
    if (!text.ends_with('\n')) text += '\n';
    ++shown;
  }
  const std::size_t counted = errors + warnings;
  if (!options.verbose && counted > shown) {
    text += fmt::format(
        "dvrtrace: {} more; {} error{} and {} warning{} in the dumps that bear on this; all of them with "
        "-v\n",
        counted - shown, errors, errors == 1 ? "" : "s", warnings, warnings == 1 ? "" : "s");
  }
  write_all(text, stderr);
}

}  // namespace dvrtrace::cli
