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

struct Judge::Measured {
  std::unique_ptr<check::Expectation> expectation;
  check::Checked checked;
};

// What rests on Neutron's own objects is the same for every answer.
std::shared_ptr<const Judge::Measured> Judge::measured(std::size_t host, const logical::Model& model,
                                                       const Expectations& expectations,
                                                       std::optional<reference::Release> release) const {
  const bool keep = told_.has_value();
  const std::pair key(host, release);
  if (keep) {
    const std::scoped_lock lock(mutex_);
    if (const auto known = kept_.find(key); known != kept_.end()) return known->second;
  }
  const HostSnapshot& found = network_.host(host).snapshot;
  auto made = std::make_shared<Measured>();
  made->expectation = expectations.of(found, release);
  const check::Expectation* expectation = made->expectation.get();
  made->checked = {host, expectation,
                   expectation != nullptr ? check::check_host(found, *expectation, sources_)
                                          : check::check_host(found, model)};
  check::order(made->checked.candidates);
  if (!keep) return made;
  const std::scoped_lock lock(mutex_);
  return kept_.emplace(key, std::move(made)).first->second;
}

Judgement Judge::of(const Ask& question, const Trace& trace) const {
  Judgement judgement;
  const logical::Model derived = told_ ? logical::Model{} : derived_model(network_, trace);
  const logical::Model& model = told_ ? network_.logical() : derived;
  std::optional<Expectations> concluded;
  const Expectations& expectations = told_ ? *told_ : concluded.emplace(derived, settings_, sources_);
  const std::vector<std::size_t> visited = check::visited_hosts(network_, trace);
  std::optional<reference::Release> release;
  for (const std::size_t host : visited)
    release = std::max(release, expectations.release_of(network_.host(host).snapshot));
  std::vector<std::shared_ptr<const Measured>> kept;
  std::vector<check::Checked> checked;
  for (const std::size_t host : visited) {
    const HostSnapshot& found = network_.host(host).snapshot;
    if (found.cleaned) {
      judgement.not_compared.push_back(found.name + " went through sos clean");
      continue;
    }
    kept.push_back(measured(host, model, expectations, release));
    checked.push_back(kept.back()->checked);
  }
  for (const check::Checked& host : checked) {
    if (host.expectation != nullptr) judgement.release = to_string(host.expectation->plan.release);
    for (const check::Candidate& candidate : host.candidates) judgement.all.push_back(candidate.finding);
  }
  judgement.findings = check::explain(network_, question, trace, checked);
  return judgement;
}

}  // namespace dvrtrace::cli
