// qdhcp-: the DHCP agent's namespace of a network (neutron/agent/linux/dhcp.py).
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

#include "tracer/reference/l3_found.h"
#include "tracer/reference/namespaces.h"
#include "tracer/reference/netns_writer.h"
#include "tracer/reference/options.h"

namespace dvrtrace::reference {

using namespace logical;

namespace {

constexpr std::uint32_t kMetadata4 = 0xa9fea9fe;
const Ip kMetadata6 = ipv6(0xfe80000000000000, 0xa9fea9fe);

class DhcpNamespaces {
 public:
  DhcpNamespaces(const Plan& plan, Host& host)
      : plan_(plan),
        found_(plan.found),
        host_(host),
        prefix_(found_.chain_prefix("qdhcp-").value_or("neutron-dhcp-age")) {}

  void add() {
    for (const WiredPort& port : plan_.ports) {
      if (port.role == Role::Dhcp) add(port);
    }
  }

 private:
  bool option(std::string_view key) const {
    if (plan_.found == nullptr) return false;
    const auto value = plan_.found->config.values.find(key);
    return value != plan_.found->config.values.end() && is_true(value->second.value);
  }
  static const kernel::Address* metadata_address(const NamespaceSnapshot& netns) {
    for (const Sourced<kernel::Link>& link : netns.links.value) {
      for (const Sourced<kernel::Address>& address : link.value.addresses) {
        if (address.value.ip == ipv4(kMetadata4)) return &address.value;
      }
    }
    return nullptr;
  }

  // The prefix length of the metadata address, which the namespaces of all networks have alike; none: they have none.
  std::optional<unsigned> metadata_length() const {
    std::map<unsigned, std::size_t> votes;
    std::size_t without = 0;
    if (plan_.found != nullptr) {
      for (const NamespaceSnapshot& netns : plan_.found->namespaces) {
        if (!netns.name.starts_with("qdhcp-") || !netns.links.present()) continue;
        const kernel::Address* address = metadata_address(netns);
        ++(address != nullptr ? votes[address->length] : without);
      }
    }
    const auto most = std::max_element(votes.begin(), votes.end(),
                                       [](const auto& a, const auto& b) { return a.second < b.second; });
    const bool configured = option("DEFAULT.enable_isolated_metadata") || option("DEFAULT.force_metadata");
    if (most != votes.end() && (configured || most->second > without)) return most->first;
    return configured ? std::optional(plan_.release >= kTrain ? 32u : 16u) : std::nullopt;
  }

  void add(const WiredPort& wired) {
    const Port& logical = plan_.logical_port(wired);
    const RouterPort port = router_port(plan_, wired.port, "tap");
    const std::string name = "qdhcp-" + logical.network_id;
    NetnsWriter netns(name, "DHCP-NETNS");
    netns.device("DHCP-DEVICE", {wired.device, {}, logical.mac, port.mtu, {}}).concerns(port.behind);
    for (const PortAddress& address : port.addresses)
      netns.address("DHCP-ADDRESS", address.ip, address.length()).concerns(port.behind);
    if (const auto length = metadata_length()) {
      netns.address("DHCP-METADATA-ADDRESS", ipv4(kMetadata4), *length).concerns(port.behind);
      if (plan_.release >= kVictoria)
        netns.address("DHCP-METADATA-ADDRESS", kMetadata6, 64, "link").optional();
    }
    netns.link_local(logical.mac);
    add_default(port, wired.device, netns, Family::V4);
    add_default(port, wired.device, netns, Family::V6);
    netns.sysctl("NS-PROMOTE", "net.ipv4.conf.all.promote_secondaries", "1");
    add_iptables(name, netns);
    netns.finish(host_);
  }

  // By the first subnet of the network that has a gateway and DHCP.
  void add_default(const RouterPort& port, const std::string& device, NetnsWriter& netns, Family family) {
    for (const PortAddress& address : port.addresses) {
      const auto& way = address.subnet->gateway;
      if (address.ip.family != family || !way || !address.subnet->dhcp) continue;
      netns.route("DHCP-DEFAULT", everything(family), fmt::format("via {} dev {}", to_string(*way), device))
          .optional(family == Family::V6);
      return;
    }
  }

  bool has_found_nat(const std::string& netns, Family family) const {
    const NamespaceSnapshot* found = found_.netns(netns);
    return found != nullptr &&
           (family == Family::V4 ? found->iptables4 : found->iptables6).value.find("nat") != nullptr;
  }

  // Chains that fill in checksums. They do not bear on where packets go, and by release some are not there.
  void add_iptables(const std::string& name, NetnsWriter& netns) {
    for (const Family family : {Family::V4, Family::V6}) {
      IptablesWriter tables(family, prefix_);
      for (const std::string_view table : {"raw", "mangle", "filter"}) tables.add_skeleton(table, true);
      if (has_found_nat(name, family)) tables.add_skeleton("nat", true);
      tables
          .add("DHCP-CHECKSUM", "mangle", "POSTROUTING",
               "-p udp -m udp --dport {} -j CHECKSUM --checksum-fill", family == Family::V4 ? 68 : 546)
          .optional();
      netns.iptables(tables);
    }
  }

  const Plan& plan_;
  const L3Found found_;
  Host& host_;
  const std::string prefix_;
};

}  // namespace

void add_dhcp_namespaces(const Plan& plan, Host& host) { DhcpNamespaces(plan, host).add(); }

}  // namespace dvrtrace::reference
