// The numbers of the field, each of its own type.
#pragma once

#include "src/base/strong.h"

namespace dvrtrace {

using Ofport = Strong<struct OfportTag, std::uint32_t>;        // within one bridge, 16 bits used
using LocalVlan = Strong<struct LocalVlanTag, std::uint16_t>;  // a network on one host's br-int
using Vni = Strong<struct VniTag, std::uint32_t>;              // segment id on a tunnel
using TableId = Strong<struct TableIdTag, std::uint8_t>;

// Reserved OpenFlow ports in their 16-bit form (openflow.h of Open vSwitch, enum ofp_port).
inline constexpr Ofport kPortUnset{0xfff7}, kPortInPort{0xfff8}, kPortTable{0xfff9},
    kPortNormal{0xfffa}, kPortFlood{0xfffb}, kPortAll{0xfffc}, kPortController{0xfffd},
    kPortLocal{0xfffe}, kPortNone{0xffff};
inline constexpr Ofport kFirstReservedPort{0xff00};

inline constexpr LocalVlan kDeadVlan{4095};  // the Neutron agent's tag for ports that are not served

}  // namespace dvrtrace
