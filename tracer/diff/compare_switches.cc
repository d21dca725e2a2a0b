#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "tracer/diff/changes.h"

namespace dvrtrace::diff {
namespace {

// What of a thing counts, in the words of ovs-vsctl. Two sides are compared one by one; `shown` is what is
// printed, in that side's own numbers.
struct Attribute {
  std::string key, value, shown;
};
using Attributes = std::vector<Attribute>;

const Attribute* find(const Attributes& attributes, const std::string& key) {
  const auto at = std::ranges::find(attributes, key, &Attribute::key);
  return at == attributes.end() ? nullptr : &*at;
}

std::string text_of(const Attributes& attributes) {
  std::vector<std::string_view> shown;
  for (const Attribute& each : attributes) shown.push_back(each.shown);
  return fmt::format("{}", fmt::join(shown, ", "));
}

// Those that the other side does not have, or has otherwise. What is only there is shown on the one side as
// not there on the other.
Attributes differing(const Attributes& own, const Attributes& other) {
  Attributes left;
  for (const Attribute& each : own) {
    const Attribute* same = find(other, each.key);
    if (same == nullptr || same->value != each.value) left.push_back(each);
  }
  for (const Attribute& each : other) {
    if (find(own, each.key) == nullptr) left.push_back({each.key, "", "no " + each.key});
  }
  return left;
}

void add(Attributes& attributes, std::string key, std::string value) {
  if (value.empty()) return;
  std::string shown = fmt::format("{}={}", key, value);
  attributes.push_back({std::move(key), std::move(value), std::move(shown)});
}

bool is_tunnel(const OvsInterface& interface) {
  for (const std::string_view type :
       {"vxlan", "gre", "geneve", "ip6gre", "erspan", "ip6erspan", "gtpu", "bareudp", "stt"}) {
    if (interface.type == type) return true;
  }
  return false;
}

const BridgePort* port_of(const Host& host, std::string_view bridge, std::string_view name) {
  const std::size_t at = host.find_bridge(bridge);
  if (at == kNowhere) return nullptr;
  const auto& ports = host.bridges[at].ports;
  const auto port = std::ranges::find(ports, name, &BridgePort::name);
  return port == ports.end() ? nullptr : &*port;
}

const OvsBridge* bridge_of(const HostSnapshot& host, std::string_view name) {
  const auto at = std::ranges::find(host.ovs.value.bridges, name, &OvsBridge::name);
  return at == host.ovs.value.bridges.end() ? nullptr : &*at;
}

const OvsPort* port_of(const OvsBridge& bridge, std::string_view name) {
  const auto at = std::ranges::find(bridge.ports, name, &OvsPort::name);
  return at == bridge.ports.end() ? nullptr : &*at;
}

class Switches {
 public:
  Switches(const Host& before, const Host& after, const HostSnapshot& was)
      : before_(before), after_(after), was_(was) {
    links_told_ = tells_links(before) && tells_links(after);
  }

  std::vector<Found> run() {
    for (const OvsBridge& bridge : was_.ovs.value.bridges) {
      const OvsBridge* now = bridge_of(after_.snapshot, bridge.name);
      if (now == nullptr)
        whole_bridge(bridge, ChangeKind::Removed);
      else
        compare(bridge, *now);
    }
    for (const OvsBridge& bridge : after_.snapshot.ovs.value.bridges) {
      if (bridge_of(was_, bridge.name) == nullptr) whole_bridge(bridge, ChangeKind::Added);
    }
    return std::move(found_);
  }

 private:
  static bool tells_links(const Host& host) {
    const NamespaceSnapshot* root = host.snapshot.find_namespace("");
    return root != nullptr && root->links.present();
  }
  // Then the kernel's own word on the device counts.
  bool is_told_link(const std::string& name) const {
    if (!links_told_) return false;
    for (const Host* host : {&before_, &after_}) {
      const auto& links = host->snapshot.find_namespace("")->links.value;
      if (std::ranges::find(links, name, [](const auto& link) { return link.value.name; }) == links.end())
        return false;
    }
    return true;
  }

  Change& add_change(ChangeKind kind, std::string_view bridge, std::string_view object_kind, std::string name,
                     Subject subject) {
    Found& found = found_.emplace_back();
    found.subject = std::move(subject);
    Change& change = found.change;
    change.kind = kind;
    change.host = after_.name;
    change.place_kind = "bridge";
    change.place = bridge;
    change.object_kind = object_kind;
    change.name = std::move(name);
    return change;
  }

  static Attributes attributes_of(const OvsBridge& bridge) {
    Attributes all;
    add(all, "fail_mode", bridge.fail_mode);
    add(all, "datapath_type", bridge.datapath_type);
    add(all, "controller", bridge.has_controller ? "set" : "");
    for (const auto& [key, on] : {std::pair("stp_enable", bridge.stp), std::pair("rstp_enable", bridge.rstp),
                                  std::pair("mcast_snooping_enable", bridge.mcast_snooping)})
      add(all, key, on ? "true" : "");
    add(all, "flood_vlans", fmt::format("{}", fmt::join(bridge.flood_vlans, " ")));
    for (const OvsMirror& mirror : bridge.mirrors) {
      add(all, "mirror " + mirror.name,
          fmt::format("{}src {} dst {} vlans {} to {} {}", mirror.select_all ? "all " : "",
                      fmt::join(mirror.select_src, " "), fmt::join(mirror.select_dst, " "),
                      fmt::join(mirror.select_vlans, " "), mirror.output_port,
                      mirror.output_vlan.value_or(0)));
    }
    return all;
  }

  void whole_bridge(const OvsBridge& bridge, ChangeKind kind) {
    Change& change = add_change(kind, bridge.name, "bridge", bridge.name, SwitchBridge{bridge.name});
    const std::string text = fmt::format("{} with {} ports", bridge.name, bridge.ports.size());
    change.object = bridge.name;
    (kind == ChangeKind::Removed ? change.before : change.after) = text;
    (kind == ChangeKind::Removed ? change.before_at : change.after_at) = bridge.at;
  }

  void compare(const OvsBridge& was, const OvsBridge& now) {
    const Attributes own = attributes_of(was), other = attributes_of(now);
    const Attributes gone = differing(own, other), come = differing(other, own);
    if (!gone.empty() || !come.empty()) {
      Change& change = add_change(ChangeKind::Altered, now.name, "bridge", now.name, SwitchBridge{now.name});
      change.object = fmt::format("{} {}", now.name, text_of(come));
      change.before = text_of(gone), change.after = text_of(come);
      change.before_at = was.at, change.after_at = now.at;
    }
    for (const OvsPort& port : was.ports) {
      const OvsPort* same = port_of(now, port.name);
      if (same == nullptr)
        whole_port(was.name, port, before_, ChangeKind::Removed);
      else
        compare(now.name, port, *same);
    }
    for (const OvsPort& port : now.ports) {
      if (port_of(was, port.name) == nullptr) whole_port(now.name, port, after_, ChangeKind::Added);
    }
  }

  // `own_tag`: what the tag was in that side's own numbers.
  Attributes attributes_of(std::string_view bridge, const OvsPort& port, std::optional<std::uint16_t> own_tag,
                           const Host& host, bool features_told) const {
    Attributes all;
    if (port.tag)
      all.push_back({"tag", std::to_string(*port.tag), fmt::format("tag={}", own_tag.value_or(*port.tag))});
    add(all, "trunks", fmt::format("{}", fmt::join(port.trunks, " ")));
    add(all, "cvlans", fmt::format("{}", fmt::join(port.cvlans, " ")));
    add(all, "vlan_mode", port.vlan_mode);
    add(all, "bond_mode", port.bond_mode);
    add(all, "protected", port.is_protected ? "true" : "");
    const bool bond = port.interfaces.size() > 1;
    for (const OvsInterface& interface : port.interfaces) {
      const std::string prefix = bond ? interface.name + ":" : "";
      if (bond) add(all, "interface " + interface.name, "yes");
      add(all, prefix + "type", interface.type);
      for (const auto& [key, value] : interface.options) add(all, prefix + "options:" + key, value);
      for (const char* key : {"iface-id", "attached-mac", "vm-uuid"}) {
        const auto value = interface.external_ids.find(key);
        if (value != interface.external_ids.end()) add(all, prefix + "external_ids:" + key, value->second);
      }
      add(all, prefix + "error", interface.error);
      add(all, prefix + "ofport", interface.ofport == -1 ? "-1" : "");
      // The switch does not see into namespaces: what it has there shows as down.
      const bool seen = interface.type.empty() && !is_told_link(interface.name);
      if (seen) add(all, prefix + "admin_state", interface.admin_up == false ? "down" : "");
      if (seen) add(all, prefix + "link_state", interface.link_up == false ? "down" : "");
      const BridgePort* flags = port_of(host, bridge, interface.name);
      if (flags == nullptr) continue;
      add(all, prefix + "blocked by a spanning tree", flags->blocked ? "yes" : "");
      if (!features_told) continue;
      add(all, prefix + "no_recv", flags->no_recv ? "yes" : "");
      add(all, prefix + "no_fwd", flags->no_fwd ? "yes" : "");
      add(all, prefix + "no_flood", flags->no_flood ? "yes" : "");
      if (!is_told_link(interface.name)) add(all, prefix + "port_down", flags->port_down ? "yes" : "");
    }
    return all;
  }

  bool features_told(std::string_view bridge) const {
    const BridgeDumps* was = before_.snapshot.find_bridge(bridge);
    const BridgeDumps* now = after_.snapshot.find_bridge(bridge);
    return was != nullptr && now != nullptr && was->features.present() && now->features.present();
  }

  static std::optional<std::uint16_t> own_tag(const Host& host, std::string_view bridge,
                                              std::string_view port) {
    const OvsBridge* row = bridge_of(host.snapshot, bridge);
    const OvsPort* own = row == nullptr ? nullptr : port_of(*row, port);
    return own == nullptr ? std::nullopt : own->tag;
  }

  static std::string_view kind_of(const OvsPort& port) {
    return !port.interfaces.empty() && is_tunnel(port.interfaces.front()) ? "tunnel" : "port";
  }

  void cite(const OvsPort& port) {
    found_.back().cited.push_back(port.at);
    for (const OvsInterface& interface : port.interfaces) found_.back().cited.push_back(interface.at);
  }

  static Provenance place_of(const OvsPort& port) {
    return kind_of(port) == "tunnel" ? port.interfaces.front().at : port.at;
  }

  void whole_port(const std::string& bridge, const OvsPort& port, const Host& host, ChangeKind kind) {
    const Attributes all =
        attributes_of(bridge, port, own_tag(host, bridge, port.name), host, features_told(bridge));
    Change& change = add_change(kind, bridge, kind_of(port), port.name, SwitchPort{bridge, port.name});
    const std::string text = all.empty() ? port.name : text_of(all);
    change.object = fmt::format("{} {}", port.name, text);
    (kind == ChangeKind::Removed ? change.before : change.after) = text;
    (kind == ChangeKind::Removed ? change.before_at : change.after_at) = place_of(port);
    cite(port);
  }

  void compare(const std::string& bridge, const OvsPort& was, const OvsPort& now) {
    const bool told = features_told(bridge);
    const Attributes own = attributes_of(bridge, was, own_tag(before_, bridge, was.name), before_, told);
    const Attributes other = attributes_of(bridge, now, now.tag, after_, told);
    const Attributes gone = differing(own, other), come = differing(other, own);
    if (gone.empty() && come.empty()) return;
    Change& change =
        add_change(ChangeKind::Altered, bridge, kind_of(now), now.name, SwitchPort{bridge, now.name});
    change.object = fmt::format("{} {}", now.name, text_of(come));
    change.before = text_of(gone), change.after = text_of(come);
    change.before_at = place_of(was), change.after_at = place_of(now);
    cite(was);
    cite(now);
  }

  const Host& before_;
  const Host& after_;
  const HostSnapshot& was_;
  bool links_told_ = false;
  std::vector<Found> found_;
};

}  // namespace

std::vector<Found> compare_switches(const Host& before, const Host& after, const HostSnapshot& was) {
  if (!before.snapshot.ovs.present() || !after.snapshot.ovs.present()) return {};
  return Switches(before, after, was).run();
}

}  // namespace dvrtrace::diff
