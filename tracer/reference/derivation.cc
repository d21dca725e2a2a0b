#include "tracer/reference/derivation.h"

#include <algorithm>

#include "tracer/reference/derive.h"

namespace dvrtrace::reference {

using namespace logical;

namespace {

template <class T>
T& object_of(std::vector<T>& objects, std::map<std::string, std::size_t>& index, const std::string& id) {
  const auto [at, added] = index.emplace(id, objects.size());
  if (added) objects.emplace_back().id = id;
  return objects[at->second];
}

}  // namespace

Network& Derivation::network(const std::string& id) { return object_of(model.networks, networks_, id); }
Port& Derivation::port(const std::string& id) { return object_of(model.ports, ports_, id); }
Router& Derivation::router(const std::string& id) { return object_of(model.routers, routers_, id); }

std::string Derivation::subnet(const std::string& network_id, const Ip& ip, unsigned length) {
  const Prefix cidr(ip, length);
  const std::string id = network_id + "/" + to_string(cidr);
  Subnet& subnet = object_of(model.subnets, subnets_, id);
  subnet.network_id = network_id;
  subnet.cidr = cidr;
  return id;
}

Subnet* Derivation::find_subnet(std::string_view id) {
  const auto at = subnets_.find(std::string(id));
  return at == subnets_.end() ? nullptr : &model.subnets[at->second];
}

std::string Derivation::subnet_of(std::string_view network_id, const Ip& ip) const {
  for (const Subnet& subnet : model.subnets) {
    if (subnet.network_id == network_id && subnet.cidr.contains(ip)) return subnet.id;
  }
  return {};
}

void Derivation::add_fixed_ip(Port& port, const Ip& ip, const std::string& subnet_id) {
  const bool known = std::any_of(port.fixed_ips.begin(), port.fixed_ips.end(),
                                 [&](const FixedIp& fixed) { return fixed.ip == ip; });
  if (!known) port.fixed_ips.push_back({subnet_id, ip});
}

void Derivation::caveat(std::string code, std::string text) {
  if (said_.insert(code + text).second) caveats.push_back({std::move(code), std::move(text)});
}

Model derive(const Snapshot& snapshot, std::vector<Caveat>& caveats) {
  Derivation all(snapshot);
  derive_ports(all);
  derive_routers(all);
  derive_addresses(all);
  if (!all.model.ports.empty())
    all.caveat("security-groups",
               "the rules of security groups are not known: the flows and iptables rules made of them are "
               "not judged");
  caveats.insert(caveats.end(), all.caveats.begin(), all.caveats.end());
  return std::move(all.model);
}

bool made_of_groups(std::string_view name) {
  constexpr std::string_view kPrefix = "neutron-openvswi-";
  if (name.starts_with("NIPv4") || name.starts_with("NIPv6")) return true;
  if (!name.starts_with(kPrefix) || name.size() == kPrefix.size()) return false;
  const char first = name[kPrefix.size()];
  return first == 'i' || first == 'o';  // before the port's id; built-in chains are in capitals
}

}  // namespace dvrtrace::reference
