#include "src/openflow/action_reader.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <iterator>

#include "src/openflow/action_grammar.h"

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

const std::array<ActionGrammar::Entry, 65> ActionGrammar::kEntries{{
    {"resubmit", &ActionGrammar::resubmit},
    {"set_field", &ActionGrammar::set_field},
    {"load", &ActionGrammar::load},
    {"output", &ActionGrammar::output},
    {"ct", &ActionGrammar::ct},
    {"goto_table", &ActionGrammar::goto_table},
    {"conjunction", &ActionGrammar::conjunction},
    {"NORMAL", &ActionGrammar::to_normal},
    {"drop", &ActionGrammar::drop},
    {"strip_vlan", &ActionGrammar::strip_vlan},
    {"pop_vlan", &ActionGrammar::strip_vlan},
    {"push_vlan", &ActionGrammar::push_vlan},
    {"mod_dl_src", &ActionGrammar::mod_dl_src},
    {"mod_dl_dst", &ActionGrammar::mod_dl_dst},
    {"mod_vlan_vid", &ActionGrammar::mod_vlan_vid},
    {"move", &ActionGrammar::move},
    {"IN_PORT", &ActionGrammar::to_in_port},
    {"in_port", &ActionGrammar::to_in_port},
    {"set_tunnel", &ActionGrammar::set_tunnel},
    {"set_tunnel64", &ActionGrammar::set_tunnel},
    {"ct_clear", &ActionGrammar::ct_clear},
    {"learn", &ActionGrammar::learn},
    {"LOCAL", &ActionGrammar::to_local},
    {"CONTROLLER", &ActionGrammar::controller},
    {"controller", &ActionGrammar::controller},
    {"FLOOD", &ActionGrammar::to_flood},
    {"ALL", &ActionGrammar::to_all},
    {"TABLE", &ActionGrammar::to_table},
    {"NONE", &ActionGrammar::to_none},
    {"ANY", &ActionGrammar::to_none},
    {"mod_nw_src", &ActionGrammar::mod_nw_src},
    {"mod_nw_dst", &ActionGrammar::mod_nw_dst},
    {"mod_nw_tos", &ActionGrammar::mod_nw_tos},
    {"mod_nw_ecn", &ActionGrammar::mod_nw_ecn},
    {"mod_nw_ttl", &ActionGrammar::mod_nw_ttl},
    {"mod_tp_src", &ActionGrammar::mod_tp_src},
    {"mod_tp_dst", &ActionGrammar::mod_tp_dst},
    {"mod_vlan_pcp", &ActionGrammar::mod_vlan_pcp},
    {"dec_ttl", &ActionGrammar::dec_ttl},
    {"group", &ActionGrammar::group},
    {"enqueue", &ActionGrammar::enqueue},
    {"set_queue", &ActionGrammar::set_queue},
    {"pop_queue", &ActionGrammar::pop_queue},
    {"push", &ActionGrammar::push},
    {"pop", &ActionGrammar::pop},
    {"push_mpls", &ActionGrammar::push_mpls},
    {"pop_mpls", &ActionGrammar::pop_mpls},
    {"dec_mpls_ttl", &ActionGrammar::dec_mpls_ttl},
    {"set_mpls_label", &ActionGrammar::set_mpls_label},
    {"set_mpls_tc", &ActionGrammar::set_mpls_tc},
    {"set_mpls_ttl", &ActionGrammar::set_mpls_ttl},
    {"write_metadata", &ActionGrammar::write_metadata},
    {"delete_field", &ActionGrammar::delete_field},
    {"write_actions", &ActionGrammar::write_actions},
    {"clear_actions", &ActionGrammar::clear_actions},
    {"clone", &ActionGrammar::clone},
    {"exit", &ActionGrammar::exit},
    {"check_pkt_larger", &ActionGrammar::check_pkt_larger},
    {"multipath", &ActionGrammar::multipath},
    {"bundle", &ActionGrammar::bundle},
    {"bundle_load", &ActionGrammar::bundle_load},
    {"note", &ActionGrammar::no_effect},
    {"meter", &ActionGrammar::no_effect},
    {"set_vlan_vid", &ActionGrammar::set_vlan_vid},
    {"set_vlan_pcp", &ActionGrammar::set_vlan_pcp},
}};

namespace {

// Known, and without effect on the path; or known, and not executed.
constexpr std::array<std::string_view, 2> kNoEffect{"sample", "fin_timeout"};
constexpr std::array<std::string_view, 5> kUnmodelled{"encap", "decap", "dec_nsh_ttl", "debug_recirc",
                                                      "debug_slow"};

}  // namespace

// Where kEntries has a word: an open-addressed hash of its length, first and last letter.
class ActionGrammar::Words {
 public:
  Words() {
    for (std::size_t entry = 0; entry < kEntries.size(); ++entry) {
      std::size_t slot = hash(kEntries[entry].name);
      while (slots_[slot] != 0) slot = (slot + 1) % slots_.size();
      slots_[slot] = static_cast<std::uint8_t>(entry + 1);
    }
  }
  const Entry* find(std::string_view name) const {
    for (std::size_t slot = hash(name); slots_[slot] != 0; slot = (slot + 1) % slots_.size()) {
      const Entry& entry = kEntries[slots_[slot] - 1u];
      if (entry.name == name) return &entry;
    }
    return nullptr;
  }

 private:
  static std::size_t hash(std::string_view name) {
    const auto byte = [&](std::size_t at) { return std::size_t{static_cast<unsigned char>(name[at])}; };
    return (name.size() * 37 + byte(0) * 5 + byte(name.size() - 1) * 11 + byte(name.size() / 2)) % 256;
  }
  std::array<std::uint8_t, 256> slots_{};
};

Call ActionGrammar::next_call() {
  Call call;
  const std::uint32_t begin = scanner_.offset();
  const std::string_view from_here = scanner_.rest();
  if (scanner_.peek() == '"') {
    call.text = call.all = scanner_.value();
    return call;
  }
  call.name = scanner_.word();
  if (call.name.empty()) {
    scanner_.fail_at(from_here.substr(0, 1), fmt::format("expected an action, found {}", quote(from_here)));
    return call;
  }
  if (scanner_.take(':')) {
    call.has_text = true;
    call.text = scanner_.value();
  } else if (scanner_.peek() == '(') {
    const auto inside = scanner_.parenthesised();
    if (!inside) return call;
    call.has_text = call.parens = true;
    call.text = *inside;
    // check_pkt_larger(N)->F and its like go on behind the parenthesis.
    if (scanner_.rest().starts_with("->")) scanner_.value();
  }
  call.all = from_here.substr(0, scanner_.offset() - begin);
  return call;
}

std::optional<Action> ActionGrammar::read_call(const Call& call) {
  static const Words words;
  if (call.name.empty()) return bare(call);
  if (const Entry* entry = words.find(call.name)) return (this->*entry->read)(call);
  if (std::ranges::find(kNoEffect, call.name) != kNoEffect.end()) return no_effect(call);
  if (std::ranges::find(kUnmodelled, call.name) != kUnmodelled.end()) return unmodelled(call);
  if (!call.has_text) return bare(call);
  scanner_.fail_at(call.name, fmt::format("unknown action {}", quote(call.name)));
  return std::nullopt;
}

// A port alone is output to it. A bare word without a digit or '-' is taken for a damaged action.
std::optional<Action> ActionGrammar::bare(const Call& call) {
  const bool named =
      call.all.front() == '"' || call.all.find_first_of("-.0123456789") != std::string_view::npos;
  const auto port = read_port(call.all, names_);
  const bool reserved = port && port->value >= kFirstReservedPort.value && port->value < kNamedPort;
  if (!port || (!named && !reserved)) {
    scanner_.fail_at(call.all, fmt::format("unknown action {}", quote(call.all)));
    return std::nullopt;
  }
  return Action{Output{*port}};
}

std::optional<Actions> ActionGrammar::nested(std::string_view text) {
  if (depth_ >= kMaxDepth) {
    scanner_.fail_at(text, "actions are nested too deeply");
    return std::nullopt;
  }
  ActionGrammar inner(text, names_, depth_ + 1);
  Actions actions = inner.read();
  if (inner.error()) {
    const auto base = static_cast<std::uint32_t>(text.data() - scanner_.text().data());
    scanner_.fail(base + inner.error()->begin, base + inner.error()->end, inner.error()->message);
    return std::nullopt;
  }
  return actions;
}

std::optional<Action> ActionGrammar::output(const Call& call) {
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

std::optional<Action> ActionGrammar::enqueue(const Call& call) {
  std::string_view rest = call.text;
  const std::string_view port_text = take_until(rest, rest.find(':') != std::string_view::npos ? ':' : ',');
  const auto port = read_port(trim(port_text), names_);
  std::string_view queue_text = trim(rest);
  consume(queue_text, "q");
  const auto queue = number<std::uint32_t>(queue_text);
  if (!port || !queue) return bad(call, "PORT:QUEUE");
  return Action{Enqueue{*port, *queue}};
}

std::optional<Action> ActionGrammar::resubmit(const Call& call) {
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
  if (rest == "ct")
    resubmit.ct = true;
  else if (!rest.empty())
    return bad(call, "\"ct\"");
  return Action{resubmit};
}

std::optional<Action> ActionGrammar::set_field(const Call& call) {
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

std::optional<Action> ActionGrammar::load(const Call& call) {
  const std::size_t arrow = call.text.rfind("->");
  if (arrow == std::string_view::npos) return bad(call, "VALUE->FIELD[BITS]");
  const std::string_view target = call.text.substr(arrow + 2);
  const std::string_view field_name = target.substr(0, target.find('['));
  if ((target.starts_with("NXM_NX_TUN_METADATA") || target.starts_with("tun_metadata")) &&
      !find_field(field_name))
    return unmodelled(call);
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
  if ((bits & ~ones128(to->bits)) != Bits128{})
    return bad(call, fmt::format("a value of at most {} bits", to->bits));
  return Action{SetField{to->field, bits << to->offset, ones128(to->bits) << to->offset}};
}

std::optional<Action> ActionGrammar::move(const Call& call) {
  const std::size_t arrow = call.text.find("->");
  if (arrow == std::string_view::npos) return bad(call, "FIELD->FIELD");
  const std::string_view from_text = call.text.substr(0, arrow), to_text = call.text.substr(arrow + 2);
  if (from_text.starts_with("NXM_NX_TUN_METADATA") && !find_field(from_text.substr(0, from_text.find('['))))
    return unmodelled(call);
  if (to_text.starts_with("NXM_NX_TUN_METADATA") && !find_field(to_text.substr(0, to_text.find('['))))
    return unmodelled(call);
  const auto from = read_subfield(from_text), to = read_subfield(to_text);
  if (!from || !to) {
    const std::string_view wrong = from ? to_text : from_text;
    scanner_.fail_at(wrong, fmt::format("expected a field, found {}", quote(wrong)));
    return std::nullopt;
  }
  if (from->bits != to->bits) return bad(call, "two fields of one width");
  return Action{Move{*from, *to}};
}

// A slot for each hash: what is met often comes back soon, and the rest may go.
KnownActions::KnownActions(std::size_t bytes)
    : lists_(std::clamp<std::size_t>(bytes / 512, 16, 1021)), actions_(lists_.size()) {}

Actions ActionGrammar::read_known(KnownActions& known) {
  std::vector<Action>& actions = known.list_;
  actions.clear();
  for (scanner_.skip_separators(); !scanner_.done(); scanner_.skip_separators()) {
    const Call call = next_call();
    if (scanner_.failed()) break;
    auto& slot = known.actions_[std::hash<std::string_view>{}(call.all) % known.actions_.size()];
    if (slot.text == call.all) {
      actions.push_back(slot.value);
      continue;
    }
    auto action = read_call(call);
    if (action) {
      slot = {call.all, *action};
      actions.push_back(std::move(*action));
    }
    if (scanner_.failed()) break;
  }
  return {std::make_move_iterator(actions.begin()), std::make_move_iterator(actions.end())};
}

Actions read_actions(std::string_view text, Names& names, std::optional<ReadError>& error,
                     KnownActions* known) {
  ActionGrammar reader(text, names, 0);
  error.reset();
  if (known == nullptr) {
    Actions actions = reader.read();
    error = reader.error();
    return actions;
  }
  auto& slot = known->lists_[std::hash<std::string_view>{}(text) % known->lists_.size()];
  if (slot.text == text) return slot.value;
  Actions actions = reader.read_known(*known);
  error = reader.error();
  if (!error) slot = {text, actions};
  return actions;
}

}  // namespace dvrtrace::openflow
