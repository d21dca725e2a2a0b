#include "src/cli/opened_cloud.h"

#include <utility>

#include "src/cli/expectations.h"
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
  auto collection = planned ? open_neutron(options, sources, diagnostics) : open_inputs(options, sources, diagnostics);
  if (!collection) return tl::unexpected<Failure>(collection.error());
  std::unique_ptr<OpenedCloud> cloud(new OpenedCloud(std::move(*collection), *settings));
  Snapshot index = cloud->collection_.read_all(Depth::Index, diagnostics);
  if (fills) cloud->filling_.emplace(cloud->collection_, index, *settings, sources);
  if (seen) seen(index);
  cloud->network_ = std::make_unique<const Network>(
      std::move(index),
      [self = cloud.get()](std::size_t host, const HostSnapshot& known, Diagnostics& into) {
        return self->filling_ ? self->filling_->read(host, known, into)
                              : self->collection_.read(host, Depth::Full, into, &known);
      },
      sources);
  return cloud;
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
