#include "tracer/engine/drop_reason.h"

#include <fmt/format.h>

namespace dvrtrace {
namespace {

// Tables of neutron.plugins.ml2.drivers.openvswitch.agent.common.constants (ovs_constants): the
// firewall driver's, and where it sends what it drops.
constexpr std::uint8_t kBaseEgress = 71, kRulesEgress = 72, kBaseIngress = 81, kRulesIngress = 82,
                       kDropped = 93;

Reason firewall_reason(const TableLookup& hit) {
  if (hit.match.find("ct_mark=0x1") != std::string_view::npos) return Reason::ConntrackMark;
  if (hit.match.find("+inv") != std::string_view::npos) return Reason::ConntrackInvalid;
  switch (hit.table.value) {
    case kBaseEgress:
      return Reason::PortSecurity;
    case kRulesEgress:
    case kBaseIngress:
    case kRulesIngress:
      return Reason::SecurityGroup;
    default:
      return Reason::DropFlow;
  }
}

std::string_view in_words(Reason reason) {
  switch (reason) {
    case Reason::ConntrackMark:
      return "the connection is marked as one that lost its permission";
    case Reason::ConntrackInvalid:
      return "connection tracking finds the packet invalid";
    case Reason::PortSecurity:
      return "port security: the source is not an address of this port";
    case Reason::SecurityGroup:
      return "no security group rule admits it";
    case Reason::DeadVlan:
      return "the port has the dead VLAN 4095: the agent does not serve it";
    default:
      return "a flow drops it";
  }
}

}  // namespace

DropReason explain_drop(std::span<const TableLookup> lookups, bool complete) {
  const TableLookup* decisive = nullptr;  // the last flow that chose something, not only passed on
  for (auto lookup = lookups.rbegin(); lookup != lookups.rend(); ++lookup) {
    if (lookup->missed && decisive == nullptr) {
      if (!complete)
        return {Verdict::Unknown,
                Reason::DumpTruncated,
                fmt::format("no flow of table {} matches, but the dump is not whole", lookup->table.value),
                {}};
      return {Verdict::Dropped,
              Reason::TableMiss,
              fmt::format("no flow of table {} matches", lookup->table.value),
              {}};
    }
    if (lookup->missed) continue;
    const bool passes_on =
        decisive == nullptr && lookup->table.value == kDropped;  // what sent it there decides
    decisive = &*lookup;
    if (!passes_on) break;
  }
  if (decisive == nullptr) return {Verdict::Dropped, Reason::NotForwarded, "nothing forwards it", {}};
  Reason reason = firewall_reason(*decisive);
  if (decisive->match.find("dl_vlan=4095") != std::string_view::npos) reason = Reason::DeadVlan;
  if (reason == Reason::DropFlow && decisive->actions != "drop") {
    return {Verdict::Dropped, Reason::NotForwarded,
            fmt::format("the actions of table {} send it nowhere", decisive->table.value), decisive->at};
  }
  return {Verdict::Dropped, reason, std::string(in_words(reason)), decisive->at};
}

}  // namespace dvrtrace
