// The inputs of a command, opened and joined: what every command that traces begins with.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "collectors/collect.h"
#include "src/cli/failure.h"
#include "src/cli/filling.h"
#include "src/cli/options.h"
#include "src/model/network.h"
#include "src/report/trace_json.h"
#include "tracer/engine/ask.h"
#include "tracer/reference/plan.h"

namespace dvrtrace::cli {

class OpenedCloud {
 public:
  // As -i, --neutron, --release and --fill say. `sources` must outlive the cloud. `seen` is shown the index before it is joined.
  static tl::expected<std::unique_ptr<const OpenedCloud>, Failure> open(
      const Options& options, Sources& sources, Diagnostics& diagnostics,
      const std::function<void(const Snapshot&)>& seen = {});

  // The hosts that a question can concern, where that can be told beforehand and they are few of many. The answer
  // holds if the network was not asked beyond them.
  static std::unique_ptr<const OpenedCloud> open_few(const Options& options, const Ask& question, Sources& sources,
                                                     Diagnostics& diagnostics);

  const Network& network() const { return *network_; }
  const reference::Settings& settings() const { return settings_; }
  std::vector<JsonInput> inputs() const;

 private:
  void join(Snapshot index, Sources& sources);
  OpenedCloud(Collection collection, const reference::Settings& settings)
      : collection_(std::move(collection)), settings_(settings) {}

  const Collection collection_;
  const reference::Settings settings_;
  std::optional<Filling> filling_;
  std::unique_ptr<const Network> network_;
};

}  // namespace dvrtrace::cli
