#include "tracer/engine/endpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "src/base/text.h"

namespace dvrtrace {
namespace {

constexpr std::size_t kShortId = 11;  // characters of a port's UUID in device names

bool looks_like_device(std::string_view word) {
  for (const std::string_view prefix : {"tap", "qvo", "qvb", "qr-", "qg-", "sg-", "fg-", "ha-", "vhu"}) {
    if (word.starts_with(prefix)) return true;
  }
  return false;
}

class Resolver {
 public:
  Resolver(std::string_view word, const Network& network, QuestionPorts& ports, const Endpoint* from)
      : word_(word), network_(network), ports_(ports), from_(from) {}

  tl::expected<Endpoint, AskError> run() {
    Endpoint endpoint;
    endpoint.text = word_;
    if (word_ == "outside") {
      endpoint.kind = Endpoint::Kind::Outside;
      return endpoint;
    }
    if (auto found = namespace_of_host()) return *found;
    if (const std::size_t slash = word_.find('/'); slash != std::string_view::npos) {
      if (const auto ip = parse_ip(word_.substr(slash + 1))) return by_address(*ip, word_.substr(0, slash));
    }
    if (const auto ip = parse_ip(word_)) return by_address(*ip, {});
    // By its UUID a port is known without its addresses, but for those that the question is to go from or to.
    if (const std::size_t port = ports_->find(to_lower(word_));
        port != kNowhere && !ports_->at(port).ips.empty())
      return of_port(port);
    return by_name();
  }

 private:
  std::optional<Endpoint> namespace_of_host() const {
    const std::size_t colon = word_.find(':');
    if (colon == std::string_view::npos || colon == 0) return std::nullopt;
    for (std::size_t host = 0; host < network_.size(); ++host) {
      if (network_.index(host).name != word_.substr(0, colon)) continue;
      std::string_view name = word_.substr(colon + 1);
      if (name == "root") name = {};
      const std::size_t netns = network_.host(host).find_namespace(name);
      if (netns == kNowhere) continue;
      Endpoint endpoint;
      endpoint.kind = Endpoint::Kind::Namespace;
      endpoint.host = host;
      endpoint.netns = netns;
      endpoint.netns_name = name;
      endpoint.text = word_;
      return endpoint;
    }
    return std::nullopt;
  }

  Endpoint of_port(std::size_t port) const {
    Endpoint endpoint;
    endpoint.text = word_;
    endpoint.port = port;
    endpoint.kind = ports_->at(port).vm ? Endpoint::Kind::Vm : Endpoint::Kind::Address;
    if (!ports_->at(port).ips.empty()) endpoint.ip = ports_->at(port).ips.front();
    return endpoint;
  }

  tl::expected<Endpoint, AskError> only(const std::vector<std::size_t>& found) const {
    if (found.size() == 1) return of_port(found.front());
    AskError error;
    error.kind = AskError::Kind::AmbiguousEndpoint;
    error.message =
        fmt::format("'{}' is {} ports; say which: by port UUID, MAC, or NETWORK/IP, ROUTER/IP, HOST/IP",
                    word_, found.size());
    for (const std::size_t port : found) error.candidates.push_back(candidate(port));
    return tl::unexpected(std::move(error));
  }

  Candidate candidate(std::size_t index) const {
    const CloudPort& port = ports_->at(index);
    Candidate out;
    out.name = port.title();
    out.kind = port.vm ? "vm" : port.owner.empty() ? "port" : port.owner;
    if (port.host != kNowhere) out.host = network_.index(port.host).name;
    if (!port.network_id.empty()) out.network = ports_->network_name(port.network_id);
    if (!port.ips.empty()) out.ip = to_string(port.ips.front());
    out.port = port.id;
    return out;
  }

  std::vector<std::size_t> matching(auto predicate) const {
    std::vector<std::size_t> found;
    for (std::size_t i = 0; i < ports_->all().size(); ++i) {
      if (predicate(ports_->at(i))) found.push_back(i);
    }
    return found;
  }

  // Ports of VMs, where there are any, before routers' and DHCP ports of the same description.
  std::vector<std::size_t> vms_first(std::vector<std::size_t> found) const {
    std::vector<std::size_t> vms;
    for (const std::size_t port : found) {
      if (ports_->at(port).vm) vms.push_back(port);
    }
    return vms.empty() ? found : vms;
  }

  tl::expected<Endpoint, AskError> by_name() {
    const auto mac = parse_mac(word_);
    const std::string lower = to_lower(word_);
    auto found = matching([&](const CloudPort& port) {
      if (mac) return port.mac == *mac;
      return port.name == word_ || port.instance_name == word_ || port.instance_uuid == lower ||
             port.id == lower || port.device == word_;
    });
    if (found.empty() && word_.size() >= kShortId) {
      std::string_view id = word_;
      if (looks_like_device(id)) id = id.substr(3);
      found = matching(
          [&](const CloudPort& port) { return id.size() >= kShortId && port.id.starts_with(to_lower(id)); });
    }
    // An instance with several ports: the name alone does not say by which one.
    found = vms_first(std::move(found));
    if (!found.empty()) {
      look_for_addresses_of(found);
      return only(found);
    }
    AskError error;
    error.kind = AskError::Kind::UnknownEndpoint;
    error.message = fmt::format("no VM, port, device or address '{}' in {} host{}", word_, network_.size(),
                                network_.size() == 1 ? "" : "s");
    if (network_.logical().empty())
      error.message += "; names of VMs come from libvirt's files or from Neutron's JSON (--neutron)";
    look_for_some_addresses();
    for (std::size_t i = 0; i < ports_->all().size(); ++i) {
      if (ports_->at(i).vm) error.candidates.push_back(candidate(i));
    }
    return tl::unexpected(std::move(error));
  }

  // Addresses tell VMs apart for who has to choose one; but a word that means nothing is not worth the reading of a large cloud.
  void look_for_some_addresses() {
    constexpr std::size_t kHosts = 8;
    std::set<std::size_t> hosts;
    for (const CloudPort& port : ports_->all()) {
      if (port.vm && port.host != kNowhere && hosts.size() < kHosts) hosts.insert(port.host);
    }
    for (const std::size_t host : hosts) ports_.look_for_addresses_on(host);
  }

  // The host of a VM mostly knows its addresses; where it does not, others may.
  void look_for_addresses_of(const std::vector<std::size_t>& found) {
    const auto bare = [&](std::size_t port) { return ports_->at(port).vm && ports_->at(port).ips.empty(); };
    for (const std::size_t port : found) {
      if (bare(port) && ports_->at(port).host != kNowhere)
        ports_.look_for_addresses_on(ports_->at(port).host);
    }
    if (std::ranges::any_of(found, bare)) ports_.look_for_addresses();
  }

  bool within(const CloudPort& port, std::string_view scope) const {
    if (port.host != kNowhere && network_.index(port.host).name == scope) return true;
    if (port.network_id == scope || ports_->network_name(port.network_id) == scope) return true;
    return std::ranges::any_of(network_.logical().routers, [&](const logical::Router& router) {
      if (router.name != scope && router.id != scope) return false;
      return std::ranges::any_of(network_.logical().ports, [&](const logical::Port& of_router) {
        return of_router.device_id == router.id && of_router.network_id == port.network_id;
      });
    });
  }

  // Can the asker mean this port by its bare address?
  bool reachable(const CloudPort& port) const {
    if (from_ == nullptr || from_->port == kNowhere) return true;
    const std::string& own = ports_->at(from_->port).network_id;
    return own.empty() || port.network_id.empty() || own == port.network_id ||
           ports_->routed(own, port.network_id);
  }

  // Whether those who have an address are all whom the asker can mean by it, as far as is known by now. Where dumps alone say so,
  // a VM with several addresses may share this one, by allowed address pairs, with VMs of hosts that nobody has looked at.
  bool settled(const std::vector<std::size_t>& holders, const Ip& ip) const {
    const auto users = matching([&](const CloudPort& port) { return port.has(ip) && reachable(port); });
    if (users.size() != 1 || std::ranges::find(holders, users.front()) == holders.end()) return false;
    return !network_.logical().empty() ||
           std::ranges::count(ports_->at(users.front()).ips, ip.family, &Ip::family) == 1;
  }

  tl::expected<Endpoint, AskError> by_address(const Ip& ip, std::string_view scope) {
    Endpoint endpoint;
    endpoint.text = word_;
    endpoint.ip = ip;
    for (const FloatingAddress& floating : ports_->floating()) {
      if (floating.ip != ip || !scope.empty()) continue;
      endpoint.floating = true;
      const auto port = matching([&](const CloudPort& candidate) {
        return !floating.port_id.empty() && candidate.id == floating.port_id;
      });
      if (!port.empty()) endpoint.port = port.front();
      return endpoint;
    }
    const auto has_it = [&](const CloudPort& port) {
      return std::ranges::find(port.ips, ip) != port.ips.end() && (scope.empty() || within(port, scope));
    };
    auto found = matching(has_it);
    // The asker's routers know what they serve.
    const std::size_t near =
        from_ == nullptr || from_->port == kNowhere ? kNowhere : ports_->at(from_->port).host;
    if (!settled(found, ip) && near != kNowhere) {
      ports_.look_for_addresses_on(near);
      found = matching(has_it);
    }
    if (!settled(found, ip)) {
      ports_.look_for_addresses();
      found = matching(has_it);
    }
    if (found.empty())
      found = matching(
          [&](const CloudPort& port) { return port.has(ip) && (scope.empty() || within(port, scope)); });
    if (!scope.empty() && found.empty()) {
      AskError error;
      error.kind = AskError::Kind::UnknownEndpoint;
      error.message = fmt::format("nothing within '{}' has the address {}", scope, to_string(ip));
      return tl::unexpected(std::move(error));
    }
    if (found.size() > 1) {
      std::vector<std::size_t> tied;
      for (const std::size_t port : found) {
        if (reachable(ports_->at(port))) tied.push_back(port);
      }
      if (!tied.empty()) found = std::move(tied);
    }
    if (found.size() > 1) found = vms_first(std::move(found));
    if (found.empty()) return endpoint;  // an address beyond the cloud, or one that no dump names
    // From outside, or from a network that no router ties to it, a tenant's address is only an address.
    if (found.size() == 1 && from_ != nullptr && from_->port != kNowhere &&
        !reachable(ports_->at(found.front())))
      return endpoint;
    auto one = only(found);
    if (one) one->ip = ip;
    return one;
  }

  std::string_view word_;
  const Network& network_;
  QuestionPorts& ports_;
  const Endpoint* from_;
};

}  // namespace

tl::expected<Endpoint, AskError> resolve(std::string_view word, const Network& network, QuestionPorts& ports,
                                         const Endpoint* from) {
  return Resolver(word, network, ports, from).run();
}

}  // namespace dvrtrace
