#include "tracer/engine/routing.h"

#include <gtest/gtest.h>

#include "collectors/ip_route.h"
#include "collectors/ip_rule.h"
#include "src/kernel/print.h"

namespace dvrtrace {
namespace {

// A namespace out of the texts of `ip rule` and `ip route show table all`.
class Netns {
 public:
  Netns(const std::string& rules, const std::string& routes, bool with_rules = true) {
    dumps_.name = "qrouter-1";
    ReadLog log{diagnostics_, {}};
    dumps_.rules4.value = read_ip_rule(sources_.text(sources_.add("rules", rules)), Family::V4, log);
    dumps_.rules4.presence = with_rules ? Presence::Complete : Presence::Absent;
    dumps_.routes4.value = read_ip_route(sources_.text(sources_.add("routes", routes)), Family::V4, kernel::kTableMain, log);
    dumps_.routes4.presence = Presence::Complete;
    HostSnapshot snapshot;
    snapshot.name = "cmp1";
    snapshot.namespaces.push_back(dumps_);
    host_ = join_host(std::move(snapshot), sources_, diagnostics_);
  }
  // "rule priority > route", or what else came of it.
  std::string way(const std::string& from, const std::string& to, const std::string& iif = "qr-1") {
    RouteQuery query;
    query.source = *parse_ip(from);
    query.destination = *parse_ip(to);
    query.iif = iif;
    const RouteDecision decision = route(host_->namespaces[0], "cmp1", query);
    switch (decision.kind) {
      case RouteDecision::Kind::Route: return std::to_string(decision.rule == nullptr ? 0 : decision.rule->value.priority) + " > " + to_string(decision.route->value);
      case RouteDecision::Kind::Local: return "local";
      case RouteDecision::Kind::NoRoute: return "no route";
      case RouteDecision::Kind::Unreachable: return "unreachable";
      case RouteDecision::Kind::Prohibit: return "prohibit";
      case RouteDecision::Kind::Blackhole: return "blackhole";
      case RouteDecision::Kind::Unknown: return "unknown, needs " + decision.needs;
    }
    return {};
  }
  Sources sources_;
  Diagnostics diagnostics_;
  NamespaceSnapshot dumps_;
  std::unique_ptr<Host> host_;
};

// A router with a floating IP for 10.0.1.11, as the L3 agent programs it.
const char* const kRules =
    "0:\tfrom all lookup local\n32766:\tfrom all lookup main\n32767:\tfrom all lookup default\n"
    "48257:\tfrom 10.0.1.11 lookup 16\n167772417:\tfrom 10.0.1.1/24 lookup 167772417\n";
const char* const kRoutes =
    "default via 10.0.1.169 dev qr-1 table 167772417 proto static\n"
    "default via 169.254.88.135 dev rfp-1 table 16 proto static\n"
    "10.0.1.0/24 dev qr-1 proto kernel scope link src 10.0.1.1\n"
    "10.0.2.0/24 dev qr-2 proto kernel scope link src 10.0.2.1\n"
    "blackhole 10.9.0.0/16\n"
    "local 10.0.1.1 dev qr-1 table local proto kernel scope host src 10.0.1.1\n";

TEST(Routing, MainBeforeFloatingIpBeforeSnat) {
  Netns netns(kRules, kRoutes);
  EXPECT_EQ(netns.way("10.0.1.11", "10.0.2.5"), "32766 > 10.0.2.0/24 dev qr-2 proto kernel scope link src 10.0.2.1");
  EXPECT_EQ(netns.way("10.0.1.11", "8.8.8.8"), "48257 > default via 169.254.88.135 dev rfp-1 proto static");
  EXPECT_EQ(netns.way("10.0.1.12", "8.8.8.8"), "167772417 > default via 10.0.1.169 dev qr-1 proto static");
  EXPECT_EQ(netns.way("10.0.2.12", "8.8.8.8"), "no route");
  EXPECT_EQ(netns.way("10.0.1.12", "10.0.1.1"), "local");
  EXPECT_EQ(netns.way("10.0.1.12", "10.9.1.1"), "blackhole");
}

TEST(Routing, SelectorsOfRules) {
  struct Case { std::string rule, expected; };
  const Case cases[] = {
      {"5:\tfrom all iif qr-1 lookup 16\n", "5 > default via 169.254.88.135 dev rfp-1 proto static"},
      {"5:\tfrom all iif qr-2 lookup 16\n", "no route"},
      {"5:\tnot from 10.0.2.0/24 lookup 16\n", "no route"},
      {"5:\tfrom all to 8.0.0.0/8 lookup 16\n", "5 > default via 169.254.88.135 dev rfp-1 proto static"},
      {"5:\tfrom all unreachable\n", "unreachable"},
      {"5:\tfrom all prohibit\n", "prohibit"},
      {"5:\tfrom all fwmark 0x1/0xff lookup 16\n", "no route"},
      {"5:\tfrom all goto 9\n7:\tfrom all blackhole\n9:\tfrom all lookup 16\n", "9 > default via 169.254.88.135 dev rfp-1 proto static"},
      {"5:\tfrom all lookup 16 suppress_prefixlength 0\n", "no route"},
  };
  for (const Case& test : cases) EXPECT_EQ(Netns(test.rule, kRoutes).way("10.0.2.12", "8.8.8.8"), test.expected) << test.rule;
}

TEST(Routing, WithoutRulesOnlyMainIsCertain) {
  Netns netns("", kRoutes, false);
  EXPECT_EQ(netns.way("10.0.1.11", "10.0.2.5"), "0 > 10.0.2.0/24 dev qr-2 proto kernel scope link src 10.0.2.1");
  EXPECT_EQ(netns.way("10.0.1.11", "8.8.8.8"), "unknown, needs ip netns exec qrouter-1 ip rule on cmp1");
}

}  // namespace
}  // namespace dvrtrace
