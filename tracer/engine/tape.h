// Tape: what happened to a packet in the tables of a host's bridges, in the order in which it happened.
//
// A Translation writes it and makes no text for it: a flow that was hit is a pointer to its row. What
// is to be read by people is cut from the dumps afterwards, by whoever asks for it: Pipeline turns a
// tape into the hops of a trace, trace_ofproto() into the answer of `ofproto-trace`.
//
// A tape's pointers are good as long as its Network and its Session are.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "src/model/network.h"
#include "src/trace/trace.h"
#include "tracer/engine/packet.h"

namespace dvrtrace {

// --- events ------------------------------------------------------------------------------------------

struct TapeHit { const openflow::FlowRow* row = nullptr; TableId table; bool ambiguous = false; };
struct TapeMiss { TableId table; bool fragment = false; };        // fragment: the switch drops them all
struct TapeAction { const openflow::Action* action = nullptr; };  // is about to be executed; below: what it does
struct TapeChange { openflow::FieldId field{}; openflow::Bits128 before, after; };
struct TapeOutput { std::size_t port = 0; bool dead_end = false; };  // dead_end: a patch port that leads nowhere
struct TapeEnter { std::size_t hop = 0; };                        // of Tape::hops: a bridge begins
struct TapeActionSet {};                                          // the action set is executed
struct TapeBucket { const openflow::Bucket* bucket = nullptr; std::size_t index = 0; };
struct TapeThaw { std::size_t pass = 0; TableId table; };         // of Tape::passes: the packet is back from conntrack
struct TapeConclude {};                                           // nothing came of the packet in this hop
struct TapeTracked {                                              // ct(): the connection of this packet
  std::uint16_t zone = 0;
  std::uint32_t state = 0;                                        // of ct_state
  bool committed = false, assumed = false;
  std::string nat;
};
struct TapeNote { std::string text; Provenance at; };
struct TapeWarning { std::string text; };

using TapeEvent = std::variant<TapeHit, TapeMiss, TapeAction, TapeChange, TapeOutput, TapeEnter, TapeActionSet, TapeBucket, TapeThaw,
                               TapeConclude, TapeTracked, TapeNote, TapeWarning, Switched, Stopped>;

struct TapeEntry {
  std::uint32_t hop = 0;      // of Tape::hops
  std::uint16_t level = 0;    // how deep in tables, actions and groups
  TapeEvent what;
};

// A stay of the packet in one bridge.
struct TapeHop {
  std::size_t parent = 0;     // of Tape::hops; the first is its own
  std::size_t bridge = 0, port = 0;
  Packet arrived;
};

// From the packet's entry, or its return from connection tracking, until its tables have ended.
struct TapePass {
  openflow::FlowKey before, after;
  openflow::FlowKey untranslated;         // before NAT; as `before` where there was none
  std::size_t bridge = 0;
  bool assumed_state = true;              // nobody asked for this ct_state
  TableId table;                          // where it goes on; of all but the first
  std::string error;                      // the translation failed: nothing of this pass leaves
};

// A lookup that came to nothing: no flow, or one that takes every packet and drops it.
struct TapeMissed {
  std::size_t hop = 0;        // of Tape::hops
  TableId table;
  openflow::FlowKey key;
};

struct Tape {
  std::vector<TapeEntry> entries;
  std::vector<TapeHop> hops;
  std::vector<TapePass> passes;
  std::vector<Assumption> assumptions;
  std::vector<TapeMissed> missed;
  std::list<openflow::Actions> made_lists;  // action sets put in order: entries point into them
  std::vector<std::unique_ptr<openflow::FlowRow>> replaced_rows;  // learned anew while the tape was written
  bool to_controller = false;

  void clear() {
    entries.clear();
    hops.clear();
    passes.clear();
    assumptions.clear();
    missed.clear();
    made_lists.clear();
    replaced_rows.clear();
    to_controller = false;
  }
};

}  // namespace dvrtrace
