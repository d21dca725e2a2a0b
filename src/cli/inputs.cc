#include "src/cli/inputs.h"

#include <filesystem>

namespace dvrtrace::cli {

std::vector<Input> inputs_of(const Options& options) {
  std::vector<Input> inputs;
  for (const std::string& text : options.inputs) {
    const std::size_t at = text.find('=');
    const bool has_name = at != std::string::npos && at != 0 && text.find('/') > at;
    std::error_code ignored;
    if (has_name && !std::filesystem::exists(text, ignored)) {
      inputs.push_back({text.substr(0, at), text.substr(at + 1)});
    } else {
      inputs.push_back({"", text});
    }
  }
  if (inputs.empty()) inputs.push_back({"", "."});
  return inputs;
}

tl::expected<Collection, Failure> open_inputs(const Options& options, Sources& sources,
                                              Diagnostics& diagnostics) {
  auto collection = Collection::open(inputs_of(options), options.neutron, sources, diagnostics);
  if (collection && !collection->hosts().empty()) return std::move(*collection);
  if (options.inputs.empty()) {
    return fail("no-input", "no input: the current folder does not look like a host or hosts",
                "name a folder or an archive: dvrtrace ... -i hosts");
  }
  if (collection) return fail("no-input", "no host in the inputs");
  return fail("unreadable-input", collection.error().message);
}

tl::expected<Collection, Failure> open_neutron(const Options& options, Sources& sources,
                                               Diagnostics& diagnostics) {
  auto collection = Collection::open({}, options.neutron, sources, diagnostics);
  if (!collection) return fail("unreadable-input", collection.error().message);
  return std::move(*collection);
}

}  // namespace dvrtrace::cli
