// How far apart the dumps on a packet's way were taken, and what follows.
//
// Dumps are of many moments, and the cloud does not stand still between them. An entry that is younger than
// the time in which the dumps were taken may have been made after another of them was: they then do not show
// one state.
#pragma once

#include "src/model/network.h"
#include "src/trace/trace.h"

namespace dvrtrace {

// Sets the trace's spread: from the beginning of the first to the end of the last of the dumps of the places
// on the way. Adds the assumption ASSUME_ONE_MOMENT when an entry that decided a hop on the way is younger: a
// flow by its duration, a MAC table's entry and a neighbour by their age. Changes nothing where no manifest
// tells when a dump was taken.
void weigh_skew(const Network& network, Trace& trace);

}  // namespace dvrtrace
