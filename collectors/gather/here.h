// Collecting the host that this program runs on: each command started without a shell, several at a time.
#pragma once

#include <functional>
#include <string>

#include "collectors/gather/host_folder.h"
#include "collectors/gather/report.h"

namespace dvrtrace::gather {

// Told after each command: how many have ended of how many, and which was the last.
using Told = std::function<void(std::size_t ended, std::size_t all, const std::string& last)>;

// Total: a host on which nothing can be run gives a report that says so. `tool`: the program and its version.
HostReport gather_here(const std::string& host, const HostFolder& folder, const std::string& tool,
                       const Told& told);

}  // namespace dvrtrace::gather
