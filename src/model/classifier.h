// Classifier: finds the flow that wins for a packet without walking the table.
//
// Flows are kept by the set of bits that they match on. One hash lookup per such set finds the
// candidates, sets are asked in the order of their highest priority, and asking ends once no set
// can do better: the cost does not grow with the number of flows of one shape. This is tuple space
// search, as lib/classifier.c of Open vSwitch does it, conjunctive matches included.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "src/openflow/flow.h"

namespace dvrtrace {

class Classifier {
 public:
  struct Found {
    const openflow::FlowRow* row = nullptr;    // none: no flow matches
    const openflow::FlowRow* rival = nullptr;  // another of equal priority: which wins is not defined
    // A row that did not read, or whose match is not executed, might have won: its priority is not
    // lower than the winner's.
    bool undecided = false;
  };

  // Rows must outlive the classifier. They may come in any order; of equals the earlier wins.
  void add(const openflow::FlowRow* row);
  // A row of this table that could not be read; it may match anything at up to this priority.
  void add_unread(std::uint16_t priority);
  void finish();

  Found lookup(const openflow::FlowKey& key) const;
  bool empty() const { return count_ == 0; }
  std::size_t size() const { return count_; }
  // Every row, in the order given.
  const std::vector<const openflow::FlowRow*>& rows() const { return rows_; }

 private:
  struct Entry {
    std::uint64_t hash = 0;
    const openflow::FlowRow* row = nullptr;
    std::uint32_t next = kEnd;  // of the same hash slot, lower priority or later
  };
  struct Subtable {
    std::vector<std::pair<std::uint32_t, std::uint64_t>> mask;  // word, bits
    std::uint16_t highest = 0;
    std::vector<Entry> entries;
    std::vector<std::uint32_t> slots;
  };
  struct Group {  // plain flows, or those that are parts of conjunctions
    std::vector<Subtable> subtables;
    void add(const openflow::FlowRow* row);
    void finish();
  };
  static constexpr std::uint32_t kEnd = 0xffffffff;

  static std::uint64_t hash_key(const Subtable& subtable, const openflow::FlowKey& key);
  Found best(const Group& group, const openflow::FlowKey& key) const;
  // All conjunctive flows above `floor` that match, highest priority first.
  std::vector<const openflow::FlowRow*> clauses(const openflow::FlowKey& key, int floor) const;

  std::vector<const openflow::FlowRow*> rows_;
  Group plain_, conjunctive_;
  std::optional<std::uint16_t> unread_;  // the highest priority of those
  std::size_t count_ = 0;
};

}  // namespace dvrtrace
