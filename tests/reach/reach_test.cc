// Expectations and the names in lines; whole matrices are held against single questions by all_pairs.py.
#include <gtest/gtest.h>

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

TEST(Reach, AsksNotMoreThanItMay) {
  Sources sources;
  Diagnostics diagnostics;
  const std::string cloud = "fixtures/two-computes";
  const auto collection = Collection::open({{"", cloud + "/hosts"}}, {cloud + "/neutron"}, sources, diagnostics);
  ASSERT_TRUE(collection);
  const Network network(
      collection->read_all(Depth::Index, diagnostics),
      [&](std::size_t host, const HostSnapshot& known, Diagnostics& into) { return collection->read(host, Depth::Full, into, &known); },
      sources);
  const Asker asker(network);
  ReachOptions options;
  options.packets = {{"icmp", {}}};
  options.services = false;
  const auto all = reach(network, asker, options, {}, diagnostics);
  ASSERT_TRUE(all);
  options.most = all->traced - 1;
  const auto refused = reach(network, asker, options, {}, diagnostics);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("more than " + std::to_string(options.most)), std::string::npos);
  // Less is asked from one VM alone.
  options.from = "vm1";
  const auto some = reach(network, asker, options, {}, diagnostics);
  ASSERT_TRUE(some);
  EXPECT_LT(some->pairs, all->pairs);
  EXPECT_GT(some->pairs, 0u);
}

}  // namespace
}  // namespace dvrtrace::reach
