// The seam of `--fill reference`, with a reference made by hand: a router's namespace of which only the
// devices are in the dumps.
#include "tracer/engine/fill.h"

#include <gtest/gtest.h>

#include "collectors/ip_link.h"
#include "collectors/ip_route.h"
#include "collectors/ip_rule.h"
#include "tracer/engine/ask.h"

namespace dvrtrace {
namespace {

constexpr const char* kLinks =
    "1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN\n"
    "    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00\n"
    "    inet 127.0.0.1/8 scope host lo\n"
    "2: qr-1: <BROADCAST,UP,LOWER_UP> mtu 1450 qdisc noqueue state UNKNOWN\n"
    "    link/ether fa:16:3e:00:00:01 brd ff:ff:ff:ff:ff:ff\n"
    "    inet 10.0.1.1/24 brd 10.0.1.255 scope global qr-1\n";

class Fill : public testing::Test {
 protected:
  template <class T>
  static Part<T> part(SourceId source, T value) {
    Part<T> made;
    made.presence = Presence::Complete;
    made.source = source;
    made.value = std::move(value);
    return made;
  }
  HostSnapshot found() {
    HostSnapshot host;
    host.name = "cmp1";
    ReadLog log{diagnostics_, {}};
    const SourceId id = sources_.add("ip_addr", kLinks);
    NamespaceSnapshot netns;
    netns.name = "qrouter-1";
    netns.links = part(id, read_ip_addr(sources_.text(id), log));
    host.namespaces.push_back(std::move(netns));
    return host;
  }
  // What a reference pipeline would compute: of no source.
  HostSnapshot reference() {
    HostSnapshot host;
    host.name = "cmp1";
    ReadLog log{diagnostics_, {}};
    const SourceId rules = sources_.add("rules", "0:\tfrom all lookup local\n32766:\tfrom all lookup main\n");
    const SourceId routes = sources_.add("routes", "10.0.1.0/24 dev qr-1 scope link\nunreachable 10.9.0.0/16\n");
    NamespaceSnapshot netns;
    netns.name = "qrouter-1";
    netns.rules4 = part(kNoSource, read_ip_rule(sources_.text(rules), Family::V4, log));
    netns.routes4 = part(kNoSource, read_ip_route(sources_.text(routes), Family::V4, kernel::kTableMain, log));
    netns.links = part(kNoSource, std::vector<Sourced<kernel::Link>>{});
    host.namespaces.push_back(netns);
    netns.name = "fip-1";
    host.namespaces.push_back(std::move(netns));
    return host;
  }
  Trace trace(bool filled) {
    Snapshot index;
    index.hosts.push_back(found());
    const Network network(
        std::move(index),
        [&](std::size_t, const HostSnapshot&, Diagnostics&) {
          HostSnapshot host = found();
          if (filled) fill(host, reference());
          return host;
        },
        sources_);
    Ask question;
    question.from = "cmp1:qrouter-1";
    question.to = "10.9.0.1";
    const auto answer = ask(network, question);
    EXPECT_TRUE(answer) << answer.error().message;
    return answer ? *answer : Trace{};
  }
  Sources sources_;
  Diagnostics diagnostics_;
};

TEST_F(Fill, TakesWhatNoDumpHolds) {
  HostSnapshot host = found();
  const std::size_t links = host.namespaces[0].links.value.size();
  fill(host, reference());
  ASSERT_EQ(host.namespaces.size(), 2u);
  EXPECT_TRUE(filled_in(host.namespaces[0].routes4));
  EXPECT_FALSE(filled_in(host.namespaces[0].links)) << "a dump is never replaced";
  EXPECT_EQ(host.namespaces[0].links.value.size(), links);
  EXPECT_TRUE(filled_in(host.namespaces[1].links));
}

TEST_F(Fill, ACutDumpStaysAsItIs) {
  HostSnapshot host = found();
  host.namespaces[0].links.presence = Presence::Truncated;
  HostSnapshot whole = reference();
  fill(host, whole);
  EXPECT_EQ(host.namespaces[0].links.presence, Presence::Truncated);
}

TEST_F(Fill, WithoutItTheTraceEndsUnknown) {
  const Trace answer = trace(false);
  EXPECT_EQ(answer.verdict, Verdict::Unknown);
}

TEST_F(Fill, WithItTheHopsThatRestOnItAreReference) {
  const Trace answer = trace(true);
  EXPECT_EQ(answer.verdict, Verdict::Dropped);
  EXPECT_EQ(answer.reason, Reason::UnreachableRoute);
  ASSERT_FALSE(answer.directions.empty());
  EXPECT_EQ(answer.directions[0].hops[0].origin, Origin::Reference);
}

}  // namespace
}  // namespace dvrtrace
