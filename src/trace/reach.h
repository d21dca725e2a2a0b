// Reach: who reaches whom in a cloud, as a value.
//
// Ends are groups of VMs that fare alike, and what lies beyond them. A cell is what becomes of a packet from one end to
// another; where the members of two ends do not all fare alike, it has several answers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "src/trace/trace.h"

namespace dvrtrace {

enum class ReachKind { Vms, FloatingIps, Outside, Metadata, Dhcp };
std::string_view name(ReachKind kind);  // "vms", "floating-ips", "outside", ...

struct ReachEnd {
  ReachKind kind = ReachKind::Vms;
  std::string label;                                // "A", "A by floating IP", "outside"
  std::string network;                              // Vms, FloatingIps
  std::vector<std::string> security_groups, hosts;  // sorted
  std::vector<std::string> members;                 // names; of FloatingIps: the addresses
};

struct ReachAnswer {
  Verdict verdict = Verdict::Unknown;
  Reason reason = Reason::HiddenState;
  std::uint64_t pairs = 0;
  std::string from, to;  // an example, in words that `dvrtrace from` takes
};

struct ReachCell {
  std::size_t from = 0, to = 0;      // of Reach::ends
  std::vector<ReachAnswer> answers;  // the one of most pairs first
};

struct ReachTable {
  std::string packet;  // "tcp/80", as `dvrtrace from` takes it
  std::vector<ReachCell> cells;
};

// A line of the expectations that did not come true.
struct ReachBreach {
  std::size_t line = 0;
  std::string text;                  // as it was written
  bool must = true;                  // what it asks for: that packets arrive, or that none does
  std::uint64_t pairs = 0, of = 0;   // that break it, of those that it is about
  std::vector<ReachAnswer> answers;  // what became of those, an example each
};

struct Reach {
  std::vector<ReachEnd> ends;
  std::vector<ReachTable> tables;
  std::uint64_t pairs = 0, traced = 0;  // questions answered, and those that the engine was asked
  std::uint64_t expected = 0;           // lines of expectations
  std::vector<ReachBreach> breaches;
};

}  // namespace dvrtrace
