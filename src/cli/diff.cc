// dvrtrace diff -i BEFORE --with AFTER: what changed in meaning, and whose packets fare otherwise for it.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "src/base/text.h"
#include "src/cli/console.h"
#include "src/cli/opened_cloud.h"
#include "src/cli/program.h"
#include "src/cli/question.h"
#include "src/report/diff_json.h"
#include "src/report/diff_text.h"
#include "tracer/diff/compare_clouds.h"
#include "tracer/engine/ports.h"

namespace dvrtrace::cli {
namespace {

// Beyond so many a diff would take longer than it is worth; `from A to B` asks what is left out.
constexpr std::size_t kMostQuestions = 4000, kMostPorts = 4;

struct Questions {
  std::vector<Ask> asks;
  std::size_t left_out = 0;
};

// Asked by a question of its own.
bool is_of_dhcp(std::uint16_t port) { return port == 67 || port == 68 || port == 546 || port == 547; }

// The ports of TCP and UDP that changed rows are about: a rule of a security group shows in no packet but its
// own.
std::vector<PacketSpec> packets_of(const diff::CloudChanges& changes) {
  std::vector<PacketSpec> packets(2);
  packets[1].protocol = "tcp";
  packets[1].dst_port = 80;
  std::set<std::pair<std::string, std::uint16_t>> known{{"tcp", 80}};
  const auto look = [&](const std::string& row) {
    const std::string protocol = row.find("tcp") != std::string::npos   ? "tcp"
                                 : row.find("udp") != std::string::npos ? "udp"
                                                                        : "";
    for (const std::string_view key : {"tp_dst=", "--dport "}) {
      const auto at = row.find(key);
      if (protocol.empty() || at == std::string::npos) continue;
      std::string_view rest = std::string_view(row).substr(at + key.size());
      const auto port = number<std::uint16_t>(rest.substr(0, rest.find_first_of(" ,:/")));
      if (!port || *port == 0 || is_of_dhcp(*port) || known.size() > kMostPorts ||
          !known.emplace(protocol, *port).second)
        continue;
      PacketSpec& packet = packets.emplace_back();
      packet.protocol = protocol;
      packet.dst_port = port;
    }
  };
  for (const diff::HostChanges& host : changes.hosts) {
    for (const diff::Found& found : host.changes) look(found.change.before), look(found.change.after);
  }
  return packets;
}

// What names a VM's port in both snapshots.
std::string word_of(const CloudPort& port) { return port.id.empty() ? to_string(port.mac) : port.id; }

// VMs that both snapshots have, those on hosts that changed first.
std::vector<CloudPort> vms_of(const Ports& before, const Ports& after, const diff::CloudChanges& changes) {
  std::set<std::size_t> hosts;
  for (const diff::HostChanges& host : changes.hosts) hosts.insert(host.after);
  std::set<std::string> known;
  for (const CloudPort& port : before.all()) {
    if (port.vm && port.host != kNowhere) known.insert(word_of(port));
  }
  std::vector<CloudPort> vms;
  for (const CloudPort& port : after.all()) {
    if (port.vm && port.host != kNowhere && known.contains(word_of(port))) vms.push_back(port);
  }
  std::ranges::stable_sort(vms, {}, [&](const CloudPort& port) { return !hosts.contains(port.host); });
  return vms;
}

// What fills the network's MTU, and may not be cut.
PacketSpec large_packet(const Network& network, const CloudPort& from) {
  constexpr std::uint32_t kOfVxlanOnEthernet = 1450;
  PacketSpec packet;
  packet.size = kOfVxlanOnEthernet;
  packet.df = true;
  for (const logical::Network& each : network.logical().networks) {
    if (each.id == from.network_id && each.mtu) packet.size = each.mtu;
  }
  return packet;
}

// Whom to ask about: all pairs of VMs, and each with the outside, its metadata and DHCP; the outside and each
// floating IP.
Questions questions_of(const Network& before, const Network& after, const diff::CloudChanges& changes) {
  const Ports was(before), is(after);
  const std::vector<PacketSpec> packets = packets_of(changes);
  const std::vector<CloudPort> vms = vms_of(was, is, changes);
  const bool large = changes.of_mtu();
  Questions questions;
  const auto add = [&](const std::string& from, const std::string& to, const PacketSpec& packet) {
    if (questions.asks.size() < kMostQuestions)
      questions.asks.push_back({from, to, packet});
    else
      ++questions.left_out;
  };
  const std::string outside = "8.8.8.8";
  PacketSpec metadata, dhcp;
  metadata.protocol = "tcp";
  metadata.dst_port = 80;
  dhcp.protocol = "dhcp";
  for (const CloudPort& vm : vms) {
    const std::string word = word_of(vm);
    add(word, outside, {});
    if (large) add(word, outside, large_packet(after, vm));
    add(word, "169.254.169.254", metadata);
    add(word, "255.255.255.255", dhcp);
  }
  for (const FloatingAddress& floating : is.floating()) {
    const auto same = [&](const FloatingAddress& other) { return other.ip == floating.ip; };
    if (std::ranges::any_of(was.floating(), same)) add("outside", to_string(floating.ip), {});
  }
  // The nearest in the list first, so that of a cloud that is too large each VM is asked about.
  for (std::size_t distance = 1; distance < vms.size(); ++distance) {
    for (std::size_t i = 0; i < vms.size(); ++i) {
      const CloudPort& to = vms[(i + distance) % vms.size()];
      for (const PacketSpec& packet : packets) add(word_of(vms[i]), word_of(to), packet);
      if (large) add(word_of(vms[i]), word_of(to), large_packet(after, vms[i]));
    }
  }
  return questions;
}

using Opened = tl::expected<std::unique_ptr<const OpenedCloud>, Failure>;

// What --with names. Neutron's objects of the one side do for the other where that has none of its own.
Opened open_after(const Options& options, Sources& sources, Diagnostics& diagnostics) {
  Options after = options;
  after.inputs = options.with;
  after.neutron = options.with_neutron;
  Diagnostics first;
  Opened cloud = OpenedCloud::open(after, sources, first);
  if (cloud && (*cloud)->network().logical().empty() && !options.neutron.empty()) {
    after.neutron = options.neutron;
    return OpenedCloud::open(after, sources, diagnostics);
  }
  diagnostics.merge(std::move(first));
  return cloud;
}

// The question on the command line; none where it has none.
tl::expected<std::optional<Ask>, Failure> single_question(const Options& options) {
  if (options.words.empty()) return std::optional<Ask>{};
  Options words = options;
  if (words.words.front() == "from") words.words.erase(words.words.begin());
  auto ask = question_of(words);
  if (!ask) return tl::unexpected<Failure>(ask.error());
  return std::optional(std::move(*ask));
}

bool have_a_host_in_common(const Network& before, const Network& after) {
  std::set<std::string_view> names;
  for (std::size_t host = 0; host < before.size(); ++host) names.insert(before.index(host).name);
  for (std::size_t host = 0; host < after.size(); ++host) {
    if (names.contains(after.index(host).name)) return true;
  }
  return false;
}

Detail detail_of(const std::string& word) {
  return word == "brief" ? Detail::Brief : word == "full" ? Detail::Full : Detail::Path;
}

}  // namespace

Outcome run_diff(const Options& options) {
  if (options.with.empty())
    return fail("usage", "compared with what?", "dvrtrace diff -i BEFORE... --with AFTER...");
  const auto single = single_question(options);
  if (!single) return tl::unexpected<Failure>(single.error());
  Sources sources;
  Diagnostics diagnostics;
  const auto before = OpenedCloud::open(options, sources, diagnostics);
  if (!before) return tl::unexpected<Failure>(before.error());
  const auto after = open_after(options, sources, diagnostics);
  if (!after) return tl::unexpected<Failure>(after.error());
  const Network &was = (*before)->network(), &is = (*after)->network();
  if (!have_a_host_in_common(was, is))
    return fail("no-input", "the two snapshots have no host in common",
                "hosts are known by their names: -i NAME=INPUT gives one");
  if (*single) {
    const auto trace = ask(is, **single);
    if (!trace && !ask(was, **single)) return tl::unexpected<Failure>(failure_of(trace.error()));
  }

  const diff::CloudChanges changes = diff::compare_clouds(was, is, sources);
  Questions questions;
  if (*single)
    questions.asks.push_back(**single);
  else if (changes.any())
    questions = questions_of(was, is, changes);
  std::vector<diff::Asked> asked;
  if (changes.any()) asked = diff::ask_both(was, is, questions.asks);
  SnapshotDiff found = diff::conclude(was, is, changes, questions.asks, asked);
  found.left_out = questions.left_out;

  diagnostics.merge(was.diagnostics());
  diagnostics.merge(is.diagnostics());
  if (!options.quiet) print_diagnostics(diagnostics.all(), sources, options);
  const Style style = output_style(options);
  const std::string text = options.format == "json"
                               ? print_json(found, {sources, tool_name(), (*before)->inputs(),
                                                    (*after)->inputs(), diagnostics.all()})
                           : options.quiet ? print_summary(found, style)
                                           : print_text(found, sources, style, detail_of(options.detail));
  if (!answer(text, options)) return fail("output", "the answer could not be written");
  return found.any() ? kNotDelivered : kDelivered;
}

}  // namespace dvrtrace::cli
