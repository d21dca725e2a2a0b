// dvrtrace reach [PACKET...]: who reaches whom, and whether that is as it should be.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <sstream>

#include "src/cli/console.h"
#include "src/cli/opened_cloud.h"
#include "src/cli/program.h"
#include "src/cli/progress.h"
#include "src/cli/question.h"
#include "src/report/pictures/reach_html.h"
#include "src/report/reach_json.h"
#include "src/report/reach_text.h"
#include "tracer/reach/reach.h"

namespace dvrtrace::cli {
namespace {

tl::expected<std::vector<reach::Expectation>, Failure> expectations_of(const Options& options,
                                                                       Sources& sources,
                                                                       Diagnostics& diagnostics) {
  if (options.expect.empty()) return {};
  std::ifstream file(options.expect, std::ios::binary);
  if (!file) return fail("unreadable-input", fmt::format("{}: {}", options.expect, std::strerror(errno)));
  std::ostringstream bytes;
  bytes << file.rdbuf();
  const SourceId id = sources.add(options.expect, bytes.str());
  return reach::read_expectations(sources.text(id), diagnostics);
}

tl::expected<void, Failure> add_packet(const std::string& word, reach::ReachOptions& wanted) {
  if (std::ranges::find(wanted.packets, word, &reach::AskedPacket::word) != wanted.packets.end()) return {};
  reach::AskedPacket packet{word, {}};
  if (const auto read = read_packet(word, packet.packet); !read) return tl::unexpected<Failure>(read.error());
  if (packet.packet.protocol == "dhcp" || packet.packet.protocol == "arp")
    return fail("bad-packet",
                fmt::format("{} is for no two VMs; dhcp is asked of each one's network anyway", word));
  wanted.packets.push_back(std::move(packet));
  return {};
}

bool has_errors(const Diagnostics& diagnostics) {
  return std::ranges::any_of(diagnostics.all(),
                             [](const Diagnostic& d) { return d.severity == Severity::Error; });
}

// Held: 0; what is broken counts more than what is not known.
int status_of(const Reach& reach) {
  int status = kDelivered;
  for (const ReachBreach& breach : reach.breaches) {
    for (const ReachAnswer& answer : breach.answers) {
      if (answer.verdict != Verdict::Unknown) return kNotDelivered;
      status = kCannotTell;
    }
  }
  return status;
}

}  // namespace

Outcome run_reach(const Options& options) {
  Sources sources;
  Diagnostics diagnostics, faults;
  const auto expectations = expectations_of(options, sources, faults);
  if (!expectations) return tl::unexpected<Failure>(expectations.error());
  reach::ReachOptions wanted;
  wanted.from = options.from_pattern;
  wanted.to = options.to_pattern;
  for (const std::string& word : options.words) {
    if (const auto added = add_packet(word, wanted); !added) return tl::unexpected<Failure>(added.error());
  }
  for (const reach::Expectation& expectation : *expectations) {
    if (expectation.packet.empty()) continue;
    if (const auto added = add_packet(expectation.packet, wanted); !added)
      return fail("bad-packet",
                  fmt::format("{}:{}: {}", options.expect, expectation.line, added.error().message));
  }
  if (wanted.packets.empty()) wanted.packets.push_back({"icmp", {}});
  if (has_errors(faults)) {
    print_diagnostics(faults.all(), sources, options);
    return fail("usage", "the expectations cannot be read");
  }
  const auto cloud = OpenedCloud::open(options, sources, diagnostics);
  if (!cloud) return tl::unexpected<Failure>(cloud.error());
  const Network& network = (*cloud)->network();
  Asker asker(network);
  asker.look_for_addresses();
  Result<Reach> answered;
  {
    Progress progress(options);
    wanted.progress = [&](std::size_t done, std::size_t all) { progress.show(done, all, "groups of ends"); };
    answered = reach::reach(network, asker, wanted, *expectations, faults);
  }
  if (!answered) {
    return fail("too-many-questions", answered.error().message,
                "ask from some VMs or to some: --from PATTERN, --to PATTERN (a network, a host, a name)");
  }
  const Reach& reach = *answered;
  if (reach.pairs == 0)
    return fail("no-input", "no VM of the inputs has an address and a host",
                "what there is: dvrtrace inventory");
  diagnostics.merge(network.diagnostics());
  if (!options.quiet) print_diagnostics(diagnostics.all(), sources, options);
  if (has_errors(faults)) {
    print_diagnostics(faults.all(), sources, options);
    return fail("unknown-endpoint", "an expectation is about nothing that is there");
  }
  std::string text;
  if (options.format == "json") {
    text = print_reach_json(reach, tool_name());
  } else if (options.format == "html") {
    text = print_html(reach, {sources, tool_name(), (*cloud)->inputs(), diagnostics.all(), {}});
  } else if (options.format == "csv") {
    text = print_reach_csv(reach);
  } else {
    const Style style = output_style(options);
    if (!expectations->empty()) text = print_breaches(reach, style);
    if (!options.quiet && expectations->empty()) text += print_reach(reach, style, options.detail == "full");
    if (!options.quiet && !expectations->empty() && options.detail == "full")
      text += "\n" + print_reach(reach, style, true);
  }
  if (!answer(text, options)) return fail("output", "the answer could not be written");
  return status_of(reach);
}

}  // namespace dvrtrace::cli
