#include "src/report/inventory.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "src/report/inventory_json.h"
#include "src/report/inventory_text.h"

namespace dvrtrace {
namespace {

struct InventoryOfSnapshot : testing::Test {
  Sources sources;
  Diagnostics diagnostics;
  Snapshot snapshot;

  // A compute host with one VM and a router, and a network node that serves its SNAT.
  void SetUp() override {
    HostSnapshot compute, network;
    compute.name = "cmp1";
    compute.ovs.presence = Presence::Complete;
    compute.ovs.value.ovs_version = "3.1.0";
    OvsInterface tap;
    tap.name = "tapf7ddce7f-66";
    tap.external_ids = {{"iface-id", "f7ddce7f-66da"}, {"attached-mac", "fa:16:3e:00:00:01"}};
    OvsInterface gateway;
    gateway.name = "qr-1";
    gateway.type = "internal";
    gateway.external_ids = {{"iface-id", "aaaa"}};
    OvsPort port;
    port.tag = 3;
    port.other_config = {{"net_uuid", "n1"}, {"network_type", "vxlan"}, {"segmentation_id", "52"}};
    port.interfaces = {tap};
    OvsPort router_port;
    router_port.interfaces = {gateway};
    OvsBridge bridge;
    bridge.name = "br-int";
    bridge.ports = {port, router_port};
    compute.ovs.value.bridges = {bridge};
    for (const char* name : {"qrouter-r1", "qrouter-r2"}) {
      NamespaceSnapshot netns;
      netns.name = name;
      netns.ipsets.wanted = std::string("ip netns exec ") + name + " ipset save";
      compute.namespaces.push_back(netns);
    }
    FileReading file;
    file.path = "ip_rule";
    file.lines.count(LineState::Modelled, 8);
    file.lines.count(LineState::Unrecognised, 2);
    compute.files = {file};

    network.name = "net1";
    network.config.values["DEFAULT.agent_mode"] = {"dvr_snat", {}};
    network.namespaces.resize(1);
    network.namespaces[0].name = "snat-r1";
    snapshot.hosts = {compute, network};
  }

  Inventory take() const { return take_inventory(snapshot, diagnostics, sources); }
};

TEST_F(InventoryOfSnapshot, RolesComeFromWhatAHostHas) {
  HostSnapshot bare;
  bare.name = "ctl1";
  snapshot.hosts.push_back(bare);
  const Inventory inventory = take();
  EXPECT_EQ(inventory.hosts[0].roles, std::vector<std::string>{"compute"});
  EXPECT_EQ(inventory.hosts[0].vms, 1u);
  EXPECT_EQ(inventory.hosts[1].roles, std::vector<std::string>{"network node"});
  EXPECT_EQ(inventory.hosts[2].roles, std::vector<std::string>{"controller"});
}

TEST_F(InventoryOfSnapshot, TheCloudIsSeenWithoutNeutronsObjects) {
  const Inventory inventory = take();
  EXPECT_FALSE(inventory.neutron);
  ASSERT_EQ(inventory.networks.size(), 1u);
  EXPECT_EQ(inventory.networks[0].segmentation_id, 52u);
  EXPECT_EQ(inventory.networks[0].local_vlans.at("cmp1"), 3);
  ASSERT_EQ(inventory.routers.size(), 2u);
  EXPECT_EQ(inventory.routers[0].snat_hosts, std::vector<std::string>{"net1"});
  ASSERT_EQ(inventory.vms.size(), 1u);
  EXPECT_EQ(inventory.vms[0].name, "f7ddce7f-66da");
  EXPECT_EQ(inventory.vms[0].device, "tapf7ddce7f-66");
}

TEST_F(InventoryOfSnapshot, NamesComeFromNeutronThenFromLibvirt) {
  Domain domain;
  domain.name = "instance-0001";
  domain.instance_name = "web";
  domain.interfaces = {{Mac{1}, "tapf7ddce7f-66", "f7ddce7f-66da", "", {}}};
  snapshot.hosts[0].domains = {domain};
  EXPECT_EQ(take().vms[0].name, "web");

  logical::Port port;
  port.id = "f7ddce7f-66da";
  port.name = "vm1";
  port.device_owner = "compute:nova";
  port.fixed_ips = {{"s1", ipv4(0x0a00010b)}};
  snapshot.logical.ports = {port};
  logical::FloatingIp fip;
  fip.floating_ip = ipv4(0xac1804c9);
  fip.port_id = port.id;
  snapshot.logical.floating_ips = {fip};
  const Inventory inventory = take();
  EXPECT_EQ(inventory.vms[0].name, "vm1");
  EXPECT_EQ(inventory.vms[0].host, "cmp1");
  EXPECT_EQ(inventory.floating_ips[0].vm, "vm1");
}

TEST_F(InventoryOfSnapshot, WhatIsMissingNamesItsCommand) {
  const Inventory inventory = take();
  ASSERT_EQ(inventory.missing.size(), 2u);
  EXPECT_EQ(inventory.missing[0].command, "ipset save");
  EXPECT_EQ(inventory.missing[0].netns, "qrouter-r1");
  const std::string text = print_text(inventory, sources, {}, false);
  EXPECT_NE(text.find("ipset save  cmp1   2 namespaces"), std::string::npos) << text;
}

TEST_F(InventoryOfSnapshot, LinesAreCountedAndUnrecognisedOnesNamed) {
  const Inventory inventory = take();
  EXPECT_EQ(inventory.lines.total(), 10u);
  ASSERT_EQ(inventory.hosts[0].unrecognised.size(), 1u);
  EXPECT_EQ(inventory.hosts[0].unrecognised[0].file, "cmp1/ip_rule");
  EXPECT_EQ(inventory.hosts[0].unrecognised[0].lines, 2u);
}

TEST_F(InventoryOfSnapshot, JsonIsOneDocument) {
  const auto json = nlohmann::json::parse(print_json(take(), sources, "dvrtrace 0.1.0"));
  EXPECT_EQ(json["schema"], "dvrtrace.inventory/1");
  EXPECT_EQ(json["hosts"][0]["host"], "cmp1");
  EXPECT_EQ(json["hosts"][0]["lines"]["unrecognised"], 2);
  EXPECT_EQ(json["vms"][0]["mac"], "fa:16:3e:00:00:01");
  EXPECT_EQ(json["missing"][1]["netns"], "qrouter-r2");
}

TEST_F(InventoryOfSnapshot, ACleanedReportIsNamed) {
  snapshot.hosts[0].cleaned = true;
  snapshot.hosts[0].cleaned_sign = "MACs that begin with 53:4f:53";
  const std::string text = print_text(take(), sources, {}, false);
  EXPECT_NE(text.find("cmp1: cleaned report: MACs that begin with 53:4f:53"), std::string::npos) << text;
}

}  // namespace
}  // namespace dvrtrace
