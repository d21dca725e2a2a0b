// Conjunctions: the ids that tie the clauses of a conjunctive match together, by what they tie.
#pragma once

#include "src/openflow/flow.h"
#include "tracer/diff/renumber.h"

namespace dvrtrace::diff {

// From the ids of `before` to those of `after`. An id is known by its rows: the clauses that name it, and
// what is done where all of them hold. Ids with equal rows are one; of the rest, those that have most rows in
// common.
NumberMap conjunction_numbers(const openflow::FlowTable& before, const openflow::FlowTable& after);

}  // namespace dvrtrace::diff
