#include "src/cli/question.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "src/base/text.h"
#include "src/cli/suggest.h"

namespace dvrtrace::cli {
namespace {

using Protocols = std::vector<std::string>;
const Protocols& protocols() {
  static const Protocols all{"icmp", "tcp", "udp", "sctp", "arp", "dhcp"};
  return all;
}

template <class T>
tl::expected<std::optional<T>, Failure> number_of(const char* option, const std::string& text) {
  if (text.empty()) return std::optional<T>{};
  const std::optional<T> value = number<T>(text);
  if (value) return value;
  return fail("usage", fmt::format("{} wants a number up to {}, not '{}'", option,
                                   std::numeric_limits<T>::max(), text));
}

tl::expected<std::optional<Mac>, Failure> mac_of(const char* option, const std::string& text) {
  if (text.empty()) return std::optional<Mac>{};
  const std::optional<Mac> mac = parse_mac(text);
  if (mac) return mac;
  return fail("usage", fmt::format("{} wants a MAC address, not '{}'", option, text));
}

tl::expected<void, Failure> read_packet_options(const Options& options, PacketSpec& packet) {
  const auto source_port = number_of<std::uint16_t>("--sport", options.source_port);
  if (!source_port) return tl::unexpected<Failure>(source_port.error());
  const auto ttl = number_of<std::uint8_t>("--ttl", options.ttl);
  if (!ttl) return tl::unexpected<Failure>(ttl.error());
  const auto size = number_of<std::uint32_t>("--size", options.size);
  if (!size) return tl::unexpected<Failure>(size.error());
  const auto source_mac = mac_of("--src-mac", options.source_mac);
  if (!source_mac) return tl::unexpected<Failure>(source_mac.error());
  const auto destination_mac = mac_of("--dst-mac", options.destination_mac);
  if (!destination_mac) return tl::unexpected<Failure>(destination_mac.error());
  if (!options.source_ip.empty()) {
    packet.src_ip = parse_ip(options.source_ip);
    if (!packet.src_ip)
      return fail("usage", fmt::format("--src-ip wants an address, not '{}'", options.source_ip));
  }
  packet.src_port = *source_port;
  packet.ttl = *ttl;
  packet.size = *size;
  packet.src_mac = *source_mac;
  packet.dst_mac = *destination_mac;
  packet.df = options.dont_fragment;
  packet.established = options.established;
  packet.show_arp = options.show_arp;
  return {};
}

}  // namespace

tl::expected<void, Failure> read_packet(const std::string& word, PacketSpec& packet) {
  if (word.find_first_of(",=") != std::string::npos) {
    packet.flow = word;
    return {};
  }
  const std::size_t slash = word.find('/');
  const std::string protocol = to_lower(word.substr(0, slash));
  const bool has_ports = protocol == "tcp" || protocol == "udp" || protocol == "sctp";
  if (std::ranges::find(protocols(), protocol) == protocols().end()) {
    return fail(
        "bad-packet",
        fmt::format("packet '{}' is none of icmp, tcp/PORT, udp/PORT, sctp/PORT, arp, dhcp, or a flow", word),
        did_you_mean(protocol, protocols()));
  }
  if (has_ports != (slash != std::string::npos)) {
    return fail("bad-packet", has_ports ? fmt::format("packet '{}' lacks the port: {}/80", word, protocol)
                                        : fmt::format("packet '{}': {} has no ports", word, protocol));
  }
  if (has_ports) {
    packet.dst_port = number<std::uint16_t>(std::string_view(word).substr(slash + 1));
    if (!packet.dst_port) {
      return fail("bad-packet",
                  fmt::format("packet '{}': expected a port's number after {}/", word, protocol));
    }
  }
  packet.protocol = protocol;
  return {};
}

tl::expected<Ask, Failure> question_of(const Options& options) {
  const std::vector<std::string>& words = options.words;
  const std::string hint = "dvrtrace from A to B [PACKET]";
  if (words.empty()) return fail("usage", "from where to where?", hint);
  if (words.size() < 2) return fail("usage", fmt::format("from {} to where?", words[0]), hint);
  if (words[1] != "to")
    return fail("usage", fmt::format("expected the word 'to' after {}, found '{}'", words[0], words[1]),
                hint);
  if (words.size() < 3) return fail("usage", fmt::format("from {} to where?", words[0]), hint);
  if (words.size() > 4) {
    return fail("usage", fmt::format("'{}' is one word too many", words[4]),
                "names with spaces, and flows, are put in quotes");
  }
  Ask ask;
  ask.from = words[0];
  ask.to = words[2];
  ask.request = options.direction != "reply";
  ask.reply = options.direction != "request";
  if (words.size() == 4) {
    if (const auto read = read_packet(words[3], ask.packet); !read)
      return tl::unexpected<Failure>(read.error());
  }
  if (const auto read = read_packet_options(options, ask.packet); !read)
    return tl::unexpected<Failure>(read.error());
  return ask;
}

Failure failure_of(const AskError& error) {
  const auto code = [&] {
    switch (error.kind) {
      case AskError::Kind::UnknownEndpoint:
        return "unknown-endpoint";
      case AskError::Kind::AmbiguousEndpoint:
        return "ambiguous-endpoint";
      case AskError::Kind::BadPacket:
        return "bad-packet";
      case AskError::Kind::NoInput:
        return "no-input";
    }
    return "bad-packet";
  };
  Failure failure{code(), error.message, "", {}};
  for (const Candidate& c : error.candidates)
    failure.candidates.push_back({c.name, c.kind, c.host, c.network, c.ip, c.port});
  if (error.kind == AskError::Kind::UnknownEndpoint && error.candidates.empty()) {
    failure.hint =
        "what there is: dvrtrace inventory. Names of VMs come from --neutron or from libvirt's files";
  }
  return failure;
}

std::set<std::string> hosts_on(const Trace& trace) {
  std::set<std::string> hosts;
  for (const Direction& direction : trace.directions) {
    for (const Hop& hop : direction.hops) hosts.insert(hop.place.host);
  }
  return hosts;
}

int status_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::Delivered:
    case Verdict::LeftTheCloud:
      return kDelivered;
    case Verdict::Dropped:
    case Verdict::Looped:
      return kNotDelivered;
    case Verdict::Unknown:
      return kCannotTell;
  }
  return kCannotTell;
}

}  // namespace dvrtrace::cli
