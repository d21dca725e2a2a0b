// What a walk comes to: which of its ends answers the question, and which hops lead there.
#pragma once

#include <optional>
#include <string>

#include "src/trace/trace.h"

namespace dvrtrace {

// The hop whose stop explains a packet that arrived nowhere: not one of the copies that a flood brings
// to the wrong places, unless there is nothing else. `host`: where it should have arrived; "" unknown.
std::optional<std::size_t> stop_of(const Direction& direction, const std::string& host);

// Writes down the end: the verdict, and which hops and crossings are on the way to it.
void settle(Direction& direction, std::optional<std::size_t> end, Verdict verdict, Reason reason);

// An ARP request that a flow answered walks back as an answer in the same direction: takes that part
// out of the request as a direction of its own. None when no bridge made an answer of it.
std::optional<Direction> take_answer(Direction& request);

}  // namespace dvrtrace
