#include "collectors/libvirt_xml.h"

#include "tests/collectors/ovs_reading.h"

namespace dvrtrace {
namespace {

constexpr std::string_view kDomain = R"(<!--
WARNING: THIS IS AN AUTO-GENERATED FILE. CHANGES TO IT ARE LIKELY TO BE
OVERWRITTEN AND LOST. Changes to this xml configuration should be made using:
  virsh edit instance-0000001a
-->

<domain type='kvm' id='7'>
  <name>instance-0000001a</name>
  <uuid>5fccd451-c05e-4548-0d08-9ec406ad5007</uuid>
  <metadata>
    <nova:instance xmlns:nova="http://openstack.org/xmlns/libvirt/nova/1.1">
      <nova:name>web &amp; db</nova:name>
      <nova:ports>
        <nova:port uuid="7df1204d-5ac4-49b6-add3-65fb3f8ac49a"/>
      </nova:ports>
    </nova:instance>
  </metadata>
  <devices>
    <interface type='bridge'>
      <mac address='fa:16:3e:24:a2:46'/>
      <source bridge='br-int'/>
      <virtualport type='openvswitch'>
        <parameters interfaceid='41c01911-2d8f-4085-9a7c-f5a4607bc60a'/>
      </virtualport>
      <target dev='tap41c01911-2d'/>
      <mtu size='1450'/>
    </interface>
    <interface type='bridge'>
      <mac address='fa:16:3e:65:9c:ed'/>
      <source bridge='qbr7df1204d-5a'/>
      <target dev='tap7df1204d-5a'/>
    </interface>
  </devices>
</domain>
)";

TEST(LibvirtXml, Domain) {
  Reading reading(kDomain);
  const auto domain = read_libvirt_domain(reading.text, reading.log);
  ASSERT_TRUE(domain);
  EXPECT_EQ(reading.first_message(), "");
  EXPECT_EQ(domain->name, "instance-0000001a");
  EXPECT_EQ(domain->instance_name, "web & db");
  EXPECT_EQ(domain->uuid, "5fccd451-c05e-4548-0d08-9ec406ad5007");
  ASSERT_EQ(domain->interfaces.size(), 2u);
  const DomainInterface& nic = domain->interfaces[0];
  EXPECT_EQ(nic.mac, parse_mac("fa:16:3e:24:a2:46"));
  EXPECT_EQ(nic.tap, "tap41c01911-2d");
  EXPECT_EQ(nic.port_id, "41c01911-2d8f-4085-9a7c-f5a4607bc60a");
  EXPECT_EQ(nic.bridge, "br-int");
  EXPECT_EQ(nic.mtu, 1450u);
  EXPECT_EQ(domain->interfaces[1].port_id, "7df1204d-5ac4-49b6-add3-65fb3f8ac49a");
  EXPECT_TRUE(reading.text.at(domain->at.span).starts_with("<domain type='kvm'"));
  EXPECT_EQ(reading.of(LineState::Modelled), 3u + 9u + 5u);
  EXPECT_TRUE(reading.counted());
}

TEST(LibvirtXml, StatusFileHoldsItsDomain) {
  const std::string status = "<domstatus state='running'><domain><name>i-1</name></domain></domstatus>";
  Reading reading(status);
  EXPECT_EQ(read_libvirt_domain(reading.text, reading.log).value_or(Domain{}).name, "i-1");
}

TEST(LibvirtXml, WhatStandsBeforeAFaultIsRead) {
  const std::string_view cut = kDomain.substr(0, kDomain.find("<mtu"));
  Reading reading(cut);
  const auto domain = read_libvirt_domain(reading.text, reading.log);
  ASSERT_TRUE(domain);
  EXPECT_EQ(domain->interfaces.at(0).tap, "tap41c01911-2d");
  EXPECT_GE(reading.of(LineState::Unrecognised), 1u);
  EXPECT_FALSE(reading.diagnostics.empty());
  EXPECT_TRUE(reading.counted());
}

TEST(LibvirtXml, OtherTexts) {
  struct Case {
    std::string_view text;
    std::uint64_t unrecognised;
  };
  const Case cases[] = {{"", 0},
                        {"\n\n", 0},
                        {"<network><name>default</name></network>\n", 0},
                        {"error: failed to get domain\n", 1},
                        {"<domain><devices><interface><mac address='x'/></interface></devices></domain>", 1}};
  for (const Case& c : cases) {
    Reading reading(c.text);
    read_libvirt_domain(reading.text, reading.log);
    EXPECT_EQ(reading.of(LineState::Unrecognised), c.unrecognised) << c.text;
    EXPECT_TRUE(reading.counted()) << c.text;
  }
}

TEST(LibvirtXml, NoEntitiesAreExpanded) {
  Reading reading(
      R"(<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]><domain><name>&x;</name></domain>)");
  EXPECT_EQ(read_libvirt_domain(reading.text, reading.log).value_or(Domain{}).name, "&x;");
}

TEST(LibvirtXml, DeepNestingEnds) {
  std::string deep = "<domain>";
  for (int i = 0; i < 200000; ++i) deep += "<a>";
  Reading reading(deep);
  EXPECT_TRUE(read_libvirt_domain(reading.text, reading.log));
}

TEST(LibvirtXml, IsTotal) {
  expect_total(kDomain, [](Reading& r) { read_libvirt_domain(r.text, r.log); });
}

}  // namespace
}  // namespace dvrtrace
