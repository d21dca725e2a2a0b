#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "src/kernel/print.h"
#include "tracer/check/catalogue.h"
#include "tracer/check/invariants.h"

namespace dvrtrace::check {
using kernel::Link;

class CloudInvariants::Facts {
 public:
  std::vector<Provenance> add(const HostSnapshot& host) {
    ++hosts_;
    collect(host);
    return std::exchange(cited_, {});
  }

  std::vector<Finding> judge() {
    findings_.clear();
    gateways();
    active_snat();
    floating_ips();
    dvr_macs();
    vteps();
    return findings_;
  }

 private:
  struct Place {
    std::string host, netns, text;
    Provenance at;
  };

  Place place(const HostSnapshot& host, std::string netns, std::string text, Provenance at) {
    cited_.push_back(at);
    return {host.name, std::move(netns), std::move(text), at};
  }

  Finding& add(std::string_view code, const Place& place, std::string_view place_kind,
               std::string_view place_name, std::string_view object_kind, std::string object) {
    return findings_.emplace_back(
        finding_of(code, place.host, place_kind, place_name, object_kind, std::move(object), place.at));
  }

  void collect(const HostSnapshot& host) {
    for (const NamespaceSnapshot& netns : host.namespaces) {
      for (const auto& link : netns.links.value) collect(host, netns, link);
      if (!netns.name.starts_with("fip-")) continue;
      for (const auto& route : netns.routes4.value) {
        const bool to_router =
            !route.value.nexthops.empty() && route.value.nexthops.front().device.starts_with("fpr-");
        if (to_router && route.value.destination.host() && !route.value.destination.ip().link_local())
          floating_[to_string(route.value.destination.ip())].push_back(
              place(host, netns.name, to_string(route.value), route.at));
      }
    }
    for (const OvsBridge& bridge : host.ovs.value.bridges) {
      for (const OvsPort& port : bridge.ports) {
        for (const OvsInterface& interface : port.interfaces) collect(host, interface);
      }
    }
    const std::string_view tunnels = tunnel_bridge(host);
    for (const BridgeDumps& bridge : host.bridges) {
      if (bridge.bridge != tunnels) continue;
      for (const openflow::FlowRow& row : bridge.flows.value.flows) collect(host, bridge, row);
    }
  }

  void collect(const HostSnapshot& host, const NamespaceSnapshot& netns, const Sourced<Link>& link) {
    const std::string& name = link.value.name;
    if (name.starts_with("qr-") && netns.name.starts_with("qrouter-")) {
      std::string text = link.value.mac ? to_string(*link.value.mac) : "";
      std::set<std::string> addresses;
      for (const auto& address : link.value.addresses) {
        if (!address.value.ip.link_local())
          addresses.insert(fmt::format("{}/{}", to_string(address.value.ip), address.value.length));
      }
      gateways_[netns.name + " " + name].push_back(
          place(host, netns.name, fmt::format("{} {}", text, fmt::join(addresses, " ")), link.at));
    }
    for (const auto& address : link.value.addresses) addresses_.insert(address.value.ip);
    if (!netns.name.starts_with("snat-") || !name.starts_with("qg-")) return;
    const bool has_address = std::ranges::any_of(
        link.value.addresses, [](const auto& each) { return !each.value.ip.link_local(); });
    (has_address ? active_ : standby_)[netns.name].push_back(place(host, netns.name, name, link.at));
  }

  void collect(const HostSnapshot& host, const OvsInterface& interface) {
    const auto remote = interface.options.find("remote_ip");
    if (remote == interface.options.end()) return;
    if (const auto ip = parse_ip(remote->second))
      tunnels_.push_back({place(host, std::string(tunnel_bridge(host)), interface.name, interface.at), *ip});
  }

  // Of the tunnel bridge: a host's own DVR MAC is what it gives to routed frames; the others' are what its table 9 knows.
  void collect(const HostSnapshot& host, const BridgeDumps& bridge, const openflow::FlowRow& row) {
    const bool own = row.flow.table == TableId{1}, others = row.flow.table == TableId{9};
    if ((!own && !others) || row.flow.priority != 1 ||
        row.flow.match.mask_of(openflow::FieldId::EthSrc).low == 0)
      return;
    if (own) {
      for (const openflow::Action& action : row.flow.actions) {
        const auto* set = std::get_if<openflow::SetField>(&action);
        if (set != nullptr && set->field == openflow::FieldId::EthSrc)
          own_mac_[host.name] = Mac{set->value.low};
      }
    } else {
      KnownMacs& known = known_macs_[host.name];
      if (known.macs.empty()) known.first = place(host, {}, bridge.bridge, row.at);
      known.macs.push_back(Mac{row.flow.match.value_of(openflow::FieldId::EthSrc).low});
    }
  }
  static std::string_view tunnel_bridge(const HostSnapshot& host) {
    const auto configured = host.config.values.find("ovs.tunnel_bridge");
    return configured == host.config.values.end() ? std::string_view("br-tun") : configured->second.value;
  }

  // --- judging ---

  // The value that most hosts show is taken for the right one.
  void gateways() {
    for (const auto& [name, places] : gateways_) {
      std::map<std::string, unsigned> votes;
      for (const Place& place : places) ++votes[place.text];
      if (votes.size() < 2) continue;
      const auto most = std::ranges::max_element(votes, {}, [](const auto& vote) { return vote.second; });
      for (const Place& place : places) {
        if (place.text == most->first) continue;
        const std::string device = name.substr(name.find(' ') + 1);
        Finding& finding =
            add("DVR-GATEWAY-DIFFERS", place, "namespace", place.netns, "link", device + " " + place.text);
        finding.name = device;
        finding.expected = most->first;
        finding.found = place.text;
      }
    }
  }

  void active_snat() {
    for (const auto& [netns, places] : active_) {
      for (std::size_t i = 1; i < places.size(); ++i) {
        Finding& finding =
            add("DVR-TWO-SNAT-NAMESPACES", places[i], "namespace", netns, "link", places[i].text);
        finding.name = places[i].text;
        finding.expected = fmt::format("the addresses on {} alone", places.front().host);
        finding.found = fmt::format("on {} too", places[i].host);
      }
    }
    for (const auto& [netns, places] : standby_) {
      if (active_.contains(netns)) continue;
      Finding& finding =
          add("DVR-NO-ACTIVE-SNAT", places.front(), "namespace", netns, "link", places.front().text);
      finding.name = places.front().text;
      finding.expected = "addresses on one host";
      finding.found = "on none";
    }
  }

  void floating_ips() {
    for (const auto& [ip, places] : floating_) {
      std::set<std::string> hosts;
      for (const Place& place : places) hosts.insert(place.host);
      if (hosts.size() < 2) continue;
      for (const Place& place : places) {
        Finding& finding = add("DVR-FIP-ON-TWO-HOSTS", place, "namespace", place.netns, "route", place.text);
        finding.affects = {ip};
        finding.repair =
            fmt::format("on the host that does not have the VM: ip netns exec {} ip route del {}",
                        place.netns, place.text);
      }
    }
  }

  void dvr_macs() {
    for (auto& [host, known] : known_macs_) {
      if (!own_mac_.contains(host)) continue;
      std::ranges::sort(known.macs);
      for (const auto& [other, mac] : own_mac_) {
        if (other == host || std::ranges::binary_search(known.macs, mac)) continue;
        Finding& finding = add("DVR-MAC-UNKNOWN", known.first, "bridge", known.first.text, "flow",
                               fmt::format("table=9, priority=1,dl_src={}", to_string(mac)));
        finding.table = TableId{9};
        finding.expected = fmt::format("a flow for the DVR MAC of {}", other);
      }
    }
  }

  void vteps() {
    if (hosts_ < 2) return;
    for (const auto& [place, ip] : tunnels_) {
      if (addresses_.contains(ip)) continue;
      Finding& finding = add("DVR-VTEP-UNKNOWN", place, "bridge", place.netns, "tunnel",
                             fmt::format("{} remote_ip={}", place.text, to_string(ip)));
      finding.severity = Severity::Note;
      finding.name = place.text;
    }
  }

  struct KnownMacs {
    Place first;  // where the first of them stands
    std::vector<Mac> macs;
  };

  std::size_t hosts_ = 0;
  std::vector<Provenance> cited_;  // of the host that is being added
  std::map<std::string, std::vector<Place>> gateways_, active_, standby_, floating_;
  std::map<std::string, Mac> own_mac_;           // by host
  std::map<std::string, KnownMacs> known_macs_;  // by host
  std::vector<std::pair<Place, Ip>> tunnels_;
  std::set<Ip> addresses_;
  std::vector<Finding> findings_;
};

CloudInvariants::CloudInvariants() : facts_(std::make_unique<Facts>()) {}
CloudInvariants::~CloudInvariants() = default;
std::vector<Provenance> CloudInvariants::add(const HostSnapshot& host) { return facts_->add(host); }
std::vector<Finding> CloudInvariants::judge() { return facts_->judge(); }

}  // namespace dvrtrace::check
