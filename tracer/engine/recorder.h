// Recorder: writes a Direction while the engine walks.
#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "src/trace/trace.h"
#include "tracer/engine/packet.h"

namespace dvrtrace {

class Recorder {
 public:
  std::size_t hop(std::optional<std::size_t> parent, Place place, std::optional<Device> in,
                  const Packet& arrived) {
    constexpr std::size_t kUsualHops = 32, kUsualSteps = 8;
    if (direction.hops.empty()) direction.hops.reserve(kUsualHops);
    Hop& hop = direction.hops.emplace_back();
    if (keeps_steps()) hop.steps.reserve(kUsualSteps);
    hop.parent = parent;
    hop.place = std::move(place);
    hop.in = std::move(in);
    hop.arrived = headers_of(arrived);
    return direction.hops.size() - 1;
  }
  void step(std::size_t hop, Step step) {
    const bool chooses = std::holds_alternative<Switched>(step) || std::holds_alternative<RuleHit>(step);
    if (keeps_steps() || std::holds_alternative<Stopped>(step) || (chooses && keeps == Keeps::Outcome))
      direction.hops[hop].steps.push_back(std::move(step));
  }
  // `words`: a text, or a function that makes one, which is called where the text is kept.
  template <class Words>
  void note(std::size_t hop, Words&& words, Provenance at = {}) {
    if (keeps_steps()) step(hop, Noted{text_of(std::forward<Words>(words)), at});
  }
  template <class Words>
  void stop(std::size_t hop, Verdict verdict, Reason reason, Words&& words, std::string needs = {},
            Provenance at = {}) {
    std::string text = keeps_steps() ? text_of(std::forward<Words>(words)) : std::string();
    step(hop, Stopped{verdict, reason, std::move(text), std::move(needs), at});
  }
  void left_by(std::size_t hop, Device device) {
    if (keeps_steps()) direction.hops[hop].out.push_back(std::move(device));
  }
  // The packet passes a device; the hop that this leads into is told afterwards.
  std::size_t cross(const std::string& host, const std::string& netns, const std::string& device,
                    const Packet& packet) {
    if (keeps == Keeps::Ends) return static_cast<std::size_t>(-1);
    Crossing& crossing = direction.crossings.emplace_back();
    crossing.device = device;
    crossing.hop = static_cast<std::size_t>(-1);
    if (keeps_steps()) {
      crossing.host = host;
      crossing.netns = netns;
      crossing.packet = headers_of(packet);
    }
    return direction.crossings.size() - 1;
  }
  void lead_into(const std::vector<std::size_t>& crossings, std::size_t hop) {
    for (const std::size_t crossing : crossings) {
      if (crossing < direction.crossings.size()) direction.crossings[crossing].hop = hop;
    }
  }
  void assume(std::string_view code, std::string_view text) {
    const auto known = [&](const Assumption& made) { return made.code == code && made.text == text; };
    if (std::ranges::none_of(assumptions, known)) assumptions.insert({std::string(code), std::string(text)});
  }
  bool stopped(std::size_t hop) const {
    const auto& steps = direction.hops[hop].steps;
    return !steps.empty() && std::holds_alternative<Stopped>(steps.back());
  }

  // How much is written down.
  enum class Keeps {
    Everything,
    Outcome,  // places, ends, and the steps by which one of several ends is chosen: a verdict and its reason rest on no others
    Ends,     // places and ends, for a walk of which only the arrival is asked for
  };
  Keeps keeps = Keeps::Everything;
  bool keeps_steps() const { return keeps == Keeps::Everything; }
  Direction direction;
  std::set<Assumption> assumptions;
  // Lookups that came to nothing, by hop: what else was nearly met is told of the one that matters.
  struct Missed {
    std::size_t host = 0, bridge = 0;
    TableId table;
    openflow::FlowKey key;
  };
  std::map<std::size_t, Missed> missed;

 private:
  template <class Words>
  static std::string text_of(Words&& words) {
    if constexpr (std::is_invocable_v<Words>)
      return words();
    else
      return std::string(std::forward<Words>(words));
  }
};

}  // namespace dvrtrace
