#include "src/report/step_text.h"

#include <fmt/format.h>

#include "src/base/overloaded.h"
#include "src/base/text.h"
#include "src/report/words.h"

namespace dvrtrace {
namespace {

// The actions of a list, not those within the parentheses of one.
std::vector<std::string_view> top_level(std::string_view actions) {
  std::vector<std::string_view> all;
  std::size_t begin = 0, depth = 0;
  for (std::size_t i = 0; i <= actions.size(); ++i) {
    if (i == actions.size() || (actions[i] == ',' && depth == 0)) {
      if (i > begin) all.push_back(trim(actions.substr(begin, i - begin)));
      begin = i + 1;
    } else if (actions[i] == '(') {
      ++depth;
    } else if (actions[i] == ')' && depth > 0) {
      --depth;
    }
  }
  return all;
}

bool only_leads_on(std::string_view actions) {
  const std::vector<std::string_view> all = top_level(actions);
  for (const std::string_view action : all) {
    if (!action.starts_with("resubmit(") && !action.starts_with("goto_table:") &&
        !action.starts_with("note:"))
      return false;
  }
  return !all.empty();
}

// A match on nothing, or only on where the packet came in: the hop says that.
bool matches_without_condition(std::string_view match) {
  return trim(match).empty() || (match.starts_with("in_port=") && match.find(',') == std::string_view::npos);
}

bool is_header_field(std::string_view field) {
  for (const std::string_view inner :
       {"reg", "xreg", "xxreg", "metadata", "ct_", "in_port", "pkt_mark", "conj_id", "actset_output"}) {
    if (field.starts_with(inner)) return false;
  }
  return true;
}

bool is_vlan_field(std::string_view field) { return field == "vlan_tci" || field == "vlan_vid"; }

bool only_marks(std::string_view target) {
  const std::string_view name = take_word(target);
  return name == "MARK" || name == "CONNMARK" || name == "CT" || name == "CHECKSUM";
}

}  // namespace

bool only_in_full(const Step& step) {
  if (const auto* flow = std::get_if<FlowHit>(&step))
    return only_leads_on(flow->actions) && matches_without_condition(flow->match);
  if (const auto* changed = std::get_if<Changed>(&step)) return !is_header_field(changed->field);
  if (const auto* tracked = std::get_if<Tracked>(&step)) return tracked->nat.empty() && !tracked->assumed;
  if (const auto* chain = std::get_if<ChainHit>(&step)) return only_marks(chain->target);
  if (const auto* sent = std::get_if<SentTo>(&step)) return sent->note.empty();
  return std::holds_alternative<Noted>(step);
}

namespace {

// A line of iptables without its counters and without the chain, which is named before it.
std::string_view bare_rule(std::string_view rule) {
  if (rule.starts_with('[')) take_word(rule);
  rule = trim(rule);
  if (consume(rule, "-A ")) take_word(rule);
  return trim(rule);
}

std::string state_text(const Tracked& s) {
  std::string text = fmt::format("connection {} in zone {}", printable(s.state), s.zone);
  if (s.committed) text += ", committed";
  if (!s.nat.empty()) text += ", NAT " + printable(s.nat);
  if (s.assumed) text += " (assumed)";
  return text;
}

std::string switched_text(const Switched& s, const Place& place, Detail detail, const Glossary& glossary) {
  std::string text = place.kind == PlaceKind::LinuxBridge ? "switched" : "NORMAL";
  if (s.vlan) text += " in " + (*s.vlan == 0 ? "no VLAN" : vlan_text(*s.vlan, place, glossary));
  if (!s.port.empty()) {
    text += fmt::format(": the MAC is at {}", printable(s.port));
    if (s.age) text += fmt::format(", seen {} s before the dump", *s.age);
    return text;
  }
  text += fmt::format(": MAC not in the table, flooded to {} port{}", s.ports.size(),
                      s.ports.size() == 1 ? "" : "s");
  if (detail == Detail::Full && !s.ports.empty()) {
    std::string separator = ": ";
    for (const std::string& port : s.ports) {
      text += separator + with_name(printable(port), glossary.device(port));
      separator = ", ";
    }
  }
  return text;
}

Pieces flow_pieces(const FlowHit& s, Detail detail, const Style& style) {
  const std::string match = trim(s.match).empty() ? "any" : printable(s.match);
  const std::string actions = trim(s.actions).empty() ? "drop" : printable(s.actions);
  Pieces pieces{{Paint::Strong, fmt::format("table {}", s.table.value)},
                {Paint::Plain, fmt::format(", priority {}: {} ", s.priority, match)},
                {Paint::Faint, std::string(style.arrow())},
                {actions == "drop" ? Paint::Bad : Paint::Plain, " " + actions}};
  std::string more = s.learned ? " (learned)" : "";
  if (detail == Detail::Full) {
    more += fmt::format("  [cookie{}{:#x}", kGlue, s.cookie);
    if (s.packets) more += fmt::format(", {}{}packet{}", *s.packets, kGlue, *s.packets == 1 ? "" : "s");
    more += "]";
  }
  if (!more.empty()) pieces.push_back({Paint::Faint, std::move(more)});
  return pieces;
}

Pieces stop_pieces(const Stopped& s) {
  Pieces pieces{{paint_of(s.verdict), fmt::format("{} ({})", name(s.verdict), name(s.reason))}};
  const std::string text = s.text.empty() ? std::string(in_words(s.reason)) : printable(s.text);
  pieces.push_back({Paint::Plain, ": " + text});
  if (!s.needs.empty()) pieces.push_back({Paint::Doubtful, "; needs " + printable(s.needs)});
  return pieces;
}

Pieces labelled(std::string label, std::string text) {
  return {{Paint::Strong, std::move(label)}, {Paint::Plain, " " + std::move(text)}};
}

Pieces changed_pieces(std::string label, std::string before, std::string after, const Style& style) {
  return {{Paint::Strong, std::move(label)},
          {Paint::Plain, " " + std::move(before) + " " + std::string(style.arrow()) + " "},
          {Paint::Changed, std::move(after)}};
}

}  // namespace

std::vector<Step> shown_steps(const std::vector<Step>& steps, Detail detail) {
  if (detail == Detail::Full) return steps;
  std::vector<Step> kept;
  bool after_vlan = false;  // the step just before was a change of the VLAN
  for (const Step& step : steps) {
    if (detail == Detail::Brief || only_in_full(step)) continue;
    const auto* changed = std::get_if<Changed>(&step);
    const bool is_vlan = changed != nullptr && is_vlan_field(changed->field);
    if (is_vlan && after_vlan) {
      Changed& first = std::get<Changed>(kept.back());
      if (first.field == changed->field || changed->field == "vlan_vid") first.after = changed->after;
    } else {
      kept.push_back(step);
    }
    after_vlan = is_vlan;
  }
  return kept;
}

Pieces step_pieces(const Step& step, const Place& place, Detail detail, const Style& style,
                   const Glossary& glossary) {
  const auto field = [&](const Changed& s, std::string_view value) {
    return field_text(s.field, value, place, glossary);
  };
  return std::visit(
      overloaded{
          [&](const FlowHit& s) { return flow_pieces(s, detail, style); },
          [](const TableMissed& s) {
            return labelled(fmt::format("table {}:", s.table.value), "no flow matches");
          },
          [&](const Changed& s) {
            return changed_pieces(printable(s.field), field(s, s.before), field(s, s.after), style);
          },
          [](const Tracked& s) { return labelled("ct:", state_text(s)); },
          [&](const Switched& s) {
            return Pieces{{Paint::Plain, switched_text(s, place, detail, glossary)}};
          },
          [&](const SentTo& s) {
            const std::string port = with_name(printable(s.port), glossary.device(s.port));
            return labelled("out by", s.note.empty() ? port : port + ": " + printable(s.note));
          },
          [](const RuleHit& s) {
            return labelled(fmt::format("ip rule {}:", s.priority), rule_text(s.text));
          },
          [](const RouteHit& s) {
            return labelled("route,", fmt::format("table {}: {}", table_text(s.table), printable(s.text)));
          },
          [&](const NeighbourHit& s) {
            return labelled("neighbour", fmt::format("{} is {}, {}", to_string(s.ip),
                                                     mac_text(s.mac, glossary), printable(s.state)));
          },
          [](const ChainHit& s) {
            const std::string_view rule = bare_rule(s.rule);
            const std::string target = s.target.empty() || rule.find("-j ") != std::string_view::npos
                                           ? ""
                                           : ": " + printable(s.target);
            return labelled("iptables", fmt::format("{} {}: {}{}", printable(s.table), printable(s.chain),
                                                    printable(rule), target));
          },
          [&](const Translated& s) {
            return changed_pieces("NAT " + printable(s.what), printable(s.before), printable(s.after), style);
          },
          [&](const Encapsulated& s) {
            return labelled("into", fmt::format("{}, by{}{}", tunnel_text(s.tunnel, style.arrow(), glossary),
                                                kGlue, printable(s.port)));
          },
          [&](const Decapsulated& s) {
            return labelled("out of",
                            fmt::format("{}, at{}{}", tunnel_text(s.tunnel, style.arrow(), glossary), kGlue,
                                        printable(s.port)));
          },
          [&](const Resolved& s) {
            return labelled("ARP:", fmt::format("{} is {}, answered by {}", to_string(s.ip),
                                                mac_text(s.mac, glossary), printable(s.by)));
          },
          [](const Noted& s) { return labelled("note:", printable(s.text)); },
          [](const Stopped& s) { return stop_pieces(s); },
      },
      step);
}

}  // namespace dvrtrace
