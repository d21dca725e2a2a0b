// Recorder: writes a Direction while the engine walks.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "src/trace/trace.h"
#include "tracer/engine/packet.h"

namespace dvrtrace {

class Recorder {
 public:
  std::size_t hop(std::optional<std::size_t> parent, Place place, std::optional<Device> in,
                  const Packet& arrived) {
    Hop hop;
    hop.parent = parent;
    hop.place = std::move(place);
    hop.in = std::move(in);
    hop.arrived = headers_of(arrived);
    direction.hops.push_back(std::move(hop));
    return direction.hops.size() - 1;
  }
  void step(std::size_t hop, Step step) {
    if (!silent || std::holds_alternative<Stopped>(step))
      direction.hops[hop].steps.push_back(std::move(step));
  }
  void note(std::size_t hop, std::string text, Provenance at = {}) { step(hop, Noted{std::move(text), at}); }
  void stop(std::size_t hop, Verdict verdict, Reason reason, std::string text, std::string needs = {},
            Provenance at = {}) {
    step(hop, Stopped{verdict, reason, std::move(text), std::move(needs), at});
  }
  void left_by(std::size_t hop, Device device) { direction.hops[hop].out.push_back(std::move(device)); }
  // The packet passes a device; the hop that this leads into is told afterwards.
  std::size_t cross(const std::string& host, const std::string& netns, const std::string& device,
                    const Packet& packet) {
    if (silent) return static_cast<std::size_t>(-1);
    direction.crossings.push_back(
        {host, netns, device, static_cast<std::size_t>(-1), headers_of(packet), false});
    return direction.crossings.size() - 1;
  }
  void lead_into(const std::vector<std::size_t>& crossings, std::size_t hop) {
    for (const std::size_t crossing : crossings) {
      if (crossing < direction.crossings.size()) direction.crossings[crossing].hop = hop;
    }
  }
  void assume(std::string code, std::string text) { assumptions.insert({std::move(code), std::move(text)}); }
  bool stopped(std::size_t hop) const {
    const auto& steps = direction.hops[hop].steps;
    return !steps.empty() && std::holds_alternative<Stopped>(steps.back());
  }

  // Writes down the places and how it ended, for a walk of which only the end is asked for.
  bool silent = false;
  Direction direction;
  std::set<Assumption> assumptions;
  // Lookups that came to nothing, by hop: what else was nearly met is told of the one that matters.
  struct Missed {
    std::size_t host = 0, bridge = 0;
    TableId table;
    openflow::FlowKey key;
  };
  std::map<std::size_t, Missed> missed;
};

}  // namespace dvrtrace
