// Strong: a number of one kind. It compares only with its own kind, so that an ofport of one
// bridge is not handed to something that wants a local VLAN.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>

namespace dvrtrace {

template <class Tag, class Rep>
struct Strong {
  Rep value{};
  auto operator<=>(const Strong&) const = default;
};

}  // namespace dvrtrace

template <class Tag, class Rep>
struct std::hash<dvrtrace::Strong<Tag, Rep>> {
  std::size_t operator()(const dvrtrace::Strong<Tag, Rep>& number) const noexcept {
    return std::hash<Rep>{}(number.value);
  }
};
