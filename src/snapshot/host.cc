#include "src/snapshot/host.h"

#include <algorithm>

namespace dvrtrace {

const BridgeDumps* HostSnapshot::find_bridge(std::string_view bridge) const {
  const auto found = std::ranges::find(bridges, bridge, &BridgeDumps::bridge);
  return found == bridges.end() ? nullptr : &*found;
}

const NamespaceSnapshot* HostSnapshot::find_namespace(std::string_view netns) const {
  const auto found = std::ranges::find(namespaces, netns, &NamespaceSnapshot::name);
  return found == namespaces.end() ? nullptr : &*found;
}

}  // namespace dvrtrace
