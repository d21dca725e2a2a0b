// --fill reference: what the dumps lack, taken from the reference.
#pragma once

#include "collectors/collect.h"
#include "src/cli/expectations.h"
#include "src/snapshot/snapshot.h"

namespace dvrtrace::cli {

// Completes hosts that dumps describe in part, and adds those that Neutron's agents run on and no input holds.
class Filling {
 public:
  // Completes `index`, which has every host of the collection at Depth::Index. Without Neutron's objects what the hosts tell of them
  // has to do. `collection` and `sources` must outlive this.
  Filling(const Collection& collection, Snapshot& index, const reference::Settings& settings, Sources& sources);

  // A host of the index at Depth::Full. Safe to call from several threads.
  HostSnapshot read(std::size_t host, const HostSnapshot& known, Diagnostics& diagnostics) const;

 private:
  const Collection& collection_;
  const logical::Model model_;
  const Expectations expectations_;
};

}  // namespace dvrtrace::cli
