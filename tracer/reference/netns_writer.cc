#include "tracer/reference/netns_writer.h"

#include <fmt/format.h>

#include "src/kernel/routing.h"

namespace dvrtrace::reference {
namespace {

constexpr std::string_view kKernel = "KERNEL", kConnected = "KERNEL-CONNECTED";
constexpr std::uint32_t kDefaultMtu = 1500;

std::string prefix_text(const Prefix& prefix) {
  if (prefix.length() == 0) return "default";
  return prefix.host() ? to_string(prefix.ip()) : to_string(prefix);
}

}  // namespace

NetnsWriter::NetnsWriter(std::string netns, std::string_view rule, bool optional)
    : netns_(std::move(netns)),
      links_(path("ip_addr"), {}, netns_),
      rules4_(path("ip_rule"), {}, netns_),
      rules6_(path("ip_-6_rule"), {}, netns_),
      routes4_(path("ip_-4_route_show_table_all"), {}, netns_),
      routes6_(path("ip_-6_route_show_table_all"), {}, netns_),
      neighbours_(path("ip_neigh_show_nud_all"), {}, netns_),
      iptables4_(path("iptables-save"), {}, netns_),
      iptables6_(path("ip6tables-save"), {}, netns_),
      sysctls_(path("sysctl_-a"), {}, netns_) {
  if (netns_.empty()) return;
  links_
      .add(rule,
           "1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN group default qlen 1000")
      .optional(optional);
  links_.header("    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00");
  links_.header("    inet 127.0.0.1/8 scope host lo");
  links_.header("    inet6 ::1/128 scope host");
  this->rule(kKernel, 0, "from all", 255);
  this->rule(kKernel, 32766, "from all", 254);
  this->rule(kKernel, 32767, "from all", 253);
  this->rule(kKernel, 0, "from all", 255, Family::V6);
  this->rule(kKernel, 32766, "from all", 254, Family::V6);
}

std::string NetnsWriter::path(std::string_view command) const {
  constexpr std::string_view kFolder = "sos_commands/networking/";
  return netns_.empty() ? fmt::format("{}{}", kFolder, command)
                        : fmt::format("{}ip_netns_exec_{}_{}", kFolder, netns_, command);
}

Writer::Added NetnsWriter::device(std::string_view rule, const Device& device) {
  device_ = device.name;
  std::string first =
      fmt::format("{}: {}{}{}: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu {} qdisc noqueue", ++index_, device.name,
                  device.peer.empty() ? "" : "@", device.peer, device.mtu == 0 ? kDefaultMtu : device.mtu);
  if (!device.master.empty()) first += " master " + device.master;
  links_.add_text(rule, first + " state UP group default qlen 1000");
  if (device.mac) {
    links_.header(fmt::format("    link/ether {} brd ff:ff:ff:ff:ff:ff", to_string(*device.mac)));
  } else {
    links_.header("    link/none");
  }
  return links_.line_before_end(2);
}

Writer::Added NetnsWriter::address(std::string_view rule, const Ip& ip, unsigned length,
                                   std::string_view scope) {
  const Prefix network(ip, length);
  if (!network.host() && !(ip.v6() && ip.link_local()) && connected_.insert({device_, network}).second) {
    if (ip.v4()) {
      routes4_.add(kConnected, "{} dev {} proto kernel scope link src {}", to_string(network), device_,
                   to_string(ip));
    } else {
      routes6_.add(kConnected, "{} dev {} proto kernel metric 256 pref medium", to_string(network), device_);
    }
  }
  return links_.add(rule, "    {} {}/{} scope {} {}", ip.v4() ? "inet" : "inet6", to_string(ip), length,
                    scope, device_);
}

void NetnsWriter::link_local(Mac mac, bool optional) {
  address(kKernel, eui64_link_local(mac.value), 64, "link").optional(optional);
}

Writer::Added NetnsWriter::rule(std::string_view rule, std::uint32_t priority, std::string_view selector,
                                std::uint32_t table, Family family) {
  return (family == Family::V4 ? rules4_ : rules6_)
      .add(rule, "{}:\t{} lookup {}", priority, selector, kernel::route_table_name(table));
}

Writer::Added NetnsWriter::route(std::string_view rule, const Prefix& to, std::string_view how,
                                 std::uint32_t table) {
  const bool v4 = to.ip().v4();
  const std::string where =
      table == kernel::kTableMain ? std::string() : " table " + kernel::route_table_name(table);
  return (v4 ? routes4_ : routes6_)
      .add(rule, "{} {}{} proto static{}", prefix_text(to), how, where, v4 ? "" : " metric 1024 pref medium");
}

Writer::Added NetnsWriter::neighbour(std::string_view rule, const Ip& ip, std::string_view device, Mac mac) {
  return neighbours_.add(rule, "{} dev {} lladdr {} PERMANENT", to_string(ip), device, to_string(mac));
}

Writer::Added NetnsWriter::sysctl(std::string_view rule, std::string_view key, std::string_view value) {
  Line& line = settings_[std::string(key)];
  line = {fmt::format("{} = {}", key, value), rule, Need::Required, {}, 0};
  return Writer::Added(line);
}

void NetnsWriter::iptables(const IptablesWriter& tables) {
  tables.write(tables.family() == Family::V4 ? iptables4_ : iptables6_);
}

void NetnsWriter::finish(Host& host) {
  for (auto& [key, line] : settings_) sysctls_.add_line(std::move(line));
  // That a namespace has no neighbour, or no route of a family, is said by an empty dump; the root namespace is not compared so.
  const bool all = !netns_.empty();
  for (Writer* dump : {&links_, &rules4_, &rules6_, &routes4_, &routes6_, &neighbours_}) {
    if (all || !dump->empty()) host.dumps.push_back(dump->take());
  }
  for (Writer* dump : {&iptables4_, &iptables6_, &sysctls_}) {
    if (!dump->empty()) host.dumps.push_back(dump->take());
  }
}

}  // namespace dvrtrace::reference
