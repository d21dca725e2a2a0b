// Rules and routes in iproute2's words, whatever form they were read from.
#pragma once

#include <string>

#include "src/kernel/routing.h"

namespace dvrtrace::kernel {

std::string to_string(const PolicyRule& rule);  // "from 10.0.1.11 lookup 16", without the priority
std::string to_string(const Route& route);      // "10.0.2.0/24 dev qr-1 proto kernel scope link src 10.0.2.1"

}  // namespace dvrtrace::kernel
