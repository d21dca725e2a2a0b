// dvrtrace capture from A to B [PACKET]: where to capture, and what, to decide where a packet goes.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "src/base/text.h"
#include "src/cli/console.h"
#include "src/cli/opened_cloud.h"
#include "src/cli/program.h"
#include "src/cli/question.h"
#include "src/cli/take_captures.h"
#include "src/cli/verify.h"
#include "src/model/network.h"
#include "tracer/engine/ask.h"
#include "tracer/verify/cloud.h"
#include "tracer/verify/plan.h"

namespace dvrtrace::cli {
namespace {

using Json = nlohmann::ordered_json;

tl::expected<verify::PlanBounds, Failure> bounds_of(const Options& options) {
  verify::PlanBounds bounds;
  const auto read = [](const std::string& text, unsigned& value) {
    const auto found = number<unsigned>(text);
    if (!text.empty() && (!found || *found == 0)) return false;
    if (found) value = *found;
    return true;
  };
  if (!read(options.count, bounds.packets))
    return fail("usage", fmt::format("--count wants a number of packets, not '{}'", options.count));
  if (!read(options.seconds, bounds.seconds))
    return fail("usage", fmt::format("--seconds wants a number, not '{}'", options.seconds));
  bounds.every_point = options.detail == "full";
  return bounds;
}

std::string print_text(const std::vector<verify::PlannedCapture>& plan,
                       const std::vector<std::string>& question) {
  std::string text;
  for (std::size_t i = 0; i < plan.size(); ++i) {
    const std::string& host = plan[i].point.host;
    bool first = true;
    for (std::size_t j = 0; j < i; ++j) first = first && plan[j].point.host != host;
    if (!first) continue;
    text += fmt::format("{}# on {}\n", text.empty() ? "" : "\n", printable(host));
    for (const verify::PlannedCapture& capture : plan) {
      if (capture.point.host == host) text += printable(capture.command) + " &\n";
    }
    text += "wait\n";
  }
  std::string words;
  for (const std::string& word : question) words += " " + verify::shell_word(word);
  return text + fmt::format("\n# with all files in one folder\ndvrtrace verify from{} -r captures\n",
                            printable(words));
}

std::string print_json(const std::vector<verify::PlannedCapture>& plan) {
  Json json{{"schema", "dvrtrace.capture/1"}, {"tool", tool_name()}, {"points", Json::array()}};
  for (const verify::PlannedCapture& capture : plan) {
    json["points"].push_back({{"host", capture.point.host},
                              {"netns", capture.point.netns},
                              {"device", capture.point.device},
                              {"filter", capture.filter},
                              {"file", capture.file},
                              {"command", capture.command}});
  }
  return json.dump(1, ' ', true, Json::error_handler_t::replace) + "\n";
}

}  // namespace

Outcome run_capture(const Options& options) {
  if (options.list)
    return answer(fmt::format("{}\n{}\n", verify::kCaptureCommand, verify::kProbeCommand), options)
               ? Outcome(kDelivered)
               : fail("output", "the answer could not be written");
  if (options.probe && !options.run)
    return fail("usage", "--probe goes with --run: without it nothing is captured");
  Options words = options;
  if (!words.words.empty() && words.words.front() == "from") words.words.erase(words.words.begin());
  auto question = question_of(words);
  if (!question) return tl::unexpected<Failure>(question.error());
  auto bounds = bounds_of(options);
  if (!bounds) return tl::unexpected<Failure>(bounds.error());
  Sources sources;
  Diagnostics diagnostics;
  const auto cloud = OpenedCloud::open(options, sources, diagnostics);
  if (!cloud) return tl::unexpected<Failure>(cloud.error());
  const Network& network = (*cloud)->network();
  auto trace = ask(network, *question);
  if (!trace) return tl::unexpected<Failure>(failure_of(trace.error()));
  if (options.probe) {
    const auto from = probe_source(network, *trace);
    if (!from) return tl::unexpected<Failure>(from.error());
    question->from = *from;
    trace = ask(network, *question);
    if (!trace) return tl::unexpected<Failure>(failure_of(trace.error()));
  }
  bounds->ports = verify::tunnel_ports_of(network, *trace);
  const auto plan = verify::plan_captures(*trace, *bounds);
  if (!plan) return fail("bad-packet", plan.error().message);
  if (plan->empty()) return fail("bad-packet", "the packet passes no device at which it could be captured");
  if (options.run) {
    auto folder = take_captures(options, *trace, *plan, *bounds);
    if (!folder) return tl::unexpected<Failure>(folder.error());
    Options taken = options;
    taken.captures = {std::move(*folder)};
    return verify_trace(taken, **cloud, sources, *question, *trace);
  }
  if (!answer(options.format == "json" ? print_json(*plan) : print_text(*plan, words.words), options))
    return fail("output", "the answer could not be written");
  return kDelivered;
}

}  // namespace dvrtrace::cli
