// The configuration of Neutron's agents: l3_agent.ini, openvswitch_agent.ini, ml2_conf.ini,
// dhcp_agent.ini, neutron.conf.
//
// Only what bears on forwarding is kept. The files also hold passwords, and these must not get into
// a saved snapshot.
#pragma once

#include <string_view>

#include "src/base/diagnostics.h"
#include "src/base/source.h"
#include "src/snapshot/host.h"

namespace dvrtrace {

// Adds the values of one file to `config`, as "section.key"; a value read later wins. Sections are in
// lower case but for DEFAULT, keys have '_' for '-'. Total: any bytes give values.
void read_agent_config(const SourceText& text, AgentConfig& config, ReadLog& log);

// Whether a key of a section bears on forwarding: all others are neither kept nor shown, since they may be secrets.
bool is_kept_setting(std::string_view section, std::string_view key);

}  // namespace dvrtrace
