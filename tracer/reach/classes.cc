#include "tracer/reach/classes.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <set>
#include <tuple>

#include "src/base/all_cores.h"
#include "src/base/text.h"
#include "tracer/reach/line_names.h"

namespace dvrtrace::reach {
namespace {

// The signature of each port: a sum over its lines, so that their order does not count.
using Signatures = std::vector<std::uint64_t>;

std::uint64_t hash_of(std::string_view text) {
  // One more round, because sums of plain hashes of like texts may cancel each other out.
  std::uint64_t hash = std::hash<std::string_view>{}(text) + 0x9e3779b97f4a7c15ULL;
  hash = (hash ^ hash >> 30) * 0xbf58476d1ce4e5b9ULL;
  hash = (hash ^ hash >> 27) * 0x94d049bb133111ebULL;
  return hash ^ hash >> 31;
}

bool lasting(const Sourced<kernel::Neighbour>& row) {
  const kernel::NeighbourState state = row.value.state;
  return state == kernel::NeighbourState::Permanent || state == kernel::NeighbourState::Failed ||
         state == kernel::NeighbourState::Noarp || row.value.proxy;
}

// Reads the lines of one host into signatures of its own.
class HostLines {
 public:
  HostLines(const Network& network, std::size_t host, const LineNames& names, std::size_t ports)
      : network_(network), index_(host), host_(network.host(host)), names_(names), signatures_(ports) {}

  void read() {
    for (const Bridge& bridge : host_.bridges) flows(bridge);
    for (const Namespace& netns : host_.namespaces) {
      if (netns.dumps != nullptr) kernel(*netns.dumps);
    }
    for (const OvsBridge& bridge : host_.snapshot.ovs.value.bridges) {
      for (const OvsPort& port : bridge.ports) database(port);
    }
  }
  const Signatures& signatures() const { return signatures_; }
  const std::set<Prefix>& prefixes() const { return prefixes_; }

 private:
  // Adds a line to the ports that it names. `place`: where it stands, which is the same for lines that mean the same.
  void line(std::string_view text, std::string_view place, std::string_view bridge = {}) {
    mentions_.clear();
    names_.find(text, index_, bridge, mentions_, prefixes_);
    std::vector<std::size_t> named;
    for (const LineNames::Mention& mention : mentions_) {
      if (std::ranges::find(named, mention.port) == named.end()) named.push_back(mention.port);
    }
    for (const std::size_t port : named) {
      std::string same = fmt::format("{} {} ", index_, place);
      std::size_t at = 0;
      for (const LineNames::Mention& mention : mentions_) {
        if (mention.port != port || mention.begin < at) continue;
        same.append(text.substr(at, mention.begin - at))
            .append({'\x01', mention.kind, static_cast<char>('0' + mention.nth)});
        at = mention.end;
      }
      signatures_[port] += hash_of(same.append(text.substr(at)));
    }
  }

  std::string_view text_of(const Provenance& at) const { return network_.sources().bytes(at); }

  void flows(const Bridge& bridge) {
    for (const auto& table : bridge.tables) {
      if (table == nullptr) continue;
      for (const openflow::FlowRow* row : table->rows()) {
        if (openflow::learned(row->flow) || !row->at.known()) continue;
        const std::string_view text = network_.sources().text(row->at.source).bytes;
        const auto cut = [&](Span span) {
          return span.end <= text.size() ? text.substr(span.begin, span.end - span.begin)
                                         : std::string_view();
        };
        flow_.assign(cut(row->match_span)).append(" ").append(cut(row->actions_span));
        line(flow_, fmt::format("{} {} {}", bridge.name, row->flow.table.value, row->flow.priority),
             bridge.name);
      }
    }
  }

  template <class Row>
  void rows(const Part<std::vector<Sourced<Row>>>& part, std::string_view place) {
    for (const Sourced<Row>& row : part.value) line(trim(text_of(row.at)), place);
  }

  void kernel(const NamespaceSnapshot& netns) {
    const std::string& name = netns.name;
    rows(netns.rules4, name + " rule");
    rows(netns.rules6, name + " rule");
    rows(netns.routes4, name + " route");
    rows(netns.routes6, name + " route");
    for (const auto& row : netns.neighbours.value) {
      if (lasting(row)) line(trim(text_of(row.at)), name + " neighbour");
    }
    for (const Part<dvrtrace::kernel::Iptables>* part : {&netns.iptables4, &netns.iptables6}) {
      for (const auto& table : part->value.tables) {
        for (const auto& chain : table.chains) iptables(chain, fmt::format("{} {}", name, table.name));
      }
    }
    for (const dvrtrace::kernel::Ipset& set : netns.ipsets.value) {
      for (const auto* members : {&set.prefixes, &set.exceptions}) {
        for (const Sourced<Prefix>& member : *members) line(trim(text_of(member.at)), name + " ipset");
      }
      for (const std::string& member : set.others) line(member, name + " ipset " + set.name);
    }
    for (const auto& row : netns.links.value) link(row.value, name);
    for (const auto& [key, value] : netns.sysctls.value) line(key + " " + value.value, name + " sysctl");
  }

  // The order of rules counts in a port's own chains; in those of all it is that of the jumps, each for one port.
  void iptables(const dvrtrace::kernel::Chain& chain, const std::string& table) {
    mentions_.clear();
    names_.find(chain.name, index_, {}, mentions_, prefixes_);
    const bool own = !mentions_.empty();
    std::size_t number = 0;
    for (const auto& rule : chain.rules) {
      std::string_view text = text_of(rule.at);
      if (text.starts_with('['))
        text = text.substr(std::min(text.size(), text.find("] ") + 2));  // its counters
      line(trim(text), own ? fmt::format("{} {}", table, number++) : table);
    }
  }

  void link(const dvrtrace::kernel::Link& link, std::string_view netns) {
    line(
        fmt::format("{} {} {} {} {} {}", link.name, link.up, link.lower_up, link.mtu, link.kind, link.master),
        fmt::format("{} link", netns));
  }

  void database(const OvsPort& port) {
    std::string text = fmt::format("{} {} {} {}", port.name, port.tag ? std::to_string(*port.tag) : "",
                                   port.vlan_mode, fmt::join(port.trunks, ","));
    for (const OvsInterface& interface : port.interfaces) {
      const auto state = [](const std::optional<bool>& up) { return up ? *up ? "up" : "down" : "?"; };
      text += fmt::format(" {} {} {} {} {}", interface.name, interface.type, state(interface.link_up),
                          state(interface.admin_up), interface.ofport.value_or(0) < 0 ? interface.error : "");
    }
    line(text, "port");
  }

  const Network& network_;
  std::size_t index_;
  const Host& host_;
  const LineNames& names_;
  Signatures signatures_;
  std::set<Prefix> prefixes_;
  std::vector<LineNames::Mention> mentions_;
  std::string flow_;
};

// What Neutron's objects say of a port, beyond its names.
std::uint64_t own_signature(const Ports& ports, const CloudPort& port, const std::set<Prefix>& prefixes) {
  std::uint64_t sum = 0;
  std::size_t nth = 0;
  for (const Ip& ip : port.ips) {
    const CloudSubnet* subnet = ports.subnet_with(port.network_id, ip);
    sum += hash_of(fmt::format("address {} {}", nth, subnet == nullptr ? "" : to_string(subnet->cidr)));
    for (const Prefix& prefix : prefixes) {
      if (prefix.contains(ip)) sum += hash_of(fmt::format("within {} {}", nth, to_string(prefix)));
    }
    ++nth;
  }
  for (const Ip& ip : port.others) {
    for (const Prefix& prefix : prefixes) {
      if (prefix.contains(ip)) sum += hash_of("beside within " + to_string(prefix));
    }
  }
  return sum + hash_of(fmt::format("beside {}", port.others.size()));
}

bool has_place(const CloudPort& port) { return port.vm && port.host != kNowhere && !port.ips.empty(); }

}  // namespace

std::vector<std::vector<std::size_t>> each_alone(const Ports& ports) {
  std::vector<std::vector<std::size_t>> classes;
  for (std::size_t i = 0; i < ports.all().size(); ++i) {
    if (has_place(ports.at(i))) classes.push_back({i});
  }
  return classes;
}

std::vector<std::vector<std::size_t>> classes_of(const Network& network, const Ports& ports) {
  LineNames names(ports);
  for (std::size_t i = 0; i < ports.all().size(); ++i) {
    const CloudPort& port = ports.at(i);
    if (!port.vm || port.host == kNowhere) continue;
    const Host& host = network.host(port.host);
    const std::size_t bridge = host.find_bridge(port.bridge);
    if (bridge == kNowhere) continue;
    for (const BridgePort& plugged : host.bridges[bridge].ports) {
      if (plugged.name == port.device) names.plug(port.host, port.bridge, plugged.number, i);
    }
  }
  Signatures signatures(ports.all().size());
  std::set<Prefix> prefixes;
  std::mutex mutex;
  run_on_all_cores(network.size(), [&](std::size_t host) {
    HostLines lines(network, host, names, ports.all().size());
    lines.read();
    const std::scoped_lock lock(mutex);
    for (std::size_t i = 0; i < signatures.size(); ++i) signatures[i] += lines.signatures()[i];
    prefixes.insert(lines.prefixes().begin(), lines.prefixes().end());
  });
  std::map<std::tuple<std::size_t, std::string, std::uint64_t>, std::size_t> known;
  std::vector<std::vector<std::size_t>> classes;
  for (std::size_t i = 0; i < ports.all().size(); ++i) {
    const CloudPort& port = ports.at(i);
    if (!has_place(port)) continue;
    const std::uint64_t signature = signatures[i] + own_signature(ports, port, prefixes);
    const auto [place, added] = known.try_emplace({port.host, port.network_id, signature}, classes.size());
    if (added) classes.emplace_back();
    classes[place->second].push_back(i);
  }
  return classes;
}

}  // namespace dvrtrace::reach
