#include "src/cli/questions.h"

#include <fmt/format.h>

#include <CLI/StringTools.hpp>
#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstring>
#include <fstream>
#include <iostream>
#include <mutex>
#include <set>
#include <thread>

#include "src/base/all_cores.h"
#include "src/base/text.h"
#include "src/cli/console.h"
#include "src/cli/judgement.h"
#include "src/cli/opened_cloud.h"
#include "src/cli/question.h"
#include "src/report/name_things.h"
#include "src/report/trace_json.h"
#include "src/report/trace_text.h"
#include "tracer/engine/ask.h"

namespace dvrtrace::cli {
namespace {

struct Answered {
  Trace trace;
  std::vector<JsonInput> inputs;  // of the hosts on the way
  std::vector<Finding> findings;
};

// Questions come line by line and are answered on all cores, each answer as soon as those before it are written: who waits
// for an answer before asking on gets it.
class Questions {
 public:
  Questions(const OpenedCloud& cloud, const Options& options, Sources& sources, std::istream& lines)
      : cloud_(cloud),
        options_(options),
        sources_(sources),
        lines_(lines),
        asker_(cloud.network()),
        judge_(cloud.network(), cloud.settings(), sources),
        inputs_(cloud.inputs()),
        glossary_(options.numeric ? Glossary{} : name_things(cloud.network())) {}

  Outcome answer_all() {
    const std::size_t cores = std::max<std::size_t>(1, std::thread::hardware_concurrency());
    run_on_all_cores(cores, [&](std::size_t) {
      while (auto question = next()) write(question->order, reply_to(question->line));
    });
    if (failed_) return fail("output", "the answers could not be written");
    for (const int status : {kCouldNotRun, kNotDelivered, kCannotTell}) {
      if (statuses_.contains(status)) return status;
    }
    return kDelivered;
  }

 private:
  struct Question {
    std::size_t order;  // among the questions
    JsonLine line;
  };
  struct Reply {
    std::string text, complaint;  // for standard output, for standard error
    int status = kCouldNotRun;
  };

  std::optional<Question> next() {
    const std::scoped_lock lock(reading_);
    std::string line;
    while (!failed_ && std::getline(lines_, line)) {
      ++number_;
      const std::string_view words = trim(line);
      if (!words.empty() && !words.starts_with('#')) return Question{asked_++, {number_, std::string(words)}};
    }
    return std::nullopt;
  }

  void write(std::size_t order, const Reply& reply) {
    std::unique_lock lock(writing_);
    written_.wait(lock, [&] { return order == turn_; });
    if (!reply.complaint.empty()) std::fputs(reply.complaint.c_str(), stderr);
    if (std::fputs(reply.text.c_str(), stdout) < 0 || std::fflush(stdout) != 0) failed_ = true;
    statuses_.insert(reply.status);
    ++turn_;
    written_.notify_all();
  }

  Reply reply_to(const JsonLine& line) const {
    const auto answered = ask(line.asked);
    const bool json = options_.format == "json";
    if (!answered && json) return {failure_line(answered.error(), line), {}, kCouldNotRun};
    if (!answered) {
      Failure failure = answered.error();
      failure.message = fmt::format("line {}: {}", line.number, failure.message);
      return {{}, failure_text(failure, error_style(options_)), kCouldNotRun};
    }
    const Trace& trace = answered->trace;
    const int status = status_of(trace.verdict);
    if (!json) return {print_verdict(trace, {sources_, glossary_, output_style(options_)}), {}, status};
    return {print_json(trace, {sources_, tool_name(), answered->inputs, {}, answered->findings, line}),
            {},
            status};
  }

  // The words are those of the command, with its options of the packet.
  tl::expected<Answered, Failure> ask(const std::string& words) const {
    std::vector<std::string> arguments = CLI::detail::split_up(words);
    if (arguments.empty() || arguments.front() != "from") arguments.insert(arguments.begin(), "from");
    const auto options = parse(arguments, {});
    if (!options) return tl::unexpected<Failure>(options.error());
    if (!options->inputs.empty() || !options->neutron.empty() || !options->questions.empty() ||
        options->fill != Options{}.fill || !options->release.empty())
      return fail("usage", "the inputs are those of all questions: they stand in none");
    const auto question = question_of(*options);
    if (!question) return tl::unexpected<Failure>(question.error());
    auto trace = asker_.ask(*question);
    if (!trace) return tl::unexpected<Failure>(failure_of(trace.error()));
    Answered answered;
    answered.trace = std::move(*trace);
    const std::set<std::string> visited = hosts_on(answered.trace);
    std::ranges::copy_if(inputs_, std::back_inserter(answered.inputs),
                         [&](const JsonInput& input) { return visited.contains(input.host); });
    // Findings take longer than the answer: they are looked for where there is something to explain.
    if (!options_.quiet && options_.format == "json" && status_of(answered.trace.verdict) != kDelivered)
      answered.findings = judge_.of(*question, answered.trace).findings;
    return answered;
  }

  const OpenedCloud& cloud_;
  const Options& options_;
  Sources& sources_;
  std::istream& lines_;
  const Asker asker_;
  const Judge judge_;
  const std::vector<JsonInput> inputs_;
  const Glossary glossary_;
  std::mutex reading_, writing_;
  std::condition_variable written_;
  std::size_t number_ = 0, asked_ = 0, turn_ = 0;
  std::atomic<bool> failed_ = false;
  std::set<int> statuses_;
};

}  // namespace

Outcome answer_questions(const Options& options) {
  if (!options.words.empty())
    return fail("usage",
                fmt::format("--questions takes no words beside it, found '{}'", options.words.front()));
  std::ifstream file;
  if (options.questions != "-") {
    file.open(options.questions);
    if (!file)
      return fail("unreadable-input", fmt::format("{}: {}", options.questions, std::strerror(errno)));
  }
  Sources sources;
  Diagnostics diagnostics;
  const auto cloud = OpenedCloud::open(options, sources, diagnostics);
  if (!cloud) return tl::unexpected<Failure>(cloud.error());
  Questions questions(**cloud, options, sources, options.questions == "-" ? std::cin : file);
  const Outcome outcome = questions.answer_all();
  diagnostics.merge((*cloud)->network().diagnostics());
  if (!options.quiet) print_diagnostics(diagnostics.all(), sources, options);
  return outcome;
}

}  // namespace dvrtrace::cli
