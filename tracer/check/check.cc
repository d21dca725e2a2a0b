#include "tracer/check/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <tuple>

#include "src/base/text.h"
#include "tracer/check/catalogue.h"
#include "tracer/check/compare_ports.h"
#include "tracer/check/invariants.h"
#include "tracer/check/marks.h"
#include "tracer/check/repair.h"

namespace dvrtrace::check {
namespace {

constexpr int kExtraRank = 60;    // what stands there beside all that is expected
constexpr int kForeignRank = 75;  // in a place that others may use too

std::string_view suffix(Deviation deviation) {
  switch (deviation) {
    case Deviation::Missing:
      return "MISSING";
    case Deviation::Extra:
      return "UNEXPECTED";
    case Deviation::Different:
      return "WRONG";
  }
  return "WRONG";
}

// How a port is called by those who use it: its name, else its first address, else its id.
std::string label_of(const logical::Port& port) {
  if (!port.name.empty()) return port.name;
  if (!port.fixed_ips.empty()) return to_string(port.fixed_ips.front().ip);
  return port.id;
}

std::string_view subject_of(ObjectKind kind) {
  switch (kind) {
    case ObjectKind::Namespace:
      return "NAMESPACE";
    case ObjectKind::Link:
      return "DEVICE";
    case ObjectKind::Address:
      return "ADDRESS";
    case ObjectKind::Rule:
      return "POLICY-RULE";
    case ObjectKind::Route:
      return "ROUTE";
    case ObjectKind::Neighbour:
      return "NEIGHBOUR";
    case ObjectKind::IptablesRule:
      return "IPTABLES-RULE";
    case ObjectKind::Ipset:
      return "IPSET";
    case ObjectKind::Sysctl:
      return "SYSCTL";
  }
  return "ROW";
}

std::string cause_of(const Purpose& purpose, Deviation deviation) {
  switch (deviation) {
    case Deviation::Missing:
      return fmt::format("it {}; without it {}", purpose.does, purpose.without);
    case Deviation::Different:
      return fmt::format("it {}; as it is, {}", purpose.does, purpose.without);
    case Deviation::Extra:
      break;
  }
  return {};
}

class HostCheck {
 public:
  HostCheck(const HostSnapshot& found, const Expectation& expected, const Sources& sources)
      : found_(found), expected_(expected), sources_(sources) {
    std::map<std::string_view, SourceId> read_as;
    for (const FileReading& file : expected.snapshot.files) read_as.emplace(file.path, file.source);
    for (const reference::Dump& dump : expected.reference.dumps) {
      if (const auto at = read_as.find(dump.path); at != read_as.end()) marks_.add(at->second, dump);
    }
  }

  std::vector<Candidate> check() {
    for (const reference::Dump& dump : expected_.reference.dumps) {
      if (!dump.bridge.empty()) compare(dump.bridge);
    }
    for (const BridgeDifference& each : compare_ports(expected_.plan)) add(each);
    const Comparison namespaces = compare_namespaces(found_, expected_.snapshot, sources_);
    for (const Difference& each : unexplained(std::span<const Difference>(namespaces.differences), marks_))
      add(each);
    if (expected_.plan.model().derived) doubt_extra();
    return std::move(candidates_);
  }

 private:
  void compare(const std::string& bridge) {
    const BridgeDumps* have = found_.find_bridge(bridge);
    if (have == nullptr || !have->flows.present()) return;
    const BridgeDumps* want = expected_.snapshot.find_bridge(bridge);  // none when all flows are settled
    const auto settled = expected_.settled.find(bridge);
    std::vector<BridgeDifference> differences =
        compare_flows(bridge, have->flows.value, want == nullptr ? openflow::FlowTable{} : want->flows.value,
                      settled == expected_.settled.end() ? std::vector<bool>{} : settled->second);
    if (!have->flows.complete())
      std::erase_if(differences, [](const auto& each) { return each.deviation == Deviation::Missing; });
    for (const BridgeDifference& each : unexplained(std::span<const BridgeDifference>(differences), marks_))
      add(each);
  }

  // What the difference's line is for: of the reference's rule, else of the kind of object.
  Candidate& add(std::string_view rule, std::string_view subject, Deviation deviation) {
    const Purpose& purpose = purpose_of(rule);
    Candidate& candidate = candidates_.emplace_back();
    Finding& finding = candidate.finding;
    const bool named = !purpose.rule.empty();
    finding.code = fmt::format("DVR-{}-{}", named ? purpose.subject : subject, suffix(deviation));
    finding.severity = deviation == Deviation::Extra ? Severity::Warning : purpose.severity;
    finding.host = found_.name;
    finding.cause = deviation == Deviation::Extra
                        ? "Neutron's agents do not make it: it was left over, or somebody else added it"
                        : cause_of(purpose, deviation);
    candidate.rank = deviation == Deviation::Extra ? kExtraRank : purpose.rank;
    return candidate;
  }

  // What could not be derived from the dumps may well be there.
  void doubt_extra() {
    for (Candidate& candidate : candidates_) {
      if (!candidate.finding.expected.empty()) continue;
      candidate.finding.severity = Severity::Note;
      candidate.finding.cause =
          "nothing in the dumps says what it is for; Neutron's objects (--neutron) would";
    }
  }

  void name_concerned(Finding& finding, std::span<const std::size_t> ports) {
    const std::vector<logical::Port>& all = expected_.plan.model().ports;
    std::set<std::string> names;
    for (const std::size_t port : ports) {
      if (port < all.size()) names.insert(label_of(all[port]));
    }
    finding.affects.assign(names.begin(), names.end());
  }

  template <class AnyDifference>
  std::string_view rule_of(const AnyDifference& difference, std::vector<std::size_t>& concerns) const {
    const reference::Line* line = marks_.line(difference.expected_at);
    if (line == nullptr) return {};
    concerns.assign(line->concerns.begin(), line->concerns.end());
    return line->rule;
  }

  void add(const BridgeDifference& difference) {
    std::vector<std::size_t> concerns = difference.concerns;
    std::string_view rule;
    switch (difference.object) {
      case BridgeObject::Flow:
        rule = rule_of(difference, concerns);
        break;
      case BridgeObject::Port:
        rule = difference.expected.starts_with("tag=") && difference.deviation == Deviation::Different
                   ? "OVS-TAG"
                   : "OVS-PORT";
        break;
      case BridgeObject::Tunnel:
        rule = "OVS-TUNNEL";
        break;
      case BridgeObject::Patch:
        rule = "OVS-PATCH";
        break;
    }
    Candidate& candidate = add(rule, "FLOW", difference.deviation);
    Finding& finding = candidate.finding;
    finding.place_kind = "bridge";
    finding.place = difference.bridge;
    finding.object_kind = name_of(difference.object);
    const bool flow = difference.object == BridgeObject::Flow;
    finding.object = flow ? (difference.expected.empty() ? difference.found : difference.expected)
                          : fmt::format("{} {}", difference.name,
                                        difference.found.empty() ? difference.expected : difference.found);
    finding.table = difference.table;
    finding.name = difference.name;
    finding.expected = difference.expected;
    finding.found = difference.found;
    finding.at = difference.found_at.known() ? difference.found_at : place_of(difference.bridge);
    finding.repair = repair_of(difference);
    name_concerned(finding, concerns);
    candidate.difference = difference;
  }

  // Where a missing flow would stand: the dump as a whole.
  Provenance place_of(const std::string& bridge) const {
    const BridgeDumps* dumps = found_.find_bridge(bridge);
    return dumps == nullptr || dumps->flows.source == kNoSource ? Provenance{}
                                                                : Provenance{dumps->flows.source, {}};
  }

  void add(const Difference& difference) {
    std::vector<std::size_t> concerns;
    const std::string_view rule = rule_of(difference, concerns);
    Candidate& candidate = add(rule, subject_of(difference.kind), difference.deviation);
    Finding& finding = candidate.finding;
    finding.place_kind = "namespace";
    finding.place = difference.netns;
    finding.object_kind = name_of(difference.kind);
    finding.object = difference.kind == ObjectKind::IptablesRule
                         ? fmt::format("{} {}", difference.table, difference.object)
                         : difference.object;
    std::string_view words = difference.object;
    if (difference.kind == ObjectKind::Link || difference.kind == ObjectKind::Sysctl)
      finding.name = take_word(words);
    finding.expected = difference.expected;
    finding.found = difference.found;
    finding.at = difference.found_at.known() ? difference.found_at : place_of(difference);
    finding.repair = repair_of(difference, expected_.snapshot);
    if (difference.netns.empty() && difference.deviation == Deviation::Extra) candidate.rank = kForeignRank;
    name_concerned(finding, concerns);
    candidate.difference = difference;
  }

  Provenance place_of(const Difference& difference) const {
    const NamespaceSnapshot* netns = found_.find_namespace(difference.netns);
    if (netns == nullptr) return {};
    const bool v6 = difference.family == "6";
    const auto source = [&] {
      switch (difference.kind) {
        case ObjectKind::Namespace:
          return found_.namespace_names.source;
        case ObjectKind::Link:
        case ObjectKind::Address:
          return netns->links.source;
        case ObjectKind::Rule:
          return v6 ? netns->rules6.source : netns->rules4.source;
        case ObjectKind::Route:
          return v6 ? netns->routes6.source : netns->routes4.source;
        case ObjectKind::Neighbour:
          return netns->neighbours.source;
        case ObjectKind::IptablesRule:
          return v6 ? netns->iptables6.source : netns->iptables4.source;
        case ObjectKind::Ipset:
          return netns->ipsets.source;
        case ObjectKind::Sysctl:
          return netns->sysctls.source;
      }
      return kNoSource;
    }();
    return source == kNoSource ? Provenance{} : Provenance{source, {}};
  }

  const HostSnapshot& found_;
  const Expectation& expected_;
  const Sources& sources_;
  Marks marks_;
  std::vector<Candidate> candidates_;
};

// An object once: of an invariant and a deviation that name the same, the deviation, which knows what is expected.
using Object = std::tuple<std::string, std::string, std::string, std::string>;
Object object_of(const Finding& finding) {
  return {finding.place_kind, finding.place, finding.object_kind,
          finding.name.empty() ? finding.object : finding.name};
}

void add_invariants(const std::vector<Finding>& broken, std::vector<Candidate>& candidates) {
  std::set<Object> named;
  for (const Candidate& candidate : candidates) named.insert(object_of(candidate.finding));
  for (const Finding& finding : broken) {
    if (!named.contains(object_of(finding)))
      candidates.push_back({finding, invariant(finding.code).rank, {}});
  }
}

bool is_down(const Finding& finding) {
  return finding.object_kind == "link" && finding.found.ends_with("down");
}

// Routes and addresses go with a device that is down, neighbours too.
bool follows(const Finding& finding, const Finding& cause) {
  if (finding.host != cause.host || finding.place != cause.place || finding.place_kind != cause.place_kind)
    return false;
  if (finding.object_kind != "route" && finding.object_kind != "address" &&
      finding.object_kind != "neighbour")
    return false;
  return finding.object.find("dev " + cause.name) != std::string::npos;
}

}  // namespace

std::vector<Candidate> check_host(const HostSnapshot& found, const Expectation& expected,
                                  const Sources& sources) {
  std::vector<Candidate> candidates = HostCheck(found, expected, sources).check();
  add_invariants(check_invariants(found, expected.plan.model()), candidates);
  return candidates;
}

std::vector<Candidate> check_host(const HostSnapshot& found, const logical::Model& model) {
  std::vector<Candidate> candidates;
  add_invariants(check_invariants(found, model), candidates);
  return candidates;
}

void order(std::vector<Candidate>& candidates) {
  std::vector<const Finding*> down;
  for (const Candidate& candidate : candidates) {
    if (is_down(candidate.finding)) down.push_back(&candidate.finding);
  }
  for (Candidate& candidate : candidates) {
    const auto cause = std::ranges::find_if(down, [&](const Finding* each) {
      return each != &candidate.finding && follows(candidate.finding, *each);
    });
    if (cause == down.end()) continue;
    candidate.finding.severity = Severity::Note;
    candidate.finding.cause =
        fmt::format("follows from {} being down; {}", (*cause)->name, candidate.finding.cause);
  }
  const auto key = [](const Candidate& each) {
    const Finding& f = each.finding;
    return std::tuple<int, int, std::string_view, std::string_view, TableId, std::string_view>(
        -static_cast<int>(f.severity), each.rank, f.host, f.place, f.table.value_or(TableId{}), f.object);
  };
  std::ranges::stable_sort(candidates, std::less<>{}, key);
}

}  // namespace dvrtrace::check
