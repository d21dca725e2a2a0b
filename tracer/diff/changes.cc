#include "tracer/diff/changes.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "src/base/text.h"
#include "tracer/diff/renumber.h"

namespace dvrtrace::diff {
namespace {

using check::BridgeDifference;
using check::Deviation;
using check::Difference;
using check::ObjectKind;
using openflow::FlowTable;

ChangeKind kind_of(Deviation deviation) {
  switch (deviation) {
    case Deviation::Missing:
      return ChangeKind::Removed;
    case Deviation::Extra:
      return ChangeKind::Added;
    case Deviation::Different:
      return ChangeKind::Altered;
  }
  return ChangeKind::Altered;
}

class HostComparison {
 public:
  HostComparison(const Host& before, const Host& after, const Sources& sources)
      : before_(before), after_(after), sources_(sources) {
    all_.was = renumbered(before, after);
  }

  HostChanges run() {
    if (told("the database of Open vSwitch", before_.snapshot.ovs, after_.snapshot.ovs))
      all_.changes = compare_switches(before_, after_, all_.was);
    for (const BridgeDumps& dumps : all_.was.bridges) bridge(dumps);
    for (const BridgeDumps& dumps : after_.snapshot.bridges) {
      if (dumps.flows.present() && before_.snapshot.find_bridge(dumps.bridge) == nullptr &&
          !is_new(dumps.bridge))
        only_one_tells("flows of " + dumps.bridge, false);
    }
    namespaces();
    words("config", before_.snapshot.config.values, after_.snapshot.config.values);
    roles();
    if (all_.changes.empty()) all_.was = {};
    return std::move(all_);
  }

 private:
  void only_one_tells(std::string what, bool before) {
    all_.not_compared.push_back({after_.name, std::move(what), before ? "no dump after" : "no dump before"});
  }

  template <class T>
  bool told(std::string what, const Part<T>& before, const Part<T>& after) {
    if (before.present() != after.present()) only_one_tells(std::move(what), before.present());
    return before.present() && after.present();
  }

  // A bridge that the databases say was made or taken away since.
  bool is_new(std::string_view bridge) const {
    return before_.snapshot.ovs.complete() &&
           std::ranges::find(before_.snapshot.ovs.value.bridges, bridge, &OvsBridge::name) ==
               before_.snapshot.ovs.value.bridges.end();
  }
  bool is_gone(std::string_view bridge) const {
    return after_.snapshot.ovs.complete() &&
           std::ranges::find(after_.snapshot.ovs.value.bridges, bridge, &OvsBridge::name) ==
               after_.snapshot.ovs.value.bridges.end();
  }

  Found& add(ChangeKind kind, std::string_view place_kind, std::string place, std::string_view object_kind) {
    Found& found = all_.changes.emplace_back();
    found.change.kind = kind;
    found.change.host = after_.name;
    found.change.place_kind = place_kind;
    found.change.place = std::move(place);
    found.change.object_kind = object_kind;
    return found;
  }

  // --- flows and groups ---

  void bridge(const BridgeDumps& was) {
    const BridgeDumps* now = after_.snapshot.find_bridge(was.bridge);
    if (now == nullptr) {
      if (was.flows.present() && !is_gone(was.bridge)) only_one_tells("flows of " + was.bridge, true);
      return;
    }
    if (told("flows of " + was.bridge, was.flows, now->flows)) flows(was, *now);
    if (was.groups.present() && now->groups.present()) groups(was, *now);
  }

  // Whether the dump may have had a row of this table that is not there any more.
  static bool may_lack(const Part<FlowTable>& flows, std::optional<TableId> table) {
    if (!flows.complete() || flows.value.truncated) return true;
    return std::ranges::any_of(flows.value.unread,
                               [&](const auto& row) { return !row.value || row.value == table; });
  }

  void flows(const BridgeDumps& was, const BridgeDumps& now) {
    std::vector<BridgeDifference> differences =
        check::compare_flows(was.bridge, now.flows.value, was.flows.value, {});
    std::erase_if(differences, [&](const BridgeDifference& each) {
      if (each.deviation == Deviation::Missing) return may_lack(now.flows, each.table);
      return each.deviation == Deviation::Extra && may_lack(was.flows, each.table);
    });
    if (may_lack(was.flows, std::nullopt) || may_lack(now.flows, std::nullopt))
      all_.not_compared.push_back({after_.name, "all flows of " + was.bridge,
                                   "a dump is not whole, or has lines that were not read"});
    if (differences.empty()) return;
    // As they were written, before they were renumbered.
    std::map<Provenance, const openflow::FlowRow*> written;
    const BridgeDumps* own = before_.snapshot.find_bridge(was.bridge);
    for (const openflow::FlowRow& row : own->flows.value.flows) written.emplace(row.at, &row);
    for (BridgeDifference& each : differences) {
      Found& found = add(kind_of(each.deviation), "bridge", was.bridge, check::name_of(each.object));
      Change& change = found.change;
      change.table = each.table;
      if (const auto row = written.find(each.expected_at); row != written.end()) {
        openflow::Flow flow = row->second->flow;
        flow.cookie = 0;
        change.before = to_string(flow);
      }
      change.after = each.found;
      change.object = change.before.empty() ? change.after : change.before;
      change.before_at = each.expected_at, change.after_at = each.found_at;
      found.cited = {each.expected_at, each.found_at};
      found.subject = std::move(each);
    }
  }

  static std::string text_of(const openflow::Group& group) {
    static constexpr std::string_view kTypes[] = {"all", "indirect", "select", "ff"};
    std::string text =
        fmt::format("group_id={},type={}", group.id, kTypes[static_cast<std::size_t>(group.type)]);
    for (const openflow::Bucket& bucket : group.buckets) {
      text += fmt::format(",bucket=weight:{}", bucket.weight);
      if (bucket.watch_port) text += fmt::format(",watch_port:{}", bucket.watch_port->value);
      text += ",actions=" + openflow::to_string(bucket.actions);
    }
    return text;
  }

  void groups(const BridgeDumps& was, const BridgeDumps& now) {
    const auto find = [](const auto& groups, std::uint32_t id) {
      const auto at = std::ranges::find(groups.value, id, [](const auto& group) { return group.value.id; });
      return at == groups.value.end() ? nullptr : &*at;
    };
    const auto report = [&](const Sourced<openflow::Group>* before, const Sourced<openflow::Group>* after) {
      Found& found = add(before == nullptr  ? ChangeKind::Added
                         : after == nullptr ? ChangeKind::Removed
                                            : ChangeKind::Altered,
                         "bridge", was.bridge, "group");
      if (before != nullptr)
        found.change.before = text_of(before->value), found.change.before_at = before->at;
      if (after != nullptr) found.change.after = text_of(after->value), found.change.after_at = after->at;
      found.change.object = before != nullptr ? found.change.before : found.change.after;
      found.cited = {found.change.before_at, found.change.after_at};
    };
    for (const auto& group : was.groups.value) {
      const auto* same = find(now.groups, group.value.id);
      if (same == nullptr ? now.groups.complete() : text_of(same->value) != text_of(group.value))
        report(&group, same);
    }
    for (const auto& group : now.groups.value) {
      if (find(was.groups, group.value.id) == nullptr && was.groups.complete()) report(nullptr, &group);
    }
  }

  // --- namespaces ---

  void namespaces() {
    told("the list of namespaces", before_.snapshot.namespace_names, after_.snapshot.namespace_names);
    for (const NamespaceSnapshot& was : before_.snapshot.namespaces) {
      const NamespaceSnapshot* now = after_.snapshot.find_namespace(was.name);
      if (now != nullptr)
        parts(was, *now);
      else if (!is_listed(after_, was.name).has_value())
        only_one_tells(place_text(was.name), true);
    }
    for (const NamespaceSnapshot& now : after_.snapshot.namespaces) {
      if (before_.snapshot.find_namespace(now.name) == nullptr && !is_listed(before_, now.name).has_value())
        only_one_tells(place_text(now.name), false);
    }
    const check::Comparison comparison =
        check::compare_namespaces(after_.snapshot, all_.was, sources_, check::Extent::Whole);
    for (const Difference& each : comparison.differences) difference(each);
  }

  static std::optional<bool> is_listed(const Host& host, const std::string& netns) {
    const auto& names = host.snapshot.namespace_names;
    if (!names.complete()) return std::nullopt;
    return std::ranges::find(names.value, netns) != names.value.end();
  }

  static std::string place_text(const std::string& netns) {
    return netns.empty() ? "the root namespace" : netns;
  }

  void parts(const NamespaceSnapshot& was, const NamespaceSnapshot& now) {
    const std::string of = " of " + place_text(was.name);
    told("devices" + of, was.links, now.links);
    told("rules" + of, was.rules4, now.rules4);
    told("IPv6 rules" + of, was.rules6, now.rules6);
    told("routes" + of, was.routes4, now.routes4);
    told("IPv6 routes" + of, was.routes6, now.routes6);
    told("neighbours" + of, was.neighbours, now.neighbours);
    told("iptables" + of, was.iptables4, now.iptables4);
    told("ip6tables" + of, was.iptables6, now.iptables6);
    told("ipsets" + of, was.ipsets, now.ipsets);
    told("settings" + of, was.sysctls, now.sysctls);
  }

  void difference(const Difference& each) {
    Found& found = add(kind_of(each.deviation), "namespace", each.netns, check::name_of(each.kind));
    Change& change = found.change;
    change.before = each.expected, change.after = each.found;
    change.before_at = each.expected_at, change.after_at = each.found_at;
    change.object =
        each.kind == ObjectKind::IptablesRule ? fmt::format("{} {}", each.table, each.object) : each.object;
    if (each.kind == ObjectKind::Namespace) change.place = each.object;
    if (each.kind == ObjectKind::Link || each.kind == ObjectKind::Sysctl) {
      std::string_view object = each.object;
      change.name = take_word(object);
    }
    found.cited = {each.expected_at, each.found_at};
    found.subject = each;
  }

  // --- the agents ---

  using Words = std::map<std::string, Sourced<std::string>, std::less<>>;
  // What only one side says may be a file that only one side has.
  void words(std::string_view kind, const Words& before, const Words& after) {
    for (const auto& [key, was] : before) {
      const auto now = after.find(key);
      if (now == after.end() || now->second.value == was.value) continue;
      Change& change = add(ChangeKind::Altered, "host", after_.name, kind).change;
      change.name = key;
      change.before = fmt::format("{} = {}", key, was.value),
      change.after = fmt::format("{} = {}", key, now->second.value);
      change.object = change.before;
      change.before_at = was.at, change.after_at = now->second.at;
    }
  }

  void roles() {
    for (const auto& [path, was] : before_.snapshot.state_files) {
      const auto now = after_.snapshot.state_files.find(path);
      if (!path.ends_with("/state") || now == after_.snapshot.state_files.end()) continue;
      const std::string_view role = trim(was), role_now = trim(now->second);
      if (role == role_now) continue;
      Change& change = add(ChangeKind::Altered, "host", after_.name, "ha-state").change;
      change.name = path;
      change.before = role, change.after = role_now;
      change.object = fmt::format("{} {}", path, role);
    }
  }

  const Host& before_;
  const Host& after_;
  const Sources& sources_;
  HostChanges all_;
};

}  // namespace

HostChanges compare(const Host& before, const Host& after, const Sources& sources) {
  return HostComparison(before, after, sources).run();
}

}  // namespace dvrtrace::diff
