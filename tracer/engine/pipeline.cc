#include "tracer/engine/pipeline.h"

#include <fmt/format.h>

#include <list>

#include "src/base/overloaded.h"
#include "src/openflow/value.h"
#include "tracer/engine/drop_reason.h"

namespace dvrtrace {

using openflow::FieldId;

std::vector<Emission> Pipeline::run(std::size_t bridge, std::size_t port, const Packet& packet,
                                    std::size_t hop) {
  const BridgePort& in = host_.bridges[bridge].ports[port];
  Packet entering = packet;
  entering.key = wire_key(packet.key);
  entering.set(FieldId::InPort, in.number.value);
  entering.set(FieldId::PktMark, packet.mark);
  if (in.type == PortType::Tunnel) {
    for (const FieldId id : {FieldId::TunId, FieldId::TunSrc, FieldId::TunDst})
      set(entering.key, id, get(packet.key, id));
  }
  constexpr std::size_t kUsualEntries = 64;
  tape_.clear();
  tape_.entries.reserve(kUsualEntries);
  hops_ = {hop};
  translation_.run(bridge, port, entering, recorder_.direction.hops.size());
  for (const TapeEntry& entry : tape_.entries) tell(entry);
  for (const Assumption& assumption : tape_.assumptions) recorder_.assume(assumption.code, assumption.text);
  for (TapeMissed& missed : tape_.missed) {
    if (missed.hop < hops_.size())
      recorder_.missed.insert_or_assign(
          hops_[missed.hop],
          Recorder::Missed{host_index_, tape_.hops[missed.hop].bridge, missed.table, missed.key});
  }
  std::vector<Emission> emissions = std::move(translation_.emissions());
  for (Emission& emission : emissions) emission.hop = hops_[emission.hop];
  return emissions;
}

void Pipeline::tell(const TapeEntry& entry) {
  const Bridge& bridge = host_.bridges[tape_.hops[entry.hop].bridge];
  while (hops_.size() <= entry.hop) {
    const TapeHop& next = tape_.hops[hops_.size()];
    const Bridge& entered = host_.bridges[next.bridge];
    const BridgePort& in = entered.ports[next.port];
    hops_.push_back(recorder_.hop(hops_[next.parent], {PlaceKind::Bridge, host_.name, entered.name},
                                  Device{"", in.name, in.number}, next.arrived));
  }
  const std::size_t hop = hops_[entry.hop];
  const bool ends = std::holds_alternative<Stopped>(entry.what);
  const bool chooses =
      std::holds_alternative<Switched>(entry.what) || std::holds_alternative<TapeConclude>(entry.what);
  if (!recorder_.keeps_steps() && !ends && !(chooses && recorder_.keeps == Recorder::Keeps::Outcome)) return;
  std::visit(
      overloaded{
          [&](const TapeHit& hit) { recorder_.step(hop, hit_of(hit)); },
          [&](const TapeMiss& miss) {
            recorder_.step(hop, TableMissed{miss.table, {}});
          },
          [&](const TapeChange& change) {
            const openflow::FieldInfo& field = info(change.field);
            const openflow::Bits128 all = openflow::ones128(field.bits);
            recorder_.step(hop, Changed{std::string(field.name), print_value(field, change.before, all),
                                        print_value(field, change.after, all)});
          },
          [&](const TapeOutput& output) {
            const BridgePort& port = bridge.ports[output.port];
            recorder_.left_by(hop, {"", port.name, port.number});
            recorder_.step(hop, SentTo{port.name, output.dead_end ? "its peer is not known" : "", port.at});
          },
          [&](const TapeConclude&) { conclude(hop, bridge, entry); },
          [&](const TapeNote& note) { recorder_.note(hop, note.text, note.at); },
          [&](const TapeWarning& warning) { recorder_.note(hop, warning.text); },
          [&](const TapeTracked& tracked) {
            recorder_.step(hop, Tracked{tracked.zone, openflow::print_ct_state(tracked.state),
                                        tracked.committed, tracked.assumed, tracked.nat});
          },
          [&](const Switched& step) { recorder_.step(hop, step); },
          [&](const Stopped& step) { recorder_.step(hop, step); },
          [&](const TapeEnter&) {},      // the hop is there
          [&](const TapeAction&) {},     // not asked for
          [&](const TapeActionSet&) {},  // what it does follows
          [&](const TapeBucket&) {},
          [&](const TapeThaw&) {},
      },
      entry.what);
}

// A part of the dump that the row is of.
std::string_view Pipeline::cut(const openflow::FlowRow& row, Span span) const {
  if (!row.at.known()) return {};
  const std::string_view text = network_.sources().text(row.at.source).bytes;
  return span.end <= text.size() ? text.substr(span.begin, span.end - span.begin) : std::string_view{};
}

FlowHit Pipeline::hit_of(const TapeHit& hit) const {
  const openflow::FlowRow& row = *hit.row;
  FlowHit step;
  step.table = hit.table;
  step.priority = row.flow.priority;
  step.cookie = row.flow.cookie;
  step.match = cut(row, row.match_span);
  step.actions = row.at.known() ? std::string(cut(row, row.actions_span)) : to_string(row.flow.actions);
  if (const auto stats = openflow::read_flow_stats(cut(row, row.at.span))) {
    step.packets = stats->packets;
    step.age_ms = stats->duration_ms;
  }
  step.learned = learned(row.flow);
  step.at = row.at;
  return step;
}

void Pipeline::conclude(std::size_t hop, const Bridge& bridge, const TapeEntry& entry) {
  if (recorder_.stopped(hop)) return;
  std::vector<TableLookup> lookups;  // in this hop: a recorder may keep none
  std::list<std::string> learned;    // actions of flows that no dump has
  for (const TapeEntry& before : tape_.entries) {
    if (&before == &entry) break;
    if (before.hop != entry.hop) continue;
    if (const auto* hit = std::get_if<TapeHit>(&before.what)) {
      const openflow::FlowRow& row = *hit->row;
      const std::string_view actions =
          row.at.known() ? cut(row, row.actions_span) : learned.emplace_back(to_string(row.flow.actions));
      lookups.push_back({hit->table, false, cut(row, row.match_span), actions, row.at});
    } else if (const auto* miss = std::get_if<TapeMiss>(&before.what)) {
      lookups.push_back({miss->table, true, {}, {}, {}});
    }
  }
  const DropReason drop = explain_drop(lookups, bridge.flows_complete);
  recorder_.stop(hop, drop.verdict, drop.reason, drop.text,
                 drop.verdict == Verdict::Unknown
                     ? fmt::format("ovs-ofctl dump-flows {} on {}", bridge.name, host_.name)
                     : "",
                 drop.at);
}

}  // namespace dvrtrace
