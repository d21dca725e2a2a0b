#include "tracer/reference/planned.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include "tracer/reference/database.h"
#include "tracer/reference/netns_writer.h"
#include "tracer/reference/reference.h"

namespace dvrtrace::reference {
namespace {

Dump configuration(const Plan& plan) {
  Writer file("etc/neutron/plugins/ml2/openvswitch_agent.ini", {});
  const Options& options = plan.options;
  const auto flag = [](bool value) { return value ? "true" : "false"; };
  file.header("[ovs]");
  file.header("integration_bridge = " + options.integration_bridge);
  file.header("tunnel_bridge = " + options.tunnel_bridge);
  if (options.local_ip) file.header("local_ip = " + to_string(*options.local_ip));
  std::vector<std::string> mappings;
  for (const auto& [network, bridge] : options.bridge_mappings) mappings.push_back(network + ':' + bridge);
  file.header(fmt::format("bridge_mappings = {}", fmt::join(mappings, ",")));
  file.header("[agent]");
  file.header(fmt::format("tunnel_types = {}", fmt::join(options.tunnel_types, ",")));
  file.header(fmt::format("l2_population = {}", flag(options.l2_population)));
  file.header(fmt::format("arp_responder = {}", flag(options.arp_responder)));
  file.header(fmt::format("enable_distributed_routing = {}", flag(options.dvr)));
  return file.take();
}

// The firewall may have said something of the root namespace already.
void add(Host& host, Host more) {
  for (Dump& dump : more.dumps) {
    const auto same = std::ranges::find(host.dumps, dump.path, &Dump::path);
    if (same == host.dumps.end()) {
      host.dumps.push_back(std::move(dump));
    } else {
      std::ranges::move(dump.lines, std::back_inserter(same->lines));
    }
  }
}

}  // namespace

std::string card_name(std::size_t index) { return fmt::format("card{}", index); }

Host planned_host(const Plan& plan) {
  Host host = program(plan);
  for (Dump& dump : database(plan)) host.dumps.push_back(std::move(dump));
  host.dumps.push_back(configuration(plan));
  NetnsWriter root({}, {});
  for (std::size_t index = 0; index < plan.bridges.size(); ++index) {
    Device card;
    card.name = card_name(index);
    root.device({}, card);
  }
  Host underlay;
  root.finish(underlay);
  add(host, std::move(underlay));
  return host;
}

}  // namespace dvrtrace::reference
