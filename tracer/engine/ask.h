// ask(): the whole of a question `from A to B [PACKET]`, as a session on the real network would go:
// the asker resolves its next hop, sends, and the far end's answer is traced from the packet as it
// arrived, over the connections that it left behind.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <tl/expected.hpp>

#include "src/model/network.h"
#include "src/trace/trace.h"
#include "tracer/engine/asked_neighbours.h"
#include "tracer/engine/endpoint.h"

namespace dvrtrace {

struct PacketSpec {
  std::string protocol = "icmp";  // "icmp", "tcp", "udp", "sctp", "arp", "dhcp"
  std::optional<std::uint16_t> dst_port, src_port;
  std::optional<std::uint8_t> ttl;
  std::optional<std::uint32_t> size;  // of the IP packet, bytes
  bool df = false;
  std::optional<Ip> src_ip;
  std::optional<Mac> src_mac, dst_mac;
  bool established = false;
  bool show_arp = false;
  std::string flow;  // an Open vSwitch flow expression that overrides the fields it names
};

struct Ask {
  std::string from, to;
  PacketSpec packet;
  bool request = true, reply = true;  // which directions the trace shows; both are always followed
  bool outcome_only = false;          // only verdict and reason are wanted: steps, texts, crossings and assumptions are not whole
};

// Answers questions about one network, each on its own; the ports of the cloud are put together once.
// Safe to use from several threads.
class Asker {
 public:
  explicit Asker(const Network& network)
      : network_(network), ports_(std::make_shared<Ports>(network)), neighbours_(std::make_unique<AskedNeighbours>()) {}
  // About `changed`, which is the network of `like` but for what one host has: the ports are the same.
  Asker(const Network& changed, const Asker& like)
      : network_(changed), ports_(like.ports_), neighbours_(std::make_unique<AskedNeighbours>()) {}
  tl::expected<Trace, AskError> ask(const Ask& question) const;
  const Ports& ports() const { return *ports_; }
  // Fixed addresses that only the large dumps tell: reads every host, where any is wanted. Not while questions are asked.
  void look_for_addresses() { ports_->look_for_addresses(); }

 private:
  const Network& network_;
  std::shared_ptr<Ports> ports_;
  std::unique_ptr<AskedNeighbours> neighbours_;
};

// A single question.
tl::expected<Trace, AskError> ask(const Network& network, const Ask& question);

}  // namespace dvrtrace
