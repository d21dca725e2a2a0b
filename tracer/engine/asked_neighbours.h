// What VMs are told when they ask for a neighbour, kept from one question to the next of the same network.
//
// The first packet of a VM begins with ARP, which is played out across the bridges. Who asks for whom decides how it ends,
// and nothing else of the question does: of the thousand questions about one VM's packets most begin with the same play.
#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <shared_mutex>
#include <tuple>

#include "src/net/ip.h"
#include "src/net/mac.h"
#include "src/trace/trace.h"
#include "tracer/engine/session.h"

namespace dvrtrace {

// Safe to use from several threads.
class AskedNeighbours {
 public:
  struct Asked {
    std::size_t port = 0;  // of Ports
    Ip source, target;
    auto operator<=>(const Asked&) const = default;
  };
  struct Answer {
    std::optional<Mac> mac;  // none: nothing that would hold for every question
    std::set<Assumption> assumptions;
    decltype(Session::learned_macs) learned_macs;  // by the switches on the way
  };

  // nullptr when it was not asked yet. Stays good.
  const Answer* find(const Asked& asked) const {
    const std::shared_lock lock(mutex_);
    const auto found = answers_.find(asked);
    return found == answers_.end() ? nullptr : &found->second;
  }
  // What is kept; nullptr when there are too many.
  const Answer* keep(const Asked& asked, Answer answer) {
    const std::unique_lock lock(mutex_);
    if (answers_.size() >= kMost) return nullptr;
    return &answers_.try_emplace(asked, std::move(answer)).first->second;
  }

 private:
  static constexpr std::size_t kMost = 1 << 18;  // some hundred bytes each

  mutable std::shared_mutex mutex_;
  std::map<Asked, Answer> answers_;
};

}  // namespace dvrtrace
