// SecurityRules: a security group's rules as the hybrid firewall writes them, and the ipsets that they refer to.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tracer/reference/cloud.h"

namespace dvrtrace::reference {

struct SetMember {
  Prefix prefix;
  std::optional<std::size_t> port;  // of Model::ports
  bool sure = true;                 // the agent knows of it
};

class SecurityRules {
 public:
  // Without `sets` (enable_ipset) a remote group's members have a rule each.
  SecurityRules(const Cloud& cloud, bool sets) : cloud_(cloud), sets_(sets) {}

  // None when the rule is of the other family or direction, or of a remote group without members.
  std::vector<std::string> texts(const logical::SecurityGroupRule& rule, Family family, bool ingress) const;
  // "NIPv4" and the remote group's id, 29 characters of them; "" when the rule has none.
  std::string set_of(const logical::SecurityGroupRule& rule, Family family) const;
  // Of the rule's remote group or address group.
  std::vector<SetMember> members(const logical::SecurityGroupRule& rule, Family family) const;

 private:
  const Cloud& cloud_;
  bool sets_;
};

}  // namespace dvrtrace::reference
