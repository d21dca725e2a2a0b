// Makes dumps of flows of any size, of the shapes that Neutron's agents program on br-int.
#pragma once

#include <cstdint>
#include <string>

namespace dvrtrace::bench {

// `ovs-ofctl dump-flows` of br-int with the openvswitch firewall driver: at least `flows` rows, for as
// many ports as that takes. The same numbers give the same bytes.
std::string neutron_dump(std::size_t flows);

}  // namespace dvrtrace::bench
