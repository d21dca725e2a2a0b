// Answers many questions about one folder of dumps: the cost of a process and of reading the dumps is paid once.
//
//   ofproto_serve DIR < "BRIDGE<tab>FLOW<tab>STATE STATE..." lines; each is answered by its length, a newline, and JSON.
#include <cstdio>
#include <iostream>
#include <sstream>
#include <string>

#include "collectors/collect.h"
#include "src/model/network.h"
#include "src/openflow/flow_text.h"
#include "src/openflow/value.h"
#include "src/report/ofproto_json.h"
#include "tracer/engine/ofproto.h"

namespace {

using namespace dvrtrace;

std::string answer(const Network& network, const Sources& sources, const std::string& line) {
  std::istringstream parts(line);
  std::string bridge, flow, states, state;
  std::getline(parts, bridge, '\t');
  std::getline(parts, flow, '\t');
  std::getline(parts, states, '\t');
  OfprotoQuestion question;
  question.bridge = network.host(0).find_bridge(bridge);
  if (question.bridge == kNowhere) return "{\"error\": \"no such bridge\"}\n";
  openflow::Names names;
  std::optional<openflow::ReadError> error;
  question.packet = openflow::read_packet(flow, names, error);
  if (error) return "{\"error\": \"" + error->message + "\"}\n";
  for (std::istringstream words(states); words >> state;) {
    question.ct_next.push_back(openflow::read_ct_flags(state).value_or(0) | openflow::kCtTracked);
  }
  return print_json(trace_ofproto(network, question), sources, "test");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  Sources sources;
  Diagnostics diagnostics;
  const auto collection = Collection::open({{"", argv[1]}}, {}, sources, diagnostics);
  if (!collection || collection->hosts().empty()) return 2;
  const Network network(
      collection->read_all(Depth::Index, diagnostics),
      [&](std::size_t host, const HostSnapshot&, Diagnostics& into) { return collection->read(host, Depth::Full, into); }, sources);
  for (std::string line; std::getline(std::cin, line);) {
    const std::string text = answer(network, sources, line);
    std::printf("%zu\n%s", text.size(), text.c_str());
    std::fflush(stdout);
  }
  return 0;
}
