// Fill: what a host's dumps lack, taken from a snapshot of what should be there (`--fill reference`).
//
//   Network network(index, [&](std::size_t host, const HostSnapshot& known, Diagnostics& into) {
//     HostSnapshot found = collection.read(host, Depth::Full, into, &known);
//     fill(found, reference(found.name));
//     return found;
//   }, sources);
//
// A part that was filled in comes from no source: that is how the engine knows it, and calls the hops that
// rest on it `reference`. What a dump says is never touched, not even where it breaks off.
#pragma once

#include "src/model/network.h"
#include "src/snapshot/host.h"

namespace dvrtrace {

// Gives the host every part, bridge and namespace that it has no dump of.
void fill(HostSnapshot& found, const HostSnapshot& reference);

template <class T>
bool filled_in(const Part<T>& part) {
  return part.present() && part.source == kNoSource;
}
// Does what happens in the place rest on a part that no dump holds?
bool filled_in(const Bridge& bridge);
bool filled_in(const Namespace& netns);

}  // namespace dvrtrace
