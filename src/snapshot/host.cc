#include "src/snapshot/host.h"

#include <algorithm>

namespace dvrtrace {

void widen(std::optional<Taken>& all, const Taken& one) {
  if (!all) all = one;
  all->first = std::min(all->first, one.first);
  all->last = std::max(all->last, one.last);
}

std::optional<Taken> HostSnapshot::taken() const {
  std::optional<Taken> all;
  for (const FileReading& file : files) {
    if (file.taken && !file.used_as.empty()) widen(all, *file.taken);
  }
  return all;
}

const BridgeDumps* HostSnapshot::find_bridge(std::string_view bridge) const {
  const auto found = std::ranges::find(bridges, bridge, &BridgeDumps::bridge);
  return found == bridges.end() ? nullptr : &*found;
}

const NamespaceSnapshot* HostSnapshot::find_namespace(std::string_view netns) const {
  const auto found = std::ranges::find(namespaces, netns, &NamespaceSnapshot::name);
  return found == namespaces.end() ? nullptr : &*found;
}

}  // namespace dvrtrace
