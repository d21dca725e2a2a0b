// What is wrong on the hosts that a packet visited, and what of it explains the packet's way.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "src/base/source.h"
#include "src/cli/expectations.h"
#include "src/model/network.h"
#include "src/trace/finding.h"
#include "src/trace/trace.h"
#include "tracer/engine/ask.h"
#include "tracer/reference/plan.h"
#include "tracer/reference/release.h"

namespace dvrtrace::cli {

struct Judgement {
  std::vector<Finding> findings;          // as far as they bear on the way, what explains it first
  std::vector<Finding> all;               // of the visited hosts
  std::string release;                    // of the reference; "" there was nothing to compare with
  std::vector<std::string> not_compared;  // hosts, and why
};

// Judges the answers of one network. What a host is measured by, and what is wrong on it, is kept from one answer to the next
// where Neutron's objects are known. Safe to use from several threads.
class Judge {
 public:
  Judge(const Network& network, const reference::Settings& settings, Sources& sources)
      : network_(network), settings_(settings), sources_(sources) {
    if (!network.logical().empty()) told_.emplace(network.logical(), settings, sources);
  }
  Judgement of(const Ask& question, const Trace& trace) const;

 private:
  struct Measured;
  std::shared_ptr<const Measured> measured(std::size_t host, const logical::Model& model,
                                           const Expectations& expectations,
                                           std::optional<reference::Release> release) const;

  const Network& network_;
  const reference::Settings settings_;
  Sources& sources_;
  std::optional<Expectations> told_;  // where Neutron's objects were given
  mutable std::mutex mutex_;
  mutable std::map<std::pair<std::size_t, std::optional<reference::Release>>, std::shared_ptr<const Measured>>
      kept_;
};

inline Judgement judge(const Network& network, const Ask& question, const Trace& trace,
                       const reference::Settings& settings, Sources& sources) {
  return Judge(network, settings, sources).of(question, trace);
}

}  // namespace dvrtrace::cli
