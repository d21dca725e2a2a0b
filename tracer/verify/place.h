// Where a capture was taken: as it was named, as its file or its interface is called, or, where none of these
// says it, as what it holds shows.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/trace/trace.h"
#include "src/trace/verification.h"
#include "tracer/verify/capture_reader.h"
#include "tracer/verify/wanted.h"

namespace dvrtrace::verify {

// What is known of a place; "" is not known, and a namespace's name is "root" where it is the root namespace.
struct PlaceName {
  std::string host, netns, device;
  bool whole() const { return !host.empty() && !netns.empty() && !device.empty(); }
  bool empty() const { return host.empty() && netns.empty() && device.empty(); }
};

// "HOST:NETNS:DEVICE", "HOST:DEVICE" in the root namespace, or one word: a host or a device.
PlaceName read_place(std::string_view text, const std::vector<std::string>& hosts);
// "HOST__NETNS__DEVICE.pcap.gz", "HOST__DEVICE.pcap1", "tapf7ddce7f-66.pcap"; none when the name has no meaning.
PlaceName place_of_file(std::string_view path, const std::vector<std::string>& hosts,
                        const std::vector<CapturePoint>& points);
// "cmp1/root/eth1" or a device.
PlaceName place_of_interface(std::string_view name);
// What a first name lacks is taken from a second one.
PlaceName joined(PlaceName first, const PlaceName& second);

bool is_capture_file(std::string_view path);

// The points of all crossings, each once, in the order of the way.
std::vector<CapturePoint> points_of(const Trace& trace);

struct Placing {
  std::optional<CapturePoint> point;
  std::string by;                        // "name", "content"
  std::vector<CapturePoint> candidates;  // several that it may be
};

// `first`: packets of the capture. `taken`: points that other captures are known to be of.
Placing place_capture(const PlaceName& name, const Trace& trace, const Asked& asked, const TunnelPorts& ports,
                      const std::vector<Record>& first, std::uint32_t interface, int link_type,
                      const std::vector<CapturePoint>& taken);

}  // namespace dvrtrace::verify
