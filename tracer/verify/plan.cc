#include "tracer/verify/plan.h"

#include <fmt/format.h>
#include <pcap/pcap.h>

#include <algorithm>
#include <map>

#include "src/base/text.h"
#include "tracer/verify/place.h"

namespace dvrtrace::verify {
namespace {

constexpr std::uint8_t kIcmp = 1, kTcp = 6, kUdp = 17, kIcmpv6 = 58, kSctp = 132;

template <class T>
void add(std::vector<T>& all, const T& one) {
  if (std::ranges::find(all, one) == all.end()) all.push_back(one);
}

std::string any_of(const std::vector<std::string>& parts) {
  if (parts.size() == 1) return parts.front();
  return fmt::format("({})", fmt::join(parts, " or "));
}

std::string protocol_word(std::uint8_t protocol, bool v6) {
  switch (protocol) {
    case kIcmp:
      return "icmp";
    case kTcp:
      return "tcp";
    case kUdp:
      return "udp";
    case kIcmpv6:
      return "icmp6";
    case kSctp:
      return "sctp";
    default:
      return fmt::format("{} proto {}", v6 ? "ip6" : "ip", protocol);
  }
}

// Addresses that the packets of a direction have anywhere: what should have been translated by then, and was not, is caught as well.
std::string hosts_text(const Direction& direction, std::optional<Ip> Headers::*field, const char* side,
                       Family family) {
  std::vector<std::string> parts;
  for (const Crossing& crossing : direction.crossings) {
    const auto& ip = crossing.packet.*field;
    if (ip && ip->family == family) add(parts, fmt::format("{} host {}", side, to_string(*ip)));
  }
  return any_of(parts);
}

// The known port: of a request the service's, of its answer too.
std::string port_text(const Headers& packet, bool request) {
  const auto& port = request ? packet.dst_port : packet.src_port;
  return port && *port != 0 ? fmt::format(" and {} port {}", request ? "dst" : "src", *port) : "";
}

std::string plain(const Direction& direction, const Crossing& crossing) {
  const Headers& packet = crossing.packet;
  if (packet.arp_op)
    return packet.ip_src && packet.ip_dst ? fmt::format("arp and host {} and host {}",
                                                        to_string(*packet.ip_src), to_string(*packet.ip_dst))
                                          : "arp";
  if (!packet.ip_src || !packet.ip_dst) return "";
  const Family family = packet.ip_src->family;
  std::string text = fmt::format("{} and {} and {}{}", protocol_word(packet.protocol, family == Family::V6),
                                 hosts_text(direction, &Headers::ip_src, "src", family),
                                 hosts_text(direction, &Headers::ip_dst, "dst", family),
                                 port_text(packet, direction.name == "request"));
  return text;
}

// Words of four bytes from an offset on.
std::string words_equal(const std::string& layer, const std::string& base, unsigned offset, const Ip& ip) {
  const auto word = [&](unsigned at, std::uint32_t value) {
    return fmt::format("{}[{}+{}:4] == {:#x}", layer, base, at, value);
  };
  if (ip.v4()) return word(offset, ip.v4_value());
  return fmt::format("{} and {} and {} and {}", word(offset, static_cast<std::uint32_t>(ip.high >> 32)),
                     word(offset + 4, static_cast<std::uint32_t>(ip.high)),
                     word(offset + 8, static_cast<std::uint32_t>(ip.low >> 32)),
                     word(offset + 12, static_cast<std::uint32_t>(ip.low)));
}

// The packet within its tunnel, by offsets: pcap-filter has no words for what is inside.
std::string inside(const Direction& direction, const Headers& packet, const TunnelPorts& ports) {
  const Encapsulation& tunnel = *packet.encapsulation;
  const bool outer_v6 = tunnel.source.v6();
  // udp[] and the like are of IPv4 alone; over IPv6 the offsets count from its header, which has 40 bytes.
  const std::string layer = outer_v6 ? "ip6" : tunnel.type == "gre" ? "ip" : "udp";
  const std::string start = outer_v6 ? "40" : tunnel.type == "gre" ? "((ip[0]&0xf)<<2)" : "0";
  const auto at = [&](unsigned offset, unsigned size) {
    return fmt::format("{}[{}+{}:{}]", layer, start, offset, size);
  };
  const auto to_ports = [](std::uint16_t registered, const std::vector<std::uint16_t>& others) {
    std::vector<std::string> parts;
    for (const std::uint16_t port : others) add(parts, fmt::format("udp dst port {}", port));
    if (parts.empty()) parts.push_back(fmt::format("udp dst port {}", registered));
    return any_of(parts);
  };
  std::string text, base;
  if (tunnel.type == "gre") {
    text = fmt::format("{} proto 47 and {} == 0x6558 and {} == {}", outer_v6 ? "ip6" : "ip", at(2, 2),
                       at(4, 4), tunnel.vni);
    base = start + "+8";
  } else if (tunnel.type == "geneve") {
    text = fmt::format("{} and {} >> 8 == {}", to_ports(6081, ports.geneve), at(12, 4), tunnel.vni);
    base = fmt::format("{}+16+(({}&0x3f)<<2)", start, at(8, 1));
  } else {
    text = fmt::format("{} and {} >> 8 == {}", to_ports(4789, ports.vxlan), at(12, 4), tunnel.vni);
    base = start + "+16";
  }
  const auto in = [&](unsigned offset, unsigned size) {
    return fmt::format("{}[{}+{}:{}]", layer, base, offset, size);
  };
  if (packet.arp_op) {
    text += fmt::format(" and {} == 0x806", in(12, 2));
    if (packet.ip_src) text += " and " + words_equal(layer, base, 28, *packet.ip_src);
    if (packet.ip_dst) text += " and " + words_equal(layer, base, 38, *packet.ip_dst);
    return text;
  }
  if (!packet.ip_src || !packet.ip_dst) return text;
  const bool v6 = packet.ip_src->v6();
  text += fmt::format(" and {} == {:#x} and {} == {}", in(12, 2), v6 ? 0x86dd : 0x800, in(v6 ? 20 : 23, 1),
                      packet.protocol);
  text += " and " + words_equal(layer, base, v6 ? 22 : 26, *packet.ip_src) + " and " +
          words_equal(layer, base, v6 ? 38 : 30, *packet.ip_dst);
  const bool request = direction.name == "request";
  const auto& port = request ? packet.dst_port : packet.src_port;
  if (port && *port != 0) {
    const std::string header = v6 ? "40" : fmt::format("(({}&0xf)<<2)", in(14, 1));
    text += fmt::format(" and {}[{}+14+{}+{}:2] == {}", layer, base, header, request ? 2 : 0, *port);
  }
  return text;
}

bool same_point(const Crossing& crossing, const CapturePoint& point) {
  return crossing.host == point.host && crossing.netns == point.netns && crossing.device == point.device;
}

// The words of a command with what {...} in it stand for. In the root namespace nothing is in front.
std::vector<std::string> filled(std::string_view command, const std::string& netns,
                                const std::map<std::string, std::string, std::less<>>& values) {
  constexpr std::string_view kPrefix = "ip netns exec {netns} ";
  const std::size_t prefix = command.find(kPrefix);
  std::string line(command);
  if (netns.empty()) line.erase(prefix, kPrefix.size());
  std::vector<std::string> words;
  for (const std::string_view word : words_of(line)) {
    const bool stands = word.starts_with('{') && word.ends_with('}');
    words.emplace_back(!stands             ? word
                       : word == "{netns}" ? std::string_view(netns)
                                           : values.find(word.substr(1, word.size() - 2))->second);
  }
  return words;
}

std::string command_of(const CapturePoint& point, const std::string& filter, const std::string& file,
                       const PlanBounds& bounds) {
  std::string command;
  for (const std::string& word : capture_words(point, filter, file, bounds)) {
    const std::string name = word.substr(std::min(word.find_first_not_of('-'), word.size()));
    const bool option = name.size() < word.size() && name == shell_word(name);
    command += (command.empty() ? "" : " ") + (option ? word : shell_word(word));
  }
  return command;
}

std::vector<CapturePoint> deciding_points(const Trace& trace, bool every_point) {
  std::vector<CapturePoint> points;
  for (const Direction& direction : trace.directions) {
    std::vector<const Crossing*> way;
    for (const Crossing& crossing : direction.crossings) {
      if (crossing.on_path) way.push_back(&crossing);
    }
    for (std::size_t i = 0; i < way.size(); ++i) {
      const bool enters = i == 0 || way[i - 1]->host != way[i]->host,
                 leaves = i + 1 == way.size() || way[i + 1]->host != way[i]->host;
      if (every_point || enters || leaves)
        add(points, CapturePoint{way[i]->host, way[i]->netns, way[i]->device});
    }
  }
  // A packet that goes nowhere but in copies: where these pass.
  return points.empty() ? points_of(trace) : points;
}

}  // namespace

std::string filter_at(const Trace& trace, const CapturePoint& point, const TunnelPorts& ports) {
  std::vector<std::string> parts;
  for (const Direction& direction : trace.directions) {
    for (const Crossing& crossing : direction.crossings) {
      if (!same_point(crossing, point)) continue;
      std::string part = crossing.packet.encapsulation ? inside(direction, crossing.packet, ports)
                                                       : plain(direction, crossing);
      // Behind the word vlan all others count from the tag on: it comes last of all parts, and in one of its own.
      if (crossing.packet.vlan && !crossing.packet.encapsulation)
        part = fmt::format("vlan {} and {}", *crossing.packet.vlan, part);
      if (!part.empty()) add(parts, part);
    }
  }
  std::ranges::stable_sort(parts, {}, [](const std::string& part) { return part.starts_with("vlan"); });
  if (parts.size() == 1) return parts.front();
  const bool tagged = std::ranges::all_of(parts, [&](const std::string& part) {
    return part.starts_with("vlan") &&
           part.substr(0, part.find(" and ")) == parts.front().substr(0, parts.front().find(" and "));
  });
  if (!parts.empty() && tagged) {  // one tag for all
    const std::string tag = parts.front().substr(0, parts.front().find(" and "));
    for (std::string& part : parts) part.erase(0, tag.size() + 5);
    return fmt::format("{} and (({}))", tag, fmt::join(parts, ") or ("));
  }
  return parts.empty() ? "" : fmt::format("({})", fmt::join(parts, ") or ("));
}

std::string refusal_of(const std::string& filter) {
  pcap_t* pcap = ::pcap_open_dead(DLT_EN10MB, 262144);
  if (pcap == nullptr) return "no memory";
  bpf_program program{};
  std::string refusal;
  if (::pcap_compile(pcap, &program, filter.c_str(), 1, PCAP_NETMASK_UNKNOWN) != 0)
    refusal = printable(::pcap_geterr(pcap));
  else
    ::pcap_freecode(&program);
  ::pcap_close(pcap);
  return refusal;
}

std::vector<std::string> capture_words(const CapturePoint& point, const std::string& filter,
                                       const std::string& file, const PlanBounds& bounds) {
  return filled(kCaptureCommand, point.netns,
                {{"seconds", std::to_string(bounds.seconds)},
                 {"device", point.device},
                 {"packets", std::to_string(bounds.packets)},
                 {"file", file},
                 {"filter", filter}});
}

std::vector<std::string> probe_words(const Probe& probe) {
  return filled(kProbeCommand, probe.netns,
                {{"seconds", std::to_string(probe.seconds)},
                 {"count", std::to_string(probe.count)},
                 {"size", std::to_string(probe.size)},
                 {"mark", probe.mark},
                 {"destination", probe.destination}});
}

std::string shell_word(const std::string& word) {
  const bool plain = !word.empty() && std::ranges::all_of(word, [](char c) {
    return is_alpha(c) || is_digit(c) || std::string_view("-_./:=,@").find(c) != std::string_view::npos;
  });
  if (plain && word.front() != '-') return word;
  std::string out = "'";
  for (const char c : word) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

Result<std::vector<PlannedCapture>> plan_captures(const Trace& trace, const PlanBounds& bounds) {
  std::vector<PlannedCapture> plan;
  for (const CapturePoint& point : deciding_points(trace, bounds.every_point)) {
    PlannedCapture capture{
        point, filter_at(trace, point, bounds.ports),
        fmt::format("{}__{}__{}.pcap", point.host, point.netns.empty() ? "root" : point.netns, point.device),
        ""};
    if (const std::string refusal = refusal_of(capture.filter); !refusal.empty())
      return failure(fmt::format("the filter for {} does not compile: {}: {}", to_string(point), refusal,
                                 capture.filter));
    capture.command = command_of(point, capture.filter, capture.file, bounds);
    plan.push_back(std::move(capture));
  }
  return plan;
}

}  // namespace dvrtrace::verify
