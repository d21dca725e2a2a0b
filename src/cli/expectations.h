// What the reference expects of a host, read by the same readers as what was found there.
#pragma once

#include <memory>
#include <mutex>

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
  std::unique_ptr<check::Expectation> of(const HostSnapshot& found) const;

 private:
  reference::Cloud cloud_;
  reference::Settings settings_;
  Sources& sources_;
};

}  // namespace dvrtrace::cli
