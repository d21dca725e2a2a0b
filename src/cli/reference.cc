// dvrtrace reference: what Neutron's agents should have programmed, as the dumps that would show it.
#include <fmt/format.h>

#include <filesystem>
#include <fstream>

#include "src/cli/console.h"
#include "src/cli/expectations.h"
#include "src/cli/inputs.h"
#include "src/cli/program.h"
#include "tracer/reference/reference.h"

namespace dvrtrace::cli {
namespace {

// Into a folder of a sos report's layout, which -i takes again. Nothing is written outside of it, and nothing over.
tl::expected<void, Failure> write_dumps(const reference::Host& host, const std::filesystem::path& folder) {
  for (const reference::Dump& dump : host.dumps) {
    const std::filesystem::path path = folder / host.name / dump.path;
    std::error_code error;
    std::filesystem::create_directories(path.parent_path(), error);
    if (std::filesystem::exists(path, error)) return fail("output", path.string() + " is there already");
    std::ofstream out(path, std::ios::binary);
    out << text_of(dump);
    if (!out.flush()) return fail("output", path.string() + " could not be written");
  }
  return {};
}

std::string shown(const reference::Host& host) {
  std::string text;
  for (const reference::Dump& dump : host.dumps) text += fmt::format("==> {}/{} <==\n{}\n", host.name, dump.path, text_of(dump));
  for (const reference::Caveat& caveat : host.caveats) text += fmt::format("# {}: {}: {}\n", host.name, caveat.code, caveat.text);
  return text;
}

}  // namespace

Outcome run_reference(const Options& options) {
  const auto settings = settings_of(options);
  if (!settings) return tl::unexpected<Failure>(settings.error());
  Sources sources;
  Diagnostics diagnostics;
  const auto collection = open_inputs(options, sources, diagnostics);
  if (!collection) return tl::unexpected<Failure>(collection.error());
  const logical::Model model = collection->read_neutron(diagnostics);
  if (model.empty()) return fail("no-input", "the reference is made of Neutron's objects, and there are none", "name them: --neutron DIR");
  const reference::Cloud cloud(model);
  std::string text;
  for (std::size_t i = 0; i < collection->hosts().size(); ++i) {
    const std::string& name = collection->hosts()[i].name;
    if (!options.words.empty() && std::ranges::find(options.words, name) == options.words.end()) continue;
    const HostSnapshot found = collection->read(i, Depth::Full, diagnostics);
    const reference::Host host = program(make_plan(cloud, &found, name, *settings));
    if (options.output.empty()) {
      text += shown(host);
    } else if (const auto written = write_dumps(host, options.output); !written) {
      return tl::unexpected<Failure>(written.error());
    }
  }
  print_diagnostics(diagnostics.all(), sources, options);
  if (!text.empty() && !answer(text, options)) return fail("output", "the answer could not be written");
  return kDelivered;
}

}  // namespace dvrtrace::cli
