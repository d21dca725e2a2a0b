// Captures that are taken on hosts over the user's own OpenSSH, all at the same time, and a probe that is
// sent when all of them listen.
//
// A capture writes nothing to its host: what tcpdump prints comes back and is written to a file here. It ends
// by its count of packets, by its time, by its size, when the captures are told to end, and when its
// connection does.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "collectors/gather/host_list.h"
#include "collectors/run/process.h"

namespace dvrtrace::gather {

struct Tap {
  Target host;
  Words words;        // the command that prints the capture
  std::string file;   // the name of the file for it, below the folder
  std::string where;  // as people are told: "tapf7ddce7f-66 on cmp1"
};

struct ProbeOrder {
  Target host;
  Words words;
};

struct TapSettings {
  Words ssh{"ssh"};  // with the user's options
  unsigned connect_seconds = 10;
  unsigned seconds = 30;                // that all listen, without a probe; with one, until it has ended
  unsigned linger = 2;                  // seconds that all go on listening when the probe has ended
  std::uint64_t most_bytes = 64 << 20;  // of one capture
};

struct TapReport {
  std::string failure;  // why there is no capture, or not all of it; "" none
  bool listened = false;
  bool cut = false;  // by its size
  std::uint64_t bytes = 0;
};

struct TapReports {
  std::vector<TapReport> taps;       // in the order of the taps
  std::optional<std::string> probe;  // what the probe printed, its messages behind; none: not sent
  std::optional<int> probe_status;   // none: it did not end, or was not sent
};

// Told of each step: how many of the taps listen, how many have ended.
using TapTold = std::function<void(std::size_t listen, std::size_t ended)>;

// Files of captures that never listened are not made; one that is there is written over. `folder` must be
// there.
TapReports tap(std::span<const Tap> taps, const std::optional<ProbeOrder>& probe, const std::string& folder,
               const TapSettings& settings, const TapTold& told);

}  // namespace dvrtrace::gather
