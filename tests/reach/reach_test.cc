// Expectations and the names in lines; whole matrices are held against single questions by all_pairs.py.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "collectors/collect.h"
#include "tracer/reach/expect.h"
#include "tracer/reach/reach.h"

namespace dvrtrace::reach {
namespace {

TEST(Pattern, FitsWhatAShellWouldTake) {
  struct Case {
    const char *pattern, *name;
    bool fits;
  };
  for (const Case& c : {Case{"web1", "web1", true}, Case{"web1", "web12", false}, Case{"web*", "web", true}, Case{"web*", "web12", true},
                        Case{"*1", "web11", true}, Case{"w*b*2", "web12", true}, Case{"w*b*2", "web13", false}, Case{"?eb", "web", true},
                        Case{"?", "", false}, Case{"*", "", true}, Case{"", "", true}, Case{"", "a", false}, Case{"a**b", "ab", true},
                        Case{"*?*", "x", true}, Case{"*?*", "", false}, Case{"*a*a*a*", "aa", false}}) {
    EXPECT_EQ(fits(c.pattern, c.name), c.fits) << c.pattern << " " << c.name;
  }
}

TEST(Expectations, AreReadLineByLine) {
  Sources sources;
  Diagnostics diagnostics;
  const SourceId id = sources.add("policy", "# none\n\n a to b tcp/80 \nnot c to d\nto b\na b c\nnot\nx to y z w\n\xff to \x01\n");
  const auto read = read_expectations(sources.text(id), diagnostics);
  ASSERT_EQ(read.size(), 3u);
  EXPECT_EQ(read[0].line, 3u);
  EXPECT_EQ(read[0].packet, "tcp/80");
  EXPECT_TRUE(read[0].must);
  EXPECT_FALSE(read[1].must);
  EXPECT_EQ(read[1].to, "d");
  EXPECT_EQ(read[2].from, "\xff");
  ASSERT_EQ(diagnostics.all().size(), 4u);
  EXPECT_EQ(render(diagnostics.all()[0], sources).find("policy:5:1"), 0u);
}

// Questions about fixtures/two-computes, whose hosts are read when they are asked for.
class ReachOfFixture : public testing::Test {
 protected:
  void SetUp() override {
    const std::string cloud = "fixtures/two-computes";
    auto opened = Collection::open({{"", cloud + "/hosts"}}, {cloud + "/neutron"}, sources_, diagnostics_);
    ASSERT_TRUE(opened);
    collection_ = std::make_unique<Collection>(std::move(*opened));
    network_ = std::make_unique<Network>(
        collection_->read_all(Depth::Index, diagnostics_),
        [this](std::size_t host, const HostSnapshot& known, Diagnostics& into) { return collection_->read(host, Depth::Full, into, &known); },
        sources_);
    options_.packets = {{"icmp", {}}};
    options_.services = false;
  }

  Result<Reach> ask() { return reach(*network_, Asker(*network_), options_, {}, diagnostics_); }

  Sources sources_;
  Diagnostics diagnostics_;
  std::unique_ptr<Collection> collection_;
  std::unique_ptr<Network> network_;
  ReachOptions options_;
};

TEST_F(ReachOfFixture, AsksNotMoreThanItMay) {
  const auto all = ask();
  ASSERT_TRUE(all);
  options_.most = all->traced - 1;
  const auto refused = ask();
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("more than " + std::to_string(options_.most)), std::string::npos);
  // Less is asked from one VM alone.
  options_.from = "vm1";
  const auto some = ask();
  ASSERT_TRUE(some);
  EXPECT_LT(some->pairs, all->pairs);
  EXPECT_GT(some->pairs, 0u);
}

TEST_F(ReachOfFixture, OfFewPairsOnlyTheHostsOnTheirWaysAreRead) {
  options_.from = "vm1";
  options_.to = "vm2";
  const auto pair = ask();
  ASSERT_TRUE(pair);
  EXPECT_EQ(pair->pairs, 1u);
  ASSERT_EQ(pair->tables.size(), 1u);
  ASSERT_EQ(pair->tables[0].cells.size(), 1u);
  EXPECT_EQ(pair->tables[0].cells[0].answers[0].verdict, Verdict::Delivered);
  std::size_t read = 0;
  for (std::size_t host = 0; host < network_->size(); ++host) read += network_->joined(host) ? 1 : 0;
  EXPECT_LT(read, network_->size());
}

// Whether VMs are asked about one by one or by their classes, the same becomes of their packets.
TEST_F(ReachOfFixture, ClassesChangeNoAnswer) {
  options_.from = "vm*";
  const auto alone = ask();
  options_.few = 0;
  const auto by_class = ask();
  ASSERT_TRUE(alone);
  ASSERT_TRUE(by_class);
  EXPECT_EQ(alone->pairs, by_class->pairs);
  const auto arriving = [](const Reach& reach) {
    std::uint64_t pairs = 0;
    for (const ReachCell& cell : reach.tables[0].cells) {
      for (const ReachAnswer& answer : cell.answers) pairs += arrives(answer.verdict) ? answer.pairs : 0;
    }
    return pairs;
  };
  EXPECT_EQ(arriving(*alone), arriving(*by_class));
  EXPECT_GT(arriving(*alone), 0u);
}

}  // namespace
}  // namespace dvrtrace::reach
