// Addresses that only the hosts' dumps tell, and which hosts are read for them.
#include "tracer/engine/ports.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "collectors/collect.h"
#include "tests/collectors/tree.h"
#include "tracer/engine/endpoint.h"

namespace dvrtrace {
namespace {

// Two VMs of one network that a distributed router serves.
constexpr const char* kOnCmp1 = "f74b4556-f918-41ce-8caa-0f535699d844";
constexpr const char* kOnCmp2 = "8f60c5b6-5dca-4438-8010-6e7c82a78bff";

// fixtures/two-computes without Neutron's objects.
class AddressesOfDumps : public testing::Test {
 protected:
  void SetUp() override { open("fixtures/two-computes/hosts"); }

  void open(const std::string& hosts) {
    auto opened = Collection::open({{"", hosts}}, {}, sources_, diagnostics_);
    ASSERT_TRUE(opened);
    collection_ = std::make_unique<Collection>(std::move(*opened));
    network_ = std::make_unique<Network>(
        collection_->read_all(Depth::Index, diagnostics_),
        [this](std::size_t host, const HostSnapshot& known, Diagnostics& into) { return collection_->read(host, Depth::Full, into, &known); },
        sources_);
    ports_ = std::make_unique<Ports>(*network_);
  }

  // The hosts that were read whole, by name.
  std::string read() const {
    std::string names;
    for (std::size_t host = 0; host < network_->size(); ++host) {
      if (network_->joined(host)) names += (names.empty() ? "" : " ") + network_->index(host).name;
    }
    return names;
  }

  Sources sources_;
  Diagnostics diagnostics_;
  std::unique_ptr<Collection> collection_;
  std::unique_ptr<Network> network_;
  std::unique_ptr<Ports> ports_;
};

TEST_F(AddressesOfDumps, OfANamedVmItsOwnHostIsRead) {
  QuestionPorts ports(*ports_);
  ASSERT_TRUE(ports->at(ports->find(kOnCmp2)).ips.empty());
  const auto found = resolve(kOnCmp2, *network_, ports, nullptr);
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->ip);
  EXPECT_EQ(read(), "cmp2");
}

TEST_F(AddressesOfDumps, TheAskersHostKnowsWhomItsRoutersServe) {
  QuestionPorts ports(*ports_);
  const auto from = resolve("tapf74b4556-f9", *network_, ports, nullptr);
  ASSERT_TRUE(from);
  ASSERT_EQ(read(), "cmp1");
  Ports known(*ports_);
  known.look_for_addresses_on(0);
  const auto& ips = known.at(known.find(kOnCmp2)).ips;
  ASSERT_FALSE(ips.empty());
  const auto to = resolve(to_string(ips.front()), *network_, ports, &*from);
  ASSERT_TRUE(to);
  EXPECT_EQ(to->port, ports->find(kOnCmp2));
  EXPECT_EQ(read(), "cmp1");
}

TEST_F(AddressesOfDumps, AnAddressAloneMayBeAnyHosts) {
  QuestionPorts ports(*ports_);
  EXPECT_TRUE(resolve("10.0.1.200", *network_, ports, nullptr));
  EXPECT_EQ(read(), "cmp1 cmp2 net1");
}

// Two VMs of different hosts share an address by allowed address pairs; the asker's host knows of one of them only.
TEST_F(AddressesOfDumps, ASharedOneIsAmbiguousWhereverItsHoldersAre) {
  namespace fs = std::filesystem;
  const test::Tree copy;
  const fs::path hosts = fs::path(copy.path()) / "hosts";
  fs::copy("fixtures/two-computes/hosts", hosts, fs::copy_options::recursive);
  const auto share = [&](const char* host, const char* device) {
    const std::size_t port = ports_->behind(network_->find_host(host), device);
    ASSERT_NE(port, kNowhere);
    std::ofstream flows(hosts / host / "sos_commands/openvswitch/ovs-ofctl_-O_OpenFlow13_dump-flows_br-int", std::ios::app);
    flows << " cookie=0x1, duration=1.0s, table=71, n_packets=0, n_bytes=0, priority=65,ip,in_port=9,dl_src=" << to_string(ports_->at(port).mac)
          << ",nw_src=10.0.1.100 actions=ct(table=72,zone=NXM_NX_REG6[0..15])\n";
  };
  share("cmp1", "tap9d4c4b89-5d");
  share("cmp2", "tapb9ebbc94-b8");
  open(hosts.string());
  QuestionPorts ports(*ports_);
  const auto from = resolve("tapf74b4556-f9", *network_, ports, nullptr);
  ASSERT_TRUE(from);
  const auto to = resolve("10.0.1.100", *network_, ports, &*from);
  ASSERT_FALSE(to);
  EXPECT_EQ(to.error().kind, AskError::Kind::AmbiguousEndpoint);
  EXPECT_EQ(to.error().candidates.size(), 2u);
}

TEST_F(AddressesOfDumps, WhoHasToChooseSeesThem) {
  QuestionPorts ports(*ports_);
  const auto found = resolve("nosuch", *network_, ports, nullptr);
  ASSERT_FALSE(found);
  ASSERT_FALSE(found.error().candidates.empty());
  for (const Candidate& candidate : found.error().candidates) EXPECT_NE(candidate.ip, "") << candidate.name;
}

}  // namespace
}  // namespace dvrtrace
