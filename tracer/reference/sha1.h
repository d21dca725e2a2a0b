#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace dvrtrace::reference {

// FIPS 180-1. Neutron shortens names with it.
std::array<std::uint8_t, 20> sha1(std::string_view text);

}  // namespace dvrtrace::reference
