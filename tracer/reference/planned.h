// planned_host(): a host with nothing found on it, complete enough to be traced through: what the agents program, and what that stands on.
//
// Open vSwitch's database, the OVS agent's configuration, and for each physical network one network card on its bridge. The cards are
// the reference's own: their names mean nothing, and the switches between them are not modelled.
#pragma once

#include "tracer/reference/expected.h"
#include "tracer/reference/plan.h"

namespace dvrtrace::reference {

Host planned_host(const Plan& plan);

// The card that a planned host has on the bridge `index` of Plan::bridges.
std::string card_name(std::size_t index);

}  // namespace dvrtrace::reference
