// Reading a dump of flows: rows a second and bytes a second. `bench_flow_dump --write FILE [ROWS]`
// writes the dump itself, for other tools to read (bench/compare does so with ovs-ofctl).
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <fstream>
#include <string_view>

#include "bench/neutron_dump.h"
#include "collectors/ovs_flows.h"
#include "src/model/classifier.h"

namespace dvrtrace {
namespace {

void read_dump(benchmark::State& state) {
  Sources sources;
  const SourceId id = sources.add("br-int", bench::neutron_dump(static_cast<std::size_t>(state.range(0))));
  std::size_t flows = 0;
  for (auto _ : state) {
    Diagnostics diagnostics;
    ReadLog log{diagnostics, {}};
    const openflow::FlowTable table = read_flow_dump(sources.text(id), log);
    flows += table.flows.size();
    benchmark::DoNotOptimize(table);
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(flows));
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * sources.text(id).bytes.size()));
}
BENCHMARK(read_dump)
    ->Arg(1'000)
    ->Arg(200'000)
    ->Unit(benchmark::kMillisecond)
    ->MeasureProcessCPUTime()
    ->UseRealTime();

void build_classifier(benchmark::State& state) {
  Sources sources;
  const SourceId id = sources.add("br-int", bench::neutron_dump(static_cast<std::size_t>(state.range(0))));
  Diagnostics diagnostics;
  ReadLog log{diagnostics, {}};
  const openflow::FlowTable table = read_flow_dump(sources.text(id), log);
  for (auto _ : state) {
    Classifier classifier;
    for (const openflow::FlowRow& row : table.flows) {
      if (row.flow.table == TableId{82}) classifier.add(&row);
    }
    classifier.finish();
    benchmark::DoNotOptimize(classifier);
  }
}
BENCHMARK(build_classifier)->Arg(200'000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace dvrtrace

int main(int argc, char** argv) {
  if (argc >= 3 && std::string_view(argv[1]) == "--write") {
    std::ofstream(argv[2]) << dvrtrace::bench::neutron_dump(argc > 3 ? std::strtoull(argv[3], nullptr, 10)
                                                                     : 200'000);
    return 0;
  }
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
