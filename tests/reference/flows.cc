// Compares the flows that the reference programs with those that were found, on every host of some recorded clouds.
//
//   reference_flows [--release NAME] [--no-neutron | --neutron FOLDER] CLOUD...      each a folder with hosts/ and neutron/
//
// Prints per host how many flows are expected, found, missing and extra, and each difference with the rule it came from. Cookies,
// counters and learned flows do not count. Status 1 when anything differs.
#include <fmt/format.h>

#include <map>
#include <set>
#include <string>
#include <tuple>

#include "collectors/collect.h"
#include "collectors/ovs_flows.h"
#include "tracer/reference/bridges.h"
#include "tracer/reference/canonical.h"
#include "tracer/reference/derive.h"

namespace dvrtrace::reference {
namespace {

struct Expectation {
  std::string actions, rule;
  Need need = Need::Required;
};

using Key = std::tuple<unsigned, unsigned, std::string>;  // table, priority, match

Key key_of(const openflow::Flow& flow) { return {flow.table.value, flow.priority, to_string(flow.match)}; }
std::string text_of(const Key& key) {
  return fmt::format("table={},priority={},{}", std::get<0>(key), std::get<1>(key), std::get<2>(key));
}

struct Counts {
  std::size_t expected = 0, found = 0, missing = 0, extra = 0, different = 0, learned = 0;
  Counts& operator+=(const Counts& other) {
    expected += other.expected;
    found += other.found;
    missing += other.missing;
    extra += other.extra;
    different += other.different;
    learned += other.learned;
    return *this;
  }
};

std::map<Key, Expectation> expectations(const Dump& dump, Sources& sources) {
  std::map<Key, Expectation> flows;
  openflow::Names names;
  for (const Line& line : dump.lines) {
    const auto read = openflow::read_flow_line(line.text, 0, names);
    if (read.kind != openflow::FlowLine::Kind::Flow || !read.ignored.empty())
      fmt::print("  BAD {} {}\n", line.rule, line.text);
    const Key key = key_of(read.row.flow);
    const std::string actions = to_string(canonical_actions(read.row.flow.actions));
    const auto [at, added] = flows.emplace(key, Expectation{actions, std::string(line.rule), line.need});
    if (!added && at->second.actions != actions)
      fmt::print("  TWICE {} {}: {} / {} {}\n", line.rule, text_of(key), actions, at->second.rule,
                 at->second.actions);
  }
  (void)sources;
  return flows;
}

Counts compare(const HostSnapshot& host, const Dump& dump, Sources& sources) {
  Counts counts;
  auto expected = expectations(dump, sources);
  const BridgeDumps* found = host.find_bridge(dump.bridge);
  counts.expected = expected.size();
  std::set<Key> seen;
  if (found != nullptr) {
    for (const openflow::FlowRow& row : found->flows.value.flows) {
      if (openflow::learned(row.flow)) {
        ++counts.learned;
        continue;
      }
      ++counts.found;
      const Key key = key_of(row.flow);
      const std::string actions = to_string(canonical_actions(row.flow.actions));
      const auto at = expected.find(key);
      if (at == expected.end()) {
        ++counts.extra;
        fmt::print("  {} {} extra     {} actions={}\n", host.name, dump.bridge, text_of(key), actions);
      } else if (at->second.actions != actions) {
        ++counts.different;
        fmt::print("  {} {} different {} {} actions={}\n      found {}\n", host.name, dump.bridge,
                   at->second.rule, text_of(key), at->second.actions, actions);
      }
      seen.insert(key);
    }
  }
  for (const auto& [key, flow] : expected) {
    if (seen.contains(key) || flow.need == Need::Optional) continue;
    ++counts.missing;
    fmt::print("  {} {} missing   {} {} actions={}\n", host.name, dump.bridge, flow.rule, text_of(key),
               flow.actions);
  }
  return counts;
}

bool compare_cloud(const std::string& folder, const std::string& objects, const Settings& settings,
                   bool neutron) {
  Sources sources;
  Diagnostics diagnostics;
  std::vector<std::string> folders;
  if (neutron) folders.push_back(objects.empty() ? folder + "/neutron" : objects);
  const auto collection = Collection::open({{"", folder + "/hosts"}}, folders, sources, diagnostics);
  if (!collection) {
    fmt::print("{}: {}\n", folder, collection.error().message);
    return false;
  }
  Snapshot snapshot = collection->read_all(Depth::Full, diagnostics);
  std::vector<Caveat> caveats;
  if (neutron) {
    snapshot.logical = collection->read_neutron(diagnostics);
  } else {
    snapshot.logical = derive(snapshot, caveats);
  }
  const Cloud cloud(snapshot.logical);
  Counts all;
  for (const HostSnapshot& host : snapshot.hosts) {
    if (host.bridges.empty()) continue;
    const Plan plan = make_plan(cloud, &host, host.name, settings);
    Counts counts;
    for (const Dump& dump : bridges(plan)) counts += compare(host, dump, sources);
    fmt::print("{} {} ({}): expected {}, found {}, missing {}, extra {}, different {}, learned {}\n", folder,
               host.name, to_string(plan.release), counts.expected, counts.found, counts.missing,
               counts.extra, counts.different, counts.learned);
    all += counts;
  }
  for (const Caveat& caveat : caveats) fmt::print("  caveat {}: {}\n", caveat.code, caveat.text);
  return all.found != 0 && all.missing + all.extra + all.different == 0;
}

}  // namespace
}  // namespace dvrtrace::reference

int main(int argc, char** argv) {
  using namespace dvrtrace::reference;
  Settings settings;
  std::string objects;
  bool neutron = true, equal = true;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--release" && i + 1 < argc) {
      settings.release = parse_release(argv[++i]);
    } else if (word == "--no-neutron") {
      neutron = false;
    } else if (word == "--neutron" && i + 1 < argc) {
      objects = argv[++i];
    } else {
      equal = compare_cloud(word, objects, settings, neutron) && equal;
    }
  }
  return equal ? 0 : 1;
}
