#include "collectors/agent_config.h"

#include "tests/collectors/ovs_reading.h"

namespace dvrtrace {
namespace {

constexpr std::string_view kFile = R"(# comment
agent_mode = dvr_snat
metadata_proxy_shared_secret = hush

[OVS]
local_ip=172.31.0.11
bridge_mappings = external:br-ex,
    provider:br-vlan
    # a comment does not end a value
tunnel-bridge: "br-tun"
[AGENT]
tunnel_types =
  vxlan
  gre

[ml2_odl]
password = hush
[securitygroup]
firewall_driver = openvswitch
firewall_driver = iptables_hybrid
no separator
[broken
)";

TEST(AgentConfig, Values) {
  Reading reading(kFile);
  AgentConfig config;
  read_agent_config(reading.text, config, reading.log);
  std::map<std::string, std::string> values;
  for (const auto& [key, value] : config.values) values[key] = value.value;
  EXPECT_EQ(values,
            (std::map<std::string, std::string>{{"DEFAULT.agent_mode", "dvr_snat"},
                                                {"ovs.local_ip", "172.31.0.11"},
                                                {"ovs.bridge_mappings", "external:br-ex, provider:br-vlan"},
                                                {"ovs.tunnel_bridge", "br-tun"},
                                                {"agent.tunnel_types", "vxlan gre"},
                                                {"securitygroup.firewall_driver", "iptables_hybrid"}}));
  EXPECT_EQ(reading.of(LineState::Unrecognised), 2u);
  EXPECT_EQ(reading.first_message(), "expected 'key = value', found 'no separator'");
  EXPECT_TRUE(reading.counted());
  EXPECT_EQ(reading.text.at(config.values.at("ovs.local_ip").at.span), "local_ip=172.31.0.11");
}

TEST(AgentConfig, LaterFileWins) {
  Reading first("[ovs]\nlocal_ip = 10.0.0.1\nint_bridge = a\n"), second("[ovs]\nlocal_ip = 10.0.0.2\n");
  AgentConfig config;
  read_agent_config(first.text, config, first.log);
  read_agent_config(second.text, config, second.log);
  EXPECT_EQ(config.values.at("ovs.local_ip").value, "10.0.0.2");
  EXPECT_EQ(config.values.size(), 2u);
}

TEST(AgentConfig, IsTotal) {
  expect_total(kFile, [](Reading& r) {
    AgentConfig config;
    read_agent_config(r.text, config, r.log);
  });
}

TEST(AgentConfig, SharedFilesAreUnderstood) {
  if (shared_data().empty()) GTEST_SKIP() << "DVRTRACE_SHARED is not set";
  for (const auto& host : lab_hosts()) {
    AgentConfig config;
    for (const char* name : {"l3_agent.ini", "dhcp_agent.ini", "plugins/ml2/ml2_conf.ini",
                             "plugins/ml2/openvswitch_agent.ini"}) {
      const std::string bytes = bytes_of(host / "etc/neutron" / name);
      Reading reading(bytes);
      read_agent_config(reading.text, config, reading.log);
      EXPECT_EQ(reading.of(LineState::Unrecognised), 0u) << host << name << reading.first_message();
    }
    if (host.filename().string().starts_with("cmp")) {
      EXPECT_EQ(config.values["DEFAULT.agent_mode"].value, "dvr") << host;
      EXPECT_TRUE(parse_ip(config.values["ovs.local_ip"].value)) << host;
    }
  }
}

}  // namespace
}  // namespace dvrtrace
