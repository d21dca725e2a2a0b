// reach: who reaches whom: all pairs of VMs, and what lies beyond them, for some packets.
//
// One pair of each two classes (classes.h) is traced, both ways; the others fare alike. What is shown are groups: classes of one network
// and the same security groups that fare alike towards all others.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "src/base/result.h"
#include "src/trace/reach.h"
#include "tracer/engine/ask.h"
#include "tracer/reach/expect.h"

namespace dvrtrace::reach {

struct AskedPacket {
  std::string word;  // "tcp/80"
  PacketSpec packet;
};

struct ReachOptions {
  std::vector<AskedPacket> packets;  // between VMs, to floating IPs and to the outside
  bool services = true;              // metadata and DHCP, with packets of their own
  std::string from, to;              // patterns, as in expectations; "": all
  // Pairs of VMs that the patterns leave, up to which each VM is asked about by itself: only the hosts on the ways are read then, where
  // finding classes reads all.
  std::uint64_t few = 20'000;
  std::uint64_t most = 100'000'000;  // questions: an answer takes some bytes of memory, and a question some microseconds
  std::function<void(std::size_t done, std::size_t all)> progress;  // may be called from any thread
};

// `asker` answers for `network`. Every expectation without a packet, or with one of `options.packets`, is held against what was found;
// patterns that fit nothing are errors among the diagnostics. Fails when there are too many questions for one answer.
Result<Reach> reach(const Network& network, const Asker& asker, const ReachOptions& options,
                    std::span<const Expectation> expectations, Diagnostics& diagnostics);

}  // namespace dvrtrace::reach
