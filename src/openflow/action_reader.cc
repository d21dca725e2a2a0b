#include "src/openflow/action_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "src/base/text.h"
#include "src/openflow/match_reader.h"
#include "src/openflow/value.h"

namespace dvrtrace::openflow {

std::optional<Subfield> read_subfield(std::string_view text) {
  const std::size_t bracket = text.find('[');
  const std::string_view field_name = text.substr(0, bracket);
  const auto id = find_field(field_name);
  if (!id) return std::nullopt;
  std::uint16_t bits = info(*id).bits;
  if (field_name == "NXM_OF_IN_PORT" || field_name == "in_port") bits = 16;  // the OpenFlow 1.0 form
  if (field_name == "OXM_OF_IN_PORT") bits = 32;
  if (bracket == std::string_view::npos) return Subfield{*id, 0, bits};
  std::string_view range = text.substr(bracket + 1);
  if (range.empty() || range.back() != ']') return std::nullopt;
  range.remove_suffix(1);
  if (range.empty()) return Subfield{*id, 0, bits};
  const std::size_t dots = range.find("..");
  const auto first = number<std::uint16_t>(range.substr(0, dots));
  const auto last = dots == std::string_view::npos ? first : number<std::uint16_t>(range.substr(dots + 2));
  if (!first || !last || *last < *first || *last >= info(*id).bits) return std::nullopt;
  return Subfield{*id, *first, static_cast<std::uint16_t>(*last - *first + 1)};
}

namespace {

constexpr int kMaxDepth = 16;  // of lists within lists

// One action with its arguments: "name:text", "name(text)" or "name".
struct Call {
  std::string_view name;
  std::string_view text;   // what stands after ':' or in the parentheses
  bool has_text = false, parens = false;
  std::string_view all;    // as written, for what is kept unread
};

class ActionReader {
 public:
  ActionReader(std::string_view text, Names& names, int depth) : scanner_(text), names_(names), depth_(depth) {}

  Actions read() {
    Actions actions;
    for (scanner_.skip_separators(); !scanner_.done(); scanner_.skip_separators()) {
      if (auto action = one()) actions.push_back(std::move(*action));
      if (scanner_.failed()) break;
    }
    return actions;
  }
  const std::optional<ReadError>& error() const { return scanner_.error(); }

 private:
  using Reader = std::optional<Action> (ActionReader::*)(const Call&);
  struct Entry {
    std::string_view name;
    Reader read;
  };
  static const std::array<Entry, 65> kEntries;

  std::optional<Action> one();
  std::optional<Action> bare(const Call& call);
  std::optional<Action> bad(const Call& call, std::string_view expected) {
    scanner_.fail_at(call.has_text && !call.text.empty() ? call.text : call.all,
                     fmt::format("expected {}, found {}", expected, quote(call.has_text ? call.text : call.all)));
    return std::nullopt;
  }
  // A nested list; its error becomes this reader's.
  std::optional<Actions> nested(std::string_view text);
  std::optional<std::uint16_t> number16(std::string_view text) const { return number<std::uint16_t>(text); }
  std::optional<TableId> table(std::string_view text) {
    if (const auto id = number<std::uint8_t>(text)) return TableId{*id};
    if (text.empty() || is_digit(text[0])) return std::nullopt;
    if (text.front() == '"' && text.size() > 2 && text.back() == '"') return names_.table(text.substr(1, text.size() - 2));
    if (!is_alpha(text.front()) || text.find_first_of("()=:,") != std::string_view::npos) return std::nullopt;
    return names_.table(text);
  }

  // A value set into a field that prints as a number or address of its own.
  std::optional<Action> set_to(const Call& call, FieldId id, std::string_view expected) {
    const auto value = read_value(info(id), call.text, names_);
    if (!value) return bad(call, expected);
    return Action{SetField{id, value->value, value->mask}};
  }

  std::optional<Action> drop(const Call&) { return std::nullopt; }
  std::optional<Action> output(const Call& call);
  std::optional<Action> controller(const Call& call) { return Action{Controller{call.text.find("pause") != std::string_view::npos}}; }
  std::optional<Action> enqueue(const Call& call);
  std::optional<Action> set_queue(const Call& call) {
    const auto queue = number<std::uint32_t>(call.text);
    if (!queue) return bad(call, "a queue number");
    return Action{SetQueue{*queue}};
  }
  std::optional<Action> pop_queue(const Call&) { return Action{PopQueue{}}; }
  std::optional<Action> group(const Call& call) {
    const auto id = number<std::uint32_t>(call.text);
    if (!id) return bad(call, "a group number");
    return Action{ToGroup{*id}};
  }
  std::optional<Action> resubmit(const Call& call);
  std::optional<Action> goto_table(const Call& call) {
    const auto id = table(call.text);
    if (!id) return bad(call, "a table number");
    return Action{GotoTable{*id}};
  }
  std::optional<Action> set_field(const Call& call);
  std::optional<Action> load(const Call& call);
  std::optional<Action> move(const Call& call);
  std::optional<Action> push(const Call& call) {
    const auto from = read_subfield(call.text);
    if (!from) return bad(call, "a field");
    return Action{Push{*from}};
  }
  std::optional<Action> pop(const Call& call) {
    const auto to = read_subfield(call.text);
    if (!to) return bad(call, "a field");
    return Action{Pop{*to}};
  }
  std::optional<Action> mod_dl_src(const Call& call) { return set_to(call, FieldId::EthSrc, "a MAC address"); }
  std::optional<Action> mod_dl_dst(const Call& call) { return set_to(call, FieldId::EthDst, "a MAC address"); }
  std::optional<Action> mod_nw_src(const Call& call) { return set_to(call, FieldId::IpSrc, "an IPv4 address"); }
  std::optional<Action> mod_nw_dst(const Call& call) { return set_to(call, FieldId::IpDst, "an IPv4 address"); }
  std::optional<Action> mod_nw_ttl(const Call& call) { return set_to(call, FieldId::NwTtl, "a TTL"); }
  std::optional<Action> mod_nw_ecn(const Call& call) { return set_to(call, FieldId::NwEcn, "two ECN bits"); }
  std::optional<Action> mod_nw_tos(const Call& call) {
    const auto tos = number<std::uint8_t>(call.text);
    if (!tos) return bad(call, "a type of service");
    return Action{SetField{FieldId::IpDscp, {0, static_cast<std::uint64_t>(*tos >> 2)}, ones128(6)}};
  }
  std::optional<Action> mod_tp(const Call& call, bool source) {
    const auto port = number16(call.text);
    if (!port) return bad(call, "a port number");
    return Action{ModTransport{source, *port}};
  }
  std::optional<Action> mod_tp_src(const Call& call) { return mod_tp(call, true); }
  std::optional<Action> mod_tp_dst(const Call& call) { return mod_tp(call, false); }
  std::optional<Action> mod_vlan_vid(const Call& call) {
    const auto vid = number16(call.text);
    if (!vid || *vid > 0xfff) return bad(call, "a VLAN id");
    return Action{SetVlanVid{*vid}};
  }
  std::optional<Action> mod_vlan_pcp(const Call& call) {
    const auto pcp = number<std::uint8_t>(call.text);
    if (!pcp || *pcp > 7) return bad(call, "a VLAN priority");
    return Action{SetVlanPcp{*pcp}};
  }
  // OpenFlow 1.1 and 1.2: of a packet that has a tag.
  std::optional<Action> set_vlan_vid(const Call& call) {
    const auto vid = number16(call.text);
    if (!vid || *vid > 0xfff) return bad(call, "a VLAN id");
    return Action{SetField{FieldId::VlanVid, {0, 0x1000u | *vid}, ones128(13)}};
  }
  std::optional<Action> set_vlan_pcp(const Call& call) {
    const auto pcp = number<std::uint8_t>(call.text);
    if (!pcp || *pcp > 7) return bad(call, "a VLAN priority");
    return Action{SetField{FieldId::VlanPcp, {0, *pcp}, ones128(3)}};
  }
  std::optional<Action> strip_vlan(const Call&) { return Action{StripVlan{}}; }
  std::optional<Action> ethertype(const Call& call, Action with(std::uint16_t)) {
    const auto type = number16(call.text);
    if (!type) return bad(call, "an Ethernet type");
    return with(*type);
  }
  std::optional<Action> push_vlan(const Call& call) { return ethertype(call, [](std::uint16_t type) { return Action{PushVlan{type}}; }); }
  std::optional<Action> push_mpls(const Call& call) { return ethertype(call, [](std::uint16_t type) { return Action{PushMpls{type}}; }); }
  std::optional<Action> pop_mpls(const Call& call) { return ethertype(call, [](std::uint16_t type) { return Action{PopMpls{type}}; }); }
  std::optional<Action> dec_mpls_ttl(const Call&) { return Action{DecMplsTtl{}}; }
  std::optional<Action> set_mpls_label(const Call& call) { return set_to(call, FieldId::MplsLabel, "an MPLS label"); }
  std::optional<Action> set_mpls_tc(const Call& call) { return set_to(call, FieldId::MplsTc, "an MPLS traffic class"); }
  std::optional<Action> set_mpls_ttl(const Call& call) { return set_to(call, FieldId::MplsTtl, "an MPLS TTL"); }
  std::optional<Action> dec_ttl(const Call&) { return Action{DecTtl{}}; }
  std::optional<Action> set_tunnel(const Call& call) { return set_to(call, FieldId::TunId, "a tunnel id"); }
  std::optional<Action> write_metadata(const Call& call) { return set_to(call, FieldId::Metadata, "a metadata value"); }
  std::optional<Action> ct(const Call& call);
  bool ct_part(std::string_view part, CtSpec& spec);
  std::optional<NatSpec> nat(std::string_view text);
  std::optional<Action> delete_field(const Call& call) {
    const auto id = find_field(call.text);
    if (!id || !is_tun_metadata(*id)) return unmodelled(call);
    return Action{DeleteField{*id}};
  }
  std::optional<Action> ct_clear(const Call&) { return Action{CtClear{}}; }
  std::optional<Action> conjunction(const Call& call);
  std::optional<Action> learn(const Call& call);
  bool learn_part(std::string_view part, LearnSpec& spec);
  std::optional<LearnItem> learn_item(std::string_view part);
  std::optional<Action> clone(const Call& call) {
    auto inside = nested(call.text);
    if (!inside) return std::nullopt;
    return Action{Clone{std::move(*inside)}};
  }
  std::optional<Action> write_actions(const Call& call) {
    auto inside = nested(call.text);
    if (!inside) return std::nullopt;
    return Action{WriteActions{std::move(*inside)}};
  }
  std::optional<Action> clear_actions(const Call&) { return Action{ClearActions{}}; }
  std::optional<Action> exit(const Call&) { return Action{Exit{}}; }
  std::optional<Action> check_pkt_larger(const Call& call);
  std::optional<Action> multipath(const Call& call);
  std::optional<Action> bundle(const Call& call) { return bundle_of(call, false); }
  std::optional<Action> bundle_load(const Call& call) { return bundle_of(call, true); }
  std::optional<Action> bundle_of(const Call& call, bool load);
  std::optional<Action> no_effect(const Call& call) { return Action{NoEffect{std::string(call.all)}}; }
  std::optional<Action> unmodelled(const Call& call) { return Action{Unmodelled{std::string(call.all)}}; }
  std::optional<Action> to_normal(const Call&) { return Action{Output{kPortNormal}}; }
  std::optional<Action> to_flood(const Call&) { return Action{Output{kPortFlood}}; }
  std::optional<Action> to_all(const Call&) { return Action{Output{kPortAll}}; }
  std::optional<Action> to_local(const Call&) { return Action{Output{kPortLocal}}; }
  std::optional<Action> to_in_port(const Call&) { return Action{Output{kPortInPort}}; }
  std::optional<Action> to_table(const Call&) { return Action{Output{kPortTable}}; }
  std::optional<Action> to_none(const Call&) { return Action{Output{kPortNone}}; }

  Scanner scanner_;
  Names& names_;
  int depth_;
};

// The most frequent first: the list is searched in order.
const std::array<ActionReader::Entry, 65> ActionReader::kEntries{{
    {"resubmit", &ActionReader::resubmit}, {"set_field", &ActionReader::set_field}, {"load", &ActionReader::load},
    {"output", &ActionReader::output}, {"ct", &ActionReader::ct}, {"goto_table", &ActionReader::goto_table},
    {"conjunction", &ActionReader::conjunction}, {"NORMAL", &ActionReader::to_normal}, {"drop", &ActionReader::drop},
    {"strip_vlan", &ActionReader::strip_vlan}, {"pop_vlan", &ActionReader::strip_vlan}, {"push_vlan", &ActionReader::push_vlan},
    {"mod_dl_src", &ActionReader::mod_dl_src}, {"mod_dl_dst", &ActionReader::mod_dl_dst}, {"mod_vlan_vid", &ActionReader::mod_vlan_vid},
    {"move", &ActionReader::move}, {"IN_PORT", &ActionReader::to_in_port}, {"in_port", &ActionReader::to_in_port}, {"set_tunnel", &ActionReader::set_tunnel},
    {"set_tunnel64", &ActionReader::set_tunnel}, {"ct_clear", &ActionReader::ct_clear}, {"learn", &ActionReader::learn},
    {"LOCAL", &ActionReader::to_local}, {"CONTROLLER", &ActionReader::controller}, {"controller", &ActionReader::controller},
    {"FLOOD", &ActionReader::to_flood}, {"ALL", &ActionReader::to_all}, {"TABLE", &ActionReader::to_table}, {"NONE", &ActionReader::to_none},
    {"ANY", &ActionReader::to_none}, {"mod_nw_src", &ActionReader::mod_nw_src}, {"mod_nw_dst", &ActionReader::mod_nw_dst},
    {"mod_nw_tos", &ActionReader::mod_nw_tos}, {"mod_nw_ecn", &ActionReader::mod_nw_ecn}, {"mod_nw_ttl", &ActionReader::mod_nw_ttl},
    {"mod_tp_src", &ActionReader::mod_tp_src}, {"mod_tp_dst", &ActionReader::mod_tp_dst}, {"mod_vlan_pcp", &ActionReader::mod_vlan_pcp},
    {"dec_ttl", &ActionReader::dec_ttl}, {"group", &ActionReader::group}, {"enqueue", &ActionReader::enqueue},
    {"set_queue", &ActionReader::set_queue}, {"pop_queue", &ActionReader::pop_queue}, {"push", &ActionReader::push}, {"pop", &ActionReader::pop},
    {"push_mpls", &ActionReader::push_mpls}, {"pop_mpls", &ActionReader::pop_mpls}, {"dec_mpls_ttl", &ActionReader::dec_mpls_ttl},
    {"set_mpls_label", &ActionReader::set_mpls_label}, {"set_mpls_tc", &ActionReader::set_mpls_tc}, {"set_mpls_ttl", &ActionReader::set_mpls_ttl},
    {"write_metadata", &ActionReader::write_metadata}, {"delete_field", &ActionReader::delete_field}, {"write_actions", &ActionReader::write_actions}, {"clear_actions", &ActionReader::clear_actions},
    {"clone", &ActionReader::clone}, {"exit", &ActionReader::exit}, {"check_pkt_larger", &ActionReader::check_pkt_larger},
    {"multipath", &ActionReader::multipath}, {"bundle", &ActionReader::bundle}, {"bundle_load", &ActionReader::bundle_load},
    {"note", &ActionReader::no_effect}, {"meter", &ActionReader::no_effect},
    {"set_vlan_vid", &ActionReader::set_vlan_vid}, {"set_vlan_pcp", &ActionReader::set_vlan_pcp},
}};

// Known, and without effect on the path; or known, and not executed.
constexpr std::array<std::string_view, 2> kNoEffect{"sample", "fin_timeout"};
constexpr std::array<std::string_view, 5> kUnmodelled{"encap", "decap", "dec_nsh_ttl", "debug_recirc", "debug_slow"};

std::optional<Action> ActionReader::one() {
  Call call;
  const std::uint32_t begin = scanner_.offset();
  const std::string_view from_here = scanner_.rest();
  if (scanner_.peek() == '"') {
    call.text = call.all = scanner_.value();
    return bare(call);
  }
  call.name = scanner_.word();
  if (call.name.empty()) {
    scanner_.fail_at(from_here.substr(0, 1), fmt::format("expected an action, found {}", quote(from_here)));
    return std::nullopt;
  }
  if (scanner_.take(':')) {
    call.has_text = true;
    call.text = scanner_.value();
  } else if (scanner_.peek() == '(') {
    const auto inside = scanner_.parenthesised();
    if (!inside) return std::nullopt;
    call.has_text = call.parens = true;
    call.text = *inside;
    // check_pkt_larger(N)->F and its like go on behind the parenthesis.
    if (scanner_.rest().starts_with("->")) scanner_.value();
  }
  call.all = from_here.substr(0, scanner_.offset() - begin);
  const auto entry = std::ranges::find(kEntries, call.name, &Entry::name);
  if (entry != kEntries.end()) return (this->*entry->read)(call);
  if (std::ranges::find(kNoEffect, call.name) != kNoEffect.end()) return no_effect(call);
  if (std::ranges::find(kUnmodelled, call.name) != kUnmodelled.end()) return unmodelled(call);
  if (!call.has_text) return bare(call);
  scanner_.fail_at(call.name, fmt::format("unknown action {}", quote(call.name)));
  return std::nullopt;
}

// A port alone is output to it. A bare word without a digit or '-' is taken for a damaged action.
std::optional<Action> ActionReader::bare(const Call& call) {
  const bool named = call.all.front() == '"' || call.all.find_first_of("-.0123456789") != std::string_view::npos;
  const auto port = read_port(call.all, names_);
  const bool reserved = port && port->value >= kFirstReservedPort.value && port->value < kNamedPort;
  if (!port || (!named && !reserved)) {
    scanner_.fail_at(call.all, fmt::format("unknown action {}", quote(call.all)));
    return std::nullopt;
  }
  return Action{Output{*port}};
}

std::optional<Actions> ActionReader::nested(std::string_view text) {
  if (depth_ >= kMaxDepth) {
    scanner_.fail_at(text, "actions are nested too deeply");
    return std::nullopt;
  }
  ActionReader inner(text, names_, depth_ + 1);
  Actions actions = inner.read();
  if (inner.error()) {
    const auto base = static_cast<std::uint32_t>(text.data() - scanner_.text().data());
    scanner_.fail(base + inner.error()->begin, base + inner.error()->end, inner.error()->message);
    return std::nullopt;
  }
  return actions;
}

std::optional<Action> ActionReader::output(const Call& call) {
  if (call.parens) {
    std::string_view rest = call.text;
    OutputTruncated truncated;
    bool has_port = false;
    while (!rest.empty()) {
      std::string_view part = trim(take_until(rest, ','));
      if (consume(part, "port=")) {
        const auto port = read_port(part, names_);
        if (!port) return bad(call, "port=PORT,max_len=N");
        truncated.port = *port;
        has_port = true;
      } else if (consume(part, "max_len=")) {
        truncated.max_len = number<std::uint32_t>(part).value_or(0);
      } else {
        return bad(call, "port=PORT,max_len=N");
      }
    }
    if (!has_port) return bad(call, "port=PORT,max_len=N");
    return Action{truncated};
  }
  if (call.text.find('[') != std::string_view::npos || find_field(call.text)) {
    const auto from = read_subfield(call.text);
    if (!from) return bad(call, "a field");
    return Action{OutputField{*from}};
  }
  const auto port = read_port(call.text, names_);
  if (!port) return bad(call, "a port");
  return Action{Output{*port}};
}

std::optional<Action> ActionReader::enqueue(const Call& call) {
  std::string_view rest = call.text;
  const std::string_view port_text = take_until(rest, rest.find(':') != std::string_view::npos ? ':' : ',');
  const auto port = read_port(trim(port_text), names_);
  std::string_view queue_text = trim(rest);
  consume(queue_text, "q");
  const auto queue = number<std::uint32_t>(queue_text);
  if (!port || !queue) return bad(call, "PORT:QUEUE");
  return Action{Enqueue{*port, *queue}};
}

std::optional<Action> ActionReader::resubmit(const Call& call) {
  Resubmit resubmit;
  std::string_view rest = call.text;
  const std::string_view port_text = call.parens ? take_until(rest, ',') : std::exchange(rest, {});
  if (!port_text.empty()) {
    const auto port = read_port(port_text, names_);
    if (!port) return bad(call, "a port");
    if (*port != kPortInPort) resubmit.in_port = *port;
  }
  const std::string_view table_text = take_until(rest, ',');
  if (!table_text.empty()) {
    const auto id = table(table_text);
    if (!id) {
      scanner_.fail_at(table_text, fmt::format("expected a table number, found {}", quote(table_text)));
      return std::nullopt;
    }
    if (id->value != 255) resubmit.table = *id;
  }
  if (rest == "ct") resubmit.ct = true;
  else if (!rest.empty()) return bad(call, "\"ct\"");
  return Action{resubmit};
}

std::optional<Action> ActionReader::set_field(const Call& call) {
  const std::size_t arrow = call.text.rfind("->");
  if (arrow == std::string_view::npos) return bad(call, "VALUE->FIELD");
  const std::string_view target = call.text.substr(arrow + 2);
  if (target.starts_with("tun_metadata") && !find_field(target)) return unmodelled(call);
  const auto id = find_field(target);
  if (!id) {
    scanner_.fail_at(target, fmt::format("unknown field {}", quote(target)));
    return std::nullopt;
  }
  const auto value = read_value(info(*id), call.text.substr(0, arrow), names_);
  if (!value) return bad(call, fmt::format("a value for {}", target));
  return Action{SetField{*id, value->value, value->mask}};
}

std::optional<Action> ActionReader::load(const Call& call) {
  const std::size_t arrow = call.text.rfind("->");
  if (arrow == std::string_view::npos) return bad(call, "VALUE->FIELD[BITS]");
  const std::string_view target = call.text.substr(arrow + 2);
  const std::string_view field_name = target.substr(0, target.find('['));
  if ((target.starts_with("NXM_NX_TUN_METADATA") || target.starts_with("tun_metadata")) && !find_field(field_name)) return unmodelled(call);
  const auto to = read_subfield(target);
  if (!to) {
    scanner_.fail_at(target, fmt::format("expected a field, found {}", quote(target)));
    return std::nullopt;
  }
  // The value is a plain number, whatever the field's own format is; old releases also took that.
  const auto value = read_number(call.text.substr(0, arrow));
  Bits128 bits = value.value_or(Bits128{});
  if (!value) {
    const auto formatted = read_value(info(to->field), call.text.substr(0, arrow), names_);
    if (!formatted) return bad(call, "a number");
    bits = formatted->value;
  }
  if ((bits & ~ones128(to->bits)) != Bits128{}) return bad(call, fmt::format("a value of at most {} bits", to->bits));
  return Action{SetField{to->field, bits << to->offset, ones128(to->bits) << to->offset}};
}

std::optional<Action> ActionReader::move(const Call& call) {
  const std::size_t arrow = call.text.find("->");
  if (arrow == std::string_view::npos) return bad(call, "FIELD->FIELD");
  const std::string_view from_text = call.text.substr(0, arrow), to_text = call.text.substr(arrow + 2);
  if (from_text.starts_with("NXM_NX_TUN_METADATA") && !find_field(from_text.substr(0, from_text.find('[')))) return unmodelled(call);
  if (to_text.starts_with("NXM_NX_TUN_METADATA") && !find_field(to_text.substr(0, to_text.find('[')))) return unmodelled(call);
  const auto from = read_subfield(from_text), to = read_subfield(to_text);
  if (!from || !to) {
    const std::string_view wrong = from ? to_text : from_text;
    scanner_.fail_at(wrong, fmt::format("expected a field, found {}", quote(wrong)));
    return std::nullopt;
  }
  if (from->bits != to->bits) return bad(call, "two fields of one width");
  return Action{Move{*from, *to}};
}

std::optional<NatSpec> ActionReader::nat(std::string_view text) {
  NatSpec spec;
  while (!text.empty()) {
    std::string_view part = trim(take_until(text, ','));
    const bool source = part.starts_with("src=");
    if (!source && !part.starts_with("dst=")) {
      if (part == "src" || part == "dst") spec.kind = part == "src" ? NatSpec::Kind::Source : NatSpec::Kind::Destination;
      else if (part != "random" && part != "hash" && part != "persistent") return std::nullopt;
      continue;
    }
    spec.kind = source ? NatSpec::Kind::Source : NatSpec::Kind::Destination;
    part.remove_prefix(4);
    // A-B:p-q, IPv6 addresses in brackets when ports follow.
    std::string_view addresses = part, ports;
    const std::size_t bracket = part.rfind(']');
    const std::size_t colon = bracket != std::string_view::npos                ? part.find(':', bracket)
                              : part.find('.') != std::string_view::npos ? part.find(':')
                                                                               : std::string_view::npos;
    if (colon != std::string_view::npos) {
      addresses = part.substr(0, colon);
      ports = part.substr(colon + 1);
    }
    const auto ip = [](std::string_view word) {
      if (word.starts_with('[') && word.ends_with(']')) word = word.substr(1, word.size() - 2);
      return parse_ip(word);
    };
    const std::string_view first = take_until(addresses, '-');
    spec.first = ip(first);
    spec.last = addresses.empty() ? spec.first : ip(addresses);
    if (!spec.first || !spec.last) return std::nullopt;
    if (!ports.empty()) {
      const std::string_view port_first = take_until(ports, '-');
      const auto low = number16(port_first), high = ports.empty() ? low : number16(ports);
      if (!low || !high) return std::nullopt;
      spec.port_first = *low;
      spec.port_last = *high;
    }
  }
  return spec;
}

bool ActionReader::ct_part(std::string_view part, CtSpec& spec) {
  if (part == "commit") {
    spec.commit = true;
  } else if (part == "force") {
    spec.force = true;
  } else if (part == "nat") {
    spec.nat = NatSpec{};
  } else if (part.starts_with("nat(") && part.ends_with(')')) {
    spec.nat = nat(part.substr(4, part.size() - 5));
    return spec.nat.has_value();
  } else if (part.starts_with("exec(") && part.ends_with(')')) {
    auto inside = nested(part.substr(5, part.size() - 6));
    if (!inside) return false;
    spec.exec = std::move(*inside);
  } else if (consume(part, "zone=")) {
    if (const auto zone = number16(part)) spec.zone = *zone;
    else spec.zone_from = read_subfield(part);
    return number16(part) || spec.zone_from;
  } else if (consume(part, "table=")) {
    spec.table = table(part);
    return spec.table.has_value();
  } else if (consume(part, "alg=")) {
    spec.alg = part;
  } else {
    return false;
  }
  return true;
}

std::optional<Action> ActionReader::ct(const Call& call) {
  CtSpec spec;
  Scanner parts(call.text);
  for (parts.skip_separators(); !parts.done(); parts.skip_separators()) {
    const std::string_view part = parts.value();
    if (part.empty()) return bad(call, "an argument of ct()");
    if (!ct_part(part, spec)) {
      scanner_.fail_at(part, fmt::format("expected an argument of ct(), found {}", quote(part)));
      return std::nullopt;
    }
  }
  return Action{Ct{std::move(spec)}};
}

std::optional<Action> ActionReader::conjunction(const Call& call) {
  std::string_view rest = call.text;
  const auto id = number<std::uint32_t>(trim(take_until(rest, ',')));
  const auto clause = number<std::uint8_t>(trim(take_until(rest, '/')));
  const auto clauses = number<std::uint8_t>(trim(rest));
  if (!id || !clause || !clauses || *clause < 1 || *clause > *clauses || *clauses > 64) return bad(call, "ID,K/N");
  return Action{Conjunction{*id, *clause, *clauses}};
}

std::optional<LearnItem> ActionReader::learn_item(std::string_view part) {
  LearnItem item;
  if (consume(part, "output:")) {
    item.kind = LearnItem::Kind::Output;
    item.from = read_subfield(part);
    return item.from ? std::optional(item) : std::nullopt;
  }
  std::string_view source, target;
  if (consume(part, "load:")) {
    item.kind = LearnItem::Kind::Load;
    const std::size_t arrow = part.find("->");
    if (arrow == std::string_view::npos) return std::nullopt;
    source = part.substr(0, arrow);
    target = part.substr(arrow + 2);
  } else {
    const std::size_t equals = part.find('=');
    target = part.substr(0, equals);
    source = equals == std::string_view::npos ? target : part.substr(equals + 1);
  }
  const auto to = read_subfield(target);
  if (!to) return std::nullopt;
  item.to = *to;
  if (const auto from = read_subfield(source)) {
    if (from->bits != to->bits) return std::nullopt;
    item.from = *from;
    return item;
  }
  if (const auto value = read_number(source)) {
    item.value = *value;
    return item;
  }
  const auto value = read_value(info(to->field), source, names_);
  if (!value) return std::nullopt;
  item.value = value->value;
  return item;
}

bool ActionReader::learn_part(std::string_view part, LearnSpec& spec) {
  const std::size_t equals = part.find('=');
  const std::string_view key = part.substr(0, equals);
  const std::string_view value = equals == std::string_view::npos ? std::string_view{} : part.substr(equals + 1);
  const auto into = [&](std::uint16_t& target) {
    const auto read = number16(value);
    if (read) target = *read;
    return read.has_value();
  };
  if (key == "idle_timeout") return into(spec.idle_timeout);
  if (key == "hard_timeout") return into(spec.hard_timeout);
  if (key == "fin_idle_timeout") return into(spec.fin_idle_timeout);
  if (key == "fin_hard_timeout") return into(spec.fin_hard_timeout);
  if (key == "priority") return into(spec.priority);
  if (key == "cookie") {
    const auto read = number(value);
    if (read) spec.cookie = *read;
    return read.has_value();
  }
  if (key == "table") {
    const auto id = table(value);
    if (id) spec.table = *id;
    return id.has_value();
  }
  if (key == "limit") {
    const auto read = number<std::uint32_t>(value);
    if (read) spec.limit = *read;
    return read.has_value();
  }
  if (key == "result_dst") {
    spec.result = read_subfield(value);
    return spec.result.has_value();
  }
  if (part == "send_flow_rem") return spec.send_flow_rem = true;
  if (part == "delete_learned") return spec.delete_learned = true;
  // The Ethernet type and protocol that a learned match needs may be spelt as keywords.
  if (equals == std::string_view::npos && !find_field(part.substr(0, part.find('['))) && !part.starts_with("load:") && !part.starts_with("output:")) {
    std::optional<ReadError> error;
    const Match protocol = read_match(part, names_, error);
    if (error) return false;
    for (const FieldId id : {FieldId::EthType, FieldId::NwProto}) {
      if (protocol.mask_of(id) == Bits128{}) continue;
      spec.items.push_back({LearnItem::Kind::Match, whole(id), std::nullopt, protocol.value_of(id)});
    }
    return true;
  }
  auto item = learn_item(part);
  if (item) spec.items.push_back(std::move(*item));
  return item.has_value();
}

std::optional<Action> ActionReader::learn(const Call& call) {
  LearnSpec spec;
  Scanner parts(call.text);
  for (parts.skip_separators(); !parts.done(); parts.skip_separators()) {
    const std::string_view part = parts.value();
    if (part.empty() || !learn_part(part, spec)) {
      scanner_.fail_at(part.empty() ? call.text : part, fmt::format("expected an argument of learn(), found {}", quote(part)));
      return std::nullopt;
    }
  }
  return Action{Learn{std::move(spec)}};
}

std::optional<Action> ActionReader::check_pkt_larger(const Call& call) {
  const auto size = number16(call.text);
  const std::size_t arrow = call.all.rfind("->");
  const auto to = arrow == std::string_view::npos ? std::nullopt : read_subfield(call.all.substr(arrow + 2));
  if (!size || !to || to->bits != 1) return bad(call, "(SIZE)->FIELD[BIT]");
  return Action{CheckPktLarger{*size, *to}};
}

std::optional<Action> ActionReader::multipath(const Call& call) {
  const auto parts = split(call.text, ',');
  if (parts.size() != 6) return bad(call, "FIELDS,BASIS,ALGORITHM,LINKS,ARG,FIELD");
  MultipathSpec spec;
  spec.fields = trim(parts[0]);
  spec.algorithm = trim(parts[2]);
  const auto basis = number16(trim(parts[1])), links = number16(trim(parts[3]));
  const auto arg = number<std::uint32_t>(trim(parts[4]));
  const auto to = read_subfield(trim(parts[5]));
  if (!basis || !links || !arg || !to) return bad(call, "FIELDS,BASIS,ALGORITHM,LINKS,ARG,FIELD");
  spec.basis = *basis;
  spec.links = *links;
  spec.arg = *arg;
  spec.to = *to;
  return Action{Multipath{std::move(spec)}};
}

std::optional<Action> ActionReader::bundle_of(const Call& call, bool load) {
  constexpr std::string_view kForm = "FIELDS,BASIS,ALGORITHM,ofport,[FIELD,]members:PORTS";
  std::size_t list = call.text.find("members:"), skip = 8;
  if (list == std::string_view::npos) list = call.text.find("slaves:"), skip = 7;
  if (list == std::string_view::npos) return bad(call, kForm);
  const auto head = split(call.text.substr(0, list), ',');
  if (head.size() < (load ? 5u : 4u)) return bad(call, kForm);
  BundleSpec spec;
  spec.fields = trim(head[0]);
  spec.algorithm = trim(head[2]);
  const auto basis = number16(trim(head[1]));
  if (load) spec.load_to = read_subfield(trim(head[4]));
  if (!basis || (load && !spec.load_to)) return bad(call, kForm);
  spec.basis = *basis;
  for (const std::string_view member : split(call.text.substr(list + skip), ',')) {
    if (trim(member).empty()) continue;
    const auto port = read_port(trim(member), names_);
    if (!port) return bad(call, kForm);
    spec.members.push_back(*port);
  }
  return Action{Bundle{std::move(spec)}};
}

}  // namespace

Actions read_actions(std::string_view text, Names& names, std::optional<ReadError>& error) {
  ActionReader reader(text, names, 0);
  Actions actions = reader.read();
  error = reader.error();
  return actions;
}

}  // namespace dvrtrace::openflow
