// Comparison: do two dumps of one thing contradict each other?
//
// A dump becomes rows: what a row is about, and what it says of that. Only what every form of a dump
// can tell goes in, so that a form that merely says less is no contradiction. Counters, ages and
// what traffic makes come and go (learned flows, most neighbours, connections) are left out.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "collectors/ovsdb_rows.h"
#include "src/snapshot/host.h"

namespace dvrtrace {

struct ComparedRow {
  std::string subject;  // "table=60,priority=3,ip"
  std::string says;     // "drop"
  Provenance at;
};
using ComparedRows = std::vector<ComparedRow>;

ComparedRows compared(const openflow::FlowTable& table);
ComparedRows compared(const BridgeFeatures& features);
ComparedRows compared(const OvsDatabase& database);
ComparedRows compared(const OvsRows& rows);
ComparedRows compared(const std::vector<Sourced<kernel::Link>>& links);
ComparedRows compared(const std::vector<Sourced<kernel::PolicyRule>>& rules);
ComparedRows compared(const std::vector<Sourced<kernel::Route>>& routes);
ComparedRows compared(const std::vector<Sourced<kernel::Neighbour>>& neighbours);
ComparedRows compared(const kernel::Iptables& iptables);
ComparedRows compared(const std::vector<std::string>& names);

// Everything else changes with the traffic, or has one form only.
template <class T>
ComparedRows compared(const T&) {
  return {};
}

// One side of a comparison. `whole`: it has all rows that there were, so what it lacks was not there.
struct ComparedDump {
  ComparedRows rows;
  std::string_view file;
  bool whole = true;
};

// Reports the first difference, and how many there are. `used` is what the snapshot has.
void report_contradiction(ComparedDump used, ComparedDump other, Diagnostics& diagnostics);

}  // namespace dvrtrace
