#include "src/report/trace_view.h"

#include <algorithm>
#include <set>
#include <tuple>

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

namespace {

// Whether leaving by a device is arriving at a hop: by the same device, or by the other end of a patch
// that Neutron named.
bool leads_to(const Device& device, const Hop& next) {
  if (!next.in) return false;
  const std::string& from = device.name;
  const std::string& to = next.in->name;
  if (from == to) return true;
  const auto pair = [&](std::string_view one, std::string_view other) {
    return from.starts_with(one) && to.starts_with(other) &&
           from.substr(one.size()) == to.substr(other.size());
  };
  return pair("int-", "phy-") || pair("phy-", "int-") || pair("patch-tun", "patch-int") ||
         pair("patch-int", "patch-tun");
}

}  // namespace

const Device* way_out(const Direction& direction, std::size_t hop) {
  const std::vector<Device>& out = direction.hops[hop].out;
  if (out.empty()) return nullptr;
  if (out.size() == 1) return &out.front();
  const std::vector<bool> on_path = hops_on_path(direction);
  std::vector<const Device*> left;  // that lead to no hop, as far as names tell
  for (const Device& device : out) left.push_back(&device);
  bool goes_on = false;
  for (const std::size_t child : children_of(direction, hop)) {
    goes_on = goes_on || on_path[child];
    const auto same =
        std::ranges::find_if(left, [&](const Device* d) { return leads_to(*d, direction.hops[child]); });
    if (same == left.end()) continue;
    if (on_path[child]) return *same;
    left.erase(same);
  }
  // Patch ports with names of their own: of what is left, not the bridge's own device, which leads to the
  // host.
  const auto patch =
      std::ranges::find_if(left, [](const Device* d) { return d->ofport && *d->ofport != kPortLocal; });
  return goes_on && patch != left.end() ? *patch : &out.front();
}

std::vector<std::size_t> next_hops(const Direction& direction, const std::vector<bool>& on_path) {
  std::vector<std::size_t> next(direction.hops.size());
  for (std::size_t i = 0; i < next.size(); ++i) {
    next[i] = i;
    const std::optional<std::size_t> parent = direction.hops[i].parent;
    if (parent && *parent < i && (on_path[i] || next[*parent] == *parent)) next[*parent] = i;
  }
  return next;
}

namespace {

// Host, whether it is a namespace, and its name ("" is the root namespace).
using FaultyPlace = std::tuple<std::string, bool, std::string>;

FaultyPlace key_of(const Place& place) {
  const bool netns = place.kind == PlaceKind::Namespace;
  return {place.host, netns, netns && place.name == "root" ? "" : place.name};
}

}  // namespace

std::vector<bool> faulty_hops(const Direction& direction, const std::vector<Finding>& findings) {
  std::set<FaultyPlace> places;
  for (const Finding& finding : findings) {
    if (finding.severity != Severity::Note)
      places.emplace(finding.host, finding.place_kind == "namespace", finding.place);
  }
  std::vector<bool> faulty;
  for (const Hop& hop : direction.hops) faulty.push_back(places.contains(key_of(hop.place)));
  return faulty;
}

namespace {

class Numbering {
 public:
  Numbering(const Direction& direction, const std::vector<bool>& on_path)
      : on_path_(on_path), children_(direction.hops.size()) {
    const std::size_t count = direction.hops.size();
    numbers_.labels.resize(count);
    std::vector<bool> begins(count);
    for (std::size_t i = 0; i < count; ++i) {
      const std::optional<std::size_t> parent = direction.hops[i].parent;
      begins[i] = !parent || *parent >= i;
      if (!begins[i]) children_[*parent].push_back(i);
    }
    std::size_t next = 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (on_path_[i] || begins[i]) numbers_.labels[i] = std::to_string(++next);
      if (begins[i] && !on_path_[i]) {
        number_copy(i, numbers_.labels[i]);
        number_waiting();
      }
    }
    for (std::size_t i = 0; i < count; ++i) {
      if (on_path_[i]) number_copies_of(i);
    }
  }

  HopNumbers take() { return std::move(numbers_); }

 private:
  // Depth first, without recursion: a trace that was read from a file may be nested as deep as it likes.
  void number_copies_of(std::size_t i) {
    add_copies_of(i);
    number_waiting();
  }

  void number_waiting() {
    while (!waiting_.empty()) {
      const auto [first, label] = std::move(waiting_.back());
      waiting_.pop_back();
      number_copy(first, label);
    }
  }

  void add_copies_of(std::size_t i) {
    constexpr std::size_t kLongest = 60;
    const std::size_t before = waiting_.size();
    std::size_t copy = 0;
    for (const std::size_t child : children_[i]) {
      if (on_path_[child]) continue;
      std::string label = numbers_.labels[i] + "." + std::to_string(++copy);
      if (label.size() > kLongest) label = ".." + label.substr(label.size() - kLongest / 2);
      waiting_.emplace_back(child, std::move(label));
    }
    std::reverse(waiting_.begin() + static_cast<std::ptrdiff_t>(before), waiting_.end());
  }

  // The hops of one copy, up to where it is copied again.
  void number_copy(std::size_t first, const std::string& label) {
    std::size_t at = first;
    for (std::size_t step = 1;; ++step) {
      numbers_.labels[at] = step == 1 ? label : label + "/" + std::to_string(step);
      numbers_.copies.push_back(at);
      if (children_[at].size() != 1) break;
      at = children_[at].front();
    }
    add_copies_of(at);
  }

  const std::vector<bool>& on_path_;
  std::vector<std::vector<std::size_t>> children_;
  std::vector<std::pair<std::size_t, std::string>> waiting_;  // copies that have a label, the next one last
  HopNumbers numbers_;
};

}  // namespace

HopNumbers number_hops(const Direction& direction, const std::vector<bool>& on_path) {
  return Numbering(direction, on_path).take();
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
                    },
                    step);
}

namespace {

std::optional<StopObject> object_of(const Step& step) {
  using Object = std::optional<StopObject>;
  return std::visit(overloaded{
                        [](const FlowHit& s) -> Object {
                          return StopObject{"flow", s.match, s.table, s.at};
                        },
                        [](const TableMissed& s) -> Object {
                          return StopObject{"flow", "", s.table, s.at};
                        },
                        [](const Switched& s) -> Object {
                          return StopObject{"fdb", s.port, {}, s.at};
                        },
                        [](const SentTo& s) -> Object {
                          return StopObject{"port", s.port, {}, s.at};
                        },
                        [](const RuleHit& s) -> Object {
                          return StopObject{"ip-rule", s.text, {}, s.at};
                        },
                        [](const RouteHit& s) -> Object {
                          return StopObject{"route", s.text, {}, s.at};
                        },
                        [](const NeighbourHit& s) -> Object {
                          return StopObject{"neighbour", to_string(s.ip) + " " + s.state, {}, s.at};
                        },
                        [](const ChainHit& s) -> Object {
                          return StopObject{"iptables-rule", s.rule, {}, s.at};
                        },
                        [](const Translated& s) -> Object {
                          return StopObject{"iptables-rule", s.what, {}, s.at};
                        },
                        [](const Encapsulated& s) -> Object {
                          return StopObject{"tunnel", to_string(s.tunnel.destination), {}, s.at};
                        },
                        [](const Decapsulated& s) -> Object {
                          return StopObject{"tunnel", to_string(s.tunnel.source), {}, s.at};
                        },
                        [](const Changed&) -> Object { return std::nullopt; },
                        [](const Tracked&) -> Object { return std::nullopt; },
                        [](const Resolved&) -> Object { return std::nullopt; },
                        [](const Noted&) -> Object { return std::nullopt; },
                        [](const Stopped&) -> Object { return std::nullopt; },
                    },
                    step);
}

// Some reasons name the object better than the last step in front of the stop does.
std::string_view kind_by_reason(Reason reason) {
  switch (reason) {
    case Reason::NeighbourFailed:
      return "neighbour";
    case Reason::NoRoute:
    case Reason::ProhibitRoute:
    case Reason::BlackholeRoute:
    case Reason::UnreachableRoute:
      return "route";
    case Reason::ReversePathFilter:
    case Reason::ForwardingOff:
      return "sysctl";
    case Reason::DeviceDown:
    case Reason::MtuExceeded:
      return "link";
    case Reason::NoSuchPort:
      return "port";
    case Reason::VtepUnknown:
      return "tunnel";
    default:
      return {};
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
