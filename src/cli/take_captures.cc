#include "src/cli/take_captures.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <random>

#include "collectors/gather/tap.h"
#include "src/base/text.h"
#include "src/cli/progress.h"
#include "src/cli/remote.h"

namespace dvrtrace::cli {
namespace {

// A host of the dumps as it is reached: by the list's address where it is in one.
tl::expected<gather::Target, Failure> reach(const std::string& host,
                                            const std::optional<gather::HostList>& list) {
  if (list) {
    const auto known = std::ranges::find(list->hosts, host, &gather::Target::name);
    if (known != list->hosts.end()) return *known;
  }
  auto target = gather::target_of(host);
  if (!target) return fail("usage", target.error().message);
  return std::move(*target);
}

// A folder with nothing in it, so that only what is captured now is verified.
tl::expected<std::string, Failure> empty_folder(const Options& options) {
  std::string folder = options.output.empty() ? name_of_now("dvrtrace-captures") : options.output;
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return fail("output", fmt::format("{}: {}", folder, error.message()));
  if (!std::filesystem::is_empty(folder, error) || error)
    return fail("output", fmt::format("{}: there is something in it already", folder));
  std::filesystem::permissions(folder, std::filesystem::perms::owner_all, error);
  return folder;
}

// Known by every packet of this probe, and by no other: "dvrtrace" and a random number.
std::string random_mark() {
  std::random_device device;
  return fmt::format("6476727472616365{:08x}{:08x}", static_cast<std::uint32_t>(device()),
                     static_cast<std::uint32_t>(device()));
}

// "HOST:NETNS"
std::optional<std::pair<std::string, std::string>> namespace_of(const EndpointName& end) {
  const std::size_t colon = end.name.find(':');
  if (end.kind != "namespace" || colon == std::string::npos) return std::nullopt;
  return std::pair(end.name.substr(0, colon), end.name.substr(colon + 1));
}

bool has_address_beside(const NamespaceSnapshot& netns, const Ip& ip) {
  return std::ranges::any_of(netns.links.value, [&](const Sourced<kernel::Link>& link) {
    return std::ranges::any_of(link.value.addresses,
                               [&](const auto& address) { return address.value.network().contains(ip); });
  });
}

std::string network_of_port(const Network& network, const std::string& port) {
  for (const logical::Port& each : network.logical().ports) {
    if (each.id == port) return each.network_id;
  }
  return {};
}

void tell(const Options& options, const std::string& line) {
  if (!options.quiet) fmt::print(stderr, "{}\n", printable(line));
}

}  // namespace

tl::expected<std::string, Failure> probe_source(const Network& network, const Trace& trace) {
  if (trace.question.protocol != "icmp")
    return fail("usage",
                fmt::format("--probe sends an echo request, not {}: ask for icmp", trace.question.protocol));
  const EndpointName& from = trace.question.from;
  if (namespace_of(from)) return from.name;
  const std::string network_id = network_of_port(network, from.port);
  std::vector<std::string> found;
  for (std::size_t host = 0; host < network.size(); ++host) {
    for (const NamespaceSnapshot& netns : network.index(host).namespaces) {
      const bool serves = network_id.empty() ? netns.name.starts_with("qdhcp-") && from.ip &&
                                                   has_address_beside(netns, *from.ip)
                                             : netns.name == "qdhcp-" + network_id;
      if (!serves) continue;
      const bool own = network.index(host).name == from.host;
      found.insert(own ? found.begin() : found.end(),
                   fmt::format("{}:{}", network.index(host).name, netns.name));
    }
  }
  if (!found.empty()) return found.front();
  for (const Direction& direction : trace.directions) {
    for (const Hop& hop : direction.hops) {
      if (hop.on_path && hop.place.kind == PlaceKind::Namespace && hop.place.name != "root")
        return fmt::format("{}:{}", hop.place.host, hop.place.name);
    }
  }
  return fail("unknown-endpoint", fmt::format("no namespace near {} to send a probe from", from.name),
              "without --probe packets are captured that others send");
}

tl::expected<std::string, Failure> take_captures(const Options& options, const Trace& trace,
                                                 const std::vector<verify::PlannedCapture>& plan,
                                                 const verify::PlanBounds& bounds) {
  gather::TapSettings settings;
  if (!options.ssh.empty()) settings.ssh = words_in(options.ssh);
  const auto connect = seconds_in(options.connect_timeout, settings.connect_seconds, "--connect-timeout");
  if (!connect) return tl::unexpected<Failure>(connect.error());
  settings.connect_seconds = *connect;
  settings.seconds = bounds.seconds;
  std::optional<gather::HostList> list;
  if (!options.host_list.empty()) {
    auto read = read_host_list(options);
    if (!read) return tl::unexpected<Failure>(read.error());
    list = std::move(*read);
  }
  // The host's own limit, for when nobody tells it to end: the others' connecting, and the time of all.
  verify::PlanBounds remote = bounds;
  remote.seconds = bounds.seconds + 3 * settings.connect_seconds + 30;
  std::vector<gather::Tap> taps;
  for (const verify::PlannedCapture& capture : plan) {
    const auto target = reach(capture.point.host, list);
    if (!target) return tl::unexpected<Failure>(target.error());
    taps.push_back({*target, verify::capture_words(capture.point, capture.filter, "-", remote), capture.file,
                    to_string(capture.point)});
  }
  std::optional<gather::ProbeOrder> probe;
  if (options.probe) {
    const auto from = namespace_of(trace.question.from);
    if (!from || !trace.question.to.ip)
      return fail("bad-packet", "a probe goes from a namespace to an address");
    const auto target = reach(from->first, list);
    if (!target) return tl::unexpected<Failure>(target.error());
    verify::Probe ping;
    ping.netns = from->second == "root" ? "" : from->second;
    ping.destination = to_string(*trace.question.to.ip);
    ping.mark = random_mark();
    probe = gather::ProbeOrder{*target, verify::probe_words(ping)};
    tell(options, fmt::format("probe from {} to {}, marked {}", trace.question.from.name, ping.destination,
                              ping.mark));
  }
  const auto folder = empty_folder(options);
  if (!folder) return tl::unexpected<Failure>(folder.error());

  gather::TapReports reports;
  {
    Progress progress(options);
    reports = gather::tap(taps, probe, *folder, settings, [&](std::size_t listen, std::size_t ended) {
      progress.show(std::max(listen, ended), taps.size(), ended == 0 ? "listening" : "ended");
    });
  }
  std::size_t captured = 0;
  for (std::size_t i = 0; i < taps.size(); ++i) {
    const gather::TapReport& report = reports.taps[i];
    captured += report.listened ? 1 : 0;
    if (!report.failure.empty()) tell(options, fmt::format("{}: {}", taps[i].where, report.failure));
  }
  if (reports.probe) {
    const std::vector<std::string_view> lines = split(trim(*reports.probe), '\n');
    const auto counts = std::ranges::find_if(lines, [](std::string_view line) {
      return line.find("packets transmitted") != std::string_view::npos;
    });
    tell(options, fmt::format("probe: {}", counts != lines.end() ? *counts
                                           : lines.empty()       ? "no answer"
                                                                 : lines.back()));
  }
  tell(options, fmt::format("{} of {} captures in {}", captured, taps.size(), *folder));
  if (captured == 0)
    return fail("no-input", "nothing could be captured",
                "dvrtrace capture without --run prints the commands");
  return *folder;
}

}  // namespace dvrtrace::cli
