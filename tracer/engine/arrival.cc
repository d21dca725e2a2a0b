#include "tracer/engine/arrival.h"

#include <fmt/format.h>

#include <algorithm>

namespace dvrtrace {
namespace {

// neutron.agent.l3.dvr_fip_ns.FAST_PATH_EXIT_PR: the rule by which subnets of the external network's
// address scope leave without NAT.
constexpr std::uint32_t kFastExitPriority = 80000;
constexpr std::uint32_t kMetadata = 0xa9fea9fe;  // 169.254.169.254

Reason way_out(const Direction& direction, std::size_t hop) {
  for (std::optional<std::size_t> at = hop; at; at = direction.hops[*at].parent) {
    const Place& place = direction.hops[*at].place;
    if (place.kind != PlaceKind::Namespace) continue;
    if (place.name.starts_with("snat-")) return Reason::BySnat;
    if (place.name.starts_with("fip-")) return Reason::ByFip;
  }
  return Reason::ByProviderNetwork;
}

// Whether it was routed, and not translated, on purpose.
bool took_fast_exit(const Direction& direction, std::size_t hop) {
  for (std::optional<std::size_t> at = hop; at; at = direction.hops[*at].parent) {
    for (const Step& step : direction.hops[*at].steps) {
      const auto* rule = std::get_if<RuleHit>(&step);
      if (rule != nullptr && rule->priority == kFastExitPriority) return true;
    }
  }
  return false;
}

bool is_external(const logical::Model& model, const logical::Subnet& subnet) {
  const auto network = std::ranges::find(model.networks, subnet.network_id, &logical::Network::id);
  return network != model.networks.end() && network->external;
}

const std::string& netns_of(const Network& network, const Arrival& arrival) {
  return network.host(arrival.host).namespaces[arrival.netns].name;
}

}  // namespace

Reason reason_of(const Network& network, const Direction& direction, const Arrival& arrival,
                 const Packet& asked) {
  if (arrival.kind == Arrival::Kind::Vm) return Reason::ToVm;
  if (arrival.kind == Arrival::Kind::Outside) return way_out(direction, arrival.hop);
  if (asked.ip() && asked.ip_dst() == ipv4(kMetadata)) return Reason::ToMetadata;
  const std::string& netns = netns_of(network, arrival);
  if (netns.starts_with("qdhcp-")) return Reason::ToDhcp;
  return netns.empty() ? Reason::ToHost : Reason::ToRouter;
}

std::string describe(const Network& network, const Ports& ports, const Arrival& arrival, Reason reason) {
  if (arrival.kind == Arrival::Kind::Vm) return fmt::format("{} takes it in", ports.at(arrival.port).title());
  if (arrival.kind == Arrival::Kind::Outside)
    return fmt::format("it leaves the cloud for {}", to_string(arrival.packet.ip_dst()));
  if (reason == Reason::ToMetadata) return "the metadata proxy takes it in";
  if (reason == Reason::ToHost) return "the host itself takes it in";
  return fmt::format("{} takes it in", netns_of(network, arrival));
}

std::optional<std::string> unanswerable(const Network& network, const Direction& direction,
                                        const Arrival& arrival) {
  if (arrival.kind != Arrival::Kind::Outside || !arrival.packet.ip()) return std::nullopt;
  const Ip source = arrival.packet.ip_src(), destination = arrival.packet.ip_dst();
  if (destination.link_local())
    return fmt::format("{} is link-local: nobody beyond a router has it", to_string(destination));
  if (source.v6() || way_out(direction, arrival.hop) == Reason::ByProviderNetwork ||
      took_fast_exit(direction, arrival.hop))
    return std::nullopt;
  const logical::Model& model = network.logical();
  const bool tenants = std::ranges::any_of(model.subnets, [&](const logical::Subnet& subnet) {
    return subnet.cidr.contains(source) && !is_external(model, subnet);
  });
  if (!tenants) return std::nullopt;
  return fmt::format("it leaves with its tenant address {}, which nobody outside can answer",
                     to_string(source));
}

std::string left_by(const Direction& direction, std::size_t outside) {
  const auto wire = direction.hops[outside].parent;
  for (auto crossing = direction.crossings.rbegin(); crossing != direction.crossings.rend(); ++crossing) {
    if (wire && crossing->hop == *wire) return crossing->device;
  }
  return {};
}

}  // namespace dvrtrace
