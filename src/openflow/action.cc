#include "src/openflow/action.h"

#include <fmt/format.h>

#include <bit>

#include "src/base/overloaded.h"
#include "src/openflow/action_reader.h"
#include "src/openflow/value.h"

namespace dvrtrace::openflow {

std::string print_subfield(const Subfield& part) {
  const FieldInfo& field = info(part.field);
  // The NXM or OXM name where there is one: it is what every release understands.
  std::string_view name = field.name;
  if (part.field == FieldId::InPort && part.offset == 0 && part.bits == 16) return "NXM_OF_IN_PORT[]";
  if (part.field == FieldId::InPort && part.offset == 0 && part.bits == 32) return "OXM_OF_IN_PORT[]";
  for (const std::string_view other : field.other_names) {
    if (other.starts_with("NXM_") || (name == field.name && other.find("OXM_") != std::string_view::npos)) {
      name = other;
      if (other.starts_with("NXM_")) break;
    }
  }
  if (part.offset == 0 && part.bits == field.bits) return fmt::format("{}[]", name);
  if (part.bits == 1) return fmt::format("{}[{}]", name, part.offset);
  return fmt::format("{}[{}..{}]", name, part.offset, part.offset + part.bits - 1);
}

namespace {

std::string print_set_field(const SetField& action) {
  const FieldInfo& field = info(action.field);
  return fmt::format("set_field:{}->{}", print_value(field, action.value, action.mask), field.name);
}

std::string print_nat(const NatSpec& nat) {
  if (nat.kind == NatSpec::Kind::None) return "nat";
  std::string out = nat.kind == NatSpec::Kind::Source ? "nat(src" : "nat(dst";
  if (nat.first) {
    const bool bracket = nat.first->v6() && nat.port_first != 0;
    const auto ip = [&](const Ip& address) {
      return bracket ? "[" + to_string(address) + "]" : to_string(address);
    };
    out += "=" + ip(*nat.first);
    if (nat.last && nat.last != nat.first) out += "-" + ip(*nat.last);
    if (nat.port_first != 0) out += fmt::format(":{}", nat.port_first);
    if (nat.port_last > nat.port_first) out += fmt::format("-{}", nat.port_last);
  }
  return out + ")";
}

std::string print_ct(const CtSpec& spec) {
  std::string out;
  const auto add = [&](const std::string& part) { out += (out.empty() ? "" : ",") + part; };
  if (spec.commit) add("commit");
  if (spec.force) add("force");
  if (spec.table) add(fmt::format("table={}", spec.table->value));
  if (spec.zone_from)
    add("zone=" + print_subfield(*spec.zone_from));
  else if (spec.zone != 0)
    add(fmt::format("zone={}", spec.zone));
  if (spec.nat) add(print_nat(*spec.nat));
  if (!spec.exec.empty()) add("exec(" + to_string(spec.exec) + ")");
  if (!spec.alg.empty()) add("alg=" + spec.alg);
  return "ct(" + out + ")";
}

std::string print_bits(Bits128 value) {
  return value.high == 0 ? fmt::format("{:#x}", value.low)
                         : fmt::format("{:#x}{:016x}", value.high, value.low);
}

std::string print_learn_item(const LearnItem& item) {
  switch (item.kind) {
    case LearnItem::Kind::Output:
      return "output:" + print_subfield(item.from.value_or(Subfield{}));
    case LearnItem::Kind::Load:
      return fmt::format("load:{}->{}", item.from ? print_subfield(*item.from) : print_bits(item.value),
                         print_subfield(item.to));
    case LearnItem::Kind::Match:
      if (item.from == item.to) return print_subfield(item.to);
      return fmt::format("{}={}", print_subfield(item.to),
                         item.from ? print_subfield(*item.from) : print_bits(item.value));
  }
  return {};
}

std::string print_learn(const LearnSpec& spec) {
  std::string out = fmt::format("learn(table={}", spec.table.value);
  if (spec.idle_timeout != 0) out += fmt::format(",idle_timeout={}", spec.idle_timeout);
  if (spec.hard_timeout != 0) out += fmt::format(",hard_timeout={}", spec.hard_timeout);
  if (spec.fin_idle_timeout != 0) out += fmt::format(",fin_idle_timeout={}", spec.fin_idle_timeout);
  if (spec.fin_hard_timeout != 0) out += fmt::format(",fin_hard_timeout={}", spec.fin_hard_timeout);
  if (spec.priority != 32768) out += fmt::format(",priority={}", spec.priority);
  if (spec.send_flow_rem) out += ",send_flow_rem";
  if (spec.delete_learned) out += ",delete_learned";
  if (spec.cookie != 0) out += fmt::format(",cookie={:#x}", spec.cookie);
  if (spec.limit != 0) out += fmt::format(",limit={}", spec.limit);
  if (spec.result) out += ",result_dst=" + print_subfield(*spec.result);
  for (const LearnItem& item : spec.items) out += "," + print_learn_item(item);
  return out + ")";
}

std::string print_resubmit(const Resubmit& action) {
  if (action.in_port && !action.table && !action.ct) return "resubmit:" + print_port(*action.in_port);
  return fmt::format("resubmit({},{}{})", action.in_port ? print_port(*action.in_port) : "",
                     action.table ? std::to_string(action.table->value) : "", action.ct ? ",ct" : "");
}

std::string print_output(Ofport port) {
  const std::string name = print_port(port);
  return port.value >= kFirstReservedPort.value ? name : "output:" + name;
}

std::string print_bundle(const BundleSpec& spec) {
  std::string members;
  for (const Ofport port : spec.members) members += (members.empty() ? "" : ",") + print_port(port);
  return fmt::format("{}({},{},{},ofport,{}members:{})", spec.load_to ? "bundle_load" : "bundle", spec.fields,
                     spec.basis, spec.algorithm, spec.load_to ? print_subfield(*spec.load_to) + "," : "",
                     members);
}

}  // namespace

std::string to_string(const Action& action) {
  return std::visit(
      overloaded{
          [](const Output& a) { return print_output(a.port); },
          [](const OutputField& a) { return "output:" + print_subfield(a.from); },
          [](const OutputTruncated& a) {
            return fmt::format("output(port={},max_len={})", print_port(a.port), a.max_len);
          },
          [](const Controller& a) { return std::string(a.pause ? "controller(pause)" : "CONTROLLER:65535"); },
          [](const Enqueue& a) { return fmt::format("enqueue:{}:{}", print_port(a.port), a.queue); },
          [](const SetQueue& a) { return fmt::format("set_queue:{}", a.queue); },
          [](const PopQueue&) { return std::string("pop_queue"); },
          [](const ToGroup& a) { return fmt::format("group:{}", a.group); },
          [](const Resubmit& a) { return print_resubmit(a); },
          [](const GotoTable& a) { return fmt::format("goto_table:{}", a.table.value); },
          [](const SetField& a) { return print_set_field(a); },
          [](const ModTransport& a) { return fmt::format("mod_tp_{}:{}", a.source ? "src" : "dst", a.port); },
          [](const Move& a) {
            return fmt::format("move:{}->{}", print_subfield(a.from), print_subfield(a.to));
          },
          [](const Push& a) { return "push:" + print_subfield(a.from); },
          [](const Pop& a) { return "pop:" + print_subfield(a.to); },
          [](const SetVlanVid& a) { return fmt::format("mod_vlan_vid:{}", a.vid); },
          [](const SetVlanPcp& a) { return fmt::format("mod_vlan_pcp:{}", a.pcp); },
          [](const StripVlan&) { return std::string("strip_vlan"); },
          [](const PushVlan& a) { return fmt::format("push_vlan:{:#06x}", a.type); },
          [](const PushMpls& a) { return fmt::format("push_mpls:{:#06x}", a.type); },
          [](const PopMpls& a) { return fmt::format("pop_mpls:{:#06x}", a.type); },
          [](const DecMplsTtl&) { return std::string("dec_mpls_ttl"); },
          [](const DecTtl&) { return std::string("dec_ttl"); },
          [](const Ct& a) { return print_ct(*a.spec); },
          [](const CtClear&) { return std::string("ct_clear"); },
          [](const Conjunction& a) {
            return fmt::format("conjunction({},{}/{})", a.id, a.clause, a.clauses);
          },
          [](const Learn& a) { return print_learn(*a.spec); },
          [](const Clone& a) { return "clone(" + to_string(a.actions) + ")"; },
          [](const WriteActions& a) { return "write_actions(" + to_string(a.actions) + ")"; },
          [](const ClearActions&) { return std::string("clear_actions"); },
          [](const DeleteField& a) { return fmt::format("delete_field:{}", name(a.field)); },
          [](const Exit&) { return std::string("exit"); },
          [](const CheckPktLarger& a) {
            return fmt::format("check_pkt_larger({})->{}", a.size, print_subfield(a.to));
          },
          [](const Multipath& a) {
            return fmt::format("multipath({},{},{},{},{},{})", a.spec->fields, a.spec->basis,
                               a.spec->algorithm, a.spec->links, a.spec->arg, print_subfield(a.spec->to));
          },
          [](const Bundle& a) { return print_bundle(*a.spec); },
          [](const NoEffect& a) { return *a.text; },
          [](const Unmodelled& a) { return *a.text; },
      },
      action.variant());
}

std::string to_string(const Actions& actions) {
  if (actions.empty()) return "drop";
  std::string out;
  for (const Action& action : actions) {
    if (!out.empty()) out += ',';
    out += to_string(action);
  }
  return out;
}

}  // namespace dvrtrace::openflow
