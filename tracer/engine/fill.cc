#include "tracer/engine/fill.h"

#include <algorithm>

namespace dvrtrace {
namespace {

template <class T>
void fill(Part<T>& found, const Part<T>& reference) {
  if (found.present() || !reference.present()) return;
  found.value = reference.value;
  found.presence = reference.presence;
  found.source = kNoSource;
}

void fill(BridgeDumps& found, const BridgeDumps& reference) {
  fill(found.flows, reference.flows);
  fill(found.groups, reference.groups);
  fill(found.features, reference.features);
}

void fill(NamespaceSnapshot& found, const NamespaceSnapshot& reference) {
  fill(found.links, reference.links);
  fill(found.rules4, reference.rules4);
  fill(found.rules6, reference.rules6);
  fill(found.routes4, reference.routes4);
  fill(found.routes6, reference.routes6);
  fill(found.neighbours, reference.neighbours);
  fill(found.iptables4, reference.iptables4);
  fill(found.iptables6, reference.iptables6);
  fill(found.ipsets, reference.ipsets);
  fill(found.sysctls, reference.sysctls);
  fill(found.bridge_fdb, reference.bridge_fdb);
  fill(found.bridge_ports, reference.bridge_ports);
}

// Those of the reference that the host does not have at all are added where a dump does not say that they are not there, the others
// completed.
template <class T, class MayBe>
void fill(std::vector<T>& found, const std::vector<T>& reference, std::string T::*name, MayBe may_be) {
  for (const T& each : reference) {
    if (!may_be(each.*name)) continue;
    auto same = std::ranges::find(found, each.*name, name);
    if (same == found.end()) {
      found.push_back({});
      same = found.end() - 1;
      (*same).*name = each.*name;
    }
    fill(*same, each);
  }
}

}  // namespace

void fill(HostSnapshot& found, const HostSnapshot& reference) {
  const bool bridges_known = found.ovs.complete(), namespaces_known = found.namespace_names.complete();
  fill(found.ovs, reference.ovs);
  fill(found.bridges, reference.bridges, &BridgeDumps::bridge, [&](const std::string& name) {
    const auto& bridges = found.ovs.value.bridges;
    return !bridges_known || std::ranges::find(bridges, name, &OvsBridge::name) != bridges.end();
  });
  fill(found.namespace_names, reference.namespace_names);
  fill(found.namespaces, reference.namespaces, &NamespaceSnapshot::name, [&](const std::string& name) {
    const auto& names = found.namespace_names.value;
    return !namespaces_known || name.empty() || std::ranges::find(names, name) != names.end();
  });
  for (const auto& [key, value] : reference.config.values) found.config.values.emplace(key, value);
}

bool filled_in(const Bridge& bridge) { return bridge.dumps != nullptr && filled_in(bridge.dumps->flows); }

bool filled_in(const Namespace& netns) {
  const NamespaceSnapshot* dumps = netns.dumps;
  return dumps != nullptr &&
         (filled_in(dumps->links) || filled_in(dumps->rules4) || filled_in(dumps->rules6) ||
          filled_in(dumps->routes4) || filled_in(dumps->routes6) || filled_in(dumps->neighbours) ||
          filled_in(dumps->iptables4) || filled_in(dumps->iptables6));
}

}  // namespace dvrtrace
