// dvrtrace verify from A to B [PACKET] -r CAPTURE...: whether captures agree with where the packet should go.
#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <optional>

#include "src/base/text.h"
#include "src/cli/capture_inputs.h"
#include "src/cli/console.h"
#include "src/cli/opened_cloud.h"
#include "src/cli/program.h"
#include "src/cli/question.h"
#include "src/cli/verify.h"
#include "src/model/network.h"
#include "src/report/name_things.h"
#include "src/report/verification_json.h"
#include "src/report/verification_text.h"
#include "tracer/engine/ask.h"
#include "tracer/verify/cloud.h"
#include "tracer/verify/write_pcapng.h"

namespace dvrtrace::cli {
namespace {

int status_of(Agreement agreement) {
  switch (agreement) {
    case Agreement::Agrees:
      return kDelivered;
    case Agreement::Disagrees:
      return kNotDelivered;
    case Agreement::CannotTell:
      return kCannotTell;
  }
  return kCannotTell;
}

}  // namespace

std::vector<std::string> host_names(const Network& network) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < network.size(); ++i) names.push_back(network.index(i).name);
  return names;
}

Outcome verify_trace(const Options& options, const OpenedCloud& cloud, const Sources& sources,
                     const Ask& question, const Trace& trace) {
  const Network& network = cloud.network();
  auto captures = open_captures(options, host_names(network), verify::points_of(trace));
  if (!captures) return tl::unexpected<Failure>(captures.error());
  const verify::Asked asked{question.packet.src_port, question.packet.ttl};
  const verify::TunnelPorts ports = verify::tunnel_ports_of(network, trace);
  std::ofstream file;
  std::optional<verify::PcapngWriter> writer;
  if (!options.write.empty()) {
    for (const verify::CaptureSource& source : *captures) {
      std::error_code ignored;
      if (std::filesystem::equivalent(source.file, options.write, ignored))
        return fail("output", fmt::format("{} is one of the captures that are read", options.write));
    }
    file.open(options.write, std::ios::binary | std::ios::trunc);
    if (!file) return fail("output", fmt::format("{} cannot be written", options.write));
    writer.emplace(trace, [&](std::string_view bytes) {
      file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    });
  }
  verify::Verifier verifier(trace, asked, ports, writer.has_value(), [&](const verify::Followed& followed) {
    if (writer) writer->write(followed);
  });
  verify::read_captures(*captures, trace, asked, ports, verifier);
  const Verification verification = verifier.finish(verify::cloud_of(network));
  if (writer && !file.flush()) return fail("output", fmt::format("{} could not be written", options.write));

  std::string text;
  if (options.format == "json") {
    text = print_json(verification, trace, {sources, tool_name(), cloud.inputs(), {}, {}});
  } else {
    const Glossary glossary = options.numeric ? Glossary{} : name_things(network);
    const VerificationContext context{sources, glossary, output_style(options), options.detail == "full"};
    text = options.quiet || options.detail == "brief" ? print_verdict(verification, context)
                                                      : print_text(verification, trace, context);
  }
  if (!answer(text, options)) return fail("output", "the answer could not be written");
  return status_of(verification.agreement);
}

Outcome run_verify(const Options& options) {
  Options words = options;
  if (!words.words.empty() && words.words.front() == "from") words.words.erase(words.words.begin());
  tl::expected<Ask, Failure> question = Ask{};
  if (!options.all) question = question_of(words);
  if (!question) return tl::unexpected<Failure>(question.error());
  Sources sources;
  Diagnostics diagnostics;
  const auto cloud = OpenedCloud::open(options, sources, diagnostics);
  if (!cloud) return tl::unexpected<Failure>(cloud.error());
  const Network& network = (*cloud)->network();
  if (options.all) return verify_all(options, network);
  const auto trace = ask(network, *question);
  if (!trace) return tl::unexpected<Failure>(failure_of(trace.error()));
  return verify_trace(options, **cloud, sources, *question, *trace);
}

}  // namespace dvrtrace::cli
