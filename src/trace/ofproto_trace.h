// OfprotoTrace: one packet through the OpenFlow tables, in the terms of `ofproto/trace`.
//
// A pass is the packet's way from where it comes in, or comes back from connection tracking, to the
// end of its tables. Its lines are a tree, stored flat: a line's children follow it, one level deeper.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "src/base/source.h"
#include "src/net/ids.h"
#include "src/openflow/flow_key.h"
#include "src/trace/trace.h"

namespace dvrtrace {

struct OfprotoLine {
  enum class Kind { Bridge, Table, Action, Detail, Warning, Error, ActionSet, Bucket, Thaw };
  Kind kind = Kind::Detail;
  std::uint16_t level = 0;
  std::string text;          // Bridge: its name; Table: the match
  std::string bridge;        // Table
  TableId table;             // Table
  bool miss = false;         // Table: no flow matches
  std::uint16_t priority = 0;
  std::uint64_t cookie = 0;
  std::string actions;       // Table: of the flow, as the dump has them
  Provenance at;
};

struct OfprotoOutput {
  std::string bridge, port;
  openflow::FlowKey packet;  // as it leaves
  bool tunnel = false;
};

struct OfprotoPass {
  openflow::FlowKey before, after;
  openflow::FlowKey untranslated;        // before the NAT that is written into it
  bool resumed = false;                  // back from connection tracking
  bool state_assumed = false;            // its ct_state is the default
  std::string error;                     // the translation failed, and nothing of this pass leaves
  std::vector<OfprotoLine> lines;
  std::vector<OfprotoOutput> outputs;
};

struct OfprotoTrace {
  std::string bridge;
  std::vector<OfprotoPass> passes;
  bool to_controller = false;
  std::vector<Stopped> unknown;          // what the dumps do not tell; empty: the answer is whole
  std::vector<Assumption> assumptions;   // sorted, each once
  std::string drop_reason;               // when nothing leaves
  bool dropped() const;
};

}  // namespace dvrtrace
