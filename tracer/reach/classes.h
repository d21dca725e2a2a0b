// Classes: VMs of which the cloud says the same.
//
// Two ports of one host and network are of one class when every line of every dump that names the one stands there for the other as well,
// with the names exchanged, and the same networks contain their addresses. Then what becomes of the one's packets becomes of the
// other's. What traffic leaves behind and takes away again is not looked at: learned MACs and flows, connections, neighbours
// that are not permanent.
#pragma once

#include <cstddef>
#include <vector>

#include "tracer/engine/ports.h"

namespace dvrtrace::reach {

// The VMs' ports that have an address and a host among the inputs, those of a class together; classes and members in the order of the
// ports. Reads every host.
std::vector<std::vector<std::size_t>> classes_of(const Network& network, const Ports& ports);
// The same ports, each by itself: no host is read.
std::vector<std::vector<std::size_t>> each_alone(const Ports& ports);

}  // namespace dvrtrace::reach
