#include "tracer/engine/ofproto.h"

#include <fmt/format.h>

#include <algorithm>

#include "src/base/overloaded.h"
#include "src/openflow/action_reader.h"
#include "tracer/engine/translation.h"

namespace dvrtrace {

using openflow::FieldId;
using Kind = OfprotoLine::Kind;

namespace {

// Cuts the text of a tape's entries.
class Reading {
 public:
  Reading(const Network& network, const Host& host, const Tape& tape)
      : network_(network), host_(host), tape_(tape) {}

  std::vector<OfprotoPass> passes(const std::vector<Emission>& emissions) {
    for (const TapePass& pass : tape_.passes) {
      OfprotoPass out;
      out.before = pass.before;
      out.after = pass.after;
      out.untranslated = pass.untranslated;
      out.resumed = !passes_.empty();
      out.state_assumed = pass.assumed_state;
      out.error = pass.error;
      passes_.push_back(std::move(out));
    }
    for (const TapeEntry& entry : tape_.entries) read(entry);
    for (const Emission& emission : emissions) {
      const Bridge& bridge = host_.bridges[emission.bridge];
      const BridgePort& port = bridge.ports[emission.port];
      passes_[emission.pass].outputs.push_back(
          {bridge.name, port.name, emission.packet.key, port.type == PortType::Tunnel});
    }
    return std::move(passes_);
  }

  std::vector<Stopped> unknown;
  std::string last_stop;

 private:
  const Bridge& bridge_of(const TapeEntry& entry) const {
    return host_.bridges[tape_.hops[entry.hop].bridge];
  }

  std::string cut(Provenance at, Span span) const {
    if (!at.known()) return {};
    const std::string_view text = network_.sources().text(at.source).bytes;
    return span.end <= text.size() ? std::string(text.substr(span.begin, span.end - span.begin))
                                   : std::string();
  }

  void add(Kind kind, std::uint16_t level, std::string text) {
    OfprotoLine line;
    line.kind = kind;
    line.level = level;
    line.text = std::move(text);
    passes_[pass_].lines.push_back(std::move(line));
  }

  void read(const TapeEntry& entry) {
    std::visit(overloaded{
                   [&](const TapeHit& hit) { table(entry, hit); },
                   [&](const TapeMiss& miss) {
                     OfprotoLine line;
                     line.kind = Kind::Table;
                     line.level = entry.level;
                     line.bridge = bridge_of(entry).name;
                     line.table = miss.table;
                     line.miss = true;
                     line.text = miss.fragment
                                     ? "Packets are IP fragments and the fragment handling mode is \"drop\"."
                                     : "No match.";
                     passes_[pass_].lines.push_back(std::move(line));
                     add(Kind::Action, static_cast<std::uint16_t>(entry.level + 1), "drop");
                     last_stop = miss.fragment ? "fragments are dropped"
                                               : fmt::format("no flow of table {} of {} matches",
                                                             miss.table.value, bridge_of(entry).name);
                   },
                   [&](const TapeAction& action) {
                     add(Kind::Action, entry.level,
                         action.action == nullptr ? "drop" : to_string(*action.action));
                     if (const auto* tracked = action.action == nullptr
                                                   ? nullptr
                                                   : std::get_if<openflow::Ct>(&action.action->variant())) {
                       // The list within is printed again, an empty one as "drop".
                       for (const openflow::Action& inner : tracked->spec->exec)
                         add(Kind::Action, entry.level, to_string(inner));
                       if (tracked->spec->exec.empty()) add(Kind::Action, entry.level, "drop");
                     }
                   },
                   [&](const TapeChange&) {},  // the action says it
                   [&](const TapeOutput& output) {
                     const BridgePort& port = bridge_of(entry).ports[output.port];
                     if (port.type == PortType::Tunnel)
                       add(Kind::Detail, entry.level, "output to tunnel " + port.name);
                     if (output.dead_end)
                       add(Kind::Warning, entry.level,
                           fmt::format("the peer of patch port {} is not known", port.name));
                   },
                   [&](const TapeEnter& enter) {
                     add(Kind::Bridge, entry.level, host_.bridges[tape_.hops[enter.hop].bridge].name);
                   },
                   [&](const TapeActionSet&) { add(Kind::ActionSet, entry.level, ""); },
                   [&](const TapeBucket& bucket) {
                     add(Kind::Bucket, entry.level, fmt::format("bucket {}", bucket.index));
                   },
                   [&](const TapeThaw& thaw) {
                     pass_ = thaw.pass;
                     add(Kind::Bridge, 0, host_.bridges[tape_.hops.front().bridge].name);
                     add(Kind::Thaw, 1, fmt::format("Resuming from table {}", thaw.table.value));
                   },
                   [&](const TapeConclude&) {},
                   [&](const TapeNote& note) { add(Kind::Detail, entry.level, note.text); },
                   [&](const TapeWarning& warning) { add(Kind::Warning, entry.level, warning.text); },
                   [&](const TapeTracked&) {},  // plain traces ask no connections
                   [&](const Switched& step) { switched(entry, step); },
                   [&](const Stopped& step) {
                     if (step.verdict == Verdict::Unknown) unknown.push_back(step);
                     const bool failed = step.reason == Reason::TranslationFailed ||
                                         step.reason == Reason::Loop || step.verdict == Verdict::Unknown;
                     add(failed ? Kind::Error : Kind::Warning, entry.level, step.text);
                     last_stop = step.text;
                   },
               },
               entry.what);
  }

  void table(const TapeEntry& entry, const TapeHit& hit) {
    const openflow::FlowRow& row = *hit.row;
    OfprotoLine line;
    line.kind = Kind::Table;
    line.level = entry.level;
    line.bridge = bridge_of(entry).name;
    line.table = hit.table;
    line.priority = row.flow.priority;
    line.cookie = row.flow.cookie;
    line.text = cut(row.at, row.match_span);
    if (line.text.empty()) line.text = to_string(row.flow.match);
    line.actions = cut(row.at, row.actions_span);
    if (line.actions.empty()) line.actions = to_string(row.flow.actions);
    line.at = row.at;
    last_stop = fmt::format("table {} of {}, priority {}: {}", hit.table.value, line.bridge, line.priority,
                            line.actions);
    passes_[pass_].lines.push_back(std::move(line));
  }

  void switched(const TapeEntry& entry, const Switched& step) {
    if (!step.port.empty())
      add(Kind::Detail, entry.level, "forwarding to learned port " + step.port);
    else
      add(Kind::Detail, entry.level, "no learned MAC for destination, flooding");
  }

  const Network& network_;
  const Host& host_;
  const Tape& tape_;
  std::vector<OfprotoPass> passes_;
  std::size_t pass_ = 0;
};

}  // namespace

bool OfprotoTrace::dropped() const {
  return !to_controller &&
         std::ranges::all_of(passes, [](const OfprotoPass& pass) { return pass.outputs.empty(); });
}

OfprotoTrace trace_ofproto(const Network& network, const OfprotoQuestion& question) {
  const Host& host = network.host(question.host);
  Session session;
  Tape tape;
  Packet packet;
  packet.key = question.packet;
  const Bridge& bridge = host.bridges[question.bridge];
  const auto in = bridge.by_number.find(static_cast<std::uint32_t>(packet.get(FieldId::InPort)));
  Translation translation(network, question.host, session, tape, {&question.ct_next, false, false, true});
  translation.run(question.bridge, in == bridge.by_number.end() ? kNowhere : in->second, packet);

  OfprotoTrace trace;
  trace.bridge = bridge.name;
  Reading reading(network, host, tape);
  trace.passes = reading.passes(translation.emissions());
  trace.unknown = std::move(reading.unknown);
  trace.to_controller = tape.to_controller;
  trace.assumptions = tape.assumptions;
  std::ranges::sort(trace.assumptions);
  const auto same = std::ranges::unique(trace.assumptions);
  trace.assumptions.erase(same.begin(), same.end());
  if (trace.dropped()) trace.drop_reason = reading.last_stop;
  return trace;
}

}  // namespace dvrtrace
