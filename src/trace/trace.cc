#include "src/trace/trace.h"

namespace dvrtrace {

std::string_view name(Verdict verdict) {
  switch (verdict) {
    case Verdict::Delivered: return "Delivered";
    case Verdict::LeftTheCloud: return "LeftTheCloud";
    case Verdict::Dropped: return "Dropped";
    case Verdict::Looped: return "Looped";
    case Verdict::Unknown: return "Unknown";
  }
  return "Unknown";
}

std::string_view name(Reason reason) {
  switch (reason) {
    case Reason::ToVm: return "to-vm";
    case Reason::ToRouter: return "to-router";
    case Reason::ToDhcp: return "to-dhcp";
    case Reason::ToMetadata: return "to-metadata";
    case Reason::ToHost: return "to-host";
    case Reason::ByFip: return "by-fip";
    case Reason::BySnat: return "by-snat";
    case Reason::ByProviderNetwork: return "by-provider-network";
    case Reason::DropFlow: return "drop-flow";
    case Reason::TableMiss: return "table-miss";
    case Reason::DeadVlan: return "dead-vlan";
    case Reason::PortSecurity: return "port-security";
    case Reason::SecurityGroup: return "security-group";
    case Reason::ConntrackInvalid: return "conntrack-invalid";
    case Reason::ConntrackMark: return "conntrack-mark";
    case Reason::FilterDrop: return "filter-drop";
    case Reason::AddressScope: return "address-scope";
    case Reason::NoRoute: return "no-route";
    case Reason::ProhibitRoute: return "prohibit-route";
    case Reason::BlackholeRoute: return "blackhole-route";
    case Reason::UnreachableRoute: return "unreachable-route";
    case Reason::NeighbourFailed: return "neighbour-failed";
    case Reason::ReversePathFilter: return "reverse-path-filter";
    case Reason::ForwardingOff: return "forwarding-off";
    case Reason::TtlExceeded: return "ttl-exceeded";
    case Reason::DeviceDown: return "device-down";
    case Reason::NoSuchPort: return "no-such-port";
    case Reason::VtepUnknown: return "vtep-unknown";
    case Reason::VlanUnknown: return "vlan-unknown";
    case Reason::MtuExceeded: return "mtu-exceeded";
    case Reason::NotAdmitted: return "vlan-not-admitted";
    case Reason::NotForThisHost: return "not-for-this-host";
    case Reason::NotTranslated: return "not-translated";
    case Reason::NoListener: return "no-listener";
    case Reason::TranslationFailed: return "translation-failed";
    case Reason::FloodEmpty: return "flood-empty";
    case Reason::NotForwarded: return "not-forwarded";
    case Reason::Loop: return "loop";
    case Reason::DumpMissing: return "dump-missing";
    case Reason::DumpTruncated: return "dump-truncated";
    case Reason::LineNotUnderstood: return "line-not-understood";
    case Reason::ActionNotModelled: return "action-not-modelled";
    case Reason::HostMissing: return "host-missing";
    case Reason::CleanedReport: return "cleaned-report";
    case Reason::HiddenState: return "hidden-state";
  }
  return "hidden-state";
}

std::string_view name(PlaceKind kind) {
  switch (kind) {
    case PlaceKind::Vm: return "vm";
    case PlaceKind::Bridge: return "bridge";
    case PlaceKind::LinuxBridge: return "linux-bridge";
    case PlaceKind::Namespace: return "namespace";
    case PlaceKind::Tunnel: return "tunnel";
    case PlaceKind::Wire: return "wire";
    case PlaceKind::Outside: return "outside";
  }
  return "outside";
}

void conclude(Trace& trace, bool reply_expected) {
  if (trace.directions.empty()) return;
  const Direction& request = trace.directions.front();
  const Direction* reply = trace.directions.size() > 1 ? &trace.directions[1] : nullptr;
  const bool reply_failed = reply_expected && reply != nullptr && !arrives(reply->verdict);
  const Direction& decides = arrives(request.verdict) && reply_failed ? *reply : request;
  trace.verdict = decides.verdict == Verdict::LeftTheCloud ? Verdict::Delivered : decides.verdict;
  trace.reason = decides.reason;
}

}  // namespace dvrtrace
