#include "src/cli/filling.h"

#include <set>
#include <utility>

#include "tracer/engine/fill.h"
#include "tracer/reference/derive.h"

namespace dvrtrace::cli {
namespace {

logical::Model model_of(const Snapshot& index) {
  if (!index.logical.empty()) return index.logical;
  std::vector<reference::Caveat> unused;  // what is not told is not filled in
  return reference::derive(index, unused);
}

}  // namespace

Filling::Filling(const Collection& collection, Snapshot& index, const reference::Settings& settings,
                 Sources& sources)
    : collection_(collection), model_(model_of(index)), expectations_(model_, settings, sources) {
  std::set<std::string> missing;
  for (const logical::Agent& agent : model_.agents) missing.insert(agent.host);
  for (HostSnapshot& host : index.hosts) {
    missing.erase(host.name);
    fill(host, expectations_.whole(host, Depth::Index));
  }
  for (const std::string& name : missing) {
    HostSnapshot host;
    host.name = name;
    fill(host, expectations_.planned(name, Depth::Index));
    if (!host.ovs.value.bridges.empty()) index.hosts.push_back(std::move(host));
  }
}

HostSnapshot Filling::read(std::size_t host, const HostSnapshot& known, Diagnostics& diagnostics) const {
  if (host >= collection_.hosts().size()) {
    HostSnapshot planned;
    planned.name = known.name;
    fill(planned, expectations_.planned(known.name, Depth::Full));
    return planned;
  }
  // What was filled in for the index rests on less than is known now.
  HostSnapshot found = collection_.read(host, Depth::Full, diagnostics);
  fill(found, expectations_.whole(found, Depth::Full));
  return found;
}

}  // namespace dvrtrace::cli
