#include "src/base/diagnostics.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "src/base/text.h"

namespace dvrtrace {

std::uint64_t LineCounts::total() const {
  return std::accumulate(by_state.begin(), by_state.end(), std::uint64_t{0});
}

LineCounts& LineCounts::operator+=(const LineCounts& other) {
  for (std::size_t state = 0; state < kLineStates; ++state) by_state[state] += other.by_state[state];
  return *this;
}

void Diagnostics::report(Diagnostic diagnostic) {
  if (diagnostic.at.known() && ++per_source_[diagnostic.at.source] > kMaxPerSource) return;
  all_.push_back(std::move(diagnostic));
}

void Diagnostics::error(Provenance at, std::string message, std::string hint) {
  report({Severity::Error, at, std::move(message), std::move(hint)});
}

void Diagnostics::warning(Provenance at, std::string message, std::string hint) {
  report({Severity::Warning, at, std::move(message), std::move(hint)});
}

void Diagnostics::note(Provenance at, std::string message, std::string hint) {
  report({Severity::Note, at, std::move(message), std::move(hint)});
}

std::uint64_t Diagnostics::suppressed(SourceId source) const {
  const auto found = per_source_.find(source);
  return found == per_source_.end() || found->second <= kMaxPerSource ? 0 : found->second - kMaxPerSource;
}

void Diagnostics::merge(Diagnostics other) {
  for (const auto& [source, count] : other.per_source_) per_source_[source] += count;
  std::move(other.all_.begin(), other.all_.end(), std::back_inserter(all_));
}

namespace {

std::string_view word_for(Severity severity) {
  switch (severity) {
    case Severity::Note:
      return "note";
    case Severity::Warning:
      return "warning";
    case Severity::Error:
      return "error";
  }
  return "error";
}

// How much of a long line is shown before and after the place.
constexpr std::size_t kBefore = 40, kAfter = 60;

}  // namespace

std::string render(const Diagnostic& diagnostic, const Sources& sources) {
  std::string out;
  if (diagnostic.at.known()) {
    const Location place = sources.locate(diagnostic.at);
    out = fmt::format("{}:{}:{}: ", printable(place.file), place.line, place.column);
  }
  out += fmt::format("{}: {}\n", word_for(diagnostic.severity), printable(diagnostic.message));
  if (diagnostic.at.known()) {
    const std::string_view line = sources.line(diagnostic.at);
    // What is missing at the end of a line is marked just behind it.
    const std::size_t column = std::min<std::size_t>(sources.locate(diagnostic.at).column - 1, line.size());
    const std::size_t from = column > kBefore ? column - kBefore : 0;
    const std::size_t to = std::min(line.size(), column + kAfter);
    if (from < to) {
      const std::string head = printable(line.substr(from, column - from));
      const std::size_t width = std::max<std::size_t>(
          1, std::min<std::size_t>(to - column, diagnostic.at.span.end - diagnostic.at.span.begin));
      out += fmt::format("  {}{}{}{}\n", from > 0 ? "..." : "", head,
                         printable(line.substr(column, to - column)), to < line.size() ? "..." : "");
      out += fmt::format("  {}^{}\n", std::string(head.size() + (from > 0 ? 3 : 0), ' '),
                         std::string(width - 1, '~'));
    }
  }
  if (!diagnostic.hint.empty()) out += fmt::format("  hint: {}\n", printable(diagnostic.hint));
  return out;
}

}  // namespace dvrtrace
