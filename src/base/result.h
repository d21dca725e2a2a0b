// Result: what an operation gives that can fail as a whole (no such folder, truncated archive).
// Bad input inside a file is not a failure of reading it: that is a Diagnostic (diagnostics.h).
#pragma once

#include <string>
#include <tl/expected.hpp>

namespace dvrtrace {

struct Error {
  std::string message;
};

template <class T>
using Result = tl::expected<T, Error>;

inline tl::unexpected<Error> failure(std::string message) {
  return tl::unexpected<Error>(Error{std::move(message)});
}

}  // namespace dvrtrace
