#include "tracer/reference/database.h"

#include <gtest/gtest.h>

#include "collectors/collect.h"
#include "tracer/reference/bridges.h"

namespace dvrtrace::reference {
namespace {

// A host that only the reference has written is found again as it was planned.
TEST(Database, GivesThePlanBack) {
  Sources sources;
  Diagnostics diagnostics;
  const std::string cloud_folder = "fixtures/two-computes";
  const auto collection =
      Collection::open({{"", cloud_folder + "/hosts"}}, {cloud_folder + "/neutron"}, sources, diagnostics);
  ASSERT_TRUE(collection);
  const logical::Model model = collection->read_neutron(diagnostics);
  const Cloud cloud(model);
  for (const std::string host : {"cmp1", "cmp2", "net1"}) {
    const Plan planned = make_plan(cloud, nullptr, host, {kZed});
    DumpTexts texts;
    for (const auto& dumps : {database(planned), bridges(planned)}) {
      for (const Dump& dump : dumps) texts.emplace_back(dump.path, text_of(dump));
    }
    Diagnostics ours;
    const HostSnapshot read = read_texts("reference", host, std::move(texts), Depth::Full, sources, ours);
    for (const Diagnostic& each : ours.all()) ADD_FAILURE() << render(each, sources);
    const Plan again = make_plan(cloud, &read, host, {kZed});
    ASSERT_EQ(again.ports.size(), planned.ports.size());
    for (std::size_t i = 0; i < planned.ports.size(); ++i) {
      EXPECT_TRUE(again.ports[i].found) << again.ports[i].device;
      EXPECT_EQ(again.ports[i].device, planned.ports[i].device);
      EXPECT_EQ(again.ports[i].ofport, planned.ports[i].ofport);
      EXPECT_EQ(again.vlan_of(again.ports[i]), planned.vlan_of(planned.ports[i]));
    }
    for (const Tunnel& tunnel : again.tunnels) EXPECT_TRUE(tunnel.found) << tunnel.device;
    const std::vector<Dump> before = bridges(planned), after = bridges(again);
    ASSERT_EQ(after.size(), before.size());
    for (std::size_t i = 0; i < before.size(); ++i) EXPECT_EQ(text_of(after[i]), text_of(before[i]));
  }
}

}  // namespace
}  // namespace dvrtrace::reference
