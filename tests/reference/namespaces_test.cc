// A small cloud as each release programs it, and the choices that the reference has no dump to take from.
#include "tracer/reference/namespaces.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "collectors/collect.h"
#include "tracer/reference/l3_plan.h"

namespace dvrtrace::reference {
namespace {

using namespace logical;

constexpr const char* kRouter = "11111111-2222-3333-4444-555555555555";

Port port(const std::string& id, const std::string& network, const std::string& subnet, const std::string& ip,
          const std::string& owner, const std::string& host) {
  Port made;
  made.id = id;
  made.network_id = network;
  made.mac = Mac{0xfa163e000000 + std::hash<std::string>{}(id) % 0x1000000};
  made.fixed_ips = {{subnet, *parse_ip(ip)}};
  made.device_owner = owner;
  made.device_id = owner.starts_with("network:router") ? kRouter : "device";
  made.host = host;
  made.status = "ACTIVE";
  return made;
}

Agent agent(const std::string& host, const std::string& binary, const std::string& mode) {
  Agent made;
  made.id = host + binary;
  made.host = host;
  made.binary = binary;
  if (!mode.empty()) made.configuration["agent_mode"] = mode;
  return made;
}

// vm has the floating IP 203.0.113.9 and is on cmp1; the router's SNAT is on net1.
Model cloud_model() {
  Model model;
  model.networks.resize(2);
  model.networks[0].id = "net", model.networks[0].type = "vxlan", model.networks[0].mtu = 1450;
  model.networks[1].id = "ext", model.networks[1].type = "flat", model.networks[1].external = true,
  model.networks[1].mtu = 1500;
  model.subnets.resize(2);
  model.subnets[0] = {"sub", "", "net", *parse_prefix("10.0.1.0/24"), parse_ip("10.0.1.1"), "", "",
                      true,  {}, {}};
  model.subnets[1] = {"pub", "", "ext", *parse_prefix("203.0.113.0/24"), parse_ip("203.0.113.1"), "", "",
                      false, {}, {}};
  model.ports = {
      port("aaaaaaaa-aa01", "net", "sub", "10.0.1.11", "compute:nova", "cmp1"),
      port("bbbbbbbb-bb01", "net", "sub", "10.0.1.1", "network:router_interface_distributed", ""),
      port("cccccccc-cc01", "net", "sub", "10.0.1.20", "network:router_centralized_snat", "net1"),
      port("dddddddd-dd01", "ext", "pub", "203.0.113.5", "network:router_gateway", "net1"),
      port("eeeeeeee-ee01", "ext", "pub", "203.0.113.6", "network:floatingip_agent_gateway", "cmp1")};
  Router router;
  router.id = kRouter;
  router.distributed = true;
  router.external_network_id = "ext";
  router.enable_snat = true;
  model.routers = {router};
  FloatingIp floating;
  floating.id = "fip", floating.network_id = "ext", floating.port_id = "aaaaaaaa-aa01",
  floating.router_id = kRouter;
  floating.floating_ip = *parse_ip("203.0.113.9"), floating.fixed_ip = parse_ip("10.0.1.11");
  model.floating_ips = {floating};
  model.agents = {agent("cmp1", "neutron-l3-agent", "dvr"), agent("net1", "neutron-l3-agent", "dvr_snat"),
                  agent("cmp1", "neutron-openvswitch-agent", ""),
                  agent("net1", "neutron-openvswitch-agent", "")};
  return model;
}

Host programmed(const Model& model, const std::string& name, const std::string& release) {
  const Cloud cloud(model);
  Settings settings;
  settings.release = parse_release(release);
  Host host{name, {}, {}};
  add_linux(make_plan(cloud, nullptr, name, settings), host);
  return host;
}

bool has(const Host& host, std::string_view dump, std::string_view text) {
  return std::ranges::any_of(host.dumps, [&](const Dump& each) {
    return each.path.find(dump) != std::string::npos && text_of(each).find(text) != std::string::npos;
  });
}

TEST(Namespaces, TextOfEveryReleaseReadsClean) {
  const Model model = cloud_model();
  for (const std::string_view release : series_names()) {
    for (const std::string name : {"cmp1", "net1"}) {
      const Host host = programmed(model, name, std::string(release));
      DumpTexts texts;
      for (const Dump& dump : host.dumps) texts.emplace_back(dump.path, text_of(dump));
      Sources sources;
      Diagnostics diagnostics;
      const HostSnapshot read =
          read_texts("reference", name, std::move(texts), Depth::Everything, sources, diagnostics);
      for (const Diagnostic& each : diagnostics.all())
        ADD_FAILURE() << release << " " << render(each, sources);
      EXPECT_NE(read.find_namespace("qrouter-" + std::string(kRouter)), nullptr) << release;
    }
  }
}

TEST(Namespaces, FloatingIpsWayToTheOutsideByRelease) {
  const Model model = cloud_model();
  const Host kilo = programmed(model, "cmp1", "kilo"), zed = programmed(model, "cmp1", "zed");
  EXPECT_TRUE(has(kilo, "fip-ext_ip_-4_route", "default via 203.0.113.1 dev fg-eeeeeeee-ee proto static\n"));
  EXPECT_FALSE(has(kilo, "fip-ext_ip_rule", "iif fpr-"));
  EXPECT_TRUE(has(zed, "fip-ext_ip_rule", "2852012033:\tfrom all iif fpr-11111111-2 lookup 2852012033"));
  EXPECT_TRUE(has(zed, "fip-ext_ip_-4_route",
                  "default via 203.0.113.1 dev fg-eeeeeeee-ee table 2852012033 proto static"));
  EXPECT_TRUE(has(zed, "ip_rule", "32768:\tfrom 10.0.1.11 lookup 16"));
  EXPECT_TRUE(has(kilo, "ip_addr", "inet 203.0.113.9/32 scope global rfp-11111111-2"));
  EXPECT_FALSE(has(zed, "ip_addr", "203.0.113.9"));
}

TEST(Namespaces, LinksBeforePikeComeWithTheFirstFloatingIp) {
  Model model = cloud_model();
  model.floating_ips.clear();
  EXPECT_FALSE(has(programmed(model, "cmp1", "ocata"), "qrouter", "rfp-"));
  EXPECT_TRUE(has(programmed(model, "cmp1", "pike"), "qrouter", "rfp-"));
}

TEST(Namespaces, HostWithoutExternalNetworkHasNoFloatingIp) {
  Model model = cloud_model();
  model.agents[0].configuration["agent_mode"] = "dvr_no_external";
  const Host cmp1 = programmed(model, "cmp1", "zed"), net1 = programmed(model, "net1", "zed");
  EXPECT_FALSE(has(cmp1, "qrouter", "rfp-"));
  EXPECT_TRUE(has(cmp1, "ip_rule", "167772417:\tfrom 10.0.1.1/24 lookup 167772417"));
  EXPECT_TRUE(has(net1, "snat-", "inet 203.0.113.9/32 scope global qg-dddddddd-dd"));
  EXPECT_TRUE(has(net1, "snat-", "-d 203.0.113.9/32 -j DNAT --to-destination 10.0.1.11"));
}

TEST(Namespaces, IndexOfSnatRules) {
  const struct {
    const char* ip;
    unsigned length;
    std::uint32_t index;
  } cases[] = {{"10.0.1.1", 24, 167772417},        {"192.168.0.1", 16, 3232235521},
               {"169.254.108.37", 31, 2852023333}, {"2001:db8::1", 64, 200624052},
               {"fd00:1:2::1", 64, 664351249},     {"2001:db8:0:1::1", 64, 458288853},
               {"2001:db8:1::", 64, 170812614}};
  for (const auto& each : cases)
    EXPECT_EQ(snat_index(*parse_ip(each.ip), each.length), each.index) << each.ip;
}

}  // namespace
}  // namespace dvrtrace::reference
