#include "tracer/diff/follow.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "src/base/text.h"
#include "tracer/diff/flow_numbers.h"

namespace dvrtrace::diff {
namespace {

using check::Difference;

// Neutron names a port's devices and chains by so many characters of its id.
constexpr std::size_t kIdInNames = 10, kPrefixOfNames = 3;

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

bool says(const Change& change, std::string_view word) {
  return contains(change.before, word) || contains(change.after, word);
}

bool comes_or_goes(const Change& change) { return change.kind != ChangeKind::Altered; }

bool is_of(const Change& change, std::string_view kind) { return change.object_kind == kind; }

bool is_port(const Change& change) { return is_of(change, "port") || is_of(change, "tunnel"); }

// "net.ipv4.conf.eth0.forwarding = 1" as the setting that it goes with: written, that one is written to all
// devices.
std::string whole_setting(const std::string& name) {
  if (!name.ends_with(".forwarding")) return {};
  if (name.starts_with("net.ipv4.conf.")) return "net.ipv4.ip_forward";
  return name.starts_with("net.ipv6.conf.") && name != "net.ipv6.conf.all.forwarding"
             ? "net.ipv6.conf.all.forwarding"
             : "";
}

std::string_view value_of(std::string_view setting) {
  return setting.substr(std::min(setting.size(), setting.find('=')));
}

// "eth0 mtu 1500 up no-carrier": the same but for the carrier.
bool carrier_alone(const Change& change) {
  const auto without = [](std::string text) {
    if (const auto at = text.find(" no-carrier"); at != std::string::npos) text.erase(at, 11);
    return text;
  };
  return change.kind == ChangeKind::Altered && without(change.before) == without(change.after);
}

bool went_up_or_down(const Change& change) {
  if (!is_of(change, "link")) return false;
  const auto down = [](const std::string& state) {
    return state.empty() || contains(" " + state + " ", " down ");
  };
  return down(change.before) != down(change.after);
}

class Following {
 public:
  Following(const Network& before, const Network& after, std::span<const Listed> changes)
      : before_(before), after_(after), changes_(changes), follows_(changes.size()) {}

  std::vector<std::optional<std::size_t>> run() {
    index_flows();
    for (std::size_t leader = 0; leader < changes_.size(); ++leader) {
      const Change& change = at(leader);
      if (comes_or_goes(change) && is_port(change)) lead_port(leader);
      if (went_up_or_down(change)) lead_link(leader);
      if (is_of(change, "sysctl")) lead_setting(leader);
      if (comes_or_goes(change) && is_of(change, "namespace")) lead_namespace(leader);
    }
    for (auto& follows : follows_) {
      if (follows) follows = root(*follows);
    }
    return std::move(follows_);
  }

 private:
  const Change& at(std::size_t index) const { return changes_[index].found->change; }
  bool same_host(std::size_t a, std::size_t b) const { return changes_[a].host == changes_[b].host; }

  std::size_t root(std::size_t index) const {
    while (follows_[index]) index = *follows_[index];
    return index;
  }
  void follow(std::size_t index, std::size_t leader) {
    if (index != leader && !follows_[index] && root(leader) != index) follows_[index] = leader;
  }

  const OvsPort* port_row(const HostSnapshot& host, const SwitchPort& subject) const {
    const auto bridge = std::ranges::find(host.ovs.value.bridges, subject.bridge, &OvsBridge::name);
    if (bridge == host.ovs.value.bridges.end()) return nullptr;
    const auto port = std::ranges::find(bridge->ports, subject.name, &OvsPort::name);
    return port == bridge->ports.end() ? nullptr : &*port;
  }

  // Its flows, its device, and on all hosts what was made for its MAC.
  void lead_port(std::size_t leader) {
    const auto& subject = std::get<SwitchPort>(changes_[leader].found->subject);
    const HostChanges& host = *changes_[leader].host;
    const bool removed = at(leader).kind == ChangeKind::Removed;
    const HostSnapshot& has = removed ? host.was : after_.host(host.after).snapshot;
    const OvsPort* row = port_row(has, subject);
    std::optional<std::uint32_t> number;
    std::string mac;
    for (const OvsInterface& interface : row == nullptr ? std::vector<OvsInterface>{} : row->interfaces) {
      if (interface.ofport && *interface.ofport > 0) number = static_cast<std::uint32_t>(*interface.ofport);
      if (const auto id = interface.external_ids.find("attached-mac"); id != interface.external_ids.end())
        mac = to_lower(id->second);
    }
    std::string id;
    if (!mac.empty() && subject.name.size() >= kPrefixOfNames + kIdInNames)
      id = subject.name.substr(kPrefixOfNames, kIdInNames);
    for (std::size_t i = 0; i < changes_.size(); ++i) {
      const Change& change = at(i);
      if (is_port(change) && same_host(i, leader)) continue;
      const bool own_flow = number && same_host(i, leader) && change.place == subject.bridge &&
                            ports_named_[i].contains(*number);
      const bool own_device = same_host(i, leader) && is_of(change, "link") && change.name == subject.name &&
                              comes_or_goes(change);
      const bool of_mac = !mac.empty() && says(change, mac);
      const bool of_id = !id.empty() && same_host(i, leader) && contains(change.object, id);
      if (own_flow || own_device || of_mac || of_id) follow(i, leader);
    }
  }

  // Which ports the flows that changed have to do with.
  void index_flows() {
    using Rows = std::map<Provenance, const openflow::FlowRow*>;
    std::map<const BridgeDumps*, Rows> by_place;
    ports_named_.resize(changes_.size());
    for (std::size_t i = 0; i < changes_.size(); ++i) {
      const auto* flow = std::get_if<check::BridgeDifference>(&changes_[i].found->subject);
      if (flow == nullptr) continue;
      FlowNumbers numbers;
      numbers.registers = true;
      numbers.port = [&](std::uint32_t port) {
        ports_named_[i].insert(port);
        return port;
      };
      const auto look = [&](const HostSnapshot& host, const Provenance& place) {
        const BridgeDumps* dumps = host.find_bridge(flow->bridge);
        if (dumps == nullptr || !place.known()) return;
        Rows& rows = by_place[dumps];
        if (rows.empty()) {
          for (const openflow::FlowRow& row : dumps->flows.value.flows) rows.emplace(row.at, &row);
        }
        const auto row = rows.find(place);
        if (row == rows.end()) return;
        openflow::Flow copy = row->second->flow;
        renumber(copy.match, numbers);
        renumber(copy.actions, numbers);
      };
      const HostChanges& host = *changes_[i].host;
      look(host.was, flow->expected_at);
      look(after_.host(host.after).snapshot, flow->found_at);
    }
  }

  // What goes by the device, and the other end of a veth.
  void lead_link(std::size_t leader) {
    const Change& link = at(leader);
    for (std::size_t i = 0; i < changes_.size(); ++i) {
      if (i == leader || !same_host(i, leader)) continue;
      const Change& change = at(i);
      const bool goes_by = is_of(change, "route") || is_of(change, "address") || is_of(change, "neighbour");
      const std::string device = " dev " + link.name + " ";
      if (goes_by && change.place == link.place &&
          (contains(change.before + " ", device) || contains(change.after + " ", device)))
        follow(i, leader);
      if (is_of(change, "link") && carrier_alone(change) && is_peer(leader, i)) follow(i, leader);
      if (is_port(change) && change.kind == ChangeKind::Altered && change.name == link.name &&
          says(change, "error="))
        follow(i, leader);
    }
  }

  bool is_peer(std::size_t one, std::size_t other) const {
    for (const Host* host :
         {&before_.host(changes_[one].host->before), &after_.host(changes_[one].host->after)}) {
      const std::size_t netns = host->find_namespace(at(one).place);
      if (netns == kNowhere) continue;
      const std::size_t device = host->namespaces[netns].find(at(one).name);
      if (device == kNowhere) continue;
      const NetDevice& end = host->namespaces[netns].devices[device];
      if (end.behind != Behind::VethPeer || end.peer_netns == kNowhere || end.peer == kNowhere) continue;
      const Namespace& far = host->namespaces[end.peer_netns];
      if (far.name == at(other).place && far.devices[end.peer].name() == at(other).name) return true;
    }
    return false;
  }

  void lead_setting(std::size_t leader) {
    const Change& setting = at(leader);
    for (std::size_t i = 0; i < changes_.size(); ++i) {
      const Change& change = at(i);
      const bool part = is_of(change, "sysctl") && same_host(i, leader) && change.place == setting.place &&
                        whole_setting(change.name) == setting.name;
      if (part && value_of(change.after) == value_of(setting.after)) follow(i, leader);
    }
  }

  // The ports that are its devices.
  void lead_namespace(std::size_t leader) {
    const HostChanges& host = *changes_[leader].host;
    const bool removed = at(leader).kind == ChangeKind::Removed;
    const HostSnapshot& has = removed ? host.was : after_.host(host.after).snapshot;
    const NamespaceSnapshot* netns = has.find_namespace(at(leader).place);
    if (netns == nullptr) return;
    for (std::size_t i = 0; i < changes_.size(); ++i) {
      if (!same_host(i, leader) || !is_port(at(i)) || !comes_or_goes(at(i))) continue;
      const auto named = [&](const auto& link) { return link.value.name == at(i).name; };
      if (std::ranges::any_of(netns->links.value, named)) follow(i, leader);
    }
  }

  const Network& before_;
  const Network& after_;
  std::span<const Listed> changes_;
  std::vector<std::optional<std::size_t>> follows_;
  std::vector<std::set<std::uint32_t>> ports_named_;  // of each change that is a flow
};

}  // namespace

std::vector<std::optional<std::size_t>> followed(const Network& before, const Network& after,
                                                 std::span<const Listed> changes) {
  return Following(before, after, changes).run();
}

}  // namespace dvrtrace::diff
