#include "src/cli/opened_cloud.h"

#include <algorithm>
#include <utility>

#include "src/cli/expectations.h"
#include "src/cli/few_hosts.h"
#include "src/cli/inputs.h"

namespace dvrtrace::cli {

tl::expected<std::unique_ptr<const OpenedCloud>, Failure> OpenedCloud::open(
    const Options& options, Sources& sources, Diagnostics& diagnostics,
    const std::function<void(const Snapshot&)>& seen) {
  const auto settings = settings_of(options);
  if (!settings) return tl::unexpected<Failure>(settings.error());
  const bool fills = options.fill == "reference";
  // A cloud that is only planned can be filled in whole.
  const bool planned = fills && options.inputs.empty() && !options.neutron.empty();
  auto collection =
      planned ? open_neutron(options, sources, diagnostics) : open_inputs(options, sources, diagnostics);
  if (!collection) return tl::unexpected<Failure>(collection.error());
  std::unique_ptr<OpenedCloud> cloud(new OpenedCloud(std::move(*collection), *settings));
  Snapshot index = cloud->collection_.read_all(Depth::Index, diagnostics);
  if (fills) cloud->filling_.emplace(cloud->collection_, index, *settings, sources);
  if (seen) seen(index);
  cloud->join(std::move(index), sources);
  return cloud;
}

std::unique_ptr<const OpenedCloud> OpenedCloud::open_few(const Options& options, const Ask& question,
                                                         Sources& sources, Diagnostics& diagnostics) {
  const auto settings = settings_of(options);
  if (!settings) return nullptr;
  auto few = few_hosts(options, question, sources, diagnostics);
  if (!few) return nullptr;
  std::vector<Input> inputs;
  for (const std::string& path : few->inputs) inputs.push_back({"", path});
  auto collection = Collection::open(inputs, {}, sources, diagnostics);
  if (!collection) return nullptr;
  // A folder may hold another host than its name says.
  for (const HostFiles& host : collection->hosts()) {
    if (std::ranges::find(few->names, host.name) == few->names.end()) return nullptr;
  }
  if (collection->hosts().size() != few->names.size()) return nullptr;
  std::unique_ptr<OpenedCloud> cloud(new OpenedCloud(std::move(*collection), *settings));
  Snapshot index = cloud->collection_.read_all(Depth::Index, diagnostics);
  index.logical = std::move(few->model);
  index.partial = true;
  cloud->join(std::move(index), sources);
  return cloud;
}

void OpenedCloud::join(Snapshot index, Sources& sources) {
  network_ = std::make_unique<const Network>(
      std::move(index),
      [this](std::size_t host, const HostSnapshot& known, Diagnostics& into) {
        return filling_ ? filling_->read(host, known, into)
                        : collection_.read(host, Depth::Full, into, &known);
      },
      sources);
}

std::vector<JsonInput> OpenedCloud::inputs() const {
  std::vector<JsonInput> inputs;
  for (std::size_t i = 0; i < network_->size(); ++i) {
    const HostSnapshot& host = network_->index(i);
    // Of a host that no packet came to the dumps were not read.
    const std::optional<Taken> taken =
        network_->joined(i) ? network_->host(i).snapshot.taken() : std::nullopt;
    for (const std::string& path : host.inputs) inputs.push_back({host.name, path, host.collected_at, taken});
  }
  return inputs;
}

}  // namespace dvrtrace::cli
