// A question about a large cloud mostly concerns a few of its hosts. Which ones, Neutron's objects tell before
// any host is opened.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "src/base/diagnostics.h"
#include "src/base/source.h"
#include "src/cli/options.h"
#include "src/logical/model.h"
#include "tracer/engine/ask.h"

namespace dvrtrace::cli {

struct FewHosts {
  std::vector<std::string> inputs;  // their folders
  std::vector<std::string> names;   // as Neutron calls them
  logical::Model model;             // Neutron's objects, which were read for it
};

// The hosts of the ports between which a question goes, and those that their networks' routers and DHCP servers
// are bound to. None where that is not certain or would not save much: inputs of another form than a folder with
// many hosts' folders, no objects of Neutron's, ends named otherwise than by UUID (or instance), device, MAC or address of a port
// that is bound to a host.
// `diagnostics`: of Neutron's objects.
std::optional<FewHosts> few_hosts(const Options& options, const Ask& question, Sources& sources,
                                  Diagnostics& diagnostics);

}  // namespace dvrtrace::cli
