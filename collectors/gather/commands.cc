#include "collectors/gather/commands.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "collectors/dump_name.h"
#include "src/base/text.h"

namespace dvrtrace::gather {

namespace {

using enum Each;
using enum Tool;

// Values of keys that name a secret, and what stands before the @ of a URL.
constexpr std::string_view kSettings =
    "sed -E -e s#^([^=]*(password|secret|token|connection|transport_url|_key)[^=]*=).*#\\1*****# "
    "-e s#//[^/@]*@#//*****@#g /{}";

// In this order: first what says which others there are, then what changes fastest.
// clang-format off
constexpr std::array kCommands{
    Command{"bridges", Host, Ovs, "openvswitch", "ovs-vsctl -t 5 list-br", 10, true,
            "which bridges there are", Bridge, {}},
    Command{"namespaces", Host, System, "networking", "ip netns", 10, true,
            "which namespaces there are", Namespace, {}},
    Command{"domains", Host, Libvirt, "virsh", "virsh -r list --name", 10, false,
            "the names of VMs, where Neutron's objects are not given",
            Domain, {}},
    Command{"routers", Host, Agent, "neutron", "ls /var/lib/neutron/ha_confs", 10, false,
            "which HA routers there are", Router, {}},
    Command{"hostname", Host, System, "host", "hostname", 10, false, "what the host is called", Host, {}},
    Command{"date", Host, System, "date", "date", 10, false, "when it was collected", Host, {}},

    Command{"database", Host, Ovs, "openvswitch", "ovsdb-client -f json dump", 30, true,
            "ports, their VLANs, patch peers and tunnels", Host, {}},
    Command{"flows", Bridge, Ovs, "openvswitch", "ovs-ofctl -O OpenFlow13 dump-flows {}", 60, true,
            "what the bridge does with a packet", Host, {}},
    Command{"flows10", Bridge, Ovs, "openvswitch", "ovs-ofctl dump-flows {}", 60, true,
            "the same, of a bridge that speaks OpenFlow 1.0 alone", Host, "flows"},
    Command{"flows15", Bridge, Ovs, "openvswitch", "ovs-ofctl -O OpenFlow15 dump-flows {}", 60, true,
            "the same, of a bridge that speaks OpenFlow 1.5 alone", Host, "flows10"},
    Command{"groups", Bridge, Ovs, "openvswitch", "ovs-ofctl -O OpenFlow13 dump-groups {}", 30, false,
            "what a flow with a group does", Host, {}},
    Command{"groups10", Bridge, Ovs, "openvswitch", "ovs-ofctl dump-groups {}", 30, false,
            "the same", Host, "groups"},
    Command{"show", Bridge, Ovs, "openvswitch", "ovs-ofctl -O OpenFlow13 show {}", 30, true,
            "port numbers, ports that are down", Host, {}},
    Command{"show10", Bridge, Ovs, "openvswitch", "ovs-ofctl show {}", 30, true, "the same", Host, "show"},
    Command{"fdb", Bridge, Ovs, "openvswitch", "ovs-appctl fdb/show {}", 30, true,
            "where NORMAL sends a frame", Host, {}},
    Command{"dpif", Host, Ovs, "openvswitch", "ovs-appctl dpif/show", 30, false,
            "names of ports that are longer than OpenFlow's", Host, {}},
    Command{"bonds", Host, Ovs, "openvswitch", "ovs-appctl bond/show", 30, false,
            "which member of a bond sends", Host, {}},
    Command{"datapath-conntrack", Host, Ovs, "openvswitch", "ovs-appctl dpctl/dump-conntrack -m", 30, false,
            "which connections the firewall knows", Host, {}},
    Command{"ovs-show", Host, Ovs, "openvswitch", "ovs-vsctl -t 5 show", 10, false,
            "nothing; it is for people", Host, {}},

    Command{"addresses", Namespace, System, "networking", "ip -d address show", 30, true,
            "devices and addresses", Host, {}},
    Command{"rules", Namespace, System, "networking", "ip -4 rule list", 30, true,
            "which table routes a packet", Host, {}},
    Command{"rules6", Namespace, System, "networking", "ip -6 rule list", 30, false,
            "the same for IPv6", Host, {}},
    Command{"routes", Namespace, System, "networking", "ip route show table all", 60, true,
            "where a packet is routed to", Host, {}},
    Command{"neighbours", Namespace, System, "networking", "ip neigh show nud all", 30, true,
            "the MAC of the next hop", Host, {}},
    Command{"proxies", Namespace, System, "networking", "ip neigh show proxy", 30, false,
            "which addresses are answered for one by one", Host, {}},
    Command{"iptables", Namespace, Netfilter, "networking", "iptables-save -c", 60, true,
            "NAT, marks, and what is filtered", Host, {}},
    Command{"ip6tables", Namespace, Netfilter, "networking", "ip6tables-save -c", 60, false,
            "the same for IPv6", Host, {}},
    Command{"ipsets", Namespace, Netfilter, "networking", "ipset save", 30, false,
            "what a rule with a set matches (iptables_hybrid)", Host, {}},
    Command{"sysctls", Namespace, System, "networking", "sysctl -a", 30, false,
            "forwarding, rp_filter, proxy ARP, bridge-nf-call: the defaults of Neutron's agents are assumed", Host, {}},
    Command{"conntrack", Namespace, Netfilter, "conntrack", "conntrack -L -o extended", 30, false,
            "which connections NAT knows", Host, {}},
    Command{"bridge-ports", Host, System, "networking", "bridge -d link show", 30, false,
            "the ports of Linux bridges (iptables_hybrid)", Host, {}},
    Command{"bridge-fdb", Host, System, "networking", "bridge fdb show", 30, false,
            "where a Linux bridge sends a frame (iptables_hybrid)", Host, {}},

    Command{"domain", Domain, Libvirt, "virsh", "virsh -r dumpxml {}", 10, false,
            "the name, the ports and the devices of a VM", Host, {}},
    Command{"router-state", Router, Agent, "", "cat /var/lib/neutron/ha_confs/{}/state", 10, false,
            "whether an HA router is active here", Host, {}},
    Command{"fip-priorities", Host, Agent, "", "cat /var/lib/neutron/fip-priorities", 10, false,
            "which priority a floating IP's rule was given (check)", Host, {}},
    Command{"fip-linklocal", Host, Agent, "", "cat /var/lib/neutron/fip-linklocal-networks", 10, false,
            "which link-local pair a router was given (check)", Host, {}},
    Command{"settings", Settings, System, "", kSettings, 10, false,
            "agent mode, firewall driver, bridge mappings, local_ip", Host, {}},
};

// A container's own agents see what the host has; the host's own programs come first.
constexpr std::array kPrefixes{
    Prefix{Ovs, "", "ovs-vsctl --version"},
    Prefix{Ovs, "docker exec openvswitch_vswitchd", "docker exec openvswitch_vswitchd ovs-vsctl --version"},
    Prefix{Ovs, "podman exec openvswitch_vswitchd", "podman exec openvswitch_vswitchd ovs-vsctl --version"},
    Prefix{Ovs, "openstack-hypervisor.", "openstack-hypervisor.ovs-vsctl --version"},
    Prefix{Ovs, "microstack.", "microstack.ovs-vsctl --version"},
    Prefix{Netfilter, "", "iptables-save --version"},
    Prefix{Netfilter, "docker exec neutron_l3_agent", "docker exec neutron_l3_agent iptables-save --version"},
    Prefix{Netfilter, "podman exec neutron_l3_agent", "podman exec neutron_l3_agent iptables-save --version"},
    Prefix{Netfilter, "docker exec neutron_openvswitch_agent",
           "docker exec neutron_openvswitch_agent iptables-save --version"},
    Prefix{Netfilter, "podman exec neutron_openvswitch_agent",
           "podman exec neutron_openvswitch_agent iptables-save --version"},
    Prefix{Agent, "", "ls /var/lib/neutron"},
    Prefix{Agent, "docker exec neutron_l3_agent", "docker exec neutron_l3_agent ls /var/lib/neutron"},
    Prefix{Agent, "podman exec neutron_l3_agent", "podman exec neutron_l3_agent ls /var/lib/neutron"},
    Prefix{Libvirt, "", "virsh --version"},
    Prefix{Libvirt, "docker exec nova_libvirt", "docker exec nova_libvirt virsh --version"},
    Prefix{Libvirt, "podman exec nova_libvirt", "podman exec nova_libvirt virsh --version"},
    Prefix{Libvirt, "podman exec nova_virtqemud", "podman exec nova_virtqemud virsh --version"},
    Prefix{Libvirt, "openstack-hypervisor.", "openstack-hypervisor.virsh --version"},
};

constexpr std::array<std::string_view, 19> kSettingsFiles{
    "etc/neutron/neutron.conf",
    "etc/neutron/plugins/ml2/ml2_conf.ini",
    "etc/neutron/plugins/ml2/openvswitch_agent.ini",
    "etc/neutron/l3_agent.ini",
    "etc/neutron/dhcp_agent.ini",
    "etc/kolla/neutron-openvswitch-agent/neutron.conf",
    "etc/kolla/neutron-openvswitch-agent/ml2_conf.ini",
    "etc/kolla/neutron-openvswitch-agent/openvswitch_agent.ini",
    "etc/kolla/neutron-l3-agent/neutron.conf",
    "etc/kolla/neutron-l3-agent/l3_agent.ini",
    "etc/kolla/neutron-dhcp-agent/dhcp_agent.ini",
    "var/lib/config-data/puppet-generated/neutron/etc/neutron/neutron.conf",
    "var/lib/config-data/puppet-generated/neutron/etc/neutron/plugins/ml2/ml2_conf.ini",
    "var/lib/config-data/puppet-generated/neutron/etc/neutron/plugins/ml2/openvswitch_agent.ini",
    "var/lib/config-data/puppet-generated/neutron/etc/neutron/l3_agent.ini",
    "var/lib/config-data/puppet-generated/neutron/etc/neutron/dhcp_agent.ini",
    "var/snap/openstack-hypervisor/common/etc/neutron/neutron.conf",
    "var/snap/openstack-hypervisor/common/etc/neutron/plugins/ml2/openvswitch_agent.ini",
    "var/snap/openstack-hypervisor/common/etc/neutron/l3_agent.ini",
};
// clang-format on

std::string filled(std::string_view word, std::string_view subject) {
  std::string text(word);
  if (const std::size_t at = text.find("{}"); at != std::string::npos) text.replace(at, 2, subject);
  return text;
}

}  // namespace

std::span<const Command> commands() { return kCommands; }
std::span<const Prefix> prefixes() { return kPrefixes; }
std::span<const std::string_view> settings_files() { return kSettingsFiles; }

const Command* find(std::string_view key) {
  const auto found = std::ranges::find(kCommands, key, &Command::key);
  return found == kCommands.end() ? nullptr : &*found;
}

const Command* instead_of(std::string_view line) {
  const auto name_of_output = [](std::string_view command) {
    return classify("sos_commands/networking/" + mangled(command));
  };
  const DumpName wanted = name_of_output(line);
  if (!is_dump(wanted.kind)) return nullptr;
  const auto found = std::ranges::find_if(kCommands, [&](const Command& command) {
    const DumpName name = name_of_output(filled(command.line, "br"));
    const bool of_family = !name.family || !wanted.family || name.family == wanted.family;
    return !command.folder.empty() && name.kind == wanted.kind && of_family;
  });
  return found == kCommands.end() ? nullptr : &*found;
}

std::string_view name_of(Tool tool) {
  switch (tool) {
    case Tool::System:
      return "iproute2";
    case Tool::Ovs:
      return "Open vSwitch";
    case Tool::Netfilter:
      return "iptables";
    case Tool::Agent:
      return "the L3 agent's state";
    case Tool::Libvirt:
      return "libvirt";
  }
  return {};
}

Words words_of(const Command& command, std::string_view subject, std::string_view prefix) {
  Words words;
  if (command.each == Each::Namespace && !subject.empty())
    words = {"ip", "netns", "exec", std::string(subject)};
  for (const std::string_view word : dvrtrace::words_of(command.line)) words.push_back(filled(word, subject));
  if (prefix.ends_with('.')) {
    words.front().insert(0, prefix);
  } else {
    Words before = words_in(prefix);
    words.insert(words.begin(), before.begin(), before.end());
  }
  return words;
}

std::string path_of(const Command& command, std::string_view subject) {
  const Words words = words_of(command, subject);
  if (command.folder.empty()) return words.back().substr(1);
  std::string file = mangled(fmt::format("{}", fmt::join(words, " ")));
  constexpr std::string_view kStripped = " ._-";
  file.erase(file.find_last_not_of(kStripped) + 1);
  file.erase(0, file.find_first_not_of(kStripped));
  constexpr std::size_t kLongestName = 255;
  file.resize(std::min(file.size(), kLongestName));
  const bool in_namespace = command.each == Each::Namespace && !subject.empty();
  const std::string inner =
      in_namespace && command.folder == "networking" ? fmt::format("namespaces/{}/", mangled(subject)) : "";
  return fmt::format("sos_commands/{}/{}{}", command.folder, inner, file);
}

// A line is a name, and after a blank what else there is to say of it: "qrouter-U (id: 9)".
std::vector<std::string> found_in(Each each, std::string_view output) {
  std::vector<std::string> names;
  for (std::string_view line : split(output, '\n')) {
    const std::string_view name = take_word(line);
    if (name.empty()) continue;
    const bool is_new = std::ranges::find(names, name) == names.end();
    if (is_subject(each, name) && is_new) names.emplace_back(name);
  }
  return names;
}

bool is_subject(Each each, std::string_view name) {
  constexpr std::size_t kLongest = 200, kUuid = 36;
  const auto fits = [](char c) {
    return is_alpha(c) || is_digit(c) || std::string_view("-_.:+@").find(c) != std::string_view::npos;
  };
  if (each == Each::Settings) return std::ranges::find(kSettingsFiles, name) != kSettingsFiles.end();
  if (each == Each::Host) return name.empty();
  if (name.empty()) return each == Each::Namespace;
  if (each == Each::Router && name.size() != kUuid)
    return false;  // keepalived's own files lie beside the routers' folders
  return name.size() <= kLongest && name.front() != '-' && name.front() != '.' &&
         std::ranges::all_of(name, fits);
}

}  // namespace dvrtrace::gather
