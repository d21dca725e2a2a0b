#include "collectors/ip_link.h"

#include <algorithm>
#include <array>
#include <map>

#include "collectors/iproute.h"
#include "collectors/json_rows.h"
#include "collectors/words.h"
#include "src/base/text.h"

namespace dvrtrace {
namespace {

using kernel::Address;
using kernel::Link;

constexpr std::string_view kHint = "the devices are incomplete: a packet that meets this one ends unknown";

// Kinds that are known without the details ("promiscuity") that announce a line with the kind.
constexpr std::array<std::string_view, 24> kKinds{
    "veth",   "bridge", "vxlan",  "tun", "vlan",   "bond",      "macvlan",     "macvtap",
    "ipvlan", "dummy",  "ifb",    "gre", "gretap", "geneve",    "vrf",         "team",
    "ipip",   "sit",    "ip6tnl", "vti", "xfrm",   "wireguard", "openvswitch", "nlmon"};

// Of the first line: what is followed by a value that does not bear on forwarding.
constexpr std::array<std::string_view, 6> kSkippedValues{"qdisc", "state", "mode", "group", "qlen", "event"};

constexpr std::array<std::string_view, 5> kScopes{"global", "link", "host", "site", "nowhere"};

bool is_kind_name(std::string_view word) {
  return !word.empty() && std::all_of(word.begin(), word.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || is_digit(c) || c == '_' || c == '-';
  });
}

std::optional<unsigned> prefix_length(std::string_view text, const Ip& ip) {
  const auto length = number<unsigned>(text);
  return length && *length <= (ip.v4() ? 32u : 128u) ? length : std::nullopt;
}

void set_flag(Link& link, std::string_view flag) {
  if (flag == "UP") link.up = true;
  if (flag == "LOWER_UP") link.lower_up = true;
  if (flag == "NOARP") link.arp = false;
  if (flag == "LOOPBACK") link.loopback = true;
}

// --- the lines of a link -------------------------------------------------------------------------

// "<BROADCAST,MULTICAST,UP,LOWER_UP>"
void read_flags(Words& words, Link& link) {
  std::string_view flags = words.value("a device's flags");
  if (!consume(flags, "<") || !flags.ends_with('>')) {
    words.fault("a device's flags");
    return;
  }
  flags.remove_suffix(1);
  link.up = link.lower_up = false;
  while (!flags.empty()) set_flag(link, take_until(flags, ','));
}

// "mtu 1500 qdisc noqueue master br0 state UP mode DEFAULT group default qlen 1000"
void read_header_attributes(Words& words, Link& link) {
  while (!words.done() && !words.faulty()) {
    const std::string_view word = words.next();
    if (word == "mtu") {
      link.mtu = number<std::uint32_t>(words.value("an MTU")).value_or(0);
      if (link.mtu == 0 || words.done()) words.fault("an MTU and the link's state");
    } else if (word == "master") {
      link.master = words.value("a device");
    } else if (word.starts_with("xdp")) {
      link.unmodelled.push_back("xdp");
    } else if (among(kSkippedValues, word)) {
      words.next();
    }
  }
}

// "2: eth0@if8: <...> mtu ...", of which the index is read.
std::optional<Link> read_header(Words& words, std::uint32_t index) {
  Link link;
  link.index = index;
  std::string_view name = words.value("a device");
  if (name.size() < 2 || !name.ends_with(':')) return words.fault("a device and ':'");
  name.remove_suffix(1);
  const std::size_t at = name.rfind('@');
  link.name = name.substr(0, at);
  if (at != std::string_view::npos) link.peer = name.substr(at + 1);
  read_flags(words, link);
  read_header_attributes(words, link);
  if (!words.faulty() && link.mtu == 0) words.fault("'mtu'");
  return words.faulty() ? std::nullopt : std::optional(std::move(link));
}

// "link/ether fa:16:3e:00:00:01 brd ff:ff:ff:ff:ff:ff link-netns qrouter-..."
struct LinkLayer {
  std::optional<Mac> mac;
  std::string_view netns;
  std::optional<int> netnsid;
  bool proto_down = false;
  bool detailed = false;  // `ip -d`: the next line names the kind
};

std::optional<LinkLayer> read_link_layer(Words& words) {
  LinkLayer layer;
  std::string_view type = words.next();
  consume(type, "link/");
  layer.mac = parse_whole_mac(words.peek());
  if (!layer.mac && (type == "ether" || type == "loopback")) {
    words.value("a MAC address");
    return words.fault("a MAC address");
  }
  while (!words.done()) {
    const std::string_view word = words.next();
    if (word == "link-netns") layer.netns = words.value("a namespace");
    if (word == "link-netnsid") layer.netnsid = number<std::uint32_t>(words.value("a namespace's number"));
    if (word == "protodown") layer.proto_down = words.next() == "on";
    if (word == "promiscuity") layer.detailed = true;
  }
  return words.faulty() ? std::nullopt : std::optional(layer);
}

// "inet 10.0.0.1/24", "inet 10.0.0.1 peer 10.0.0.2/32"
std::optional<Address> read_address_itself(Words& words) {
  Address address;
  const bool v4 = words.next() == "inet";
  std::string_view rest = words.value("an address");
  const auto local = parse_ip(take_until(rest, '/'));
  if (!local || local->v4() != v4) return words.fault("an address");
  address.ip = *local;
  if (words.take("peer")) {
    rest = words.value("the peer's address");
    address.peer = parse_ip(take_until(rest, '/'));
    if (!address.peer) return words.fault("the peer's address");
  }
  const auto length = prefix_length(rest, address.ip);
  if (!length) return words.fault("an address with its prefix length");
  address.length = *length;
  return address;
}

// ... "brd 10.0.0.255 scope global secondary eth0"
std::optional<Address> read_address(Words& words) {
  std::optional<Address> address = read_address_itself(words);
  while (address && !words.done()) {
    const std::string_view word = words.next();
    if (word == "scope") address->scope = words.next();
    if (word == "secondary") address->secondary = true;
    if (word == "tentative" || word == "dadfailed") address->tentative = true;
  }
  if (!address || words.faulty()) return std::nullopt;
  if (!among(kScopes, address->scope) && !number(address->scope)) return words.fault("a scope");
  return address;
}

// "vlan protocol 802.1Q id 100 <REORDER_HDR>", "bridge ... ageing_time 30000 ... vlan_filtering 0"
void read_kind(Words& words, Link& link) {
  link.kind = words.next();
  while (!words.done()) {
    const std::string_view word = words.next();
    if (link.kind == "vlan" && word == "id") link.vlan_id = number<std::uint16_t>(words.next());
    if (link.kind != "bridge") continue;
    if (word == "ageing_time") link.bridge_ageing = number<std::uint32_t>(words.next());
    if (word == "vlan_filtering") link.vlan_filtering = words.next() == "1";
  }
}

bool is_harmless_line(std::string_view first) {
  constexpr std::array<std::string_view, 8> kHarmless{"RX:",     "TX:",   "RX",        "TX",
                                                      "altname", "alias", "valid_lft", "addrgenmode"};
  return first.empty() || among(kHarmless, first) || is_digit(first.front()) || first.ends_with("_slave");
}

// --- the text ------------------------------------------------------------------------------------

class LinkReader {
 public:
  LinkReader(const SourceText& text, ReadLog& log) : text_(text), log_(log) {}

  void read(Span line);
  std::vector<Sourced<Link>> take() { return std::move(links_); }

 private:
  LineState part(Span span);
  LineState header(Words words, Span span);
  LineState address_of(std::uint32_t index, Words words, Span span);
  LineState continuation(Words words, Span span);
  LineState link_layer(Words words);
  LineState address(Words words, Span span);
  LineState detail(Words words);
  LineState keep(Link link, Span span);
  LineState fault(const Words& words) { return report_fault(text_, words, kHint, log_); }
  Link& current() { return links_[*current_].value; }

  const SourceText& text_;
  ReadLog& log_;
  std::vector<Sourced<Link>> links_;
  std::map<std::uint32_t, std::size_t> by_index_;
  std::optional<std::size_t> current_;  // of links_; none after a first line that could not be read
  bool detailed_ = false;
};

std::optional<std::uint32_t> index_of(std::string_view word) {
  if (!word.ends_with(':')) return std::nullopt;
  word.remove_suffix(1);
  return number<std::uint32_t>(word);
}

LineState graver(LineState a, LineState b) {
  if (a == LineState::Ignored) return b;
  return b == LineState::Ignored ? a : std::max(a, b);
}

// `ip -o` writes the lines of a link in one, with a backslash where a new one would begin.
void LinkReader::read(Span line) {
  LineState worst = LineState::Ignored;
  const bool header_line = index_of(Words(text_, line).peek()).has_value();
  while (true) {
    const std::size_t backslash = header_line ? text_.at(line).find('\\') : std::string_view::npos;
    const bool last = backslash == std::string_view::npos;
    const Span span{line.begin, last ? line.end : line.begin + static_cast<std::uint32_t>(backslash)};
    const LineState state = part(span);
    worst = graver(worst, state);
    if (last) break;
    line.begin = span.end + 1;
  }
  log_.lines.count(worst);
}

LineState LinkReader::part(Span span) {
  Words words(text_, span);
  const auto index = index_of(words.peek());
  if (!index) return continuation(words, span);
  words.next();
  Words after_name = words;
  after_name.next();
  const bool one_line = after_name.peek() == "inet" || after_name.peek() == "inet6";
  if (one_line) return address_of(*index, words, span);
  current_.reset();
  std::optional<Link> link = read_header(words, *index);
  return link ? keep(std::move(*link), span) : fault(words);
}

LineState LinkReader::keep(Link link, Span span) {
  const bool modelled = link.unmodelled.empty();
  current_ = links_.size();
  by_index_[link.index] = links_.size();
  detailed_ = false;
  links_.push_back({std::move(link), text_.provenance(span)});
  return modelled ? LineState::Modelled : LineState::Unmodelled;
}

// "2: eth0    inet 10.0.0.1/24 ..."
LineState LinkReader::address_of(std::uint32_t index, Words words, Span span) {
  const std::string_view name = words.next();
  const auto known = by_index_.find(index);
  if (known != by_index_.end()) {
    current_ = known->second;
  } else {
    Link link;
    link.index = index;
    link.name = name;
    keep(std::move(link), span);
  }
  return address(words, span);
}

LineState LinkReader::continuation(Words words, Span span) {
  const std::string_view first = words.peek();
  if (is_harmless_line(first)) return LineState::Ignored;
  if (!current_) {
    words.next();
    words.fault("the first line of a link");
    return fault(words);
  }
  if (first.starts_with("link/")) return link_layer(words);
  if (first == "inet" || first == "inet6") return address(words, span);
  return detail(words);
}

LineState LinkReader::link_layer(Words words) {
  const std::optional<LinkLayer> layer = read_link_layer(words);
  if (!layer) return fault(words);
  Link& link = current();
  link.mac = layer->mac;
  link.link_netns = layer->netns;
  link.link_netnsid = layer->netnsid;
  detailed_ = layer->detailed;
  if (!layer->proto_down) return LineState::Modelled;
  link.unmodelled.push_back("protodown");
  return LineState::Unmodelled;
}

LineState LinkReader::address(Words words, Span span) {
  const std::optional<Address> address = read_address(words);
  if (!address) return fault(words);
  current().addresses.push_back({*address, text_.provenance(span)});
  return LineState::Modelled;
}

// The kind, which `ip -d` writes on a line of its own, and the rarer lines.
LineState LinkReader::detail(Words words) {
  const std::string_view first = words.peek();
  if (first == "vf") return LineState::Unmodelled;
  if (first.starts_with("prog/xdp")) {
    current().unmodelled.push_back("xdp");
    return LineState::Unmodelled;
  }
  if (current().kind.empty() && (among(kKinds, first) || (detailed_ && is_kind_name(first)))) {
    read_kind(words, current());
    return LineState::Modelled;
  }
  words.next();
  words.fault("a line of a link");
  return fault(words);
}

// --- JSON ----------------------------------------------------------------------------------------

std::optional<Address> address_of_json(const Json& object) {
  Address address;
  const auto local = parse_ip(json_text(object, "local"));
  const auto length = json_number(object, "prefixlen");
  if (!local || !length || *length > (local->v4() ? 32u : 128u)) return std::nullopt;
  address.ip = *local;
  address.length = static_cast<unsigned>(*length);
  address.peer = parse_ip(json_text(object, "address"));
  address.scope = json_text(object, "scope");
  address.secondary = json_flag(object, "secondary");
  address.tentative = json_flag(object, "tentative") || json_flag(object, "dadfailed");
  return address;
}

bool read_addresses(const Json& object, Link& link) {
  const Json* list = json_member(object, "addr_info");
  if (!list) return true;
  if (!list->is_array()) return false;
  for (const Json& entry : *list) {
    if (entry.is_object() && entry.empty()) continue;  // taken away by a filter
    const auto address = address_of_json(entry);
    if (!address) return false;
    link.addresses.push_back({*address, {}});
  }
  return true;
}

void read_kind(const Json& object, Link& link) {
  const Json* info = json_member(object, "linkinfo");
  if (!info) return;
  link.kind = json_text(*info, "info_kind");
  const Json* data = json_member(*info, "info_data");
  if (!data) return;
  const auto value = [&](const char* key) { return json_number(*data, key); };
  if (link.kind == "vlan" && value("id")) link.vlan_id = static_cast<std::uint16_t>(*value("id"));
  if (link.kind != "bridge") return;
  if (value("ageing_time")) link.bridge_ageing = static_cast<std::uint32_t>(*value("ageing_time"));
  if (value("vlan_filtering")) link.vlan_filtering = *value("vlan_filtering") == 1;
}

// A peer in another namespace has only its number there.
std::string peer_of(const Json& object) {
  if (json_flag(object, "link")) return "NONE";
  if (const auto index = json_number(object, "link_index")) return "if" + std::to_string(*index);
  return std::string(json_text(object, "link"));
}

void read_flags(const Json& object, Link& link) {
  link.up = json_lists(object, "flags", "UP");
  link.lower_up = json_lists(object, "flags", "LOWER_UP");
  link.arp = !json_lists(object, "flags", "NOARP");
  link.loopback = json_lists(object, "flags", "LOOPBACK");
}

std::optional<Link> link_of_json(const Json& object, std::string_view& expected) {
  Link link;
  link.name = json_text(object, "ifname");
  link.index = static_cast<std::uint32_t>(json_number(object, "ifindex").value_or(0));
  link.mtu = static_cast<std::uint32_t>(json_number(object, "mtu").value_or(0));
  link.peer = peer_of(object);
  link.master = json_text(object, "master");
  link.mac = parse_whole_mac(json_text(object, "address"));
  if (const auto id = json_number(object, "link_netnsid")) link.link_netnsid = static_cast<int>(*id);
  read_flags(object, link);
  read_kind(object, link);
  if (json_member(object, "xdp")) link.unmodelled.push_back("xdp");
  if (json_flag(object, "proto_down")) link.unmodelled.push_back("protodown");
  expected = link.name.empty() || link.index == 0 ? "a device with 'ifindex' and 'ifname'" : "addresses";
  return link.name.empty() || link.index == 0 || !read_addresses(object, link)
             ? std::nullopt
             : std::optional(std::move(link));
}

}  // namespace

std::vector<Sourced<Link>> read_ip_addr(const SourceText& text, ReadLog& log) {
  LinkReader reader(text, log);
  for (const Span line : lines_of(text.bytes)) reader.read(line);
  return reader.take();
}

std::vector<Sourced<Link>> read_ip_addr_json(const SourceText& text, ReadLog& log) {
  std::vector<Sourced<Link>> links = read_json_rows<Link>(text, kHint, log, link_of_json);
  for (Sourced<Link>& link : links) {
    for (Sourced<Address>& address : link.value.addresses) address.at = link.at;
  }
  return links;
}

}  // namespace dvrtrace
