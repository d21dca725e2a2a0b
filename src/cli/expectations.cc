#include "src/cli/expectations.h"

#include <fmt/format.h>

#include "collectors/collect.h"
#include "tracer/check/alike.h"
#include "tracer/reference/database.h"
#include "tracer/reference/planned.h"
#include "tracer/reference/reference.h"

namespace dvrtrace::cli {

tl::expected<reference::Settings, Failure> settings_of(const Options& options) {
  reference::Settings settings;
  if (options.release.empty()) return settings;
  settings.release = reference::parse_release(options.release);
  if (settings.release) return settings;
  return fail("usage", fmt::format("--release wants a release of Neutron, not '{}'", options.release),
              "a name as zed, a version as 21.0.0 or 2023.1, or newest");
}

std::optional<reference::Release> Expectations::release_of(const HostSnapshot& found) const {
  return settings_.release ? settings_.release : reference::guess_release(found);
}

std::unique_ptr<check::Expectation> Expectations::of(const HostSnapshot& found,
                                                     std::optional<reference::Release> others) const {
  // A controller runs no agent that programs anything.
  const bool programmed =
      !found.bridges.empty() || !found.ovs.value.bridges.empty() || found.namespaces.size() > 1;
  if (cloud_.model().empty() || !programmed) return nullptr;
  auto expectation = std::make_unique<check::Expectation>();
  reference::Settings settings = settings_;
  if (!settings.release && others && !reference::guess_release(found)) settings.release = others;
  expectation->plan = reference::make_plan(cloud_, &found, found.name, settings);
  check::Alike alike(found, sources_);
  expectation->reference = reference::program(expectation->plan, &alike);
  expectation->settled = alike.take();
  expectation->snapshot = read(expectation->reference, Depth::Full);
  return expectation;
}

HostSnapshot Expectations::whole(const HostSnapshot& found, Depth depth) const {
  if (cloud_.model().empty()) return {};
  const reference::Plan plan = reference::make_plan(cloud_, &found, found.name, settings_);
  reference::Host host = reference::program(plan);
  for (reference::Dump& dump : reference::database(plan)) host.dumps.push_back(std::move(dump));
  return read(host, depth);
}

HostSnapshot Expectations::planned(const std::string& host, Depth depth) const {
  return read(reference::planned_host(reference::make_plan(cloud_, nullptr, host, settings_)), depth);
}

HostSnapshot Expectations::read(const reference::Host& host, Depth depth) const {
  DumpTexts texts;
  for (const reference::Dump& dump : host.dumps) texts.emplace_back(dump.path, text_of(dump));
  // What the project's own text reads as is not the user's to hear of; a test holds it to be clean.
  Diagnostics ours;
  return read_texts("reference", host.name, std::move(texts), depth, sources_, ours);
}

}  // namespace dvrtrace::cli
