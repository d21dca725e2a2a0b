// Groups, the action set, and the actions that choose among ports.
#include <fmt/format.h>

#include <algorithm>

#include "tracer/engine/translation.h"

namespace dvrtrace {

using openflow::Action;
using openflow::Actions;
using openflow::FieldId;

namespace {

// Buckets may watch groups that watch groups.
constexpr int kMaxWatchDepth = 128;

template <class Kind>
const Action* last(std::span<const Action> set) {
  const Action* found = nullptr;
  for (const Action& action : set) {
    if (std::holds_alternative<Kind>(action.variant())) found = &action;
  }
  return found;
}

// Executed in the order in which they were written, all of them.
bool sets_something(const Action& action) {
  using namespace openflow;
  const auto& variant = action.variant();
  return std::holds_alternative<SetField>(variant) || std::holds_alternative<Move>(variant) ||
         std::holds_alternative<ModTransport>(variant) || std::holds_alternative<SetVlanVid>(variant) ||
         std::holds_alternative<SetVlanPcp>(variant) || std::holds_alternative<SetQueue>(variant);
}

}  // namespace

void Translation::write_actions(State& state, const Actions& actions) {
  state.action_set.insert(state.action_set.end(), actions.begin(), actions.end());
  const Action* to_group = last<openflow::ToGroup>(state.action_set);
  const Action* output = last<openflow::Output>(state.action_set);
  const Ofport port = to_group == nullptr && output != nullptr
                          ? std::get<openflow::Output>(output->variant()).port
                          : kPortUnset;
  state.packet.set(FieldId::ActsetOutput, port.value);
}

// The order of execution is fixed (OpenFlow 1.5, 5.6), whatever the order of writing. Without an
// action that sends the packet somewhere nothing is executed.
Actions Translation::in_order(std::span<const Action> set) {
  using namespace openflow;
  const Action* final = last<ToGroup>(set);
  if (final == nullptr) final = last<Output>(set);
  if (final == nullptr) final = last<OutputField>(set);
  if (final == nullptr) final = last<Resubmit>(set);
  if (final == nullptr) final = last<CtClear>(set);
  if (final == nullptr) final = last<openflow::Ct>(set);
  if (final == nullptr) return {};
  std::vector<Action> ordered;
  const auto take = [&](const Action* action) {
    if (action != nullptr) ordered.push_back(*action);
  };
  take(last<StripVlan>(set));
  take(last<PopMpls>(set));
  take(last<Unmodelled>(set));
  take(last<PushMpls>(set));
  take(last<PushVlan>(set));
  take(last<DecTtl>(set));
  take(last<DecMplsTtl>(set));
  for (const Action& action : set) {
    if (sets_something(action)) ordered.push_back(action);
  }
  ordered.push_back(*final);
  return {ordered.begin(), ordered.end()};
}

void Translation::run_action_set(State& state) {
  if (state.action_set.empty() || failed_) return;
  tape_.made_lists.push_back(in_order(state.action_set));
  state.action_set.clear();
  ++level_;
  write(state, TapeActionSet{});
  ++level_;
  run_actions(state, tape_.made_lists.back());
  level_ = static_cast<std::uint16_t>(level_ - 2);
}

bool Translation::live_port(const State& state, Ofport number) const {
  const BridgePort* port = bridge_of(state).port(number);
  return port != nullptr && !port->port_down && !port->link_down;
}

// A bucket that watches nothing is live.
bool Translation::live(const State& state, const openflow::Bucket& bucket, int depth) const {
  const bool watches_port = bucket.watch_port && *bucket.watch_port != kPortNone;
  if (!watches_port && !bucket.watch_group) return true;
  if (watches_port && live_port(state, *bucket.watch_port)) return true;
  if (!bucket.watch_group || depth >= kMaxWatchDepth) return false;
  const auto found = bridge_of(state).groups.find(*bucket.watch_group);
  if (found == bridge_of(state).groups.end()) return false;
  return std::ranges::any_of(found->second->value.buckets,
                             [&](const openflow::Bucket& other) { return live(state, other, depth + 1); });
}

void Translation::run_bucket(State& state, const openflow::Bucket& bucket, std::size_t index) {
  State copy = state;
  write(state, TapeBucket{&bucket, index});
  tape_.made_lists.push_back(in_order(bucket.actions));
  ++level_;
  ++depth_;
  run_actions(copy, tape_.made_lists.back());
  --depth_;
  --level_;
  // The packet is a copy; what tables that the bucket resubmits to have written and pushed is not.
  state.action_set = std::move(copy.action_set);
  state.stack = std::move(copy.stack);
  state.stack_bytes = copy.stack_bytes;
  exited_ = false;  // an exit within stays within, and so do too many labels
  if (failed_ && too_many_labels_) forgive();
}

Translation::Flow Translation::group(State& state, std::uint32_t id) {
  if (!within_limits(state)) return Flow::EndAll;
  const Bridge& bridge = bridge_of(state);
  const auto found = bridge.groups.find(id);
  if (found == bridge.groups.end()) {
    if (bridge.dumps == nullptr || !bridge.dumps->groups.present()) {
      return unknown(state, Reason::DumpMissing, fmt::format("group {} of {} is in no dump", id, bridge.name),
                     ofctl("-O OpenFlow15 dump-groups", bridge.name));
    }
    write(state, TapeWarning{fmt::format("output to nonexistent group {}", id)});
    return Flow::EndList;
  }
  const openflow::Group& group = found->second->value;
  if (!policy_.every_action) note(state, fmt::format("group {}", id), found->second->at);
  if (group.type == openflow::GroupType::Select && !policy_.guess) {
    return unknown(state, Reason::HiddenState,
                   group.selection_method == "hash"
                       ? fmt::format("group {} picks a bucket by a hash of its own", id)
                       : fmt::format("group {} picks a bucket by a hash that the datapath makes", id));
  }
  bool any = false;
  for (std::size_t i = 0; i < group.buckets.size() && !failed_; ++i) {
    const openflow::Bucket& bucket = group.buckets[i];
    const bool all = group.type == openflow::GroupType::All || group.type == openflow::GroupType::Indirect;
    if (!all && (any || !live(state, bucket))) continue;
    any = true;
    if (group.type == openflow::GroupType::FastFailover && policy_.every_action)
      note(state, fmt::format("using bucket {}", bucket.id.value_or(static_cast<std::uint32_t>(i))));
    if (group.type == openflow::GroupType::Select && group.buckets.size() > 1) {
      assume("ASSUME_SELECT_FIRST_BUCKET",
             "a select group picks a bucket by a hash that no dump shows; the first live one is taken");
    }
    run_bucket(state, bucket, i);
  }
  if (!any) write(state, TapeWarning{"no live bucket"});
  return failed_ ? Flow::EndAll : Flow::Go;
}

// --- bundle, multipath -------------------------------------------------------------------------------

Translation::Flow Translation::bundle(State& state, const openflow::BundleSpec& spec) {
  std::vector<Ofport> live_members;
  for (const Ofport port : spec.members) {
    const bool reserved =
        port.value >= kFirstReservedPort.value && port != kPortLocal && port != kPortController;
    if (reserved || live_port(state, port)) live_members.push_back(port);
  }
  if (spec.algorithm != "active_backup" && live_members.size() > 1) {
    if (!policy_.guess)
      return unknown(state, Reason::HiddenState, "bundle picks one of several live members by a hash");
    assume("ASSUME_BUNDLE_FIRST_MEMBER",
           "a bundle action picks a member by a hash; the first live one is taken");
  }
  const Ofport chosen = live_members.empty() ? kPortNone : live_members.front();
  if (spec.load_to)
    set_part(state, *spec.load_to, {0, chosen.value});
  else
    output(state, chosen);
  return Flow::Go;
}

Translation::Flow Translation::multipath(State& state, const openflow::MultipathSpec& spec) {
  if (spec.links > 1)
    return unknown(state, Reason::HiddenState, "multipath picks one of several links by a hash");
  set_part(state, spec.to, {});
  return Flow::Go;
}

}  // namespace dvrtrace
