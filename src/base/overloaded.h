// overloaded: one visitor out of several lambdas. A visit written with it has no catch-all, so a
// new alternative of a variant does not compile until every visitor has said what it does with it.
#pragma once

namespace dvrtrace {

template <class... Functions>
struct overloaded : Functions... {
  using Functions::operator()...;
};
template <class... Functions>
overloaded(Functions...) -> overloaded<Functions...>;  // clang 14 does not deduce it

}  // namespace dvrtrace
