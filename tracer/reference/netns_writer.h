// NetnsWriter: the dumps of one network namespace, as `ip`, iptables-save and sysctl print them.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "src/net/ip.h"
#include "src/net/mac.h"
#include "tracer/reference/iptables_writer.h"
#include "tracer/reference/writer.h"

namespace dvrtrace::reference {

struct Device {
  std::string name;
  std::string peer;        // of a veth pair, in another namespace: "if2"
  std::optional<Mac> mac;  // none: the kernel's choice
  std::uint32_t mtu = 0;   // 0: not known
  std::string master;
};

class NetnsWriter {
 public:
  // `rule` says why the namespace is there. "" is the root namespace, of which nothing but what is added is expected.
  NetnsWriter(std::string netns, std::string_view rule, bool optional = false);

  Writer::Added device(std::string_view rule, const Device& device);
  // Of the device that was added last. The route to its network, which the kernel makes of it, comes along.
  Writer::Added address(std::string_view rule, const Ip& ip, unsigned length,
                        std::string_view scope = "global");
  // The link-local address of the device's MAC, where the kernel makes one.
  void link_local(Mac mac, bool optional = true);

  // "from 10.0.1.11", table
  Writer::Added rule(std::string_view rule, std::uint32_t priority, std::string_view selector,
                     std::uint32_t table, Family family = Family::V4);
  // `how`: "via 10.0.1.1 dev qr-..."; table 254 is main.
  Writer::Added route(std::string_view rule, const Prefix& to, std::string_view how,
                      std::uint32_t table = 254);
  Writer::Added neighbour(std::string_view rule, const Ip& ip, std::string_view device, Mac mac);
  // A neighbour's alternative: of all with one number any one will do.
  std::uint32_t new_either() { return neighbours_.new_either(); }
  Writer::Added sysctl(std::string_view rule, std::string_view key, std::string_view value);

  void iptables(const IptablesWriter& tables);
  // The dumps; those that nothing was said about are left out.
  void finish(Host& host);

 private:
  std::string path(std::string_view command) const;

  std::string netns_;
  std::uint32_t index_ = 1;
  std::string device_;
  std::set<std::pair<std::string, Prefix>> connected_;
  Writer links_, rules4_, rules6_, routes4_, routes6_, neighbours_, iptables4_, iptables6_, sysctls_;
  std::map<std::string, Line> settings_;  // by key: sysctl sorts
};

}  // namespace dvrtrace::reference
