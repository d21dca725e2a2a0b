// What lives until the program ends need not be taken apart: the system takes all memory back at once.
#pragma once

#include <memory>
#include <utility>
#include <vector>

namespace dvrtrace::cli {

// Keeps a value, reachable and undestroyed, to the end.
template <class Value>
void leave_alone(Value value) {
  static auto& left = *new std::vector<std::shared_ptr<const void>>;
  left.push_back(std::make_shared<Value>(std::move(value)));
}

}  // namespace dvrtrace::cli
