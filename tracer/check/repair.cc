#include "tracer/check/repair.h"

#include <fmt/format.h>

#include <algorithm>

#include "src/base/text.h"

namespace dvrtrace::check {
namespace {

// The flow as ovs-ofctl takes it, in quotes for a shell.
std::string quoted(const std::string& text) { return "'" + text + "'"; }

// Table, priority and match, without the actions: what --strict names a flow by.
std::string named(std::string flow) {
  const std::size_t actions = flow.find(" actions=");
  return quoted(flow.substr(0, actions));
}

std::string flow_repair(const BridgeDifference& difference) {
  switch (difference.deviation) {
    case Deviation::Missing:
      return fmt::format("ovs-ofctl add-flow {} {}", difference.bridge, quoted(difference.expected));
    case Deviation::Extra:
      return fmt::format("ovs-ofctl --strict del-flows {} {}", difference.bridge, named(difference.found));
    case Deviation::Different:
      break;
  }
  if (named(difference.expected) == named(difference.found))
    return fmt::format("ovs-ofctl --strict mod-flows {} {}", difference.bridge, quoted(difference.expected));
  return fmt::format("ovs-ofctl --strict del-flows {} {}\novs-ofctl add-flow {} {}", difference.bridge,
                     named(difference.found), difference.bridge, quoted(difference.expected));
}

std::string port_repair(const BridgeDifference& difference) {
  const std::size_t equals = difference.expected.find('=');
  if (difference.deviation != Deviation::Different || equals == std::string::npos)
    return "systemctl restart neutron-openvswitch-agent";
  const std::string key = difference.expected.substr(0, equals);
  if (key == "tag") return fmt::format("ovs-vsctl set port {} {}", difference.name, difference.expected);
  if (key == "admin_state") return fmt::format("ip link set {} up", difference.name);
  if (difference.object == BridgeObject::Tunnel && key != "type")
    return fmt::format("ovs-vsctl set interface {} options:{}", difference.name, difference.expected);
  return "systemctl restart neutron-openvswitch-agent";
}

std::string_view word_after(std::string_view text, std::string_view key) {
  while (!text.empty()) {
    if (take_word(text) == key) return take_word(text);
  }
  return {};
}

// "qr-1 lladdr fa:.. mtu 1450 master qbr up"
std::string link_repair(const Difference& difference, std::string_view prefix) {
  if (difference.deviation == Deviation::Extra) return {};
  std::string_view rest = difference.expected;
  const std::string_view name = take_word(rest);
  if (difference.deviation == Deviation::Missing) return "systemctl restart neutron-l3-agent";
  std::string commands;
  const auto add = [&](std::string command) {
    commands += fmt::format("{}{}ip link set {} {}", commands.empty() ? "" : "\n", prefix, name, command);
  };
  for (const std::string_view key : {"mtu", "master"}) {
    const std::string_view expected = word_after(difference.expected, key),
                           found = word_after(difference.found, key);
    if (expected != found)
      add(expected.empty() ? fmt::format("no{}", key) : fmt::format("{} {}", key, expected));
  }
  const std::string_view mac = word_after(difference.expected, "lladdr"),
                         found_mac = word_after(difference.found, "lladdr");
  if (!mac.empty() && !found_mac.empty() && mac != found_mac) add(fmt::format("address {}", mac));
  if (difference.found.ends_with(" down") && difference.expected.ends_with(" up")) add("up");
  return commands;
}

std::string iptables_repair(const Difference& difference, const HostSnapshot& expected,
                            std::string_view prefix) {
  const std::string command = fmt::format(
      "{}{} -t {}", prefix, difference.family == "6" ? "ip6tables" : "iptables", difference.table);
  const auto rule_of = [](const std::string& text) {
    return text.starts_with("-A ") ? text.substr(3) : text;
  };
  const auto number = [&]() -> std::size_t {
    const NamespaceSnapshot* netns = expected.find_namespace(difference.netns);
    if (netns == nullptr) return 0;
    const auto& part = difference.family == "6" ? netns->iptables6 : netns->iptables4;
    const kernel::IptablesTable* table = part.value.find(difference.table);
    const kernel::Chain* chain = table == nullptr ? nullptr : table->find(difference.chain);
    if (chain == nullptr) return 0;
    const auto at =
        std::ranges::find(chain->rules, difference.expected_at, [](const auto& rule) { return rule.at; });
    return at == chain->rules.end() ? 0 : static_cast<std::size_t>(at - chain->rules.begin()) + 1;
  };
  const auto insert = [&] {
    const std::string rule = rule_of(difference.expected);
    const std::size_t space = rule.find(' ');
    const std::size_t place = number();
    if (place == 0 || space == std::string::npos) return fmt::format("{} -A {}", command, rule);
    return fmt::format("{} -I {} {}{}", command, rule.substr(0, space), place, rule.substr(space));
  };
  const auto remove = [&] { return fmt::format("{} -D {}", command, rule_of(difference.found)); };
  if (difference.order || !difference.expected.starts_with("-A ")) {
    if (difference.deviation != Deviation::Extra) return "systemctl restart neutron-l3-agent";
  }
  switch (difference.deviation) {
    case Deviation::Missing:
      return insert();
    case Deviation::Extra:
      return difference.found.starts_with("-A ") ? remove() : std::string{};
    case Deviation::Different:
      return remove() + "\n" + insert();
  }
  return {};
}

// "48257: from 10.0.1.11 lookup 16"
std::string rule_command(std::string_view text, std::string_view what, std::string_view prefix,
                         std::string_view family) {
  const std::string_view priority = take_until(text, ':');
  return fmt::format("{}ip{} rule {} {} priority {}", prefix, family == "6" ? " -6" : "", what, trim(text),
                     priority);
}

// A neighbour as `ip neigh show` prints it, in the words that `ip neigh` takes.
std::string neighbour_words(std::string text) {
  constexpr std::string_view kShown = " PERMANENT";
  if (text.ends_with(kShown)) text.replace(text.size() - kShown.size(), kShown.size(), " nud permanent");
  return text;
}

// "A = B" as sysctl takes it.
std::string sysctl_words(const std::string& text) {
  const std::size_t equals = text.find(" = ");
  return equals == std::string::npos ? text : text.substr(0, equals) + "=" + text.substr(equals + 3);
}

}  // namespace

std::string repair_of(const BridgeDifference& difference) {
  return difference.object == BridgeObject::Flow ? flow_repair(difference) : port_repair(difference);
}

std::string repair_of(const Difference& difference, const HostSnapshot& expected) {
  const std::string prefix =
      difference.netns.empty() ? "" : fmt::format("ip netns exec {} ", difference.netns);
  const std::string_view ip = difference.family == "6" ? "ip -6" : "ip";
  const bool extra = difference.deviation == Deviation::Extra,
             missing = difference.deviation == Deviation::Missing;
  switch (difference.kind) {
    case ObjectKind::Namespace:
      return extra ? fmt::format("ip netns delete {}", difference.object)
                   : "systemctl restart neutron-l3-agent";
    case ObjectKind::Link:
      return link_repair(difference, prefix);
    case ObjectKind::Address:
      if (extra) return fmt::format("{}ip addr del {}", prefix, difference.found);
      if (missing) return fmt::format("{}ip addr add {}", prefix, difference.expected);
      return fmt::format("{0}ip addr del {1}\n{0}ip addr add {2}", prefix, difference.found,
                         difference.expected);
    case ObjectKind::Rule:
      if (extra) return rule_command(difference.found, "del", prefix, difference.family);
      if (missing) return rule_command(difference.expected, "add", prefix, difference.family);
      return rule_command(difference.found, "del", prefix, difference.family) + "\n" +
             rule_command(difference.expected, "add", prefix, difference.family);
    case ObjectKind::Route:
      if (extra) return fmt::format("{}{} route del {}", prefix, ip, difference.found);
      return fmt::format("{}{} route replace {}", prefix, ip, difference.expected);
    case ObjectKind::Neighbour:
      if (extra)
        return fmt::format("{}ip neigh del {}", prefix,
                           difference.found.substr(0, difference.found.find(" lladdr")));
      return fmt::format("{}ip neigh replace {}", prefix, neighbour_words(difference.expected));
    case ObjectKind::IptablesRule:
      return iptables_repair(difference, expected, prefix);
    case ObjectKind::Ipset: {
      const bool member = difference.object.find(" family ") == std::string::npos;
      if (!member) return "systemctl restart neutron-openvswitch-agent";
      return fmt::format("{}ipset {} {}", prefix, extra ? "del" : "add",
                         extra ? difference.found : difference.expected);
    }
    case ObjectKind::Sysctl:
      return extra ? std::string{} : fmt::format("{}sysctl -w {}", prefix, sysctl_words(difference.expected));
  }
  return {};
}

}  // namespace dvrtrace::check
