// A verified flow as pcapng, for Wireshark: every sighting, packet after packet, each in the order of its way;
// one interface for each point, named host/netns/device; a comment at each says hop, prediction and verdict.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "src/trace/trace.h"
#include "tracer/verify/verify.h"

namespace dvrtrace::verify {

class PcapngWriter {
 public:
  using Sink = std::function<void(std::string_view bytes)>;

  // Writes the section, and the interfaces of all crossings in the order of the way.
  PcapngWriter(const Trace& trace, Sink sink);
  // The frames of its sightings must have been kept.
  void write(const Followed& followed);

 private:
  std::uint32_t interface(const CapturePoint& point, int link_type);

  const Trace& trace_;
  Sink sink_;
  std::map<std::pair<CapturePoint, int>, std::uint32_t> interfaces_;
};

}  // namespace dvrtrace::verify
