// Failure: why the program could not do what it was asked (exit status 2), for people and for scripts.
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <vector>

namespace dvrtrace::cli {

inline constexpr int kDelivered = 0, kNotDelivered = 1, kCouldNotRun = 2, kCannotTell = 3;

struct Choice {
  std::string name, kind, host, network, ip, port;
};

struct Failure {
  std::string
      code;  // "usage", "no-input", "unreadable-input", "unknown-endpoint", "ambiguous-endpoint", "bad-packet"
  std::string message;
  std::string hint;  // what to do about it; may be empty
  std::vector<Choice> candidates;
};

using Outcome = tl::expected<int, Failure>;  // the exit status

inline tl::unexpected<Failure> fail(std::string code, std::string message, std::string hint = {}) {
  return tl::unexpected<Failure>(Failure{std::move(code), std::move(message), std::move(hint), {}});
}

}  // namespace dvrtrace::cli
