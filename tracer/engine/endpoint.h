// Endpoint: what a word of the question means: a VM, a namespace, an address, the outside.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "tracer/engine/ports.h"

namespace dvrtrace {

struct Endpoint {
  enum class Kind { Vm, Namespace, Address, Outside };
  Kind kind = Kind::Address;
  std::size_t port = kNowhere;  // Vm: of Ports. Address: the port that has it, where that is known
  std::size_t host = kNowhere, netns = kNowhere;  // Namespace: index of Host::namespaces
  std::string netns_name;
  std::optional<Ip> ip;  // the address meant: fixed, floating or outside
  bool floating = false;
  std::string text;  // as asked
};

// One of several things that a word may mean, or one that it nearly says.
struct Candidate {
  std::string name, kind, host, network, ip, port;
};

struct AskError {
  enum class Kind { UnknownEndpoint, AmbiguousEndpoint, BadPacket, NoInput };
  Kind kind = Kind::UnknownEndpoint;
  std::string message;
  std::vector<Candidate> candidates;
};

// VM name, instance UUID, port UUID or its first 11 characters, device name, MAC, fixed IP, floating
// IP, any other address, HOST:NETNS, "outside"; NETWORK/IP, ROUTER/IP or HOST/IP narrows. Among ports
// with one address, those that `from` can mean (its own network, or one behind the same router) are
// preferred.
tl::expected<Endpoint, AskError> resolve(std::string_view word, const Network& network, QuestionPorts& ports,
                                         const Endpoint* from);

}  // namespace dvrtrace
