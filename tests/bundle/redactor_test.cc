#include "collectors/bundle/redactor.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "collectors/bundle/names.h"

namespace dvrtrace::redact {
namespace {

class Redaction : public ::testing::Test {
 protected:
  std::string redact(const std::string& text) {
    redactor_.learn(text);
    return redactor_.redact(text);
  }
  std::string image(const std::string& ip) { return to_string(redactor_.of(*parse_ip(ip))); }

  Redactor redactor_{Key{1, 2, 3}};
};

std::string fmt_hex(std::uint64_t value, const std::string& before, const std::string& after) {
  return before + fmt::format("0x{:x}", value) + after;
}

unsigned common_bits(const std::string& a, const std::string& b) {
  const std::uint32_t differ = parse_ip(a)->v4_value() ^ parse_ip(b)->v4_value();
  return differ == 0 ? 32 : static_cast<unsigned>(__builtin_clz(differ));
}

TEST_F(Redaction, keeps_what_addresses_have_in_common) {
  const char* const kAddresses[] = {"10.0.1.5",     "10.0.1.200",  "10.0.2.5",   "10.128.2.5",
                                    "172.24.4.201", "172.31.0.11", "192.168.1.9"};
  for (const char* const a : kAddresses) {
    EXPECT_NE(image(a), a);
    for (const char* const b : kAddresses)
      EXPECT_EQ(common_bits(image(a), image(b)) >= 8, common_bits(a, b) >= 8);
    for (const char* const b : kAddresses) {
      if (common_bits(a, b) < 8) continue;
      EXPECT_EQ(common_bits(image(a), image(b)), common_bits(a, b)) << a << ' ' << b;
    }
  }
}

TEST_F(Redaction, leaves_what_is_of_no_cloud) {
  const std::string text =
      "0.0.0.0/0 127.0.0.1 169.254.169.254 255.255.255.0 224.0.0.18 ::/0 ::1 ff02::1 ff:ff:ff:ff:ff:ff "
      "01:00:00:00:00:00 lo";
  EXPECT_EQ(redact(text), text);
}

TEST_F(Redaction, keeps_networks_networks) {
  const std::string route = redact("10.0.0.0/16 10.0.1.0/24 10.0.1.7");
  const auto at = route.find(' '), next = route.find(' ', at + 1);
  const auto wide = parse_prefix(route.substr(0, at)),
             narrow = parse_prefix(route.substr(at + 1, next - at - 1));
  ASSERT_TRUE(wide && narrow) << route;
  EXPECT_EQ(to_string(*wide), route.substr(0, at));
  EXPECT_TRUE(wide->contains(narrow->ip()));
  EXPECT_TRUE(narrow->contains(*parse_ip(route.substr(next + 1))));
}

TEST_F(Redaction, finds_every_notation) {
  const Ip ip = redactor_.of(*parse_ip("10.0.1.11"));
  const Mac mac = redactor_.of(Mac{0xfa163e524d2c});
  redactor_.learn("fa:16:3e:52:4d:2c 10.0.1.11");
  EXPECT_EQ(redactor_.redact("load:0xa00010b->NXM_OF_ARP_SPA[]"),
            fmt_hex(ip.low, "load:", "->NXM_OF_ARP_SPA[]"));
  EXPECT_EQ(redactor_.redact("load:0xfa163e524d2c->x"), fmt_hex(mac.value, "load:", "->x"));
  EXPECT_EQ(redactor_.redact("167772427:\tfrom all lookup 167772427"),
            std::to_string(ip.low) + ":\tfrom all lookup " + std::to_string(ip.low));
  EXPECT_EQ(redactor_.redact("mod_dl_src:fa:16:3e:52:4d:2c"), "mod_dl_src:" + to_string(mac));
  EXPECT_EQ(redactor_.redact("set_field:fa:16:3e:52:4d:2c->eth_src"),
            "set_field:" + to_string(mac) + "->eth_src");
  EXPECT_EQ(redactor_.redact("fe:16:3e:52:4d:2c").substr(8), to_string(mac).substr(8));
  EXPECT_EQ(redactor_.redact("\"FA-16-3E-52-4D-2C\"").size(), 19U);
  EXPECT_NE(redactor_.redact("FA-16-3E-52-4D-2C"), "FA-16-3E-52-4D-2C");
  EXPECT_NE(redactor_.redact("dpid:0000fa163e524d2c"), "dpid:0000fa163e524d2c");
  EXPECT_EQ(redactor_.redact("vxlan-0a00010b").size(), 14U);
  EXPECT_NE(redactor_.redact("vxlan-0a00010b"), "vxlan-0a00010b");
}

TEST_F(Redaction, cuts_identifiers_where_they_were_cut) {
  const std::string uuid = redact("f7ddce7f-66da-481b-94a0-f1dd434a9ba6");
  EXPECT_NE(uuid, "f7ddce7f-66da-481b-94a0-f1dd434a9ba6");
  EXPECT_EQ(redact("tapf7ddce7f-66"), "tap" + uuid.substr(0, 11));
  EXPECT_EQ(redact("qvbf7ddce7f-66,"), "qvb" + uuid.substr(0, 11) + ",");
  EXPECT_EQ(redact("neutron-openvswi-if7ddce7f-6 "), "neutron-openvswi-i" + uuid.substr(0, 10) + " ");
  EXPECT_EQ(redact("NIPv4f7ddce7f-66da-481b-94a0-"), "NIPv4" + uuid.substr(0, 24));
  EXPECT_EQ(redact("qrouter-f7ddce7f-66da-481b-94a0-f1dd434a9ba6"), "qrouter-" + uuid);
  std::string bare = uuid;
  std::erase(bare, '-');
  EXPECT_EQ(redact("f7ddce7f66da481b94a0f1dd434a9ba6"), bare);
  EXPECT_EQ(redact("net.ipv4.conf.tapf7ddce7f-66.rp_filter = 1"),
            "net.ipv4.conf.tap" + uuid.substr(0, 11) + ".rp_filter = 1");
}

TEST_F(Redaction, gives_ipv6_addresses_the_ends_of_their_macs) {
  const std::string text =
      redact("fa:16:3e:52:4d:2c fe80::f816:3eff:fe52:4d2c ff02::1:ff52:4d2c 2001:db8:0:1::5");
  const std::string mac = text.substr(9, 8);
  const std::string tail = mac.substr(0, 2) + ":" + mac.substr(3, 2) + mac.substr(6, 2);
  EXPECT_NE(text.find("fe80::f816:3eff:fe" + tail), std::string::npos) << text;
  EXPECT_NE(text.find("ff02::1:ff" + tail), std::string::npos) << text;
  EXPECT_EQ(text.find("2001:db8:0:1"), std::string::npos) << text;
  EXPECT_TRUE(text.ends_with("::5") || text.ends_with(":5")) << text;
}

TEST_F(Redaction, replaces_names_that_are_whole_words) {
  EXPECT_TRUE(redactor_.add_name("cmp1.example.org"));
  EXPECT_TRUE(redactor_.add_name("my vm"));
  EXPECT_FALSE(redactor_.add_name("default"));
  EXPECT_FALSE(redactor_.add_name("7"));
  const std::string text = redact("host=cmp1 cmp1.example.org cmp12 \"my vm\" default");
  EXPECT_EQ(text.find("cmp1 "), std::string::npos) << text;
  EXPECT_EQ(text.find("example"), std::string::npos) << text;
  EXPECT_EQ(text.find("my vm"), std::string::npos) << text;
  EXPECT_NE(text.find("cmp12"), std::string::npos) << text;
  EXPECT_NE(text.find("default"), std::string::npos) << text;
}

TEST_F(Redaction, leaves_flows_flows) {
  const std::string flow =
      "cookie=0x730f1d6b7d192a3c, duration=414.948s, table=0, n_packets=0, n_bytes=0, "
      "priority=65535,dl_vlan=4095 "
      "actions=conjunction(25,1/2),load:0x1->NXM_NX_REG6[],learn(table=20,priority=1,NXM_OF_VLAN_TCI[0..11])";
  EXPECT_EQ(redact(flow), flow);
}

TEST_F(Redaction, takes_any_bytes) {
  std::string bytes;
  for (int i = 0; i < 4096; ++i) bytes += static_cast<char>(i * 7 + i / 3);
  redact(bytes);
  redact(":::::::::::::::::::::::");
  redact("10.0.0.1/10.0.0.1/10.0.0.1 1.2.3.4.5 999.1.1.1 0x 0xg -");
}

TEST(Names, are_found_in_objects_and_domains) {
  Names names;
  names_in_neutron(
      R"({"ports":[{"name":"vm1","binding:host_id":"cmp1","x":{"host":"cmp2"},"status":"ACTIVE"}]})", names);
  names_in_domain(
      "<domain><name>instance-1</name><metadata><nova:name>web 1</nova:name><nova:user "
      "uuid='u'>ann</nova:user></metadata></domain>",
      names);
  EXPECT_EQ(names, (Names{"ann", "cmp1", "cmp2", "instance-1", "vm1", "web 1"}));
  names_in_neutron("{broken", names);
  names_in_domain("<name><name>", names);
}

TEST(Settings, keep_nothing_but_what_matters) {
  EXPECT_EQ(settings_that_matter("[DEFAULT]\ntransport_url = rabbit://u:p@h\nagent_mode = dvr\n# "
                                 "note\n[database]\nconnection = x\n[ovs]\nlocal_ip=10.0.0.1\n"),
            "[DEFAULT]\nagent_mode = dvr\n[database]\n[ovs]\nlocal_ip=10.0.0.1\n");
}

}  // namespace
}  // namespace dvrtrace::redact
