// The connections of one question: what the request left behind, and the reply finds.
//
// Open vSwitch's zones and every namespace have tables of their own, told apart by a scope. A
// connection is `new` until a packet of its other direction was seen, as in the kernel and in the
// userspace datapath alike; an answer without its connection is invalid.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "src/base/source.h"
#include "src/kernel/state.h"
#include "tracer/engine/packet.h"

namespace dvrtrace {

struct TrackedConnection {
  kernel::Tuple original, reply;  // reply is the mirror of original, but for NAT
  std::uint32_t mark = 0;
  openflow::Bits128 label;
  bool seen_reply = false;
  bool confirmed = false;
  bool source_nat = false, destination_nat = false;
  bool nat_decided = false;  // the first packet has been through the nat table
  Provenance at;             // the dump's line, of one that was there before
  bool assumed = false;      // nothing but the question says that it was there before
};

// The connection of a packet, as conntrack finds it.
struct TrackedState {
  enum class Kind { New, Established, Related, Invalid, Untracked };
  Kind kind = Kind::New;
  bool reply = false;          // against the original direction
  std::size_t connection = 0;  // valid for New (not confirmed yet), Established and Related
  bool assumed = false;        // nothing but the question says so
};

class Conntrack {
 public:
  using Dump = std::vector<Sourced<kernel::Connection>>;

  // Finds or begins the connection of `packet` in a table. `dump`: what a dump knows of that table.
  TrackedState track(const std::string& scope, std::uint16_t zone, const Packet& packet,
                     const Dump* dump = nullptr);
  // From now on later packets find it.
  void confirm(std::size_t connection) { entries_[connection].value.confirmed = true; }
  // Good until the next track().
  TrackedConnection& at(std::size_t connection) { return entries_[connection].value; }
  // Tuples of unconfirmed connections changed by NAT are found by both of their forms.
  void remove(std::size_t connection) { entries_[connection].value.confirmed = false; }
  // Whatever begins from now on counts as established at once.
  void assume_established() { established_ = true; }
  bool empty() const { return entries_.empty(); }
  // The question names the source port: a dumped connection is the packet's only with the same.
  void ask_for_port() { port_asked_ = true; }

 private:
  struct Entry {
    std::string scope;
    std::uint16_t zone = 0;
    TrackedConnection value;
  };
  // Takes the connection of a tuple over from a dump; false when it has none.
  bool adopt(const std::string& scope, std::uint16_t zone, const kernel::Tuple& tuple, const Dump& dump);

  std::vector<Entry> entries_;
  bool established_ = false, port_asked_ = false;
};

}  // namespace dvrtrace
