// The viewer: a key and the screen after it, over a path of 200 hops, and over the findings of a large cloud. A key is to take less
// than 5 ms.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <memory>

#include "tui/model.h"

namespace {

using namespace dvrtrace;
using namespace dvrtrace::tui;

constexpr std::size_t kHops = 200, kStepsOfAHop = 25, kFindings = 100'000;

std::shared_ptr<const Subject> long_path() {
  auto sources = std::make_shared<Sources>();
  std::string flows;
  for (std::size_t line = 0; line < 100'000; ++line) {
    flows += fmt::format(
        " cookie=0x3c371a054c017d78, duration={}.25s, table=60, n_packets={}, n_bytes=1, idle_age=3, "
        "priority=100,in_port={} "
        "actions=load:0x5->NXM_NX_REG5[],resubmit(,71)\n",
        line, line, line);
  }
  const SourceId dump =
      sources->add("hosts/cmp1/sos_commands/openvswitch/ovs-ofctl_dump-flows_br-int", std::move(flows));
  Direction direction;
  direction.name = "request";
  direction.verdict = Verdict::Delivered;
  for (std::size_t i = 0; i < kHops; ++i) {
    Hop hop;
    if (i > 0) hop.parent = i - 1;
    hop.place = {i % 5 == 4 ? PlaceKind::Tunnel : PlaceKind::Bridge,
                 i % 5 == 4 ? "" : fmt::format("cmp{}", i / 5), fmt::format("br-{}", i)};
    hop.on_path = true;
    hop.arrived.ttl = 64;
    for (std::size_t s = 0; s < kStepsOfAHop; ++s) {
      const auto at = static_cast<std::uint32_t>((i * kStepsOfAHop + s) * 200);
      hop.steps.emplace_back(FlowHit{TableId{60},
                                     100,
                                     7,
                                     fmt::format("in_port={},dl_dst=fa:16:3e:00:00:01", s),
                                     "load:0x5->NXM_NX_REG5[],resubmit(,71)",
                                     12,
                                     false,
                                     {dump, {at, at + 150}}});
    }
    direction.hops.push_back(std::move(hop));
  }
  Subject subject;
  subject.sources = sources;
  subject.trace = Trace{};
  subject.trace->directions = {direction, direction};
  return prepare(std::move(subject));
}

std::shared_ptr<const Subject> many_findings() {
  Subject subject;
  subject.sources = std::make_shared<Sources>();
  subject.findings.emplace();
  for (std::size_t i = 0; i < kFindings; ++i) {
    Finding finding;
    finding.code = "DVR-FLOW-MISSING";
    finding.host = fmt::format("cmp{}", i % 1000);
    finding.place_kind = "bridge";
    finding.place = "br-int";
    finding.object =
        fmt::format("table=60, priority=100,in_port={} actions=load:0x5->NXM_NX_REG5[],resubmit(,71)", i);
    finding.expected = finding.object;
    finding.cause = "it leads what the port sends to the firewall; without it nothing that it sends gets on";
    finding.affects = {fmt::format("vm{}", i)};
    subject.findings->push_back(std::move(finding));
  }
  return prepare(std::move(subject));
}

// Each key, and the screen after it.
void press(benchmark::State& state, std::shared_ptr<const Subject> subject, std::string_view before,
           std::string_view keys) {
  const Backend backend = [](const Request&, const Model&) -> Event { return Told{}; };
  Model model = open(std::move(subject), Style{true, true, 120}, 120, 40);
  for (const Key& key : read_keys(before)) model = run(std::move(model), KeyPressed{key}, backend);
  const std::vector<Key> pressed = read_keys(keys);
  std::size_t next = 0;
  for (auto _ : state) {
    model = run(std::move(model), KeyPressed{pressed[next++ % pressed.size()]}, backend);
    benchmark::DoNotOptimize(drawn(model));
  }
}

const auto path = long_path();
const auto findings = many_findings();

void BM_NextHop(benchmark::State& state) { press(state, path, "", "j"); }
void BM_NextHopWithFullDetail(benchmark::State& state) { press(state, path, "d", "j j j k"); }
void BM_NextStep(benchmark::State& state) { press(state, path, "> > > Tab", "j k"); }
void BM_ScrollEvidence(benchmark::State& state) { press(state, path, "> > > Tab Tab", "PgDn"); }
void BM_SearchThatFindsNothing(benchmark::State& state) { press(state, path, "/zzz Enter", "n"); }
void BM_Counters(benchmark::State& state) { press(state, path, "c", "PgDn PgUp"); }
void BM_NextFinding(benchmark::State& state) { press(state, findings, "", "j"); }
void BM_PageOfFindings(benchmark::State& state) { press(state, findings, "", "PgDn"); }
void BM_SearchFindingsForNothing(benchmark::State& state) { press(state, findings, "/zzz Enter", "n"); }
BENCHMARK(BM_NextHop)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_NextHopWithFullDetail)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_NextStep)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_ScrollEvidence)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_SearchThatFindsNothing)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_Counters)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_NextFinding)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_PageOfFindings)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_SearchFindingsForNothing)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
