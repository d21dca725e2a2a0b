// The inputs of a command, opened.
#pragma once

#include "collectors/collect.h"
#include "src/base/diagnostics.h"
#include "src/base/source.h"
#include "src/cli/failure.h"
#include "src/cli/options.h"

namespace dvrtrace::cli {

// "NAME=PATH" is a named input; a path that holds '=' and is there as it stands is none.
std::vector<Input> inputs_of(const Options& options);

// What -i and --neutron name; without -i the current folder if it looks like hosts.
tl::expected<Collection, Failure> open_inputs(const Options& options, Sources& sources,
                                              Diagnostics& diagnostics);

// Neutron's objects alone, without a host.
tl::expected<Collection, Failure> open_neutron(const Options& options, Sources& sources, Diagnostics& diagnostics);

}  // namespace dvrtrace::cli
