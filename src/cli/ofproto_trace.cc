// dvrtrace ofproto-trace: one packet through the OpenFlow tables, as ovs-appctl ofproto/trace shows it.
#include <fmt/format.h>

#include "collectors/collect.h"
#include "src/cli/console.h"
#include "src/cli/program.h"
#include "src/model/network.h"
#include "src/openflow/flow_text.h"
#include "src/openflow/value.h"
#include "src/report/ofproto_json.h"
#include "src/report/ofproto_text.h"
#include "tracer/engine/ofproto.h"

namespace dvrtrace::cli {
namespace {

// The packet, with the names of ports in it looked up in its bridge.
tl::expected<openflow::FlowKey, Failure> packet_of(const std::string& text, const Bridge& bridge) {
  openflow::Names names;
  std::optional<openflow::ReadError> error;
  openflow::FlowKey key = openflow::read_packet(text, names, error);
  if (error)
    return fail("bad-packet", fmt::format("the packet, character {}: {}", error->begin + 1, error->message));
  const std::uint64_t in_port = get64(key, openflow::FieldId::InPort);
  if (in_port < openflow::kNamedPort) return key;
  const std::string& wanted = names.ports()[in_port - openflow::kNamedPort];
  for (const BridgePort& port : bridge.ports) {
    if (port.name != wanted) continue;
    set64(key, openflow::FieldId::InPort, port.number.value);
    return key;
  }
  return fail("bad-packet", fmt::format("bridge {} has no port '{}'", bridge.name, wanted));
}

tl::expected<std::vector<std::uint32_t>, Failure> states_of(const std::vector<std::string>& texts) {
  std::vector<std::uint32_t> states;
  for (const std::string& text : texts) {
    const auto state = openflow::read_ct_flags(text);
    if (!state) return fail("usage", fmt::format("--ct-next wants states such as trk,est, not '{}'", text));
    states.push_back(*state | openflow::kCtTracked);
  }
  return states;
}

// The host that has the bridge: of several, the first that has its flows.
tl::expected<OfprotoQuestion, Failure> bridge_of(const Network& network, const std::string& name) {
  std::string others;
  for (std::size_t host = 0; host < network.size(); ++host) {
    const std::size_t bridge = network.host(host).find_bridge(name);
    if (bridge != kNowhere) return OfprotoQuestion{host, bridge, {}, {}};
    for (const Bridge& other : network.host(host).bridges)
      others += (others.empty() ? "" : ", ") + other.name;
  }
  return fail("usage", fmt::format("there is no bridge '{}'", name),
              others.empty() ? "" : "bridges here: " + others);
}

}  // namespace

Outcome run_ofproto_trace(const Options& options) {
  if (options.words.size() != 1)
    return fail("usage", "one packet is traced, in quotes",
                "dvrtrace ofproto-trace --from DIR --bridge BR 'FLOW'");
  if (options.bridge.empty())
    return fail("usage", "which bridge? --bridge BR", "dvrtrace ofproto-trace --from DIR --bridge BR 'FLOW'");
  const auto states = states_of(options.ct_next);
  if (!states) return tl::unexpected<Failure>(states.error());
  Sources sources;
  Diagnostics diagnostics;
  const auto collection = Collection::open({{"", options.folder}}, {}, sources, diagnostics);
  if (!collection) return fail("unreadable-input", collection.error().message);
  if (collection->hosts().empty()) return fail("no-input", fmt::format("no dumps in {}", options.folder));
  const Network network(
      collection->read_all(Depth::Index, diagnostics),
      [&](std::size_t host, const HostSnapshot& known, Diagnostics& into) {
        return collection->read(host, Depth::Full, into, &known);
      },
      sources);
  auto question = bridge_of(network, options.bridge);
  if (!question) return tl::unexpected<Failure>(question.error());
  const auto packet =
      packet_of(options.words.front(), network.host(question->host).bridges[question->bridge]);
  if (!packet) return tl::unexpected<Failure>(packet.error());
  question->packet = *packet;
  question->ct_next = *states;
  const OfprotoTrace trace = trace_ofproto(network, *question);
  diagnostics.merge(network.diagnostics());
  print_diagnostics(diagnostics.all(), sources, options);
  const std::string text =
      options.format == "json" ? print_json(trace, sources, tool_name()) : print_text(trace);
  if (!answer(text, options)) return fail("output", "the answer could not be written");
  return trace.unknown.empty() ? kDelivered : kCannotTell;
}

}  // namespace dvrtrace::cli
