// Plan: where to capture, and what, so that a trace can be verified: of each host on the way the device where the
// packet comes in and the one where it goes out. Where it stops between two of them is then known to the host.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "src/base/result.h"
#include "src/trace/trace.h"
#include "src/trace/verification.h"
#include "tracer/verify/look.h"

namespace dvrtrace::verify {

struct PlannedCapture {
  CapturePoint point;
  std::string filter;   // in the language of pcap-filter(7); it compiles
  std::string file;     // HOST__NETNS__DEVICE.pcap
  std::string command;  // to be run on the host
};

struct PlanBounds {
  unsigned seconds = 30, packets = 1000;  // of each capture
  bool every_point = false;               // all crossings on the way
  TunnelPorts ports;                      // at which tunnels end, besides the registered ones
};

// Fails when a filter does not compile: a name or an address in the trace is none.
Result<std::vector<PlannedCapture>> plan_captures(const Trace& trace, const PlanBounds& bounds);

// The filter for the packets of the trace at one point, both ways.
std::string filter_at(const Trace& trace, const CapturePoint& point, const TunnelPorts& ports = {});
// What the compiler of libpcap says against a filter; "" nothing.
std::string refusal_of(const std::string& filter);

// What is run on hosts to capture and to probe; {...} is what differs. Both are bounded; only the probe sends.
inline constexpr std::string_view kCaptureCommand =
    "timeout {seconds} ip netns exec {netns} tcpdump -i {device} -nn -U -s 0 --time-stamp-precision=nano -c {packets} "
    "-w {file} {filter}";
inline constexpr std::string_view kProbeCommand =
    "timeout {seconds} ip netns exec {netns} ping -n -c {count} -i 0.5 -W 2 -s {size} -p {mark} {destination}";

// The words of the command at one point; "-" as `file` is standard output.
std::vector<std::string> capture_words(const CapturePoint& point, const std::string& filter, const std::string& file,
                                       const PlanBounds& bounds);

struct Probe {
  std::string netns, destination;
  std::string mark;  // hexadecimal, at most 16 bytes: the payload repeats it
  unsigned seconds = 30, count = 5, size = 56;
};
std::vector<std::string> probe_words(const Probe& probe);

// A word of a command line, as a shell takes it unchanged.
std::string shell_word(const std::string& word);

}  // namespace dvrtrace::verify
