#include "tracer/diff/undo.h"

#include <algorithm>

#include "src/base/overloaded.h"
#include "tracer/check/mend.h"

namespace dvrtrace::diff {
namespace {

using check::Difference;
using check::ObjectKind;

// In `rows` the row with this key becomes the one that it was, or goes if it was none.
template <class Rows, class Key>
bool put_back(Rows& rows, const Rows& was, const auto& wanted, Key key) {
  const auto same = [&](const auto& row) { return key(row) == wanted; };
  const auto old = std::ranges::find_if(was, same);
  const auto now = std::ranges::find_if(rows, same);
  if (old == was.end() && now == rows.end()) return false;
  if (old == was.end())
    rows.erase(now);
  else if (now == rows.end())
    rows.push_back(*old);
  else
    *now = *old;
  return true;
}

const OvsBridge* find_bridge(const HostSnapshot& host, const std::string& name) {
  const auto at = std::ranges::find(host.ovs.value.bridges, name, &OvsBridge::name);
  return at == host.ovs.value.bridges.end() ? nullptr : &*at;
}

bool undo_port(HostSnapshot& host, const HostSnapshot& was, const SwitchPort& subject) {
  const OvsBridge* old = find_bridge(was, subject.bridge);
  const auto bridge = std::ranges::find(host.ovs.value.bridges, subject.bridge, &OvsBridge::name);
  if (old == nullptr || bridge == host.ovs.value.bridges.end()) return false;
  if (!put_back(bridge->ports, old->ports, subject.name, [](const OvsPort& port) { return port.name; }))
    return false;
  // Its flags; and a port that is back has a line of its own again.
  const BridgeDumps* old_dumps = was.find_bridge(subject.bridge);
  const auto dumps = std::ranges::find(host.bridges, subject.bridge, &BridgeDumps::bridge);
  if (old_dumps != nullptr && dumps != host.bridges.end())
    put_back(dumps->features.value.ports, old_dumps->features.value.ports, subject.name,
             [](const Sourced<PortDesc>& port) { return port.value.name; });
  return true;
}

bool undo_bridge(HostSnapshot& host, const HostSnapshot& was, const SwitchBridge& subject) {
  const OvsBridge* old = find_bridge(was, subject.name);
  const auto now = std::ranges::find(host.ovs.value.bridges, subject.name, &OvsBridge::name);
  if (old != nullptr &&
      now != host.ovs.value.bridges.end()) {  // its settings; ports are changes of their own
    std::vector<OvsPort> ports = std::move(now->ports);
    *now = *old;
    now->ports = std::move(ports);
    return true;
  }
  put_back(host.bridges, was.bridges, subject.name, [](const BridgeDumps& dumps) { return dumps.bridge; });
  return put_back(host.ovs.value.bridges, was.ovs.value.bridges, subject.name,
                  [](const OvsBridge& bridge) { return bridge.name; });
}

bool undo_namespace(HostSnapshot& host, const HostSnapshot& was, const std::string& name) {
  put_back(host.namespace_names.value, was.namespace_names.value, name,
           [](const std::string& each) { return each; });
  return put_back(host.namespaces, was.namespaces, name,
                  [](const NamespaceSnapshot& netns) { return netns.name; });
}

// A device as a whole, with its addresses and its place in a Linux bridge.
bool undo_link(NamespaceSnapshot& netns, const NamespaceSnapshot& was, const std::string& name) {
  using Links = decltype(netns.links.value);
  const auto find = [&](Links& links) {
    return std::ranges::find(links, name, [](const auto& link) { return link.value.name; });
  };
  const bool had = find(netns.links.value) != netns.links.value.end();
  std::vector<Sourced<kernel::Address>> addresses;
  if (had) addresses = find(netns.links.value)->value.addresses;
  if (!put_back(netns.links.value, was.links.value, name, [](const auto& link) { return link.value.name; }))
    return false;
  const auto now = find(netns.links.value);
  if (had && now != netns.links.value.end())
    now->value.addresses = std::move(addresses);  // changes of their own
  put_back(netns.bridge_ports.value, was.bridge_ports.value, name,
           [](const auto& port) { return port.value.device; });
  if (now == netns.links.value.end() || !now->value.up) return true;
  for (auto& other : netns.links.value) {
    if (other.value.peer == name) other.value.lower_up = other.value.lower_up || now->value.lower_up;
  }
  return true;
}

kernel::Iptables* tables_of(NamespaceSnapshot& netns, const std::string& family) {
  return family == "6" ? &netns.iptables6.value : &netns.iptables4.value;
}

// A chain as a whole: where it was made or taken away, its policy, or the order of its rules.
bool undo_chain(NamespaceSnapshot& netns, NamespaceSnapshot was, const Difference& difference) {
  kernel::Iptables* now = tables_of(netns, difference.family);
  kernel::Iptables* old = tables_of(was, difference.family);
  for (kernel::IptablesTable& table : now->tables) {
    const kernel::IptablesTable* same = old->find(difference.table);
    if (table.name != difference.table || same == nullptr) continue;
    return put_back(table.chains, same->chains, difference.chain,
                    [](const kernel::Chain& chain) { return chain.name; });
  }
  return false;
}

bool undo_row(HostSnapshot& host, const HostSnapshot& was, const Difference& difference) {
  if (difference.kind == ObjectKind::Namespace) return undo_namespace(host, was, difference.object);
  const auto netns = std::ranges::find(host.namespaces, difference.netns, &NamespaceSnapshot::name);
  const NamespaceSnapshot* old = was.find_namespace(difference.netns);
  if (netns == host.namespaces.end() || old == nullptr) return false;
  if (difference.kind == ObjectKind::Link)
    return undo_link(*netns, *old, difference.object.substr(0, difference.object.find(' ')));
  if (check::mend(host, &was, {{}, 0, difference})) return true;
  return difference.kind == ObjectKind::IptablesRule && undo_chain(*netns, *old, difference);
}

}  // namespace

bool undo(HostSnapshot& host, const HostSnapshot& was, const Found& found) {
  return std::visit(overloaded{[](std::monostate) { return false; },
                               [&](const check::BridgeDifference& each) {
                                 return check::mend(host, &was, {{}, 0, each});
                               },
                               [&](const Difference& each) { return undo_row(host, was, each); },
                               [&](const SwitchPort& each) { return undo_port(host, was, each); },
                               [&](const SwitchBridge& each) { return undo_bridge(host, was, each); }},
                    found.subject);
}

}  // namespace dvrtrace::diff
