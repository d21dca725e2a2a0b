// What the reference expects of a host, read by the same readers as what was found there.
#pragma once

#include <memory>
#include <optional>

#include "src/base/diagnostics.h"
#include "src/base/source.h"
#include "src/cli/failure.h"
#include "src/cli/options.h"
#include "src/snapshot/snapshot.h"
#include "tracer/check/check.h"
#include "tracer/reference/cloud.h"

namespace dvrtrace::cli {

// As --release says.
tl::expected<reference::Settings, Failure> settings_of(const Options& options);

// Safe to use from several threads.
class Expectations {
 public:
  // `model` is Neutron's objects, given or derived, and must outlive this.
  Expectations(const logical::Model& model, reference::Settings settings, Sources& sources)
      : cloud_(model), settings_(settings), sources_(sources) {}

  // `found` at Depth::Full; it must outlive the expectation. With no cloud to speak of there is none.
  // `others`: the release that other hosts show, for one that shows none itself, because its flows are gone.
  std::unique_ptr<check::Expectation> of(const HostSnapshot& found, std::optional<reference::Release> others = {}) const;
  // All that the reference says of a host: of one that was found, by its found numbers; of one of which nothing was, by planned ones.
  HostSnapshot whole(const HostSnapshot& found, Depth depth) const;
  HostSnapshot planned(const std::string& host, Depth depth) const;
  // The release that the host shows, or that was asked for.
  std::optional<reference::Release> release_of(const HostSnapshot& found) const;

 private:
  HostSnapshot read(const reference::Host& host, Depth depth) const;

  reference::Cloud cloud_;
  reference::Settings settings_;
  Sources& sources_;
};

}  // namespace dvrtrace::cli
