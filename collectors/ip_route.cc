#include "collectors/ip_route.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "collectors/iproute.h"
#include "collectors/json_rows.h"
#include "collectors/words.h"
#include "src/base/text.h"

namespace dvrtrace {
namespace {

using kernel::Nexthop;
using kernel::Route;
using kernel::RouteTable;
using kernel::RouteType;

constexpr std::string_view kHint = "its table is incomplete: a lookup that this route might win ends unknown";
constexpr std::string_view kOddHint = "a packet that takes this route ends unknown";

struct NamedType {
  std::string_view name;
  RouteType type;
};
constexpr std::array<NamedType, 9> kTypes{{{"unicast", RouteType::Unicast},
                                           {"local", RouteType::Local},
                                           {"broadcast", RouteType::Broadcast},
                                           {"multicast", RouteType::Multicast},
                                           {"anycast", RouteType::Anycast},
                                           {"unreachable", RouteType::Unreachable},
                                           {"blackhole", RouteType::Blackhole},
                                           {"prohibit", RouteType::Prohibit},
                                           {"throw", RouteType::Throw}}};

// What says how an own connection behaves, or how the kernel came to the route.
constexpr std::array<std::string_view, 26> kSkippedValues{
    "expires",      "error",  "hoplimit",   "advmss",     "window",
    "rtt",          "rttvar", "reordering", "initcwnd",   "initrwnd",
    "ssthresh",     "cwnd",   "rto_min",    "congestion", "quickack",
    "users",        "used",   "age",        "ipid",       "ts",
    "tsage",        "realm",  "realms",     "uid",        "fastopen_no_cookie",
    "ttl-propogate"};
constexpr std::array<std::string_view, 13> kSkippedFlags{
    "pervasive",         "offload", "trap",     "notify",      "unresolved", "rt_offload", "rt_trap",
    "rt_offload_failed", "ecn",     "features", "tcp_usec_ts", "\\",         "cache"};
constexpr std::array<std::string_view, 5> kUnmodelledValues{"tos", "iif", "mark", "nat", "Oifs:"};

std::optional<RouteType> route_type(std::string_view word) {
  for (const NamedType& type : kTypes) {
    if (type.name == word) return type.type;
  }
  return std::nullopt;
}

bool leads_nowhere(RouteType type) {
  return type == RouteType::Unreachable || type == RouteType::Blackhole || type == RouteType::Prohibit ||
         type == RouteType::Throw;
}

Family other(Family family) { return family == Family::V4 ? Family::V6 : Family::V4; }

// A route while its row is read. "default" alone does not say of which family it is; other words
// of the row may.
struct Draft {
  Route route;
  std::string_view destination;
  std::optional<Family> family;
  std::vector<Nexthop> nexthops;  // at least one, to which "via" and "dev" go
  bool multipath = false;
  std::string nexthop_object;  // "nhid 5"

  Draft() : nexthops(1) {}
  Nexthop& nexthop() { return nexthops.back(); }
  bool devices_known() const {
    return std::none_of(nexthops.begin(), nexthops.end(), [](const Nexthop& n) { return n.device.empty(); });
  }
};

bool set_table(Draft& draft, std::string_view text) {
  const auto table = kernel::parse_route_table(text);
  draft.route.table = table.value_or(0);
  if (!table) draft.route.unmodelled.push_back(fmt::format("table {}", text));
  return table.has_value();
}

// A gateway of the other family is written with that family: "via inet6 fe80::1" is of an IPv4 route.
bool set_via(Draft& draft, std::string_view address, bool of_other_family) {
  const auto via = parse_ip(address);
  draft.nexthop().via = via;
  if (via) draft.family = of_other_family ? other(via->family) : via->family;
  return via.has_value();
}

bool set_source(Draft& draft, std::string_view address) {
  draft.route.source = parse_ip(address);
  if (draft.route.source) draft.family = draft.route.source->family;
  return draft.route.source.has_value();
}

// Only IPv6 has routes from a source, and preferences among routers.
bool set_from(Draft& draft, std::string_view prefix) {
  draft.family = Family::V6;
  draft.route.from = parse_iproute_prefix(prefix, Family::V6);
  return draft.route.from.has_value();
}

void set_preference(Draft& draft, std::string_view preference) {
  draft.family = Family::V6;
  if (preference != "medium") draft.route.unmodelled.push_back(fmt::format("pref {}", preference));
}

bool set_nexthop_flag(Nexthop& nexthop, std::string_view flag) {
  if (flag == "onlink") {
    nexthop.onlink = true;
  } else if (flag == "dead") {
    nexthop.dead = true;
  } else if (flag == "linkdown") {
    nexthop.linkdown = true;
  } else {
    return false;
  }
  return true;
}

std::optional<Prefix> destination_of(std::string_view text, Family family) {
  return text == "default" ? everything(family) : parse_iproute_prefix(text, family);
}

// Settles the family, the destination and the next hops. `more`: "nexthop" lines follow. Returns
// what was expected and is not there, "" when the route is whole.
std::string_view finish(Draft& draft, Family fallback, bool more) {
  const auto destination = destination_of(draft.destination, draft.family.value_or(fallback));
  if (!destination) return "a destination";
  const bool zero = draft.destination == "default" || draft.destination.starts_with("0/");
  if (!zero) draft.family = destination->ip().family;
  draft.route.destination = *destination;
  if (leads_nowhere(draft.route.type)) return {};
  if (draft.devices_known()) {
    draft.route.nexthops = std::move(draft.nexthops);
  } else if (draft.multipath || (!more && draft.nexthop_object.empty())) {
    return "'dev' and a device";
  } else if (!more) {
    draft.route.unmodelled.push_back(draft.nexthop_object);
  }
  return {};
}

// --- the text ------------------------------------------------------------------------------------

// Reads one line into a draft. A line that continues a route is read like the tail of one.
class RouteLine {
 public:
  RouteLine(const SourceText& text, Span line, ReadLog& log) : text_(text), words_(text, line), log_(log) {}

  std::string_view first() const { return words_.peek(); }
  void read_route();
  void read_nexthop();
  Draft& draft() { return draft_; }
  Words& words() { return words_; }

 private:
  void attributes();
  bool nexthop_attribute(std::string_view word);
  bool route_attribute(std::string_view word);
  bool unmodelled(std::string_view word);
  bool skipped(std::string_view word);
  void via();
  void mtu();
  void encapsulation();
  void odd(std::string_view expected) { report_odd_word(text_, words_.last(), expected, kOddHint, log_); }

  const SourceText& text_;
  Words words_;
  ReadLog& log_;
  Draft draft_;
};

void RouteLine::read_route() {
  if (const auto type = route_type(words_.peek())) {
    draft_.route.type = *type;
    words_.next();
  }
  draft_.destination = words_.value("a destination");
  // Checked at once: on a line that is no route at all, the words behind it mean nothing.
  if (!destination_of(draft_.destination, Family::V6)) words_.fault("a destination");
  attributes();
}

void RouteLine::read_nexthop() {
  words_.next();  // "nexthop"
  draft_.multipath = true;
  attributes();
}

void RouteLine::attributes() {
  while (!words_.done() && !words_.faulty()) {
    const std::string_view word = words_.next();
    if (nexthop_attribute(word) || route_attribute(word) || unmodelled(word) || skipped(word)) continue;
    draft_.route.unmodelled.emplace_back(word);
    odd("an attribute of a route");
  }
}

bool RouteLine::nexthop_attribute(std::string_view word) {
  if (word == "nexthop") {
    if (draft_.multipath) draft_.nexthops.emplace_back();
    draft_.multipath = true;
  } else if (word == "via") {
    via();
  } else if (word == "dev") {
    draft_.nexthop().device = words_.value("a device");
  } else if (word == "weight") {
    const auto weight = number<std::uint32_t>(words_.value("a weight"));
    if (!weight) words_.fault("a weight");
    draft_.nexthop().weight = weight.value_or(1);
  } else {
    return set_nexthop_flag(draft_.nexthop(), word);
  }
  return true;
}

bool RouteLine::route_attribute(std::string_view word) {
  Route& route = draft_.route;
  if (word == "table") {
    if (!set_table(draft_, words_.value("a routing table"))) odd("the number of a routing table");
  } else if (word == "proto") {
    route.protocol = words_.value("a protocol");
  } else if (word == "scope") {
    route.scope = words_.value("a scope");
  } else if (word == "src") {
    if (!set_source(draft_, words_.value("an address"))) words_.fault("an address");
  } else if (word == "from") {
    if (!set_from(draft_, words_.value("a prefix"))) words_.fault("a prefix");
  } else if (word == "metric") {
    const auto metric = number<std::uint32_t>(words_.value("a metric"));
    if (!metric) words_.fault("a metric");
    route.metric = metric.value_or(0);
  } else if (word == "mtu") {
    mtu();
  } else if (word == "pref") {
    set_preference(draft_, words_.value("a preference"));
  } else {
    return false;
  }
  return true;
}

bool RouteLine::unmodelled(std::string_view word) {
  if (word == "nhid") {
    draft_.nexthop_object = fmt::format("nhid {}", words_.value("a next hop's number"));
  } else if (word == "encap" || word == "as") {
    encapsulation();
  } else if (among(kUnmodelledValues, word)) {
    draft_.route.unmodelled.push_back(fmt::format("{} {}", word, words_.value("a value")));
  } else {
    return false;
  }
  return true;
}

bool RouteLine::skipped(std::string_view word) {
  if (word == "features" && number(words_.peek())) words_.next();  // "features ecn", but "features 0x4"
  if (among(kSkippedFlags, word)) return true;
  if (!among(kSkippedValues, word)) return false;
  words_.take("lock");
  words_.value("a value");
  return true;
}

void RouteLine::via() {
  const bool of_other_family = words_.take("inet6") || words_.take("inet");
  if (!set_via(draft_, words_.value("a gateway"), of_other_family)) words_.fault("a gateway");
}

void RouteLine::mtu() {
  words_.take("lock");
  draft_.route.mtu = number<std::uint32_t>(words_.value("an MTU"));
  if (!draft_.route.mtu) words_.fault("an MTU");
}

// "encap ip id 7 src 10.0.0.1 dst 10.0.0.2 ttl 0": its words look like those of a route.
void RouteLine::encapsulation() {
  Span span = words_.last();
  while (!words_.done() && words_.peek() != "via" && words_.peek() != "dev") {
    words_.next();
    span.end = words_.last().end;
  }
  draft_.route.unmodelled.emplace_back(text_.at(span));
}

class RouteReader {
 public:
  RouteReader(const SourceText& text, Family family, RouteTable table, ReadLog& log)
      : text_(text), family_(family), table_(table), log_(log) {}

  // `more`: the next line continues this one.
  void read(Span line, bool more);
  std::vector<Sourced<Route>> take() { return std::move(routes_); }

 private:
  LineState route(RouteLine& line, Span span, bool more);
  LineState nexthop(RouteLine& line, Span span);
  LineState fault(RouteLine& line, std::string_view expected);

  const SourceText& text_;
  Family family_;  // of a row that does not say its own: that of the row before
  RouteTable table_;
  ReadLog& log_;
  std::vector<Sourced<Route>> routes_;
  bool open_ = false;            // the last route may have "nexthop" lines
  bool family_guessed_ = false;  // ... and its row did not say its family
};

void RouteReader::read(Span span, bool more) {
  RouteLine line(text_, span, log_);
  LineState state = LineState::Ignored;
  if (line.first() == "nexthop") {
    state = nexthop(line, span);
  } else if (!line.first().empty() && line.first() != "cache" && line.first() != "nh_info") {
    state = route(line, span, more);
  }
  log_.lines.count(state);
}

LineState RouteReader::route(RouteLine& line, Span span, bool more) {
  open_ = false;
  Draft& draft = line.draft();
  draft.route.table = table_;
  line.read_route();
  if (line.words().faulty()) return fault(line, {});
  const std::string_view expected = finish(draft, family_, more);
  if (!expected.empty()) return fault(line, expected);
  family_guessed_ = !draft.family;
  family_ = draft.family.value_or(family_);
  open_ = draft.route.nexthops.empty() && !leads_nowhere(draft.route.type);
  const bool modelled = draft.route.unmodelled.empty();
  routes_.push_back({std::move(draft.route), text_.provenance(span)});
  return modelled ? LineState::Modelled : LineState::Unmodelled;
}

// A next hop that cannot be read makes its route one that is not understood.
LineState RouteReader::nexthop(RouteLine& line, Span span) {
  line.read_nexthop();
  Draft& draft = line.draft();
  if (!open_ || !draft.devices_known() || line.words().faulty()) {
    if (open_) routes_.back().value.unmodelled.push_back("nexthop");
    return fault(line, open_ ? "'dev' and a device" : "a route before its next hops");
  }
  Route& route = routes_.back().value;
  if (family_guessed_ && draft.family) {
    family_ = *draft.family;
    route.destination = Prefix(Ip{family_, 0, 0}, route.destination.length());
  }
  routes_.back().at.span.end = span.end;
  for (Nexthop& nexthop : draft.nexthops) route.nexthops.push_back(std::move(nexthop));
  for (std::string& word : draft.route.unmodelled) route.unmodelled.push_back(std::move(word));
  return draft.route.unmodelled.empty() ? LineState::Modelled : LineState::Unmodelled;
}

LineState RouteReader::fault(RouteLine& line, std::string_view expected) {
  Words& words = line.words();
  if (!words.faulty()) {
    words.skip_rest();
    words.next();
    words.fault(expected);
  }
  return report_fault(text_, words, kHint, log_);
}

// --- JSON ----------------------------------------------------------------------------------------

// iproute2 writes a gateway of the other family as an object.
bool read_via(const Json& object, Draft& draft) {
  if (const Json* via = json_member(object, "via")) return set_via(draft, json_text(*via, "host"), true);
  return !json_member(object, "gateway") || set_via(draft, json_text(object, "gateway"), false);
}

bool read_nexthop(const Json& object, Draft& draft) {
  Nexthop& nexthop = draft.nexthop();
  nexthop.device = json_text(object, "dev");
  nexthop.weight = static_cast<std::uint32_t>(json_number(object, "weight").value_or(1));
  for (const char* flag : {"onlink", "dead", "linkdown"}) {
    if (json_lists(object, "flags", flag)) set_nexthop_flag(nexthop, flag);
  }
  for (const char* key : {"encap", "to"}) {
    if (json_member(object, key)) draft.route.unmodelled.emplace_back(key);
  }
  return read_via(object, draft);
}

bool read_nexthops(const Json& object, Draft& draft) {
  const Json* list = json_member(object, "nexthops");
  if (!list) return read_nexthop(object, draft);
  if (!list->is_array()) return false;
  draft.multipath = true;
  draft.nexthops.clear();
  for (const Json& entry : *list) {
    draft.nexthops.emplace_back();
    if (!read_nexthop(entry, draft)) return false;
  }
  return !draft.nexthops.empty();
}

// "metrics":[{"mtu":1400}]
void read_metrics(const Json& object, Draft& draft) {
  const Json* metrics = json_member(object, "metrics");
  if (!metrics || !metrics->is_array()) return;
  for (const Json& entry : *metrics) {
    if (const auto mtu = json_number(entry, "mtu")) draft.route.mtu = static_cast<std::uint32_t>(*mtu);
  }
}

void read_unmodelled(const Json& object, Draft& draft) {
  for (const char* key : {"tos", "iif", "mark"}) {
    if (json_member(object, key)) draft.route.unmodelled.emplace_back(key);
  }
  if (const auto id = json_number(object, "nhid")) draft.nexthop_object = fmt::format("nhid {}", *id);
  if (json_member(object, "pref")) set_preference(draft, json_text(object, "pref"));
}

// "from", or "src" where iproute2 shortens a zero prefix.
bool read_addresses(const Json& object, Draft& draft) {
  draft.destination = json_text(object, "dst");
  if (json_member(object, "prefsrc") && !set_source(draft, json_text(object, "prefsrc"))) return false;
  const char* from = json_member(object, "from") ? "from" : "src";
  return !json_member(object, from) || set_from(draft, json_text(object, from));
}

struct JsonRoutes {
  Family family;  // of a row that does not say its own: that of the row before
  RouteTable table;
  std::optional<Route> operator()(const Json& object, std::string_view& expected);
};

std::optional<Route> JsonRoutes::operator()(const Json& object, std::string_view& expected) {
  Draft draft;
  Route& route = draft.route;
  route.table = table;
  if (json_member(object, "table")) set_table(draft, json_text(object, "table"));
  const std::string_view type_name = json_member(object, "type") ? json_text(object, "type") : "unicast";
  const auto type = route_type(type_name);
  if (type) route.type = *type;
  if (!type) route.unmodelled.push_back(fmt::format("type {}", type_name));
  route.protocol = json_text(object, "protocol");
  route.scope = json_text(object, "scope");
  route.metric = static_cast<std::uint32_t>(json_number(object, "metric").value_or(0));
  read_metrics(object, draft);
  read_unmodelled(object, draft);
  expected = "a route's addresses";
  if (!read_addresses(object, draft) || !read_nexthops(object, draft)) return std::nullopt;
  expected = finish(draft, family, false);
  if (!expected.empty()) return std::nullopt;
  family = draft.family.value_or(family);
  return std::move(route);
}

// --- net-tools -----------------------------------------------------------------------------------

// What the header says of the columns. `netstat -rn` has a segment size where `route -n` has the metric.
struct Columns {
  bool six = false;
  bool metric = true;
};

bool read_columns(std::string_view line, Columns& columns) {
  if (line.starts_with("Kernel IP")) {
    columns.six = line.starts_with("Kernel IPv6");
    return true;
  }
  if (!line.starts_with("Destination")) return false;
  columns.metric = line.find("MSS") == std::string_view::npos;
  return true;
}

std::optional<Prefix> destination_6(std::string_view text) {
  if (consume(text, "[::]/")) return parse_iproute_prefix(std::string("::/").append(text), Family::V6);
  return parse_prefix(text);
}

// "192.168.0.0  0.0.0.0  255.255.0.0", or "2001:db8::/64  ::"
void read_addresses(Words& words, const Columns& columns, Route& route, Nexthop& nexthop) {
  const std::string_view destination = words.value("a destination");
  const auto ip = columns.six ? std::nullopt : parse_ip(destination);
  auto prefix = columns.six ? destination_6(destination) : std::nullopt;
  if (columns.six ? !prefix : !ip) {
    words.fault("a destination");
    return;
  }
  const std::string_view gateway = words.value("a gateway");
  const auto via = parse_ip(gateway);
  if (!via && gateway != "-" && gateway != "*" && gateway != "[::]") words.fault("a gateway");
  if (via && !via->zero()) nexthop.via = via;
  if (!columns.six) {
    const auto mask = parse_ip(words.value("a network mask"));
    const auto length = mask && mask->v4() ? prefix_length_of(*mask) : std::nullopt;
    if (!length) words.fault("a network mask");
    prefix = Prefix(*ip, length.value_or(0));
  }
  route.destination = *prefix;
}

std::optional<Route> read_row(Words& words, const Columns& columns) {
  Route route;
  Nexthop nexthop;
  read_addresses(words, columns, route, nexthop);
  const std::string_view flags = words.value("flags");
  const std::string_view metric = words.value("a metric");
  words.value("a count");
  words.value("a count");
  nexthop.device = words.value("a device");
  if (columns.metric) route.metric = number<std::uint32_t>(metric).value_or(0);
  const bool rejects = flags.find('!') != std::string_view::npos;
  if (rejects) route.type = RouteType::Unreachable;
  if (!rejects) route.nexthops.push_back(std::move(nexthop));
  return words.faulty() ? std::nullopt : std::optional(std::move(route));
}

}  // namespace

std::vector<Sourced<Route>> read_ip_route(const SourceText& text, Family family, RouteTable table,
                                          ReadLog& log) {
  RouteReader reader(text, family, table, log);
  const Lines lines = lines_of(text.bytes);
  for (auto line = lines.begin(); !(line == lines.end());) {
    const Span span = *line;
    ++line;
    const bool more = !(line == lines.end()) && Words(text, *line).peek() == "nexthop";
    reader.read(span, more);
  }
  return reader.take();
}

std::vector<Sourced<Route>> read_ip_route_json(const SourceText& text, Family family, RouteTable table,
                                               ReadLog& log) {
  return read_json_rows<Route>(text, kHint, log, JsonRoutes{family, table});
}

std::vector<Sourced<Route>> read_route_n(const SourceText& text, ReadLog& log) {
  std::vector<Sourced<Route>> routes;
  Columns columns;
  for (const Span line : lines_of(text.bytes)) {
    Words words(text, line);
    if (words.done() || read_columns(text.at(line), columns)) {
      log.lines.count(LineState::Ignored);
      continue;
    }
    std::optional<Route> route = read_row(words, columns);
    log.lines.count(route ? LineState::Modelled : report_fault(text, words, kHint, log));
    if (route) routes.push_back({std::move(*route), text.provenance(line)});
  }
  return routes;
}

}  // namespace dvrtrace
