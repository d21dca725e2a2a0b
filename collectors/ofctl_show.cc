#include "collectors/ofctl_show.h"

#include <array>

#include "collectors/json_reader.h"
#include "collectors/ovs_lines.h"
#include "collectors/words.h"
#include "src/base/text.h"

namespace dvrtrace {

namespace {

constexpr auto npos = std::string_view::npos;
constexpr std::string_view kHint =
    "the ports of this bridge are incomplete; an output to one that is missing ends \"unknown\"";

struct ReservedPort {
  std::string_view word;
  Ofport number;
};
constexpr std::array<ReservedPort, 9> kReservedPorts{{{"LOCAL", kPortLocal},
                                                      {"IN_PORT", kPortInPort},
                                                      {"TABLE", kPortTable},
                                                      {"NORMAL", kPortNormal},
                                                      {"FLOOD", kPortFlood},
                                                      {"ALL", kPortAll},
                                                      {"CONTROLLER", kPortController},
                                                      {"NONE", kPortNone},
                                                      {"ANY", kPortNone}}};

// Lines of a port, and of the switch, that say nothing about where packets go.
bool is_idle_line(std::string_view text) {
  constexpr std::string_view kIdle[] = {
      "current:",    "advertised:", "supported:",    "peer:",     "speed:",
      "n_tables:",   "actions:",    "capabilities:", "features:", "OFPST_PORT_DESC reply",
      "auxiliary_id"};
  for (const std::string_view start : kIdle) {
    if (text.starts_with(start)) return true;
  }
  return false;
}

// The value of `key` in a line of "key=value" or "key:value" words.
std::string_view value_of(std::string_view text, std::string_view key) {
  const std::size_t at = text.find(key);
  if (at == npos) return {};
  text.remove_prefix(at + key.size());
  return text.substr(0, text.find_first_of(" ,"));
}

struct PortFlag {
  std::string_view word;
  bool PortDesc::*member;
};
constexpr PortFlag kFlags[] = {{"PORT_DOWN", &PortDesc::port_down},
                               {"NO_RECV", &PortDesc::no_recv},
                               {"NO_FWD", &PortDesc::no_fwd},
                               {"NO_FLOOD", &PortDesc::no_flood},
                               {"NO_PACKET_IN", &PortDesc::no_packet_in},
                               {"LINK_DOWN", &PortDesc::link_down}};

void set_flags(PortDesc& port, std::string_view words) {
  for (std::string_view word = take_word(words); !word.empty(); word = take_word(words)) {
    for (const PortFlag& flag : kFlags) {
      if (word == flag.word) port.*flag.member = true;
    }
  }
}

class FeaturesReader {
 public:
  FeaturesReader(const SourceText& text, ReadLog& log) : text_(text), log_(log) {}

  BridgeFeatures read() {
    for (const Span line : lines_of(text_.bytes)) log_.lines.count(read_line(line));
    return std::move(features_);
  }

 private:
  LineState read_line(Span line) {
    std::string_view text = trim(text_.at(line));
    if (text.empty() || is_ovs_log_line(text) || is_idle_line(text)) return LineState::Ignored;
    if (text.starts_with("OFPT_FEATURES_REPLY")) return read_datapath_id(line, text);
    if (text.starts_with("OFPT_GET_CONFIG_REPLY")) {
      features_.frags = value_of(text, "frags=");
      return LineState::Modelled;
    }
    if (consume(text, "config:") || consume(text, "state:")) return read_flags(line, text);
    return read_port(line, text);
  }

  LineState read_datapath_id(Span line, std::string_view text) {
    features_.datapath_id = hex_number(value_of(text, "dpid:"));
    return features_.datapath_id ? LineState::Modelled
                                 : report_fault(text_, line, "a datapath id", kHint, log_);
  }

  LineState read_flags(Span line, std::string_view words) {
    if (features_.ports.empty())
      return report_fault(text_, line, "a port before its configuration", kHint, log_);
    Sourced<PortDesc>& port = features_.ports.back();
    set_flags(port.value, words);
    port.at.span.end = line.end;
    return LineState::Modelled;
  }

  // "7(qr-0123): addr:aa:bb:cc:dd:ee:ff". A name may hold anything, blanks and parentheses too.
  LineState read_port(Span line, std::string_view text) {
    const std::size_t open = text.find('('), close = text.rfind("): addr:");
    if (open == npos || close == npos || close < open) {
      return report_fault(text_, line, "a port 'NUMBER(NAME): addr:MAC'", kHint, log_);
    }
    const auto number = parse_ofport(text.substr(0, open));
    if (!number) return report_fault(text_, line, "a port number", kHint, log_);
    PortDesc port;
    port.number = *number;
    port.name = name_of(text.substr(open + 1, close - open - 1));
    port.mac = parse_mac(trim(text.substr(close + 8)));
    if (!port.mac) report_fault(text_, line, "a MAC address after 'addr:'", kHint, log_);
    const bool whole = port.mac.has_value();
    features_.ports.push_back({std::move(port), text_.provenance(line)});
    return whole ? LineState::Modelled : LineState::Unrecognised;
  }

  static std::string name_of(std::string_view text) {
    if (text.size() < 2 || !text.starts_with('"') || !text.ends_with('"')) return std::string(text);
    return json_unescape(text.substr(1, text.size() - 2));
  }

  const SourceText& text_;
  ReadLog& log_;
  BridgeFeatures features_;
};

}  // namespace

std::optional<Ofport> parse_ofport(std::string_view text) {
  for (const ReservedPort& port : kReservedPorts) {
    if (text == port.word) return port.number;
  }
  const auto value = number<std::uint32_t>(text);
  if (!value) return std::nullopt;
  // OpenFlow 1.1 and later have 32 bits; the reserved ports stand at the same distance from the end.
  return Ofport{*value >= 0xffffff00 ? *value & 0xffff : *value};
}

std::string read_fragment_mode(const SourceText& text, ReadLog& log) {
  std::string mode;
  for (const Span line : lines_of(text.bytes)) {
    const std::string_view row = trim(text.at(line));
    const bool known = row == "normal" || row == "drop" || row == "nx-match" || row == "reassemble";
    if (known) mode = row;
    if (row.empty() || is_ovs_log_line(row))
      log.lines.count(LineState::Ignored);
    else
      log.lines.count(known ? LineState::Modelled
                            : report_fault(text, line, "how fragments are handled", kHint, log));
  }
  return mode;
}

BridgeFeatures read_ofctl_show(const SourceText& text, ReadLog& log) {
  return FeaturesReader(text, log).read();
}

}  // namespace dvrtrace
