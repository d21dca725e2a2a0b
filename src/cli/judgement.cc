#include "src/cli/judgement.h"

#include <algorithm>
#include <memory>

#include "src/cli/expectations.h"
#include "tracer/check/explain.h"
#include "tracer/reference/derive.h"

namespace dvrtrace::cli {
namespace {

// Neutron's objects as the hosts tell them: those that the packet visited in full, the others by their small files.
logical::Model derived_model(const Network& network, const Trace& trace) {
  Snapshot known;
  for (std::size_t host = 0; host < network.size(); ++host) known.hosts.push_back(network.index(host));
  for (const std::size_t host : check::visited_hosts(network, trace))
    known.hosts[host] = network.host(host).snapshot;
  std::vector<reference::Caveat> caveats;
  return reference::derive(known, caveats);
}

}  // namespace

Judgement judge(const Network& network, const Ask& question, const Trace& trace,
                const reference::Settings& settings, Sources& sources) {
  Judgement judgement;
  const logical::Model derived = network.logical().empty() ? derived_model(network, trace) : logical::Model{};
  const logical::Model& model = network.logical().empty() ? derived : network.logical();
  const Expectations expectations(model, settings, sources);
  std::vector<std::unique_ptr<check::Expectation>> kept;
  std::vector<check::Checked> checked;
  const std::vector<std::size_t> visited = check::visited_hosts(network, trace);
  std::optional<reference::Release> release;
  for (const std::size_t host : visited)
    release = std::max(release, expectations.release_of(network.host(host).snapshot));
  for (const std::size_t host : visited) {
    const HostSnapshot& found = network.host(host).snapshot;
    if (found.cleaned) {
      judgement.not_compared.push_back(found.name + " went through sos clean");
      continue;
    }
    kept.push_back(expectations.of(found, release));
    const check::Expectation* expectation = kept.back().get();
    checked.push_back({host, expectation,
                       expectation != nullptr ? check::check_host(found, *expectation, sources)
                                              : check::check_host(found, model)});
    check::order(checked.back().candidates);
  }
  for (const check::Checked& host : checked) {
    if (host.expectation != nullptr) judgement.release = to_string(host.expectation->plan.release);
    for (const check::Candidate& candidate : host.candidates) judgement.all.push_back(candidate.finding);
  }
  judgement.findings = check::explain(network, question, trace, checked);
  return judgement;
}

}  // namespace dvrtrace::cli
