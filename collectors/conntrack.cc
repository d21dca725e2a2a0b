#include "collectors/conntrack.h"

#include <algorithm>
#include <array>

#include "collectors/iproute.h"
#include "collectors/words.h"
#include "src/base/text.h"

namespace dvrtrace {
namespace {

using kernel::Connection;
using kernel::Tuple;

constexpr std::string_view kHint = "the connections are incomplete: a packet of this one may end unknown";
constexpr std::uint8_t kIcmp = 1, kTcp = 6, kIcmp6 = 58;

// One direction while it is read, and which of its parts were.
struct TupleDraft {
  Tuple tuple;
  bool source = false, destination = false, source_port = false, destination_port = false;
  bool icmp_type = false, icmp_id = false;

  // Protocols without ports have only the addresses.
  bool whole() const {
    return source && destination && tuple.source.family == tuple.destination.family &&
           source_port == destination_port && (!is_icmp() || icmp_type);
  }
  bool is_icmp() const { return tuple.protocol == kIcmp || tuple.protocol == kIcmp6; }
};

bool set_address(Ip& ip, bool& seen, std::string_view value) {
  const auto parsed = parse_ip(value);
  ip = parsed.value_or(Ip{});
  seen = true;
  return parsed.has_value();
}

bool set_port(std::uint16_t& port, bool& seen, std::string_view value) {
  const auto parsed = number<std::uint16_t>(value);
  port = parsed.value_or(0);
  seen = true;
  return parsed.has_value();
}

// The type stands in the high octet of what is a port elsewhere, the code in the low one.
bool set_icmp(TupleDraft& draft, bool type, std::string_view value) {
  const auto parsed = number<std::uint8_t>(value);
  const unsigned octet = parsed.value_or(0);
  std::uint16_t& both = draft.tuple.destination_port;
  both = static_cast<std::uint16_t>(type ? octet << 8 | (both & 0xffu) : octet | (both & 0xff00u));
  draft.icmp_type = draft.icmp_type || type;
  return parsed.has_value();
}

enum class Took { Yes, No, Bad };
Took took(bool good) { return good ? Took::Yes : Took::Bad; }

Took take_tuple_member(TupleDraft& draft, std::string_view key, std::string_view value) {
  Tuple& tuple = draft.tuple;
  if (key == "src") return took(set_address(tuple.source, draft.source, value));
  if (key == "dst") return took(set_address(tuple.destination, draft.destination, value));
  if (key == "sport") return took(set_port(tuple.source_port, draft.source_port, value));
  if (key == "dport") return took(set_port(tuple.destination_port, draft.destination_port, value));
  if (key == "type") return took(set_icmp(draft, true, value));
  if (key == "code") return took(set_icmp(draft, false, value));
  if (key == "id" && draft.is_icmp() && !draft.icmp_id) {
    return took(set_port(tuple.source_port, draft.icmp_id, value));
  }
  return Took::No;
}

// "0x2a", up to 128 bits.
std::optional<Ip> parse_label(std::string_view text) {
  constexpr std::size_t kHalf = 16;
  if (!consume(text, "0x") || text.empty() || text.size() > 2 * kHalf) return std::nullopt;
  const std::size_t high_digits = text.size() > kHalf ? text.size() - kHalf : 0;
  const auto high = high_digits == 0 ? 0 : hex_number(text.substr(0, high_digits));
  const auto low = hex_number(text.substr(high_digits));
  return high && low ? std::optional(ipv6(*high, *low)) : std::nullopt;
}

// What both outputs say of a connection as a whole.
Took take_member(Connection& connection, std::string_view key, std::string_view value) {
  if (key == "zone") {
    const auto zone = number<std::uint16_t>(value);
    connection.zone = zone.value_or(0);
    return took(zone.has_value());
  }
  if (key == "mark") {
    const auto mark = number<std::uint32_t>(value);
    connection.mark = mark.value_or(0);
    return took(mark.has_value());
  }
  if (key != "labels") return Took::No;
  const auto label = parse_label(value);
  connection.label = label.value_or(connection.label);
  return took(label.has_value());
}

// --- conntrack -L --------------------------------------------------------------------------------

class ConntrackLine {
 public:
  ConntrackLine(const SourceText& text, Span line) : words_(text, line) {}

  // The state of the line; the connection is read when it is Modelled.
  std::optional<LineState> read();
  Connection take() { return std::move(connection_); }
  const Words& words() const { return words_; }

 private:
  void protocol();
  void timeout_and_state();
  void members();
  void member(std::string_view word);
  bool bracketed(std::string_view word);
  void time(std::string_view word);
  void end();
  TupleDraft& direction() { return replying_ ? reply_ : original_; }

  Words words_;
  Connection connection_;
  TupleDraft original_, reply_;
  bool replying_ = false;     // the second "src=" was read
  bool counted_use_ = false;  // "use=", which ends a row but for what nobody asked for
  bool unmodelled_ = false;
};

// "ipv4 2 tcp 6 431999 ESTABLISHED src=... [UNREPLIED] src=... [ASSURED] mark=0 zone=1 use=1"
std::optional<LineState> ConntrackLine::read() {
  protocol();
  timeout_and_state();
  members();
  end();
  if (words_.faulty()) return std::nullopt;
  return unmodelled_ ? LineState::Unmodelled : LineState::Modelled;
}

void ConntrackLine::protocol() {
  if (words_.peek() == "ipv4" || words_.peek() == "ipv6") {
    words_.next();
    if (!number(words_.value("a family's number"))) words_.fault("a family's number");
  }
  words_.value("a protocol");  // "tcp", "unknown": the number says it
  const auto protocol = number<std::uint8_t>(words_.value("a protocol's number"));
  if (!protocol) words_.fault("a protocol's number");
  original_.tuple.protocol = reply_.tuple.protocol = protocol.value_or(0);
}

// Offloaded connections have no timeout.
void ConntrackLine::timeout_and_state() {
  if (const auto timeout = number<std::uint32_t>(words_.peek())) {
    connection_.timeout = timeout;
    words_.next();
  }
  if (words_.peek().starts_with('[') || words_.peek().find('=') != std::string_view::npos) return;
  const std::string_view state = words_.value("the addresses of a connection");
  if (original_.tuple.protocol == kTcp) connection_.tcp_state = state;
}

void ConntrackLine::members() {
  while (!words_.done() && !words_.faulty()) {
    const std::string_view word = words_.next();
    if (!bracketed(word)) member(word);
  }
}

bool ConntrackLine::bracketed(std::string_view word) {
  if (word == "[UNREPLIED]") return connection_.unreplied = true;
  if (word == "[ASSURED]") return connection_.assured = true;
  if (word == "[OFFLOAD]" || word == "[HW_OFFLOAD]") return true;
  if (!word.starts_with("[start=") && !word.starts_with("[stop=")) return false;
  time(word);
  return true;
}

// "[start=Thu Jan  1 00:00:00 2026]"
void ConntrackLine::time(std::string_view word) {
  while (!word.ends_with(']') && !words_.faulty()) word = words_.value("']'");
}

void ConntrackLine::member(std::string_view word) {
  constexpr std::array<std::string_view, 10> kSkipped{"packets",    "bytes",     "secctx", "id",
                                                      "delta-time", "helper",    "srckey", "dstkey",
                                                      "vtag-orig",  "vtag-reply"};
  std::string_view value = word;
  const std::string_view key = take_until(value, '=');
  replying_ = replying_ || (key == "src" && original_.source);
  if (key == "src" && reply_.source) words_.fault("one original and one reply direction");
  Took result = take_tuple_member(direction(), key, value);
  if (result == Took::No) result = take_member(connection_, key, value);
  if (key == "use") {
    counted_use_ = number(value).has_value();
  } else if (key == "zone-orig" || key == "zone-reply" || (key == "labels" && result == Took::Bad)) {
    unmodelled_ = true;  // a label may be a name out of connlabel.conf
  } else if (result == Took::Bad || (result == Took::No && !among(kSkipped, key))) {
    words_.fault("a member of a connection");
  }
}

void ConntrackLine::end() {
  if (words_.faulty()) return;
  words_.next();
  if (!original_.whole() || !reply_.whole()) words_.fault("the addresses and ports of both directions");
  if (!counted_use_) words_.fault("'use='");
  connection_.original = original_.tuple;
  connection_.reply = reply_.tuple;
}

// "conntrack v1.4.7 (conntrack-tools): 44 flow entries have been shown."
std::size_t find_summary(std::string_view line) {
  const bool ends = line.ends_with("have been shown.") || line.ends_with("has been shown.");
  return ends ? line.rfind("conntrack v") : std::string_view::npos;
}

class ConntrackReader {
 public:
  ConntrackReader(const SourceText& text, ReadLog& log) : text_(text), log_(log) {}
  void read();
  std::vector<Sourced<Connection>> take() { return std::move(connections_); }

 private:
  LineState row(const SourceText& text, Span line, Span place);
  LineState split_row(Span head, Span tail);

  const SourceText& text_;
  ReadLog& log_;
  std::vector<Sourced<Connection>> connections_;
};

void ConntrackReader::read() {
  const Lines lines = lines_of(text_.bytes);
  for (auto line = lines.begin(); !(line == lines.end()); ++line) {
    const Span span = *line;
    const std::size_t summary = find_summary(text_.at(span));
    if (summary == 0 || trim(text_.at(span)).empty()) {
      log_.lines.count(LineState::Ignored);
    } else if (summary == std::string_view::npos) {
      log_.lines.count(row(text_, span, span));
    } else {
      auto next = line;
      const bool last = ++next == lines.end();
      const Span head{span.begin, span.begin + static_cast<std::uint32_t>(summary)};
      log_.lines.count(split_row(head, last ? Span{span.end, span.end} : *next), last ? 1 : 2);
      if (!last) line = next;
    }
  }
}

// stdout was written in blocks, and stderr between two of them.
LineState ConntrackReader::split_row(Span head, Span tail) {
  const std::string joined = std::string(text_.at(head)).append(text_.at(tail));
  const SourceText text{text_.id, text_.name, joined};
  return row(text, {0, static_cast<std::uint32_t>(joined.size())}, {head.begin, tail.end});
}

LineState ConntrackReader::row(const SourceText& text, Span line, Span place) {
  ConntrackLine reader(text, line);
  const std::optional<LineState> state = reader.read();
  if (!state) {
    const Span at = place == line ? reader.words().place() : place;  // a row put together has no inner places
    return report_fault(text_, at, reader.words().expected(), kHint, log_);
  }
  if (state == LineState::Modelled) connections_.push_back({reader.take(), text_.provenance(place)});
  return *state;
}

// --- dpctl/dump-conntrack ------------------------------------------------------------------------

struct Member {
  std::string_view key, value;
};

// "orig=(src=10.0.0.1,dst=10.0.0.2)" off the front of `text`; the value without its brackets.
std::optional<Member> next_member(std::string_view& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos || text.find(',') < equals) return std::nullopt;
  Member member{text.substr(0, equals), {}};
  text.remove_prefix(equals + 1);
  if (!consume(text, "(")) {
    member.value = take_until(text, ',');
    return member;
  }
  const std::size_t close = text.find(')');
  if (close == std::string_view::npos) return std::nullopt;
  member.value = text.substr(0, close);
  text.remove_prefix(close + 1);
  if (!text.empty() && !consume(text, ",")) return std::nullopt;
  return member;
}

bool read_tuple(std::string_view text, TupleDraft& draft) {
  constexpr std::array<std::string_view, 4> kSkipped{"packets", "bytes", "start", "stop"};
  while (!text.empty()) {
    const auto member = next_member(text);
    if (!member) return false;
    const Took result = take_tuple_member(draft, member->key, member->value);
    if (result == Took::Bad || (result == Took::No && !among(kSkipped, member->key))) return false;
  }
  return draft.whole();
}

// OVS orders the states of TCP; of two peers' states it prints the later one.
std::size_t tcp_rank(std::string_view state) {
  constexpr std::array<std::string_view, 11> kOrder{"CLOSED",      "LISTEN",     "SYN_SENT",   "SYN_RECV",
                                                    "ESTABLISHED", "CLOSE_WAIT", "FIN_WAIT_1", "CLOSING",
                                                    "LAST_ACK",    "FIN_WAIT_2", "TIME_WAIT"};
  return static_cast<std::size_t>(std::find(kOrder.begin(), kOrder.end(), state) - kOrder.begin());
}

// "state=ESTABLISHED", or with -m "state_orig=ESTABLISHED,state_reply=SYN_SENT,wscale_orig=10"
bool read_protocol_info(std::string_view text, Connection& connection) {
  std::string_view state;
  while (!text.empty()) {
    const auto member = next_member(text);
    if (!member) return false;
    if (!member->key.starts_with("state")) continue;
    if (state.empty() || tcp_rank(member->value) > tcp_rank(state)) state = member->value;
  }
  if (connection.original.protocol == kTcp) connection.tcp_state = state;
  return true;
}

// "SEEN_REPLY|ASSURED|CONFIRMED"; 0 where the datapath does not tell.
void read_status(std::string_view status, Connection& connection) {
  if (status == "0" || status.empty()) return;
  connection.unreplied = status.find("SEEN_REPLY") == std::string_view::npos;
  connection.assured = status.find("ASSURED") != std::string_view::npos;
}

bool read_direction(std::string_view text, Tuple& tuple, std::uint8_t protocol) {
  TupleDraft draft;
  draft.tuple.protocol = protocol;
  const bool read = read_tuple(text, draft);
  tuple = draft.tuple;
  return read;
}

bool read_dpctl_member(const Member& member, Connection& connection) {
  constexpr std::array<std::string_view, 4> kSkipped{"id", "helper", "bkt", "parent"};
  if (member.key == "protoinfo") return read_protocol_info(member.value, connection);
  if (member.key == "status") {
    read_status(member.value, connection);
    return true;
  }
  if (member.key == "timeout") {
    connection.timeout = number<std::uint32_t>(member.value);
    return connection.timeout.has_value();
  }
  const Took result = take_member(connection, member.key, member.value);
  return result == Took::Yes || (result == Took::No && among(kSkipped, member.key));
}

// "tcp,orig=(...),reply=(...),zone=1,protoinfo=(state=ESTABLISHED)". On failure `rest` is where.
std::optional<Connection> read_dpctl_row(std::string_view& rest) {
  Connection connection;
  std::string_view line = rest;
  const auto protocol = parse_ip_protocol(take_until(line, ','));
  const auto original = next_member(line);
  const auto reply = next_member(line);
  if (!protocol || !original || original->key != "orig" || !reply || reply->key != "reply")
    return std::nullopt;
  if (!read_direction(original->value, connection.original, *protocol)) return std::nullopt;
  if (!read_direction(reply->value, connection.reply, *protocol)) return std::nullopt;
  while (!line.empty()) {
    rest = line;
    const auto member = next_member(line);
    if (!member || !read_dpctl_member(*member, connection)) return std::nullopt;
  }
  return connection;
}

}  // namespace

std::vector<Sourced<Connection>> read_conntrack(const SourceText& text, ReadLog& log) {
  ConntrackReader reader(text, log);
  reader.read();
  return reader.take();
}

std::vector<Sourced<Connection>> read_dpctl_conntrack(const SourceText& text, ReadLog& log) {
  std::vector<Sourced<Connection>> connections;
  for (const Span line : lines_of(text.bytes)) {
    std::string_view rest = trim(text.at(line));
    if (rest.empty()) {
      log.lines.count(LineState::Ignored);
      continue;
    }
    std::optional<Connection> connection = read_dpctl_row(rest);
    if (connection) {
      log.lines.count(LineState::Modelled);
      connections.push_back({std::move(*connection), text.provenance(line)});
      continue;
    }
    const auto at = static_cast<std::uint32_t>(rest.data() - text.bytes.data());
    log.lines.count(report_fault(text, {at, line.end}, "a connection", kHint, log));
  }
  return connections;
}

}  // namespace dvrtrace
