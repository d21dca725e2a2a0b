// Loading a cloud whole: bytes of text a second of processor time, and memory for each byte of text. The cloud is the folder
// DVRTRACE_BENCH_CLOUD (hosts/, neutron/ or Neutron's files beside hosts/), the fixture two-computes where it is not set.
//
//   read    every host's dumps at Depth::Full, and Neutron's objects
//   load    as a command that asks about everything does it: the small files of all hosts, then each host in full, and joined
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <string>

#include "collectors/collect.h"
#include "src/base/heap.h"
#include "src/model/network.h"

namespace dvrtrace {
namespace {

std::string cloud() {
  const char* const folder = std::getenv("DVRTRACE_BENCH_CLOUD");
  return folder == nullptr ? "fixtures/two-computes" : folder;
}

Result<Collection> open_cloud(Sources& sources, Diagnostics& diagnostics) {
  const std::filesystem::path folder = cloud();
  const auto hosts = folder / "hosts", neutron = folder / "neutron";
  return Collection::open({{"", hosts.string()}}, {(exists(neutron) ? neutron : folder).string()}, sources,
                          diagnostics);
}

double bytes_of(const Sources& sources) {
  double bytes = 0;
  for (std::uint32_t id = 0; !sources.name(SourceId{id}).empty(); ++id)
    bytes += static_cast<double>(sources.text(SourceId{id}).bytes.size());
  return bytes;
}

// Of this process, in bytes: "VmRSS" now, "VmHWM" at most since it was reset.
double memory(std::string_view which) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(which)) return std::strtod(line.c_str() + which.size() + 1, nullptr) * 1024;
  }
  return 0;
}

void reset_peak() { std::ofstream("/proc/self/clear_refs") << "5"; }

template <class Load>
void measure(benchmark::State& state, Load load) {
  double bytes = 0, peak = 0;
  for (auto _ : state) {
    trim_heap();  // what an earlier round left would be used again without being counted
    reset_peak();
    const double before = memory("VmRSS");
    Sources sources;
    Diagnostics diagnostics;
    const auto collection = open_cloud(sources, diagnostics);
    if (!collection) return state.SkipWithError(collection.error().message.c_str());
    load(*collection, sources, diagnostics);
    bytes = bytes_of(sources);
    peak = memory("VmHWM") - before;
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(bytes) * static_cast<std::int64_t>(state.iterations()));
  state.counters["text"] =
      benchmark::Counter(bytes, benchmark::Counter::kDefaults, benchmark::Counter::kIs1024);
  state.counters["memory/text"] = peak / bytes;
}

void read(benchmark::State& state) {
  measure(state, [](const Collection& collection, Sources&, Diagnostics& diagnostics) {
    benchmark::DoNotOptimize(collection.read_all(Depth::Full, diagnostics));
  });
}

void load(benchmark::State& state) {
  measure(state, [](const Collection& collection, Sources& sources, Diagnostics& diagnostics) {
    const Network network(
        collection.read_all(Depth::Index, diagnostics),
        [&](std::size_t host, const HostSnapshot& known, Diagnostics& into) {
          return collection.read(host, Depth::Full, into, &known);
        },
        sources);
    std::vector<std::size_t> all(network.size());
    std::iota(all.begin(), all.end(), std::size_t{0});
    network.prepare(all);
    benchmark::DoNotOptimize(network.host(0));
  });
}

// By processor time of all threads, so that the rate is that of one core.
BENCHMARK(read)->Unit(benchmark::kMillisecond)->MeasureProcessCPUTime();
BENCHMARK(load)->Unit(benchmark::kMillisecond)->MeasureProcessCPUTime();

}  // namespace
}  // namespace dvrtrace

int main(int argc, char** argv) {
  dvrtrace::prepare_heap();
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
