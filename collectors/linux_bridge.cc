#include "collectors/linux_bridge.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "collectors/iproute.h"
#include "collectors/json_rows.h"
#include "collectors/words.h"
#include "src/base/text.h"

namespace dvrtrace {
namespace {

using kernel::BridgeFdbEntry;
using kernel::BridgePort;

constexpr std::string_view kPortHint = "the bridge's ports are incomplete: a frame for this one ends unknown";
constexpr std::string_view kFdbHint =
    "the forwarding database is incomplete: a frame for this one ends unknown";

// --- ports ---------------------------------------------------------------------------------------

// Settings of a port that decide about frames, and how they stand where they do not interfere.
struct Setting {
  std::string_view name, harmless;
};
constexpr std::array<Setting, 8> kUnmodelled{{{"hairpin", "off"},
                                              {"mcast_flood", "on"},
                                              {"bcast_flood", "on"},
                                              {"neigh_suppress", "off"},
                                              {"neigh_vlan_suppress", "off"},
                                              {"vlan_tunnel", "off"},
                                              {"isolated", "off"},
                                              {"locked", "off"}}};
// clang-format off
constexpr std::array<std::string_view, 16> kHarmless{
    "priority", "cost", "guard", "root_block", "fastleave", "learning_sync", "mab", "mcast_router",
    "mcast_to_unicast", "backup_port", "backup_nhid", "mcast_n_groups", "mcast_max_groups",
    "neigh_forward_grat", "hwmode", "tag"};
// clang-format on

bool is_port_state(std::string_view word) {
  constexpr std::array<std::string_view, 5> kStates{"disabled", "listening", "learning", "forwarding",
                                                    "blocking"};
  return among(kStates, word) || word.starts_with('(');
}

// A setting as the text has it; false for a name that is not one of a port's.
bool set_port(BridgePort& port, std::string_view name, std::string_view value) {
  for (const Setting& setting : kUnmodelled) {
    if (setting.name != name) continue;
    if (value != setting.harmless) port.unmodelled.push_back(fmt::format("{} {}", name, value));
    return true;
  }
  if (name == "learning") port.learning = value != "off";
  if (name == "flood") port.flood = value != "off";
  if (name == "state") port.state = value;
  if (name == "master") port.bridge = value;
  return name == "learning" || name == "flood" || name == "state" || name == "master" ||
         among(kHarmless, name);
}

class PortReader {
 public:
  PortReader(const SourceText& text, ReadLog& log) : text_(text), log_(log) {}
  LineState read(Span line);
  std::vector<Sourced<BridgePort>> take() { return std::move(ports_); }

 private:
  LineState port(Words words, Span line);
  LineState details(Words words, Span line);
  void settings(Words& words, BridgePort& port, bool& bridged);
  LineState fault(const Words& words) { return report_fault(text_, words, kPortHint, log_); }

  const SourceText& text_;
  ReadLog& log_;
  std::vector<Sourced<BridgePort>> ports_;
  bool open_ = false;  // the last port may have a line of details
};

LineState PortReader::read(Span line) {
  const Words words(text_, line);
  if (words.done()) return LineState::Ignored;
  return is_digit(words.peek().front()) ? port(words, line) : details(words, line);
}

// "12: tap1@eth0:", or of an old release "12: tap1 state UP @eth0:"
std::string_view read_port_name(Words& words) {
  std::string_view index = words.next();
  if (!index.ends_with(':') || !number(index.substr(0, index.size() - 1)))
    words.fault("a port's index and ':'");
  std::string_view name = words.value("a device");
  if (name.ends_with(':')) name.remove_suffix(1);
  while (!words.done() && !words.peek().starts_with('<')) words.next();
  const std::string_view flags = words.value("a device's flags");
  if (!flags.ends_with('>')) words.fault("a device's flags");
  return name.substr(0, name.rfind('@'));
}

// "... mtu 1450 master qbr1 state forwarding priority 32 cost 2"
LineState PortReader::port(Words words, Span line) {
  open_ = false;
  BridgePort port;
  port.device = read_port_name(words);
  port.state.clear();
  words.take("mtu");
  words.value("an MTU");
  bool bridged = true;
  settings(words, port, bridged);
  const bool no_port = !bridged || port.bridge == port.device;
  if (!words.faulty() && !no_port && (port.bridge.empty() || port.state.empty())) {
    words.next();
    words.fault("'master', a bridge, 'state' and a state");
  }
  if (words.faulty()) return fault(words);
  if (no_port) return LineState::Ignored;
  const bool modelled = port.unmodelled.empty();
  open_ = true;
  ports_.push_back({std::move(port), text_.provenance(line)});
  return modelled ? LineState::Modelled : LineState::Unmodelled;
}

// `bridged` becomes false for the embedded bridge of a NIC, which has a mode and no master.
void PortReader::settings(Words& words, BridgePort& port, bool& bridged) {
  while (!words.done() && !words.faulty()) {
    const std::string_view name = words.next();
    const Span place = words.last();
    const std::string_view value = words.value("a value");
    if (name == "state" && !is_port_state(value)) words.fault("a port's state");
    if (words.faulty()) return;
    if (name == "hwmode") bridged = false;
    if (set_port(port, name, value)) continue;
    port.unmodelled.push_back(fmt::format("{} {}", name, value));
    report_odd_word(text_, place, "a setting of a bridge's port", kPortHint, log_);
  }
}

// "    hairpin off guard off ... learning on flood on ..."
LineState PortReader::details(Words words, Span line) {
  if (!open_) {
    words.next();
    words.fault("a port of a bridge");
    return fault(words);
  }
  open_ = false;
  Sourced<BridgePort>& port = ports_.back();
  bool bridged = true;
  settings(words, port.value, bridged);
  if (words.faulty()) {
    port.value.unmodelled.push_back("details");
    return fault(words);
  }
  port.at.span.end = line.end;
  return port.value.unmodelled.empty() ? LineState::Modelled : LineState::Unmodelled;
}

std::optional<BridgePort> port_of_json(const Json& object, std::string_view& expected) {
  BridgePort port;
  port.device = json_text(object, "ifname");
  expected = "a port's 'ifname' and 'master'";
  if (port.device.empty() || (!json_member(object, "master") && !json_member(object, "hwmode")))
    return std::nullopt;
  for (const auto& item : object.items()) {
    const Json& value = item.value();
    if (value.is_boolean()) set_port(port, item.key(), value.get<bool>() ? "on" : "off");
    if (value.is_string()) set_port(port, item.key(), value.get_ref<const std::string&>());
  }
  return port;
}

// --- forwarding database -------------------------------------------------------------------------

class FdbLine {
 public:
  FdbLine(const SourceText& text, Span line) : words_(text, line) {}
  LineState read();  // Unrecognised: words() says why
  BridgeFdbEntry take() { return std::move(entry_); }
  const Words& words() const { return words_; }

 private:
  bool place(std::string_view word);
  bool state(std::string_view word);
  bool skipped(std::string_view word);
  bool unmodelled(std::string_view word);
  void master();

  Words words_;
  BridgeFdbEntry entry_;
  bool owned_ = false;  // by a device ("self") or a bridge ("master")
  bool unmodelled_ = false;
};

bool is_fdb_state(std::string_view word) {
  return word == "permanent" || word == "static" || word == "stale" || word == "dynamic" ||
         word.starts_with("state=");
}

// "fe:16:3e:00:00:01 dev tap1 vlan 1 used 3/5 master qbr1 permanent"
LineState FdbLine::read() {
  const auto mac = parse_whole_mac(words_.next());
  if (!mac) words_.fault("a MAC address");
  entry_.mac = mac.value_or(Mac{});
  while (!words_.done() && !words_.faulty()) {
    const std::string_view word = words_.next();
    if (!place(word) && !state(word) && !skipped(word) && !unmodelled(word))
      words_.fault("an attribute of an entry");
  }
  if (!words_.faulty() && (!owned_ || entry_.device.empty())) {
    words_.next();
    words_.fault("'dev' and a device, and 'self' or 'master'");
  }
  if (words_.faulty()) return LineState::Unrecognised;
  return unmodelled_ ? LineState::Unmodelled : LineState::Modelled;
}

bool FdbLine::place(std::string_view word) {
  if (word == "dev") {
    entry_.device = words_.value("a device");
  } else if (word == "vlan") {
    entry_.vlan = number<std::uint16_t>(words_.value("a VLAN"));
    if (!entry_.vlan) words_.fault("a VLAN");
    if (entry_.vlan == 0) entry_.vlan.reset();  // how old releases write that there is none
  } else if (word == "master") {
    master();
  } else if (word == "self") {
    owned_ = true;
  } else {
    return false;
  }
  return true;
}

// A flag, or a bridge's name behind it.
void FdbLine::master() {
  owned_ = true;
  if (!words_.done() && words_.peek() != "master" && !is_fdb_state(words_.peek()))
    entry_.bridge = words_.next();
}

bool FdbLine::state(std::string_view word) {
  if (word == "permanent") entry_.local = true;
  return is_fdb_state(word);
}

bool FdbLine::skipped(std::string_view word) {
  constexpr std::array<std::string_view, 6> kFlags{"router", "extern_learn",    "offload",
                                                   "sticky", "activity_notify", "inactive"};
  if (among(kFlags, word)) return true;
  if (word != "used") return false;
  words_.value("a time");
  return true;
}

// What leads to another host than the port's cable, or nowhere.
bool FdbLine::unmodelled(std::string_view word) {
  constexpr std::array<std::string_view, 7> kValues{"dst",  "port",         "vni", "src_vni",
                                                    "nhid", "link-netnsid", "via"};
  const bool valued = among(kValues, word);
  if (!valued && word != "locked") return false;
  if (valued && words_.value("a value") == "ifindex") words_.value("an index");
  return unmodelled_ = true;
}

// VXLAN devices' entries come back as none, but count as read.
struct JsonEntry {
  BridgeFdbEntry entry;
  bool remote = false;
};

std::optional<JsonEntry> entry_of_json(const Json& object, std::string_view& expected) {
  JsonEntry row;
  const auto mac = parse_whole_mac(json_text(object, "mac"));
  row.entry.device = json_text(object, "ifname");
  expected = "an entry's 'mac' and 'ifname'";
  if (!mac || row.entry.device.empty()) return std::nullopt;
  row.entry.mac = *mac;
  row.entry.bridge = json_text(object, "master");
  row.entry.local = json_text(object, "state") == "permanent";
  const auto vlan = json_number(object, "vlan");
  if (vlan && *vlan != 0) row.entry.vlan = static_cast<std::uint16_t>(*vlan);
  row.remote =
      json_member(object, "dst") || json_member(object, "nhid") || json_lists(object, "flags", "locked");
  return row;
}

// --- bridge-utils --------------------------------------------------------------------------------

bool is_bridge_id(std::string_view word) {
  constexpr std::size_t kWhole = 17;
  if (word.size() != kWhole || word[4] != '.') return false;
  return hex_number(word.substr(0, 4)) && hex_number(word.substr(5));
}

class BrctlShow {
 public:
  BrctlShow(const SourceText& text, ReadLog& log) : text_(text), log_(log) {}
  LineState read(Span line);
  std::vector<Sourced<BridgePort>> take() { return std::move(ports_); }

 private:
  LineState keep(std::string_view device, Span line);

  const SourceText& text_;
  ReadLog& log_;
  std::vector<Sourced<BridgePort>> ports_;
  std::string_view bridge_;
  bool stp_ = false;
};

// "qbr1  8000.0200c0a80001  no  qvb1", and for more ports lines that have only a port
LineState BrctlShow::read(Span line) {
  Words words(text_, line);
  const std::string_view first = words.next();
  if (first.empty() || text_.at(line).starts_with("bridge name")) return LineState::Ignored;
  const bool continues = is_blank(text_.bytes[line.begin]);
  if (continues && !bridge_.empty() && words.done()) return keep(first, line);
  bridge_ = {};
  if (continues) words.fault("a bridge");
  if (!is_bridge_id(words.value("a bridge's id"))) words.fault("a bridge's id");
  const std::string_view stp = words.value("'yes' or 'no'");
  if (stp != "yes" && stp != "no") words.fault("'yes' or 'no'");
  const std::string_view device = words.next();
  if (words.faulty() || !words.done()) {
    words.next();
    words.fault("the end of the line");
    return report_fault(text_, words, kPortHint, log_);
  }
  bridge_ = first;
  stp_ = stp == "yes";
  return device.empty() ? LineState::Ignored : keep(device, line);
}

LineState BrctlShow::keep(std::string_view device, Span line) {
  BridgePort port;
  port.device = device;
  port.bridge = bridge_;
  if (stp_) port.state.clear();
  ports_.push_back({std::move(port), text_.provenance(line)});
  return LineState::Modelled;
}

// "  1  22:be:2d:16:17:5e  yes  0.00"
std::optional<BridgeFdbEntry> read_showmacs_row(Words& words) {
  BridgeFdbEntry entry;
  entry.port_number = number<std::uint16_t>(words.next());
  if (!entry.port_number) return words.fault("a port's number");
  const auto mac = parse_whole_mac(words.value("a MAC address"));
  if (!mac) return words.fault("a MAC address");
  entry.mac = *mac;
  const std::string_view local = words.value("'yes' or 'no'");
  if (local != "yes" && local != "no") return words.fault("'yes' or 'no'");
  entry.local = local == "yes";
  words.value("an age");
  return words.faulty() ? std::nullopt : std::optional(std::move(entry));
}

}  // namespace

std::vector<Sourced<BridgePort>> read_bridge_link(const SourceText& text, ReadLog& log) {
  PortReader reader(text, log);
  for (const Span line : lines_of(text.bytes)) log.lines.count(reader.read(line));
  return reader.take();
}

std::vector<Sourced<BridgePort>> read_bridge_link_json(const SourceText& text, ReadLog& log) {
  std::vector<Sourced<BridgePort>> ports = read_json_rows<BridgePort>(text, kPortHint, log, port_of_json);
  std::erase_if(ports, [](const auto& port) {
    return port.value.bridge.empty() || port.value.bridge == port.value.device;
  });
  return ports;
}

std::vector<Sourced<BridgeFdbEntry>> read_bridge_fdb(const SourceText& text, ReadLog& log) {
  std::vector<Sourced<BridgeFdbEntry>> entries;
  for (const Span line : lines_of(text.bytes)) {
    FdbLine reader(text, line);
    if (reader.words().done()) {
      log.lines.count(LineState::Ignored);
      continue;
    }
    const LineState state = reader.read();
    log.lines.count(state);
    if (state == LineState::Unrecognised) report_fault(text, reader.words(), kFdbHint, log);
    if (state == LineState::Modelled) entries.push_back({reader.take(), text.provenance(line)});
  }
  return entries;
}

std::vector<Sourced<BridgeFdbEntry>> read_bridge_fdb_json(const SourceText& text, ReadLog& log) {
  std::vector<Sourced<BridgeFdbEntry>> entries;
  for (Sourced<JsonEntry>& row : read_json_rows<JsonEntry>(text, kFdbHint, log, entry_of_json)) {
    if (!row.value.remote) entries.push_back({std::move(row.value.entry), row.at});
  }
  return entries;
}

std::vector<Sourced<BridgePort>> read_brctl_show(const SourceText& text, ReadLog& log) {
  BrctlShow reader(text, log);
  for (const Span line : lines_of(text.bytes)) log.lines.count(reader.read(line));
  return reader.take();
}

std::vector<Sourced<BridgeFdbEntry>> read_brctl_showmacs(const SourceText& text, std::string_view bridge,
                                                         ReadLog& log) {
  std::vector<Sourced<BridgeFdbEntry>> entries;
  for (const Span line : lines_of(text.bytes)) {
    Words words(text, line);
    if (words.done() || text.at(line).starts_with("port no")) {
      log.lines.count(LineState::Ignored);
      continue;
    }
    std::optional<BridgeFdbEntry> entry = read_showmacs_row(words);
    log.lines.count(entry ? LineState::Modelled : report_fault(text, words, kFdbHint, log));
    if (!entry) continue;
    entry->bridge = bridge;
    entries.push_back({std::move(*entry), text.provenance(line)});
  }
  return entries;
}

}  // namespace dvrtrace
