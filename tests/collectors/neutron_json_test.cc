#include "collectors/neutron_json.h"

#include "tests/collectors/ovs_reading.h"

namespace dvrtrace {
namespace {

using logical::Model;

// Reads a text that is to be understood as a whole.
Model model_of(std::string_view bytes, std::string_view name = "dump") {
  Reading reading(bytes, name);
  Model model;
  read_neutron_json(reading.text, model, reading.log);
  EXPECT_EQ(reading.of(LineState::Unrecognised), 0u) << bytes << reading.first_message();
  EXPECT_TRUE(reading.counted());
  return model;
}

TEST(NeutronJson, NetworkOfApiAndClient) {
  for (
      const std::string_view text :
      {R"({"networks":[{"id":"n1","name":"ext","mtu":1450,"router:external":true,)"
       R"("provider:network_type":"vlan",
            "provider:physical_network":"p","provider:segmentation_id":101,"subnets":["s1"]}]})",
       R"({"network":{"id":"n1","name":"ext","mtu":1450,"router:external":true,"provider:network_type":"vlan",
            "provider:physical_network":"p","provider:segmentation_id":101}})",
       R"({"id":"n1","name":"ext","mtu":1450,"router:external":"External","provider:network_type":"vlan",
            "provider:physical_network":"p","provider:segmentation_id":101,"subnets":["s1"],)"
       R"("security_groups":["x"]})"}) {
    const Model model = model_of(text);
    ASSERT_EQ(model.networks.size(), 1u) << text;
    const logical::Network& network = model.networks[0];
    EXPECT_EQ(network.name, "ext");
    EXPECT_EQ(network.type, "vlan");
    EXPECT_EQ(network.physical_network, "p");
    EXPECT_EQ(network.segmentation_id, 101u);
    EXPECT_EQ(network.mtu, 1450u);
    EXPECT_TRUE(network.external);
    EXPECT_TRUE(network.at.known());
  }
}

TEST(NeutronJson, FixedIpsInAllForms) {
  for (const std::string_view text :
       {R"({"ports":[{"id":"p1","mac_address":"fa:16:3e:00:00:01","fixed_ips":[{"subnet_id":"s1",)"
        R"("ip_address":"10.0.0.5"},
            {"subnet_id":"s2","ip_address":"fd00::5"}]}]})",
        R"([{"ID":"p1","Name":"","MAC Address":"fa:16:3e:00:00:01","Fixed IP Addresses":[{"subnet_id":"s1",
            "ip_address":"10.0.0.5"},{"subnet_id":"s2","ip_address":"fd00::5"}],"Status":"ACTIVE"}])",
        R"([{"ID":"p1","MAC Address":"fa:16:3e:00:00:01","Fixed IP Addresses":"ip_address='10.0.0.5',)"
        R"( subnet_id='s1'\nip_address='fd00::5', subnet_id='s2'"}])",
        R"({"id":"p1","mac_address":"fa:16:3e:00:00:01","fixed_ips":"[{\"subnet_id\":\"s1\",)"
        R"(\"ip_address\":\"10.0.0.5\"},{\"subnet_id\":\"s2\",\"ip_address\":\"fd00::5\"}]"})"}) {
    const Model model = model_of(text);
    ASSERT_EQ(model.ports.size(), 1u) << text;
    EXPECT_EQ(model.ports[0].mac, parse_mac("fa:16:3e:00:00:01"));
    ASSERT_EQ(model.ports[0].fixed_ips.size(), 2u) << text;
    EXPECT_EQ(model.ports[0].fixed_ips[0].subnet_id, "s1");
    EXPECT_EQ(model.ports[0].fixed_ips[0].ip, parse_ip("10.0.0.5"));
    EXPECT_EQ(model.ports[0].fixed_ips[1].ip, parse_ip("fd00::5"));
  }
}

TEST(NeutronJson, PortShownByClient) {
  const Model model = model_of(R"({"admin_state_up":"DOWN","allowed_address_pairs":"ip_address='10.0.1.200',)"
                               R"( mac_address='fa:16:3e:00:00:02'",
    "binding_host_id":"cmp1","binding_vif_type":"ovs","binding_vnic_type":"normal","device_id":"d",)"
                               R"("device_owner":"compute:nova",
    "id":"p1","mac_address":"fa:16:3e:00:00:01","network_id":"n1","port_security_enabled":true,
    "security_group_ids":"g1, g2","status":"ACTIVE","security_groups":null})");
  const logical::Port& port = model.ports.at(0);
  EXPECT_FALSE(port.admin_up);
  EXPECT_EQ(port.host, "cmp1");
  EXPECT_EQ(port.vif_type, "ovs");
  EXPECT_EQ(port.port_security, true);
  ASSERT_EQ(port.allowed_pairs.size(), 1u);
  EXPECT_EQ(port.allowed_pairs[0].ip, parse_prefix("10.0.1.200"));
  EXPECT_EQ(port.allowed_pairs[0].mac, parse_mac("fa:16:3e:00:00:02"));
}

TEST(NeutronJson, SubnetRouterFloatingIpAgent) {
  Model model = model_of(
      R"([{"ID":"s1","Name":"a","Network":"n1","Subnet":"10.0.0.0/24","DHCP":true,"Gateway":"10.0.0.1",
    "Host Routes":"destination='10.9.0.0/16', gateway='10.0.0.9'"}])");
  EXPECT_EQ(model.subnets.at(0).network_id, "n1");
  EXPECT_EQ(model.subnets.at(0).cidr, parse_prefix("10.0.0.0/24"));
  EXPECT_EQ(model.subnets.at(0).gateway, parse_ip("10.0.0.1"));
  EXPECT_TRUE(model.subnets.at(0).dhcp);
  EXPECT_EQ(model.subnets.at(0).host_routes.at(0).nexthop, parse_ip("10.0.0.9"));

  model = model_of(R"([{"ID":"r1","Name":"r","Distributed":true,"HA":false,
    "External gateway info":"{\"network_id\":\"n9\",\"external_fixed_ips\":[{\"subnet_id\":\"s9\",)"
                   R"(\"ip_address\":\"172.24.4.24\"}],\"enable_snat\":true}"}])");
  EXPECT_TRUE(model.routers.at(0).distributed);
  EXPECT_EQ(model.routers.at(0).external_network_id, "n9");
  EXPECT_EQ(model.routers.at(0).enable_snat, true);
  EXPECT_EQ(model.routers.at(0).external_ips.at(0).ip, parse_ip("172.24.4.24"));

  model = model_of(R"([{"ID":"f1","Floating IP Address":"172.24.4.201","Fixed IP Address":null,"Port":null,)"
                   R"("Floating Network":"n9"}])");
  EXPECT_EQ(model.floating_ips.at(0).floating_ip, parse_ip("172.24.4.201"));
  EXPECT_FALSE(model.floating_ips.at(0).fixed_ip);
  EXPECT_EQ(model.floating_ips.at(0).network_id, "n9");

  model = model_of(
      R"json([{"ID":"a1","Agent Type":"L3 agent","Host":"net1","Alive":":-)","State":"UP",
          "Binary":"neutron-l3-agent"},
    {"ID":"a2","Agent Type":"L3 agent","Host":"net2","Alive":false}])json");
  EXPECT_TRUE(model.agents.at(0).alive);
  EXPECT_FALSE(model.agents.at(1).alive);

  model = model_of(R"([{"host":"cmp1","mac_address":"FA-16-3F-8A-83-00"}])", "db-dvr_host_macs.json");
  EXPECT_EQ(model.dvr_macs.at(0).mac, parse_mac("fa:16:3f:8a:83:00"));
}

TEST(NeutronJson, RulesFindTheirGroup) {
  Reading rules(
      R"([{"ID":"x1","IP Protocol":"tcp","Ethertype":"IPv4","IP Range":"10.0.0.0/8","Port Range":"80:81",
    "Direction":"ingress","Remote Security Group":null,"Security Group":"g1"},
    {"ID":"x2","IP Protocol":"icmp","Ethertype":"IPv4","Port Range":"type=8:code=0",)"
      R"("Direction":"ingress","Security Group":"g1"}])"),
      groups(R"({"security_groups":[{"id":"g1","name":"web","stateful":false,"security_group_rules":[
    {"id":"x1","security_group_id":"g1","direction":"ingress","ethertype":"IPv4","protocol":"tcp",)"
             R"("port_range_min":80,
     "port_range_max":81,"remote_ip_prefix":"10.0.0.0/8","remote_group_id":"g2"}]}]})");
  Model model;
  read_neutron_json(rules.text, model, rules.log);
  read_neutron_json(groups.text, model, groups.log);
  ASSERT_EQ(model.security_groups.size(), 1u);
  const logical::SecurityGroup& group = model.security_groups[0];
  EXPECT_EQ(group.name, "web");
  EXPECT_FALSE(group.stateful);
  ASSERT_EQ(group.rules.size(), 2u);
  EXPECT_EQ(group.rules[0].port_min, 80);
  EXPECT_EQ(group.rules[0].port_max, 81);
  EXPECT_EQ(group.rules[0].remote_ip, parse_prefix("10.0.0.0/8"));
  EXPECT_EQ(group.rules[0].remote_group_id, "g2");
  EXPECT_EQ(group.rules[1].port_min, 8);
  EXPECT_EQ(group.rules[1].port_max, 0);
}

TEST(NeutronJson, LaterTextAddsToAnObject) {
  Reading list(R"([{"ID":"p1","Name":"vm1","MAC Address":"fa:16:3e:00:00:01","Status":"DOWN"}])"),
      show(R"({"id":"p1","mac_address":"fa:16:3e:00:00:01","status":"ACTIVE","binding_host_id":"cmp1"})");
  Model model;
  read_neutron_json(list.text, model, list.log);
  read_neutron_json(show.text, model, show.log);
  ASSERT_EQ(model.ports.size(), 1u);
  EXPECT_EQ(model.ports[0].name, "vm1");
  EXPECT_EQ(model.ports[0].status, "ACTIVE");
  EXPECT_EQ(model.ports[0].host, "cmp1");
}

TEST(NeutronJson, FileNameDecidesWhereColumnsDoNot) {
  const std::string_view rows = R"([{"ID":"x","Name":"y","State":"UP"}])";
  EXPECT_EQ(model_of(rows, "a/openstack_router_list_-f_json").routers.size(), 1u);
  EXPECT_EQ(model_of(rows, "security-groups.json").security_groups.size(), 1u);
  EXPECT_TRUE(model_of(rows, "ports/volumes.json").empty());
}

TEST(NeutronJson, OtherKindsAreIgnoredWithANote) {
  for (const std::string_view text : {R"({"extensions":[{"name":"x"}]})", R"([{"vxlan_vni":"57844"}])"}) {
    Reading reading(text);
    Model model;
    read_neutron_json(reading.text, model, reading.log);
    EXPECT_EQ(reading.of(LineState::Ignored), 1u);
    ASSERT_EQ(reading.diagnostics.all().size(), 1u);
    EXPECT_EQ(reading.diagnostics.all()[0].severity, Severity::Note);
  }
}

TEST(NeutronJson, TruncatedListKeepsItsRows) {
  Reading reading(
      "{\"ports\":[\n{\"id\":\"p1\",\"mac_address\":\"fa:16:3e:00:00:01\"},\n{\"id\":\"p2\",\"mac");
  Model model;
  read_neutron_json(reading.text, model, reading.log);
  EXPECT_EQ(model.ports.size(), 1u);
  EXPECT_EQ(reading.of(LineState::Modelled), 1u);
  EXPECT_EQ(reading.of(LineState::Unrecognised), 1u);
  EXPECT_TRUE(reading.counted());
}

TEST(NeutronJson, OddValuesAreNoFaults) {
  for (const std::string_view text :
       {R"({"ports":[{"id":"p1","mac_address":5,"fixed_ips":[[1],"x",{"ip_address":[]}],)"
        R"("security_groups":{"a":1}}]})",
        R"({"routers":[{"id":"r1","external_gateway_info":null,"routes":"x","distributed":null}]})",
        R"({"agents":[{"id":"a1","configurations":[1,2]}]})", R"({"ports":[],"networks":[]})", "[]", "{}",
        ""}) {
    model_of(text);
  }
}

TEST(NeutronJson, DeepNestingIsRejected) {
  for (const char* start : {"[", "{\"ports\":", "{\"id\":"}) {
    const std::string deep = start + std::string(200000, '[');
    Reading reading(deep);
    Model model;
    read_neutron_json(reading.text, model, reading.log);
    EXPECT_EQ(reading.of(LineState::Unrecognised), 1u);
  }
}

TEST(NeutronJson, IsTotal) {
  expect_total(
      R"({"ports":[{"id":"p1","mac_address":"fa:16:3e:00:00:01","fixed_ips":[{"ip_address":"10.0.0.5"}]}],
    "security_groups":[{"id":"g","security_group_rules":[{"id":"r","port_range_min":1}]}]})",
      [](Reading& r) {
        Model model;
        read_neutron_json(r.text, model, r.log);
      });
}

TEST(NeutronJson, SharedCloudsAreUnderstood) {
  if (shared_data().empty()) GTEST_SKIP() << "DVRTRACE_SHARED is not set";
  for (const char* variant : {"ovsfw", "ha6", "hybrid"}) {
    Model model;
    for (const auto& path : files_named(shared_data() / "lab" / variant / "neutron", ".json")) {
      const std::string bytes = bytes_of(path);
      Reading reading(bytes, path.native());
      read_neutron_json(reading.text, model, reading.log);
      EXPECT_EQ(reading.of(LineState::Unrecognised), 0u) << path << reading.first_message();
      EXPECT_TRUE(reading.counted()) << path;
      expect_total(bytes, [](Reading& r) {
        Model damaged;
        read_neutron_json(r.text, damaged, r.log);
      });
    }
    EXPECT_GE(model.networks.size(), 5u);
    EXPECT_GE(model.ports.size(), 20u);
    EXPECT_EQ(model.routers.size(), 2u);
    EXPECT_EQ(model.floating_ips.size(), 3u);
    EXPECT_GE(model.dvr_macs.size(), 3u);
    for (const auto& port : model.ports) {
      EXPECT_FALSE(port.mac.zero()) << port.id;
      EXPECT_FALSE(port.network_id.empty()) << port.id;
    }
    for (const auto& group : model.security_groups) EXPECT_FALSE(group.name.empty()) << group.id;
  }
}

}  // namespace
}  // namespace dvrtrace
