#include "src/report/trace_view.h"

#include <algorithm>

#include "src/base/overloaded.h"

namespace dvrtrace {

std::vector<bool> hops_on_path(const Direction& direction) {
  std::vector<bool> on_path;
  for (const Hop& hop : direction.hops) on_path.push_back(hop.on_path);
  if (direction.hops.empty() || std::ranges::find(on_path, true) != on_path.end()) return on_path;
  std::optional<std::size_t> at = direction.stopped_at.value_or(direction.hops.size() - 1);
  // A parent stands in front of its children, so this ends.
  while (at && *at < direction.hops.size() && !on_path[*at]) {
    on_path[*at] = true;
    at = direction.hops[*at].parent;
  }
  return on_path;
}

std::vector<std::size_t> children_of(const Direction& direction, std::size_t hop) {
  std::vector<std::size_t> children;
  for (std::size_t i = 0; i < direction.hops.size(); ++i) {
    if (direction.hops[i].parent == hop) children.push_back(i);
  }
  return children;
}

const Device* way_out(const Direction& direction, std::size_t hop) {
  const std::vector<Device>& out = direction.hops[hop].out;
  if (out.empty()) return nullptr;
  if (out.size() == 1) return &out.front();
  // A crossing says it by name; else the devices stand in the order of the hops they lead to.
  for (const Crossing& crossing : direction.crossings) {
    if (!crossing.on_path || crossing.hop != hop) continue;
    const auto found = std::ranges::find(out, crossing.device, &Device::name);
    if (found != out.end() && direction.hops[hop].in != *found) return &*found;
  }
  const std::vector<std::size_t> children = children_of(direction, hop);
  if (children.size() == out.size()) {
    const auto leads_on = std::ranges::find_if(children, [&](std::size_t i) { return direction.hops[i].on_path; });
    if (leads_on != children.end()) return &out[static_cast<std::size_t>(leads_on - children.begin())];
  }
  return &out.front();
}

const Stopped* stop_of(const Hop& hop) {
  for (auto step = hop.steps.rbegin(); step != hop.steps.rend(); ++step) {
    if (const auto* stopped = std::get_if<Stopped>(&*step)) return stopped;
  }
  return nullptr;
}

Provenance evidence_of(const Step& step) {
  return std::visit(overloaded{
      [](const Changed&) { return Provenance{}; },
      [](const Tracked&) { return Provenance{}; },
      [](const auto& s) { return s.at; },
  }, step);
}

namespace {

std::optional<StopObject> object_of(const Step& step) {
  using Object = std::optional<StopObject>;
  return std::visit(overloaded{
      [](const FlowHit& s) -> Object { return StopObject{"flow", s.match, s.table, s.at}; },
      [](const TableMissed& s) -> Object { return StopObject{"flow", "", s.table, s.at}; },
      [](const Switched& s) -> Object { return StopObject{"fdb", s.port, {}, s.at}; },
      [](const SentTo& s) -> Object { return StopObject{"port", s.port, {}, s.at}; },
      [](const RuleHit& s) -> Object { return StopObject{"ip-rule", s.text, {}, s.at}; },
      [](const RouteHit& s) -> Object { return StopObject{"route", s.text, {}, s.at}; },
      [](const NeighbourHit& s) -> Object { return StopObject{"neighbour", to_string(s.ip) + " " + s.state, {}, s.at}; },
      [](const ChainHit& s) -> Object { return StopObject{"iptables-rule", s.rule, {}, s.at}; },
      [](const Translated& s) -> Object { return StopObject{"iptables-rule", s.what, {}, s.at}; },
      [](const Encapsulated& s) -> Object { return StopObject{"tunnel", to_string(s.tunnel.destination), {}, s.at}; },
      [](const Decapsulated& s) -> Object { return StopObject{"tunnel", to_string(s.tunnel.source), {}, s.at}; },
      [](const Changed&) -> Object { return std::nullopt; },
      [](const Tracked&) -> Object { return std::nullopt; },
      [](const Resolved&) -> Object { return std::nullopt; },
      [](const Noted&) -> Object { return std::nullopt; },
      [](const Stopped&) -> Object { return std::nullopt; },
  }, step);
}

// Some reasons name the object better than the last step in front of the stop does.
std::string_view kind_by_reason(Reason reason) {
  switch (reason) {
    case Reason::NeighbourFailed: return "neighbour";
    case Reason::NoRoute:
    case Reason::ProhibitRoute:
    case Reason::BlackholeRoute:
    case Reason::UnreachableRoute: return "route";
    case Reason::ReversePathFilter:
    case Reason::ForwardingOff: return "sysctl";
    case Reason::DeviceDown:
    case Reason::MtuExceeded: return "link";
    case Reason::NoSuchPort: return "port";
    case Reason::VtepUnknown: return "tunnel";
    default: return {};
  }
}

}  // namespace

StopObject stop_object(const Hop& hop) {
  StopObject object;
  for (auto step = hop.steps.rbegin(); step != hop.steps.rend(); ++step) {
    if (auto found = object_of(*step)) {
      object = std::move(*found);
      break;
    }
  }
  const Stopped* stopped = stop_of(hop);
  if (stopped == nullptr) return object;
  const std::string_view kind = kind_by_reason(stopped->reason);
  if (!kind.empty() && kind != object.kind) object = {std::string(kind), stopped->text, {}, stopped->at};
  if (stopped->at.known()) object.at = stopped->at;
  return object;
}

}  // namespace dvrtrace
