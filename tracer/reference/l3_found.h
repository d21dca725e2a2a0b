// L3Found: what the L3 agent's free choices were, as far as a host's dumps show them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "src/snapshot/host.h"
#include "tracer/reference/l3_plan.h"

namespace dvrtrace::reference {

class L3Found {
 public:
  explicit L3Found(const HostSnapshot* host) : host_(host) {}

  const NamespaceSnapshot* netns(std::string_view name) const {
    return host_ == nullptr ? nullptr : host_->find_namespace(name);
  }
  std::optional<Mac> mac_of(std::string_view netns, std::string_view device) const;
  // The router's end of the /31, by the most of: the addresses of both ends, the way of table 16, the rule and the floating
  // IPs' routes of the fip namespace, and the agent's own file.
  std::optional<Ip> link_address(const std::string& router_id, std::string_view netns,
                                 std::string_view fip_netns, std::string_view rfp,
                                 std::string_view fpr) const;
  // The rule's in the namespace, else what the agent's file has.
  std::optional<std::uint32_t> floating_priority(std::string_view netns, const Ip& fixed,
                                                 const Ip& floating) const;
  bool has_rule(std::string_view netns, std::uint32_t priority, const Prefix& from) const;
  // The mark that the mangle table's scope chain gives to what comes by a device.
  std::optional<std::uint32_t> scope_mark(std::string_view netns, std::string_view device) const;
  L3Numbers numbers() const;
  // "neutron-l3-agent" of "neutron-l3-agent-PREROUTING"; `kind` is what the namespaces' names begin with.
  std::optional<std::string> chain_prefix(std::string_view kind) const;
  // "primary", "master", "backup"; "" where the file is missing.
  std::optional<bool> active(const std::string& router_id) const;

 private:
  const std::string* state_file(std::string_view name) const;
  const HostSnapshot* host_;
};

}  // namespace dvrtrace::reference
