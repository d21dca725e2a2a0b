// dvrtrace reference: what Neutron's agents should have programmed, as the dumps that would show it.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>

#include "src/cli/console.h"
#include "src/cli/expectations.h"
#include "src/cli/inputs.h"
#include "src/cli/program.h"
#include "tracer/reference/planned.h"
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
  for (const reference::Dump& dump : host.dumps)
    text += fmt::format("==> {}/{} <==\n{}\n", host.name, dump.path, text_of(dump));
  for (const reference::Caveat& caveat : host.caveats)
    text += fmt::format("# {}: {}: {}\n", host.name, caveat.code, caveat.text);
  return text;
}

// A host's name becomes a folder's: one that leads elsewhere is none.
bool may_be_folder(const std::string& name) {
  return !name.empty() && name.find('/') == std::string::npos && name != "." && name != "..";
}

class Printing {
 public:
  explicit Printing(const Options& options) : options_(options) {}

  bool wants(const std::string& host) {
    const bool asked =
        options_.words.empty() || std::ranges::find(options_.words, host) != options_.words.end();
    if (asked) known_.insert(host);
    return asked;
  }
  tl::expected<void, Failure> take(const reference::Host& host) {
    if (options_.output.empty()) {
      text_ += shown(host);
      return {};
    }
    if (!may_be_folder(host.name))
      return fail("output", fmt::format("'{}' cannot be the name of a folder", host.name));
    return write_dumps(host, options_.output);
  }
  tl::expected<void, Failure> finish() {
    for (const std::string& word : options_.words) {
      if (!known_.contains(word)) return fail("unknown-endpoint", fmt::format("no host '{}'", word));
    }
    if (!text_.empty() && !answer(text_, options_)) return fail("output", "the answer could not be written");
    return {};
  }

 private:
  const Options& options_;
  std::set<std::string> known_;
  std::string text_;
};

}  // namespace

Outcome run_reference(const Options& options) {
  const auto settings = settings_of(options);
  if (!settings) return tl::unexpected<Failure>(settings.error());
  Sources sources;
  Diagnostics diagnostics;
  // Without dumps the hosts are those of Neutron's agents, and every number is allotted.
  const bool planned = options.inputs.empty() && !options.neutron.empty();
  const auto collection =
      planned ? open_neutron(options, sources, diagnostics) : open_inputs(options, sources, diagnostics);
  if (!collection) return tl::unexpected<Failure>(collection.error());
  const logical::Model model = collection->read_neutron(diagnostics);
  if (model.empty())
    return fail("no-input", "the reference is made of Neutron's objects, and there are none",
                "name them: --neutron DIR");
  const reference::Cloud cloud(model);
  Printing printing(options);
  if (planned) {
    std::set<std::string> hosts;
    for (const logical::Agent& agent : model.agents) hosts.insert(agent.host);
    for (const std::string& host : hosts) {
      if (!printing.wants(host)) continue;
      if (const auto taken = printing.take(planned_host(make_plan(cloud, nullptr, host, *settings))); !taken)
        return tl::unexpected<Failure>(taken.error());
    }
  }
  for (std::size_t i = 0; i < collection->hosts().size(); ++i) {
    if (!printing.wants(collection->hosts()[i].name)) continue;
    const HostSnapshot found = collection->read(i, Depth::Full, diagnostics);
    if (const auto taken = printing.take(program(make_plan(cloud, &found, found.name, *settings))); !taken)
      return tl::unexpected<Failure>(taken.error());
  }
  print_diagnostics(diagnostics.all(), sources, options);
  if (const auto finished = printing.finish(); !finished) return tl::unexpected<Failure>(finished.error());
  return kDelivered;
}

}  // namespace dvrtrace::cli
