// Reading an archive: bytes of dumps a second, as they are when unpacked, and the greatest memory that it
// takes, as a multiple of the largest dump. `--benchmark_filter=zst` for one compressor; the archives are made
// by tar(1) in a folder of their own.
#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <stdlib.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "bench/neutron_dump.h"
#include "collectors/collect.h"

namespace dvrtrace {
namespace {

constexpr std::size_t kRows = 200'000;

// One host with a large br-int and a tenth of that in br-tun; removed at the end.
class Archives {
 public:
  Archives() {
    std::string name = (std::filesystem::temp_directory_path() / "dvrtrace-bench-XXXXXX").string();
    root_ = ::mkdtemp(name.data());
    const std::string folder = root_ + "/cmp1/sos_commands/openvswitch/";
    std::filesystem::create_directories(folder);
    const std::string large = bench::neutron_dump(kRows), small = bench::neutron_dump(kRows / 10);
    largest_ = large.size();
    bytes_ = large.size() + small.size();
    std::ofstream(folder + "ovs-ofctl_dump-flows_br-int") << large;
    std::ofstream(folder + "ovs-ofctl_dump-flows_br-tun") << small;
  }
  Archives(const Archives&) = delete;
  Archives& operator=(const Archives&) = delete;
  ~Archives() {
    std::error_code error;
    std::filesystem::remove_all(root_, error);
  }

  // With "" the folder itself; "" where the compressor is not installed.
  std::string made(const std::string& compressor) const {
    if (compressor.empty()) return root_ + "/cmp1";
    const std::string path = fmt::format("{}/{}.tar", root_, compressor);
    if (std::filesystem::exists(path)) return path;
    const std::string command = fmt::format("tar -C {} -cf - cmp1 | {} >{}", root_, compressor, path);
    return std::system(command.c_str()) == 0 ? path : "";
  }
  std::size_t bytes() const { return bytes_; }
  std::size_t largest() const { return largest_; }

 private:
  std::string root_;
  std::size_t bytes_ = 0, largest_ = 0;
};

const Archives& archives() {
  static const Archives made;
  return made;
}

bool open(const std::string& path, bool parse) {
  Sources sources;
  Diagnostics diagnostics;
  const auto collection = Collection::open({{"", path}}, {}, sources, diagnostics);
  if (!collection || collection->hosts().size() != 1) return false;
  if (parse) benchmark::DoNotOptimize(collection->read(0, Depth::Full, diagnostics));
  return true;
}

// The greatest memory that this process had, in KiB.
double peak() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::strtod(line.c_str() + 6, nullptr);
  }
  return 0;
}

// What reading adds to it, in a process of its own, which has nothing left from reading before.
double peak_of(const std::string& path, bool parse) {
  const std::string self = std::filesystem::read_symlink("/proc/self/exe").string();
  FILE* output =
      ::popen(fmt::format("'{}' --peak '{}' {}", self, path, parse ? "full" : "open").c_str(), "r");
  double found = 0;
  if (output == nullptr || std::fscanf(output, "%lf", &found) != 1) found = 0;
  if (output != nullptr) ::pclose(output);
  return found;
}

void read(benchmark::State& state, const std::string& compressor, bool parse) {
  const std::string path = archives().made(compressor);
  if (path.empty()) return state.SkipWithError("the compressor is not installed");
  for (auto _ : state) {
    if (!open(path, parse)) return state.SkipWithError("it cannot be read");
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * archives().bytes()));
  state.counters["memory/largest"] = 1024 * peak_of(path, parse) / static_cast<double>(archives().largest());
}

// `open`: the archive alone, which is where it differs from a folder; `full`: and everything in it parsed.
#define DVR_COMPRESSOR(NAME, COMMAND)                  \
  BENCHMARK_CAPTURE(read, NAME##_open, COMMAND, false) \
      ->Unit(benchmark::kMillisecond)                  \
      ->MeasureProcessCPUTime()                        \
      ->UseRealTime();                                 \
  BENCHMARK_CAPTURE(read, NAME##_full, COMMAND, true)  \
      ->Unit(benchmark::kMillisecond)                  \
      ->MeasureProcessCPUTime()                        \
      ->UseRealTime()
DVR_COMPRESSOR(folder, "");
DVR_COMPRESSOR(tar, "cat");
DVR_COMPRESSOR(gz, "gzip");
DVR_COMPRESSOR(xz, "xz");
DVR_COMPRESSOR(bz2, "bzip2");
DVR_COMPRESSOR(zst, "zstd");

}  // namespace
}  // namespace dvrtrace

int main(int argc, char** argv) {
  using namespace dvrtrace;
  if (argc == 4 && std::string_view(argv[1]) == "--peak") {
    const double before = peak();
    if (!open(argv[2], std::string_view(argv[3]) == "full")) return 1;
    fmt::print("{}\n", peak() - before);
    return 0;
  }
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
