// ActionGrammar: reads a list of actions; the part of action_reader.h that is nobody else's business.
//
//   action_reader.cc    the list, its words, and the actions of one argument
//   action_grammar.cc   the actions with a grammar of their own: ct, learn, conjunction, multipath, bundle
#pragma once

#include <array>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "src/base/text.h"
#include "src/openflow/action.h"
#include "src/openflow/action_reader.h"
#include "src/openflow/names.h"
#include "src/openflow/scanner.h"
#include "src/openflow/value.h"

namespace dvrtrace::openflow {

inline constexpr int kMaxDepth = 16;  // of lists within lists

// One action with its arguments: "name:text", "name(text)" or "name".
struct Call {
  std::string_view name;
  std::string_view text;   // what stands after ':' or in the parentheses
  bool has_text = false, parens = false;
  std::string_view all;    // as written, for what is kept unread
};

class ActionGrammar {
 public:
  ActionGrammar(std::string_view text, Names& names, int depth) : scanner_(text), names_(names), depth_(depth) {}

  Actions read() {
    std::vector<Action> actions;
    for (scanner_.skip_separators(); !scanner_.done(); scanner_.skip_separators()) {
      const Call call = next_call();
      if (scanner_.failed()) break;
      if (auto action = read_call(call)) actions.push_back(std::move(*action));
      if (scanner_.failed()) break;
    }
    return {std::make_move_iterator(actions.begin()), std::make_move_iterator(actions.end())};
  }
  // The same, with what is known of earlier lists.
  Actions read_known(KnownActions& known);
  const std::optional<ReadError>& error() const { return scanner_.error(); }

 private:
  using Reader = std::optional<Action> (ActionGrammar::*)(const Call&);
  struct Entry {
    std::string_view name;
    Reader read;
  };
  static const std::array<Entry, 65> kEntries;

  class Words;

  Call next_call();
  std::optional<Action> read_call(const Call& call);
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

}  // namespace dvrtrace::openflow
