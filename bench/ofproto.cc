// One packet of a VM through br-int: the tables of Neutron's firewall driver, two returns from connection
// tracking, and the port of another VM. bench/compare asks ofproto/trace the same over its socket.
#include <benchmark/benchmark.h>

#include <memory>

#include "bench/neutron_dump.h"
#include "collectors/ovs_flows.h"
#include "src/model/network.h"
#include "src/openflow/flow_text.h"
#include "tracer/engine/ofproto.h"
#include "tracer/engine/translation.h"

namespace dvrtrace {
namespace {

constexpr const char* kPacket =
    "tcp,in_port=5,dl_src=fa:16:3e:00:00:05,dl_dst=fa:16:3e:00:00:06,nw_src=10.0.0.5,nw_dst=10.0.0.6,tcp_src="
    "40000,tcp_dst=80";
// The ports that the packet meets; tables do not ask for the others.
constexpr std::int64_t kPorts = 40;

HostSnapshot host_with(const SourceText& text) {
  HostSnapshot host;
  host.name = "cmp1";
  OvsBridge row;
  row.name = "br-int";
  for (std::int64_t number = 1; number <= kPorts; ++number) {
    OvsPort port;
    port.name = "tap" + std::to_string(number);
    port.interfaces.push_back({});
    port.interfaces.back().name = port.name;
    port.interfaces.back().ofport = number;
    row.ports.push_back(std::move(port));
  }
  host.ovs.presence = Presence::Complete;
  host.ovs.value.bridges.push_back(std::move(row));
  Diagnostics diagnostics;
  ReadLog log{diagnostics, {}};
  BridgeDumps dumps;
  dumps.bridge = "br-int";
  dumps.flows.presence = Presence::Complete;
  dumps.flows.value = read_flow_dump(text, log);
  host.bridges.push_back(std::move(dumps));
  return host;
}

struct Setup {
  explicit Setup(std::size_t flows) {
    const SourceId id = sources.add("br-int", bench::neutron_dump(flows));
    Snapshot index;
    index.hosts.push_back({});
    network = std::make_unique<Network>(
        std::move(index),
        [&, id](std::size_t, const HostSnapshot&, Diagnostics&) { return host_with(sources.text(id)); },
        sources);
    openflow::Names names;
    std::optional<openflow::ReadError> error;
    question.packet = openflow::read_packet(kPacket, names, error);
    question.bridge = network->host(0).find_bridge("br-int");
  }
  Sources sources;
  std::unique_ptr<Network> network;
  OfprotoQuestion question;
};

// What the engine does: every table, every action, every change; no text.
void translate(benchmark::State& state) {
  Setup setup(static_cast<std::size_t>(state.range(0)));
  const std::vector<std::uint32_t> ct_next;
  Session session;
  Tape tape;
  Translation translation(*setup.network, 0, session, tape, {&ct_next, false, false, false});
  Packet packet;
  packet.key = setup.question.packet;
  const std::size_t port = setup.network->host(0).bridges[setup.question.bridge].by_number.at(5);
  for (auto _ : state) {
    tape.clear();
    translation.run(setup.question.bridge, port, packet);
    benchmark::DoNotOptimize(translation.emissions());
  }
  state.counters["passes"] = static_cast<double>(tape.passes.size());
  state.counters["entries"] = static_cast<double>(tape.entries.size());
}
BENCHMARK(translate)->Arg(1'000)->Arg(200'000)->Unit(benchmark::kMicrosecond);

// The same, told as ofproto-trace tells it.
void trace_with_text(benchmark::State& state) {
  Setup setup(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(trace_ofproto(*setup.network, setup.question));
}
BENCHMARK(trace_with_text)->Arg(1'000)->Arg(200'000)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace dvrtrace

BENCHMARK_MAIN();
