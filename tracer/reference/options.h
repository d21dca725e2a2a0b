#pragma once

#include <string_view>

#include "tracer/reference/plan.h"

namespace dvrtrace::reference {

// A text of oslo.config as a truth value: "True", "yes", "on", "1".
bool is_true(std::string_view text);

Options options_of(const Cloud& cloud, const HostSnapshot* found, std::string_view host);

}  // namespace dvrtrace::reference
