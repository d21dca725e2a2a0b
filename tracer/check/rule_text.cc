#include "tracer/check/rule_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <vector>

#include "src/base/overloaded.h"

namespace dvrtrace::check {
namespace {

using namespace kernel;

std::string_view sign(bool inverted) { return inverted ? "! " : ""; }

std::string flag_text(const std::optional<bool>& flag, std::string_view name) {
  return flag ? fmt::format(" {}{}", sign(!*flag), name) : std::string();
}

std::string text_of(const std::optional<PortRange>& range) {
  return range ? fmt::format(":{}-{}", range->first, range->last) : std::string();
}

std::string ports_text(const PortMatch& match) {
  std::string text =
      fmt::format("{}{}{}port", sign(match.inverted), match.source ? "s" : "", match.destination ? "d" : "");
  for (const PortRange& range : match.ports) text += fmt::format(" {}-{}", range.first, range.last);
  return text;
}

std::string directions_text(const SetMatch& match) {
  std::string text;
  for (const bool source : match.source) text += source ? " src" : " dst";
  return text;
}

std::string text_of(const Match& match) {
  return std::visit(
      overloaded{
          [](const AddressMatch& m) {
            return fmt::format("{}{} {}", sign(m.inverted), m.source ? "-s" : "-d", to_string(m.prefix));
          },
          [](const RangeMatch& m) {
            return fmt::format("{}{} {}-{}", sign(m.inverted), m.source ? "src-range" : "dst-range",
                               to_string(m.first), to_string(m.last));
          },
          [](const DeviceMatch& m) {
            return fmt::format("{}{} {}", sign(m.inverted), m.in ? "-i" : "-o", m.device);
          },
          [](const ProtocolMatch& m) { return fmt::format("{}-p {}", sign(m.inverted), m.protocol); },
          [](const PortMatch& m) { return ports_text(m); },
          [](const IcmpMatch& m) {
            return m.any
                       ? fmt::format("{}icmp any", sign(m.inverted))
                       : fmt::format("{}icmp {}/{}-{}", sign(m.inverted), m.type, m.code_first, m.code_last);
          },
          [](const TcpFlagsMatch& m) {
            return fmt::format("{}tcp-flags {}/{}", sign(m.inverted), m.flags, m.mask);
          },
          [](const CtStateMatch& m) { return fmt::format("{}ctstate {}", sign(m.inverted), m.states); },
          [](const MarkMatch& m) {
            return fmt::format("{}{} {:#x}/{:#x}", sign(m.inverted), m.connection ? "connmark" : "mark",
                               m.value, m.mask);
          },
          [](const MacMatch& m) {
            return fmt::format("{}mac-source {}", sign(m.inverted), to_string(m.mac));
          },
          [](const PhysdevMatch& m) {
            return fmt::format("physdev {}in={} {}out={}{}{}{}", sign(m.in_inverted), m.in,
                               sign(m.out_inverted), m.out, flag_text(m.is_bridged, "bridged"),
                               flag_text(m.is_in, "in"), flag_text(m.is_out, "out"));
          },
          [](const SetMatch& m) {
            return fmt::format("{}set {}{}", sign(m.inverted), m.set, directions_text(m));
          },
          [](const AddrtypeMatch& m) {
            return fmt::format("addrtype {}{} {}{} {}{}", sign(m.source_inverted), m.source_type,
                               sign(m.destination_inverted), m.destination_type, m.limit_iface_in ? "in" : "",
                               m.limit_iface_out ? "out" : "");
          },
          [](const FragmentMatch& m) { return fmt::format("{}-f", sign(m.inverted)); },
          [](const RpfilterMatch& m) { return fmt::format("{}rpfilter", sign(m.inverted)); },
          [](const CommentMatch&) { return std::string(); },
          [](const LimitMatch& m) { return m.text; },
          [](const UnmodelledMatch& m) { return m.text; },
      },
      match);
}

std::string text_of(const NatTo& nat) {
  std::string text = nat.destination ? "DNAT" : "SNAT";
  if (nat.first) text += " " + to_string(*nat.first);
  if (nat.last && nat.last != nat.first) text += "-" + to_string(*nat.last);
  text += text_of(nat.ports);
  if (nat.port_base) text += fmt::format("/{}", *nat.port_base);
  return text;
}

std::string text_of(const ConnMark& mark) {
  switch (mark.operation) {
    case ConnMark::Operation::Set:
      return fmt::format("CONNMARK set {:#x}/{:#x}", mark.flip, mark.clear);
    case ConnMark::Operation::Save:
      return fmt::format("CONNMARK save {:#x}/{:#x}", mark.nfmask, mark.ctmask);
    case ConnMark::Operation::Restore:
      return fmt::format("CONNMARK restore {:#x}/{:#x}", mark.nfmask, mark.ctmask);
  }
  return {};
}

std::string text_of(const Target& target) {
  return std::visit(
      overloaded{
          [](const NoTarget&) { return std::string("none"); },
          [](const Accept&) { return std::string("ACCEPT"); },
          [](const Drop&) { return std::string("DROP"); },
          [](const Reject&) { return std::string("REJECT"); },
          [](const Return&) { return std::string("RETURN"); },
          [](const Jump& jump) { return (jump.go ? "-g " : "-j ") + jump.chain; },
          [](const NatTo& nat) { return text_of(nat); },
          [](const Redirect& redirect) { return "REDIRECT" + text_of(redirect.ports); },
          [](const Masquerade& masquerade) { return "MASQUERADE" + text_of(masquerade.ports); },
          [](const Netmap& netmap) { return "NETMAP " + to_string(netmap.to); },
          [](const SetMark& mark) { return fmt::format("MARK {:#x}/{:#x}", mark.flip, mark.clear); },
          [](const ConnMark& mark) { return text_of(mark); },
          [](const Ct& ct) {
            return fmt::format("CT {} {} {}", ct.notrack ? "notrack" : "", ct.zone ? int{*ct.zone} : -1,
                               ct.helper);
          },
          [](const Harmless& harmless) { return harmless.text; },
          [](const UnmodelledTarget& other) { return other.text; },
      },
      target);
}

// Two devices that no packet comes by both of: a final '+' is a wildcard.
bool apart(std::string_view a, std::string_view b) {
  if (a.empty() || b.empty()) return false;
  const auto fits = [](std::string_view pattern, std::string_view name) {
    return pattern.ends_with('+') && name.starts_with(pattern.substr(0, pattern.size() - 1));
  };
  return a != b && !fits(a, b) && !fits(b, a);
}

bool apart(const Prefix& a, const Prefix& b) { return !a.contains(b.ip()) && !b.contains(a.ip()); }

bool apart(const PortMatch& a, const PortMatch& b) {
  if (a.inverted || b.inverted || a.source != b.source || a.destination != b.destination ||
      a.source == a.destination)
    return false;
  return std::ranges::none_of(a.ports, [&](const PortRange& one) {
    return std::ranges::any_of(
        b.ports, [&](const PortRange& other) { return one.first <= other.last && other.first <= one.last; });
  });
}

// Whether no packet fits both.
bool apart(const Match& first, const Match& second) {
  return std::visit(
      overloaded{
          [](const AddressMatch& a, const AddressMatch& b) {
            return !a.inverted && !b.inverted && a.source == b.source && apart(a.prefix, b.prefix);
          },
          [](const DeviceMatch& a, const DeviceMatch& b) {
            return !a.inverted && !b.inverted && a.in == b.in && apart(a.device, b.device);
          },
          [](const ProtocolMatch& a, const ProtocolMatch& b) {
            return !a.inverted && !b.inverted && a.protocol != b.protocol;
          },
          [](const PortMatch& a, const PortMatch& b) { return apart(a, b); },
          [](const IcmpMatch& a, const IcmpMatch& b) {
            return !a.inverted && !b.inverted && !a.any && !b.any && a.type != b.type;
          },
          [](const CtStateMatch& a, const CtStateMatch& b) {
            return !a.inverted && !b.inverted && (a.states & b.states) == 0;
          },
          [](const MacMatch& a, const MacMatch& b) { return !a.inverted && !b.inverted && a.mac != b.mac; },
          [](const PhysdevMatch& a, const PhysdevMatch& b) {
            return (!a.in_inverted && !b.in_inverted && apart(a.in, b.in)) ||
                   (!a.out_inverted && !b.out_inverted && apart(a.out, b.out));
          },
          [](const auto&, const auto&) { return false; },
      },
      first, second);
}

// Marks of different bits can be set in either order.
bool commute(const Target& first, const Target& second) {
  const auto* a = std::get_if<SetMark>(&first);
  const auto* b = std::get_if<SetMark>(&second);
  return a != nullptr && b != nullptr && ((a->clear | a->flip) & (b->clear | b->flip)) == 0;
}

}  // namespace

std::string meaning_of(const IptablesRule& rule) {
  std::set<std::string> matches;
  for (const Match& match : rule.matches) matches.insert(text_of(match));
  std::string text;
  for (const std::string& match : matches) {
    if (!match.empty()) text += match + " ";
  }
  return text + text_of(rule.target);
}

bool order_matters(const IptablesRule& first, const IptablesRule& second) {
  const auto decides_nothing = [](const Target& target) { return std::holds_alternative<Harmless>(target); };
  if (decides_nothing(first.target) || decides_nothing(second.target)) return false;
  if (first.target == second.target || commute(first.target, second.target)) return false;
  return std::ranges::none_of(first.matches, [&](const Match& one) {
    return std::ranges::any_of(second.matches, [&](const Match& other) { return apart(one, other); });
  });
}

}  // namespace dvrtrace::check
