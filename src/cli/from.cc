// dvrtrace from A to B [PACKET]: where the packet goes, both ways, and what decides each step.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "src/cli/console.h"
#include "src/cli/judgement.h"
#include "src/cli/left_alone.h"
#include "src/cli/opened_cloud.h"
#include "src/cli/program.h"
#include "src/cli/question.h"
#include "src/cli/questions.h"
#include "src/model/network.h"
#include "src/report/name_things.h"
#include "src/report/pictures/trace_dot.h"
#include "src/report/pictures/trace_html.h"
#include "src/report/trace_json.h"
#include "src/report/trace_text.h"
#include "tracer/engine/ask.h"

namespace dvrtrace::cli {
namespace {

// What the answer needs besides the trace.
struct Answered {
  Trace trace;
  std::vector<JsonInput> inputs;
  std::vector<Diagnostic> diagnostics;  // of the hosts that the packet visited, and of the inputs as a whole
  std::vector<Finding> findings;
  Glossary glossary;
};

// Keeps what bears on the hosts: what was read for another one, far from the packet's way, does not.
std::vector<Diagnostic> bearing_on(const std::set<std::string>& hosts, const Network& network,
                                   const Diagnostics& diagnostics) {
  std::set<SourceId> elsewhere;
  for (std::size_t i = 0; i < network.size(); ++i) {
    if (hosts.contains(network.index(i).name)) continue;
    for (const FileReading& file : network.index(i).files) elsewhere.insert(file.source);
  }
  std::vector<Diagnostic> kept;
  for (const Diagnostic& diagnostic : diagnostics.all()) {
    if (diagnostic.at.known() && elsewhere.contains(diagnostic.at.source)) continue;
    // What is read as index is read again in full.
    if (std::ranges::find(kept, diagnostic) == kept.end()) kept.push_back(diagnostic);
  }
  return kept;
}

// Everything that knows the engine's interface.
tl::expected<Answered, Failure> ask_engine(const OpenedCloud& cloud, const Ask& question,
                                           const Options& options, Sources& sources,
                                           Diagnostics& diagnostics) {
  const Network& network = cloud.network();
  auto trace = ask(network, question);
  if (!trace) return tl::unexpected<Failure>(failure_of(trace.error()));
  Answered answered;
  answered.trace = std::move(*trace);
  answered.inputs = cloud.inputs();
  diagnostics.merge(network.diagnostics());
  answered.diagnostics = bearing_on(hosts_on(answered.trace), network, diagnostics);
  if (!options.quiet)
    answered.findings = judge(network, question, answered.trace, cloud.settings(), sources).findings;
  if (!options.numeric) answered.glossary = name_things(network);
  return answered;
}

Detail detail_of(const std::string& word) {
  return word == "brief" ? Detail::Brief : word == "full" ? Detail::Full : Detail::Path;
}

// From a few hosts of a large cloud; none when the answer might lie with the others.
std::optional<Answered> ask_few(const Ask& question, const Options& options, Sources& sources) {
  Diagnostics diagnostics;
  auto few = OpenedCloud::open_few(options, question, sources, diagnostics);
  if (few == nullptr) return std::nullopt;
  auto answered = ask_engine(*few, question, options, sources, diagnostics);
  if (!answered || few->network().asked_beyond()) return std::nullopt;
  leave_alone(std::move(few));
  return std::move(*answered);
}

tl::expected<Answered, Failure> ask_all(const Ask& question, const Options& options, Sources& sources) {
  Diagnostics diagnostics;
  auto cloud = OpenedCloud::open(options, sources, diagnostics);
  if (!cloud) return tl::unexpected<Failure>(cloud.error());
  auto answered = ask_engine(**cloud, question, options, sources, diagnostics);
  leave_alone(std::move(*cloud));
  return answered;
}

}  // namespace

Outcome run_from(const Options& options) {
  if (!options.questions.empty()) return answer_questions(options);
  const auto question = question_of(options);
  if (!question) return tl::unexpected<Failure>(question.error());
  Sources sources;
  auto few = ask_few(*question, options, sources);
  const auto answered =
      few ? tl::expected<Answered, Failure>(std::move(*few)) : ask_all(*question, options, sources);
  if (!answered) return tl::unexpected<Failure>(answered.error());

  if (!options.quiet) print_diagnostics(answered->diagnostics, sources, options);
  const Trace& trace = answered->trace;
  std::string text;
  const JsonContext context{sources, tool_name(), answered->inputs, answered->diagnostics,
                            answered->findings};
  if (options.format == "json") {
    text = print_json(trace, context);
  } else if (options.format == "html") {
    text = print_html(trace, context, answered->glossary);
  } else if (options.format == "dot") {
    text = print_dot(trace, answered->findings, answered->glossary);
  } else {
    const TextContext shown{sources, answered->glossary, output_style(options), detail_of(options.detail),
                            answered->findings};
    text = options.quiet ? print_verdict(trace, shown) : print_text(trace, shown);
  }
  if (!answer(text, options)) return fail("output", "the answer could not be written");
  return status_of(trace.verdict);
}

}  // namespace dvrtrace::cli
