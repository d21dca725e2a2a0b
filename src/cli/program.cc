#include "src/cli/program.h"

#include "src/base/text.h"
#include "src/cli/console.h"
#include "src/cli/help.h"

namespace dvrtrace::cli {
namespace {

Outcome run(const Options& options) {
  if (options.command == "from") return run_from(options);
  if (options.command == "verify") return run_verify(options);
  if (options.command == "capture") return run_capture(options);
  if (options.command == "view") return run_view(options);
  if (options.command == "inventory") return run_inventory(options);
  if (options.command == "ofproto-trace") return run_ofproto_trace(options);
  if (options.command == "check") return run_check(options);
  if (options.command == "reach") return run_reach(options);
  if (options.command == "diff") return run_diff(options);
  if (options.command == "reference") return run_reference(options);
  if (options.command == "collect") return run_collect(options);
  if (options.command == "bundle") return run_bundle(options);
  return run_completion(options);
}

}  // namespace

int run_program(const std::vector<std::string>& arguments, const std::string& environment) {
  std::vector<std::string> words = arguments;
  if (!words.empty() && words.front() == "help") {  // `dvrtrace help from` is `dvrtrace from --help`
    words.erase(words.begin());
    words.emplace_back("--help");
  }
  const auto options = parse(words, environment);
  if (!options) {
    print_failure(options.error(), {}, wants_json(arguments, environment));
    return kCouldNotRun;
  }
  const Command* command = find_command(options->command);
  if (options->version) return answer(tool_name() + "\n", *options) ? kDelivered : kCouldNotRun;
  if (options->long_help) return answer(long_help(command), *options) ? kDelivered : kCouldNotRun;
  if (options->short_help) return answer(short_help(command), *options) ? kDelivered : kCouldNotRun;
  if (command == nullptr) {
    print_failure({"usage", "what is the question? dvrtrace from A to B", "dvrtrace --help", {}}, *options,
                  options->format == "json");
    if (options->format != "json") std::fputs(("\n" + short_help(nullptr)).c_str(), stderr);
    return kCouldNotRun;
  }
  const Outcome outcome = run(*options);
  if (outcome) return *outcome;
  print_failure(outcome.error(), *options, options->format == "json");
  return kCouldNotRun;
}

}  // namespace dvrtrace::cli
