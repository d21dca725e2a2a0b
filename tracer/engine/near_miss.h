// Near misses: the flows of a table that a packet does not meet, by the fewest fields.
#pragma once

#include <string>
#include <vector>

#include "src/model/classifier.h"
#include "src/model/network.h"
#include "tracer/engine/recorder.h"

namespace dvrtrace {

struct NearMiss {
  const openflow::FlowRow* row = nullptr;
  std::vector<std::string> fields;  // that differ, in Open vSwitch's names
};

// At most `limit` of them, all with the same number of differing fields; of equals the higher priority first.
// None when even the nearest differs in more than kFarthest fields, or no flow does anything.
inline constexpr std::size_t kFarthest = 2;
std::vector<NearMiss> near_misses(const Classifier& table, const openflow::FlowKey& key,
                                  std::size_t limit = 3);

// What the packet nearly met, where it met nothing: notes before the end of the hop `stop`. Nothing but the VLAN or VNI
// met makes the reason of a drop VlanUnknown.
void tell_near_misses(const Network& network, Recorder& recorder, std::size_t stop);

}  // namespace dvrtrace
