// Netfilter: a packet through the chains of one hook, in the kernel's order of tables.
//
// A rule whose match is not understood and could decide ends the walk Unknown: never a no-op.
#pragma once

#include <optional>
#include <string>

#include "src/model/network.h"
#include "tracer/engine/recorder.h"
#include "tracer/engine/session.h"

namespace dvrtrace {

// What rules can ask about beside the packet's headers.
struct HookContext {
  std::string in, out;                  // devices; "" none
  std::string physdev_in, physdev_out;  // ports of a Linux bridge; "" none
  bool bridged = false;
  TrackedState tracked{TrackedState::Kind::Untracked};
  bool notrack = false;
  std::uint16_t zone = 0;
};

enum class HookVerdict { Accept, Drop, Unknown };

class Netfilter {
 public:
  Netfilter(const Network& network, const Host& host, const Namespace& netns, Session& session,
            Recorder& recorder, std::size_t hop)
      : network_(network), host_(host), netns_(netns), session_(session), recorder_(recorder), hop_(hop) {}

  // Each records its steps; after Drop or Unknown the hop's last step is the Stopped.
  HookVerdict prerouting(Packet& packet, HookContext& context);   // raw, conntrack, mangle, nat
  HookVerdict input(Packet& packet, HookContext& context);        // mangle, filter, nat
  HookVerdict forward(Packet& packet, HookContext& context);      // mangle, filter
  HookVerdict output(Packet& packet, HookContext& context);       // raw, conntrack, mangle, nat, filter
  HookVerdict postrouting(Packet& packet, HookContext& context);  // mangle, nat; the connection is confirmed
  // How REJECT answers the packet that a hook dropped; none: it was dropped in silence.
  const std::optional<std::string>& rejected_with() const { return rejected_with_; }
  // After the last hook: later packets find the connection.
  void confirm(const HookContext& context);

 private:
  enum class Outcome { Continue, Accept, Drop, Return, Unknown };
  enum class Truth { No, Yes, Unknown };

  const kernel::Iptables* rules(const Packet& packet) const;
  bool complete(const Packet& packet) const;  // the dump that rules() gives
  HookVerdict table(std::string_view table, std::string_view chain, Packet& packet, HookContext& context);
  Outcome chain(const kernel::IptablesTable& table, const kernel::Chain& chain, Packet& packet,
                HookContext& context, int depth);
  Outcome target(const kernel::IptablesTable& table, const kernel::Chain& chain,
                 const Sourced<kernel::IptablesRule>& rule, Packet& packet, HookContext& context, int depth);
  Truth matches(const kernel::IptablesRule& rule, const Packet& packet, const HookContext& context,
                std::string& obstacle) const;
  Truth matches(const kernel::Match& match, const Packet& packet, const HookContext& context,
                std::string& obstacle) const;
  Truth in_set(const kernel::SetMatch& match, const Packet& packet, std::string& obstacle) const;
  Truth address_type(const kernel::AddrtypeMatch& match, const Packet& packet, std::string& obstacle) const;
  void hit(const kernel::IptablesTable& table, const kernel::Chain& chain,
           const Sourced<kernel::IptablesRule>& rule, std::string target);
  Outcome drop(const kernel::IptablesTable& table, const kernel::Chain& chain,
               const Sourced<kernel::IptablesRule>& rule);
  void track(Packet& packet, HookContext& context);
  // Carries out what the connection's NAT says for this direction and side.
  void translate(Packet& packet, const HookContext& context, bool destination_side);
  void begin_nat(const kernel::NatTo& nat, Packet& packet, HookContext& context, const Provenance& at);
  bool nat_pending(const HookContext& context, bool destination_side);

  const Network& network_;
  const Host& host_;
  const Namespace& netns_;
  Session& session_;
  Recorder& recorder_;
  std::size_t hop_;
  std::optional<std::string> rejected_with_;
};

}  // namespace dvrtrace
