// read_host: everything that the files of one host say, as far down as is asked for.
#pragma once

#include <span>

#include "collectors/catalog.h"
#include "src/base/diagnostics.h"
#include "src/base/source.h"
#include "src/snapshot/snapshot.h"

namespace dvrtrace {

// Total: a host whose every file is broken still is a host, with nothing in it. What is missing is
// said by the parts of the snapshot themselves and no diagnostic. `index`: the same host read at
// Depth::Index, whose database, configuration and names then are not read again.
HostSnapshot read_host(const HostFiles& files, std::span<const FileTree> trees, Depth depth, Sources& sources,
                       Diagnostics& diagnostics, const HostSnapshot* index = nullptr);

}  // namespace dvrtrace
