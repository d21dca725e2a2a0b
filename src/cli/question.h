// The question of a command line: `A to B [PACKET]` and the options of the packet.
#pragma once

#include <set>
#include <string>

#include "src/cli/failure.h"
#include "src/cli/options.h"
#include "tracer/engine/ask.h"

namespace dvrtrace::cli {

// PACKET: a protocol, a protocol and its port, or a flow. What the word does not say stays as it is.
tl::expected<void, Failure> read_packet(const std::string& word, PacketSpec& packet);

// The words of the command line and its options.
tl::expected<Ask, Failure> question_of(const Options& options);

Failure failure_of(const AskError& error);

// The hosts that a packet visits, by name.
std::set<std::string> hosts_on(const Trace& trace);

// The exit status that a verdict is.
int status_of(Verdict verdict);

}  // namespace dvrtrace::cli
