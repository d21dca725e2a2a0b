#include "src/model/network.h"

#include <algorithm>
#include <thread>

#include "src/base/text.h"

namespace dvrtrace {

bool Bundle::trunks_vlan(std::uint16_t vlan) const {
  if (mode == VlanMode::NativeTagged || mode == VlanMode::NativeUntagged) {
    if (vlan == tag) return true;
    if (vlan == 0) return false;
  }
  return trunks.empty() || std::ranges::find(trunks, vlan) != trunks.end();
}

bool Bundle::includes(std::uint16_t vlan, std::uint16_t inner) const {
  constexpr std::uint16_t kVid = 0x0fff;
  switch (mode) {
    case VlanMode::Access:
      return vlan == tag && (inner & kVid) == 0;
    case VlanMode::Dot1qTunnel:
      return vlan == tag && (cvlans.empty() || std::ranges::find(cvlans, inner & kVid) != cvlans.end());
    case VlanMode::Trunk:
    case VlanMode::NativeTagged:
    case VlanMode::NativeUntagged:
      return trunks_vlan(vlan);
  }
  return false;
}

bool Bridge::reserved_for_mirror(const Bundle& bundle) const {
  return row != nullptr && std::ranges::any_of(row->mirrors, [&](const OvsMirror& mirror) {
           return !mirror.output_port.empty() && mirror.output_port == bundle.name;
         });
}

std::size_t Namespace::find(std::string_view device) const {
  const auto found = by_name.find(std::string(device));
  return found == by_name.end() ? kNowhere : found->second;
}

std::optional<long> Namespace::sysctl(std::string_view key) const {
  if (dumps == nullptr || !dumps->sysctls.present()) return std::nullopt;
  const auto found = dumps->sysctls.value.find(key);
  if (found == dumps->sysctls.value.end()) return std::nullopt;
  const auto value = number(found->second.value);
  if (!value) return std::nullopt;
  return static_cast<long>(*value);
}

std::optional<long> Namespace::conf_max(std::string_view device, std::string_view what) const {
  const auto of = [&](std::string_view name) {
    return sysctl(std::string("net.ipv4.conf.").append(name).append(".").append(what));
  };
  const auto all = of("all"), own = of(device);
  if (!all && !own) return std::nullopt;
  return std::max(all.value_or(0), own.value_or(0));
}

std::size_t Host::find_bridge(std::string_view name) const {
  const auto found = std::ranges::find(bridges, name, &Bridge::name);
  return found == bridges.end() ? kNowhere : static_cast<std::size_t>(found - bridges.begin());
}

std::size_t Host::find_namespace(std::string_view name) const {
  const auto found = std::ranges::find(namespaces, name, &Namespace::name);
  return found == namespaces.end() ? kNowhere : static_cast<std::size_t>(found - namespaces.begin());
}

Network::Index::Index(Snapshot read) : snapshot(std::move(read)) {
  for (std::size_t host = 0; host < snapshot.hosts.size(); ++host)
    names.emplace(snapshot.hosts[host].name, host);
  index_vteps();
  index_cards();
  index_macs();
}

Network::Network(Snapshot index, Loader load, const Sources& sources)
    : index_(std::make_shared<Index>(std::move(index))), load_(std::move(load)), sources_(sources) {
  for (std::size_t host = 0; host < size(); ++host) entries_.push_back(std::make_unique<Entry>());
}

Network::Network(const Network& base, std::size_t host, HostSnapshot changed)
    : index_(base.index_), sources_(base.sources_), base_(&base), changed_(host) {
  entries_.push_back(std::make_unique<Entry>());
  entries_.front()->host = join_host(std::move(changed), sources_, entries_.front()->diagnostics);
}

const Host& Network::host(std::size_t host) const {
  if (base_ != nullptr) return host == changed_ ? *entries_.front()->host : base_->host(host);
  const Entry& entry = *entries_[host];
  std::call_once(entry.once, [&] {
    HostSnapshot snapshot = load_(host, index_->snapshot.hosts[host], entry.diagnostics);
    entry.host = join_host(std::move(snapshot), sources_, entry.diagnostics);
    entry.joined = true;
  });
  return *entry.host;
}

bool Network::joined(std::size_t host) const {
  return base_ != nullptr ? host == changed_ || base_->joined(host) : entries_[host]->joined.load();
}

std::size_t Network::find_host(std::string_view name) const {
  const auto found = index_->names.find(name);
  return found == index_->names.end() ? kNowhere : found->second;
}

void Network::prepare(std::span<const std::size_t> hosts) const {
  if (base_ != nullptr) return;
  std::vector<std::size_t> missing;
  for (const std::size_t host : hosts) {
    if (host != kNowhere && !entries_[host]->joined && std::ranges::find(missing, host) == missing.end())
      missing.push_back(host);
  }
  if (missing.size() < 2) return;
  std::vector<std::jthread> threads;
  for (std::size_t i = 1; i < missing.size(); ++i)
    threads.emplace_back([this, host = missing[i]] { this->host(host); });
  host(missing.front());
}

void Network::ask_every_host() const {
  if (index_->snapshot.partial) index_->asked_beyond = true;
}

Diagnostics Network::diagnostics() const {
  Diagnostics all;
  for (const auto& entry : entries_) {
    if (entry->host != nullptr) all.merge(entry->diagnostics);
  }
  return all;
}

void Network::Index::index_vteps() {
  for (std::size_t host = 0; host < snapshot.hosts.size(); ++host) {
    const HostSnapshot& read = snapshot.hosts[host];
    // What the agent says it uses, then the tunnels' own ends, then any address of the root namespace.
    if (const auto local = read.config.values.find("ovs.local_ip"); local != read.config.values.end()) {
      if (const auto ip = parse_ip(local->second.value)) vteps.emplace(*ip, host);
    }
    for (const OvsBridge& bridge : read.ovs.value.bridges) {
      for (const OvsPort& port : bridge.ports) {
        for (const OvsInterface& interface : port.interfaces) {
          const auto local = interface.options.find("local_ip");
          if (local == interface.options.end()) continue;
          if (const auto ip = parse_ip(local->second)) vteps.emplace(*ip, host);
        }
      }
    }
  }
  for (std::size_t host = 0; host < snapshot.hosts.size(); ++host) {
    const NamespaceSnapshot* root = snapshot.hosts[host].find_namespace("");
    if (root == nullptr) continue;
    for (const auto& link : root->links.value) {
      for (const auto& address : link.value.addresses) {
        if (!address.value.ip.loopback() && !address.value.ip.link_local())
          vteps.emplace(address.value.ip, host);
      }
    }
  }
}

namespace {

// "physnet1:br-ex,physnet2:br-vlan", as the agent's bridge_mappings has it.
std::vector<std::pair<std::string, std::string>> bridge_mappings(const HostSnapshot& host) {
  std::vector<std::pair<std::string, std::string>> mappings;
  const auto found = host.config.values.find("ovs.bridge_mappings");
  if (found == host.config.values.end()) return mappings;
  for (const std::string_view part : split(found->second.value, ',')) {
    const std::string_view pair = trim(part);
    const std::size_t colon = pair.rfind(':');
    if (colon != std::string_view::npos)
      mappings.emplace_back(trim(pair.substr(0, colon)), trim(pair.substr(colon + 1)));
  }
  return mappings;
}

// The bridges that patch ports tie to `bridge`, itself included, but not through an integration
// bridge: what hangs together there is what the flows say.
std::vector<std::string> patched_to(const OvsDatabase& database, const std::string& bridge) {
  std::vector<std::string> reached{bridge};
  const auto bridge_of_port = [&](std::string_view name) -> const OvsBridge* {
    for (const OvsBridge& candidate : database.bridges) {
      for (const OvsPort& port : candidate.ports) {
        if (port.name == name) return &candidate;
      }
    }
    return nullptr;
  };
  for (std::size_t i = 0; i < reached.size(); ++i) {
    const auto at = std::ranges::find(database.bridges, reached[i], &OvsBridge::name);
    if (at == database.bridges.end()) continue;
    for (const OvsPort& port : at->ports) {
      for (const OvsInterface& interface : port.interfaces) {
        const auto peer = interface.options.find("peer");
        if (interface.type != "patch" || peer == interface.options.end()) continue;
        const OvsBridge* other = bridge_of_port(peer->second);
        if (other == nullptr || other->name == "br-int" || other->name == "br-tun") continue;
        if (std::ranges::find(reached, other->name) == reached.end()) reached.push_back(other->name);
      }
    }
  }
  return reached;
}

bool looks_like_card(const OvsInterface& interface) {
  if (!interface.type.empty() && interface.type != "system" && interface.type != "dpdk") return false;
  if (interface.external_ids.contains("iface-id")) return false;
  for (const std::string_view prefix : {"tap", "qvo", "vhu", "veth"}) {
    if (interface.name.starts_with(prefix)) return false;
  }
  return true;
}

}  // namespace

void Network::Index::index_cards() {
  for (std::size_t host = 0; host < snapshot.hosts.size(); ++host) {
    const HostSnapshot& read = snapshot.hosts[host];
    const auto mappings = bridge_mappings(read);
    for (const OvsBridge& bridge : read.ovs.value.bridges) {
      std::vector<std::string> physical;
      if (bridge.name != "br-int" && bridge.name != "br-tun") {
        for (const std::string& reached : patched_to(read.ovs.value, bridge.name)) {
          for (const auto& [network, mapped] : mappings) {
            if (mapped == reached) physical.push_back(network);
          }
        }
      }
      for (const OvsPort& port : bridge.ports) {
        for (const OvsInterface& interface : port.interfaces) {
          if (looks_like_card(interface)) cards.push_back({host, interface.name, bridge.name, physical});
        }
      }
    }
  }
}

void Network::Index::index_macs() {
  for (std::size_t host = 0; host < snapshot.hosts.size(); ++host) {
    const HostSnapshot& read = snapshot.hosts[host];
    for (const OvsBridge& bridge : read.ovs.value.bridges) {
      for (const OvsPort& port : bridge.ports) {
        for (const OvsInterface& interface : port.interfaces) {
          const auto mac = interface.external_ids.find("attached-mac");
          const auto id = interface.external_ids.find("iface-id");
          if (mac == interface.external_ids.end() || interface.type == "internal") continue;
          if (const auto parsed = parse_mac(mac->second)) {
            macs.emplace(*parsed,
                         Owner{Owner::Kind::Vm, host, id == interface.external_ids.end() ? "" : id->second,
                               "", interface.name});
          }
        }
      }
    }
    for (const NamespaceSnapshot& netns : read.namespaces) {
      for (const auto& link : netns.links.value) {
        if (link.value.mac && !link.value.mac->zero())
          macs.emplace(*link.value.mac, Owner{Owner::Kind::Device, host, "", netns.name, link.value.name});
      }
    }
  }
}

std::size_t Network::host_of_vtep(const Ip& ip) const {
  const auto found = index_->vteps.find(ip);
  if (found != index_->vteps.end()) return found->second;
  ask_every_host();
  return kNowhere;
}

std::vector<std::string> Network::physical_networks(std::size_t host, std::string_view device) const {
  for (const Card& card : index_->cards) {
    if (card.host == host && card.device == device) return card.physical_networks;
  }
  return {};
}

std::vector<Network::Attached> Network::on_the_wire(std::size_t host, std::string_view device) const {
  ask_every_host();
  const auto self = std::ranges::find_if(
      index_->cards, [&](const Card& card) { return card.host == host && card.device == device; });
  std::vector<Attached> others;
  for (const Card& card : index_->cards) {
    if (self == index_->cards.end() || card.host == host) continue;
    // One wire carries one set of physical networks; where no mapping names it, bridges of one name.
    const bool shared = std::ranges::any_of(card.physical_networks, [&](const std::string& name) {
      return std::ranges::find(self->physical_networks, name) != self->physical_networks.end();
    });
    const bool unnamed =
        card.physical_networks.empty() && self->physical_networks.empty() && card.bridge == self->bridge;
    if (shared || unnamed) others.push_back({card.host, card.device});
  }
  return others;
}

std::vector<Owner> Network::owners(Mac mac) const {
  ask_every_host();
  std::vector<Owner> found;
  const auto [first, last] = index_->macs.equal_range(mac);
  for (auto at = first; at != last; ++at) found.push_back(at->second);
  std::ranges::sort(found, {}, &Owner::host);
  return found;
}

}  // namespace dvrtrace
