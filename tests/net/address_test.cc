#include <gtest/gtest.h>

#include "src/net/ip.h"
#include "src/net/mac.h"

namespace dvrtrace {
namespace {

TEST(Mac, ReadsAndPrints) {
  EXPECT_EQ(to_string(*parse_mac("fa:16:3E:0:00:1")), "fa:16:3e:00:00:01");
  for (const char* bad : {"", "fa:16:3e:00:00", "fa:16:3e:00:00:01:02", "fa-16-3e-00-00-01", "fa:16:3e:00:00:0g", "fa:16:3e:00:00:001"}) {
    EXPECT_FALSE(parse_mac(bad)) << bad;
  }
  EXPECT_TRUE(Mac{0x01005e000001}.multicast());
  EXPECT_FALSE(Mac{0xfa163e000001}.multicast());
}

TEST(Ip, ReadsAndPrints) {
  for (const char* text : {"0.0.0.0", "10.0.1.5", "255.255.255.255", "::", "::1", "fe80::f816:3eff:fe00:1", "2001:db8::1"}) {
    ASSERT_TRUE(parse_ip(text)) << text;
    EXPECT_EQ(to_string(*parse_ip(text)), text);
  }
  for (const char* bad : {"", "10.0.0", "10.0.0.256", "10.0.0.1.2", "1:2", ":::", "10.0.0.1 ", "2001:db8::g"}) EXPECT_FALSE(parse_ip(bad)) << bad;
}

TEST(Prefix, ClearsHostBits) {
  EXPECT_EQ(to_string(*parse_prefix("10.1.2.3/8")), "10.0.0.0/8");
  EXPECT_EQ(to_string(*parse_prefix("10.1.2.3")), "10.1.2.3/32");
  EXPECT_EQ(to_string(*parse_prefix("192.168.0.0/255.255.0.0")), "192.168.0.0/16");
  EXPECT_EQ(to_string(*parse_prefix("2001:db8:1:2::5/33")), "2001:db8::/33");
  EXPECT_EQ(to_string(*parse_prefix("0.0.0.0/0")), "0.0.0.0/0");
  EXPECT_FALSE(parse_prefix("10.0.0.0/33"));
  EXPECT_FALSE(parse_prefix("10.0.0.0/255.0.255.0"));
  EXPECT_TRUE(parse_prefix("169.254.88.134/31")->contains(*parse_ip("169.254.88.135")));
  EXPECT_FALSE(parse_prefix("10.0.0.0/8")->contains(*parse_ip("::1")));
}

TEST(Ip, LinkLocalOfAMac) { EXPECT_EQ(to_string(eui64_link_local(0xfa163ee99345)), "fe80::f816:3eff:fee9:9345"); }

}  // namespace
}  // namespace dvrtrace
