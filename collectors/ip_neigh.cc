#include "collectors/ip_neigh.h"

#include <algorithm>
#include <array>

#include "collectors/iproute.h"
#include "collectors/json_rows.h"
#include "collectors/words.h"
#include "src/base/text.h"

namespace dvrtrace {
namespace {

using kernel::Neighbour;
using State = kernel::NeighbourState;

constexpr std::string_view kHint = "the neighbours are incomplete: a packet for this one ends unknown";

struct NamedState {
  std::string_view name;
  State state;
};
constexpr std::array<NamedState, 9> kStates{{{"PERMANENT", State::Permanent},
                                             {"NOARP", State::Noarp},
                                             {"REACHABLE", State::Reachable},
                                             {"STALE", State::Stale},
                                             {"DELAY", State::Delay},
                                             {"PROBE", State::Probe},
                                             {"FAILED", State::Failed},
                                             {"INCOMPLETE", State::Incomplete},
                                             {"NONE", State::None}}};

std::optional<State> neighbour_state(std::string_view word) {
  for (const NamedState& named : kStates) {
    if (named.name == word) return named.state;
  }
  return std::nullopt;
}

// Tunnels have IP addresses and InfiniBand has 20 octets where Ethernet has a MAC.
bool is_other_link_address(std::string_view text) {
  constexpr std::size_t kInfiniband = 59;
  return parse_ip(text).has_value() || text.size() == kInfiniband;
}

// --- the text ------------------------------------------------------------------------------------

class NeighbourLine {
 public:
  NeighbourLine(const SourceText& text, Span line) : words_(text, line) {}
  std::optional<Neighbour> read();
  const Words& words() const { return words_; }
  bool blank() const { return words_.done(); }

 private:
  bool property(std::string_view word);
  bool flag(std::string_view word);
  bool skipped(std::string_view word);
  void link_address();

  Words words_;
  Neighbour neighbour_;
  bool settled_ = false;  // a state was read, or a flag of entries that have none
};

// "10.0.0.5 dev qr-1 lladdr fa:16:3e:00:00:01 router  ref 1 used 16/5/16probes 1 REACHABLE proto zebra"
std::optional<Neighbour> NeighbourLine::read() {
  const auto ip = parse_ip(words_.next());
  if (!ip) return words_.fault("an address");
  neighbour_.ip = *ip;
  while (!words_.done() && !words_.faulty()) {
    const std::string_view word = words_.next();
    if (!property(word) && !flag(word) && !skipped(word))
      words_.fault("a property or the state of a neighbour");
  }
  if (words_.faulty()) return std::nullopt;
  words_.next();
  if (neighbour_.device.empty()) return words_.fault("'dev' and a device");
  return settled_ ? std::optional(std::move(neighbour_)) : words_.fault("the state of a neighbour");
}

bool NeighbourLine::property(std::string_view word) {
  if (word == "dev") {
    neighbour_.device = words_.value("a device");
  } else if (word == "lladdr") {
    link_address();
  } else if (const auto state = neighbour_state(word)) {
    neighbour_.state = *state;
    settled_ = true;
  } else {
    return false;
  }
  return true;
}

void NeighbourLine::link_address() {
  const std::string_view address = words_.value("a MAC address");
  neighbour_.mac = parse_whole_mac(address);
  if (!neighbour_.mac && !is_other_link_address(address)) words_.fault("a MAC address");
}

bool NeighbourLine::flag(std::string_view word) {
  if (word == "router") return neighbour_.router = true;
  if (word == "proxy") return neighbour_.proxy = settled_ = true;
  if (word == "extern_learn") return settled_ = true;
  return word == "managed" || word == "offload" || word == "extern_valid";
}

// iproute2 forgets a blank: "used 16/5/16probes 1".
bool NeighbourLine::skipped(std::string_view word) {
  if (word != "ref" && word != "used" && word != "probes" && word != "proto") return false;
  std::string_view value = words_.value("a value");
  if (word != "used") return true;
  if (value.ends_with("probes")) {
    words_.value("a number of probes");
    value.remove_suffix(std::string_view("probes").size());
  }
  // Seconds since it was used, confirmed, and updated.
  if (const std::size_t slash = value.rfind('/'); slash != std::string_view::npos)
    neighbour_.age = number<std::uint32_t>(value.substr(slash + 1));
  return true;
}

// --- JSON ----------------------------------------------------------------------------------------

std::optional<Neighbour> neighbour_of_json(const Json& object, std::string_view& expected) {
  Neighbour neighbour;
  const auto ip = parse_ip(json_text(object, "dst"));
  neighbour.device = json_text(object, "dev");
  expected = "a neighbour's 'dst' and 'dev'";
  if (!ip || neighbour.device.empty()) return std::nullopt;
  neighbour.ip = *ip;
  neighbour.router = json_flag(object, "router");
  neighbour.proxy = json_flag(object, "proxy");
  for (const NamedState& named : kStates) {
    if (json_lists(object, "state", named.name)) neighbour.state = named.state;
  }
  const std::string_view address = json_text(object, "lladdr");
  neighbour.mac = parse_whole_mac(address);
  expected = "a MAC address";
  const bool read = neighbour.mac || address.empty() || is_other_link_address(address);
  return read ? std::optional(std::move(neighbour)) : std::nullopt;
}

// --- net-tools -----------------------------------------------------------------------------------

bool is_arp_header(std::string_view first) {
  return first.empty() || first == "Address" || first == "Entries:";
}

void read_arp_flags(std::string_view flags, Neighbour& neighbour) {
  const auto has = [&](char flag) { return flags.find(flag) != std::string_view::npos; };
  if (has('C')) neighbour.state = has('M') ? State::Permanent : State::Stale;
  neighbour.proxy = has('P');
}

bool are_arp_flags(std::string_view word) { return word.find_first_not_of("CMP!") == std::string_view::npos; }

// "10.0.0.5 ether fa:16:3e:00:00:01 CM eth0", "10.0.0.6 (incomplete) eth0", "10.0.0.7 * * MP eth0"
std::optional<Neighbour> read_arp_row(Words& words) {
  Neighbour neighbour;
  const auto ip = parse_ip(words.next());
  if (!ip) return words.fault("an address");
  neighbour.ip = *ip;
  if (words.take("(incomplete)")) {
    neighbour.state = State::Incomplete;
  } else {
    words.value("a type of hardware");
    const std::string_view address = words.value("a MAC address");
    neighbour.mac = parse_whole_mac(address);
    if (!neighbour.mac && address != "*" && address != "<from_interface>")
      return words.fault("a MAC address");
    const std::string_view flags = words.value("flags");
    if (!are_arp_flags(flags)) words.fault("flags");
    read_arp_flags(flags, neighbour);
  }
  neighbour.device = words.value("a device");
  if (!words.done()) neighbour.device = words.next();  // behind a mask, which hosts do not have
  return words.faulty() ? std::nullopt : std::optional(std::move(neighbour));
}

}  // namespace

std::vector<Sourced<Neighbour>> read_ip_neigh(const SourceText& text, ReadLog& log) {
  std::vector<Sourced<Neighbour>> neighbours;
  for (const Span line : lines_of(text.bytes)) {
    NeighbourLine reader(text, line);
    if (reader.blank()) {
      log.lines.count(LineState::Ignored);
      continue;
    }
    std::optional<Neighbour> neighbour = reader.read();
    log.lines.count(neighbour ? LineState::Modelled : report_fault(text, reader.words(), kHint, log));
    if (neighbour) neighbours.push_back({std::move(*neighbour), text.provenance(line)});
  }
  return neighbours;
}

std::vector<Sourced<Neighbour>> read_ip_neigh_json(const SourceText& text, ReadLog& log) {
  return read_json_rows<Neighbour>(text, kHint, log, neighbour_of_json);
}

std::vector<Sourced<Neighbour>> read_arp_n(const SourceText& text, ReadLog& log) {
  std::vector<Sourced<Neighbour>> neighbours;
  for (const Span line : lines_of(text.bytes)) {
    Words words(text, line);
    if (is_arp_header(words.peek())) {
      log.lines.count(LineState::Ignored);
      continue;
    }
    std::optional<Neighbour> neighbour = read_arp_row(words);
    log.lines.count(neighbour ? LineState::Modelled : report_fault(text, words, kHint, log));
    if (neighbour) neighbours.push_back({std::move(*neighbour), text.provenance(line)});
  }
  return neighbours;
}

}  // namespace dvrtrace
