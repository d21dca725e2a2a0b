// Follow: which changes go with another: flows with the port they are of, routes with the device that went
// down.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "src/model/network.h"
#include "tracer/diff/changes.h"

namespace dvrtrace::diff {

// A change of a host, by its place in what was found.
struct Listed {
  const HostChanges* host = nullptr;
  const Found* found = nullptr;
};

// Of each, which other it follows from in the end; never one that follows itself.
std::vector<std::optional<std::size_t>> followed(const Network& before, const Network& after,
                                                 std::span<const Listed> changes);

}  // namespace dvrtrace::diff
