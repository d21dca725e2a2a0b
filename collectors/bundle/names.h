// The names in a cloud's dumps that say whose cloud it is: of hosts, VMs, networks, routers, projects and people.
#pragma once

#include <set>
#include <string>
#include <string_view>

namespace dvrtrace::redact {

using Names = std::set<std::string>;

// In Neutron's objects: what is under "name", "host" and the like, at any depth. Any bytes will do.
void names_in_neutron(std::string_view json, Names& names);
// In a libvirt domain: its name, and what nova says of instance, user and project.
void names_in_domain(std::string_view xml, Names& names);

// Of the agents' settings what bears on forwarding, and nothing else: neither comments nor what may be a secret.
std::string settings_that_matter(std::string_view ini);

}  // namespace dvrtrace::redact
