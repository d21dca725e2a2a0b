// A question and its answer, both ways between VMs of two hosts, over a Network that is loaded: what the
// engine costs without any file. The cloud is fixtures/two-computes, or the folder in DVRTRACE_BENCH_CLOUD.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <memory>
#include <string>

#include "collectors/collect.h"
#include "src/model/network.h"
#include "tracer/engine/ask.h"

namespace dvrtrace {
namespace {

struct Cloud {
  explicit Cloud(const std::string& path) {
    auto opened = Collection::open({{"", path + "/hosts"}}, {path + "/neutron"}, sources, diagnostics);
    if (!opened) return;
    collection = std::make_unique<Collection>(std::move(*opened));
    network = std::make_unique<Network>(
        collection->read_all(Depth::Index, diagnostics),
        [this](std::size_t host, const HostSnapshot& known, Diagnostics& into) {
          return collection->read(host, Depth::Full, into, &known);
        },
        sources);
  }
  Sources sources;
  Diagnostics diagnostics;
  std::unique_ptr<Collection> collection;
  std::unique_ptr<Network> network;
};

void ask_path(benchmark::State& state, const char* from, const char* to, const char* protocol) {
  const char* path = std::getenv("DVRTRACE_BENCH_CLOUD");
  const Cloud cloud(path != nullptr ? path : "fixtures/two-computes");
  if (cloud.network == nullptr) return state.SkipWithError("run it in the project's root: no cloud is there");
  Ask question;
  question.from = from;
  question.to = to;
  question.packet.protocol = protocol;
  question.packet.dst_port = 80;
  const Asker asker(*cloud.network);
  const auto first = asker.ask(question);
  if (!first || first->verdict != Verdict::Delivered)
    return state.SkipWithError("the packet does not arrive");
  for (auto _ : state) benchmark::DoNotOptimize(asker.ask(question));
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()));
}
BENCHMARK_CAPTURE(ask_path, routed_icmp, "vm1", "vm2", "icmp")->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(ask_path, routed_tcp, "vm1", "vm2", "tcp")->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(ask_path, switched_icmp, "vm1", "10.0.1.13", "icmp")->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace dvrtrace

BENCHMARK_MAIN();
