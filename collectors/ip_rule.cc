#include "collectors/ip_rule.h"

#include <fmt/format.h>

#include <array>

#include "collectors/iproute.h"
#include "collectors/json_rows.h"
#include "collectors/words.h"
#include "src/base/text.h"

namespace dvrtrace {
namespace {

using kernel::PolicyRule;
using Action = PolicyRule::Action;

constexpr std::string_view kHint =
    "the rules are incomplete: a lookup that comes to this rule's place ends unknown";
constexpr std::string_view kOddHint = "a packet that this rule might take ends unknown";

// --- parts that text and JSON write alike --------------------------------------------------------

bool set_prefix(PolicyRule& rule, bool from, std::string_view text) {
  if (text == "all" || text == "any") return true;
  const auto prefix = parse_iproute_prefix(text, rule.family);
  if (!prefix) return false;
  rule.family = prefix->ip().family;
  (from ? rule.from : rule.to) = prefix;
  (from ? rule.from_text : rule.to_text) = text;
  return true;
}

// Tables have names only where etc/iproute2/rt_tables gives them; such a name is not known here.
bool set_table(PolicyRule& rule, std::string_view text) {
  const auto table = kernel::parse_route_table(text);
  rule.table = table.value_or(0);
  if (!table) rule.unmodelled.push_back(fmt::format("lookup {}", text));
  return table.has_value();
}

bool set_action(PolicyRule& rule, std::string_view word) {
  if (word == "blackhole") {
    rule.action = Action::Blackhole;
  } else if (word == "unreachable") {
    rule.action = Action::Unreachable;
  } else if (word == "prohibit") {
    rule.action = Action::Prohibit;
  } else if (word == "nop") {
    rule.action = Action::Nop;
  } else {
    return false;
  }
  return true;
}

// "goto none" is what is left of a rule whose target was deleted: the kernel goes on with the next.
bool set_goto(PolicyRule& rule, std::string_view text) {
  const auto target = number<std::uint32_t>(text);
  rule.action = target ? Action::Goto : Action::Nop;
  rule.target = target.value_or(0);
  return target || text == "none";
}

void set_protocol(PolicyRule& rule, std::string_view text) {
  rule.ip_proto = parse_ip_protocol(text);
  if (!rule.ip_proto) rule.unmodelled.push_back(fmt::format("ipproto {}", text));
}

void set_tos(PolicyRule& rule, std::string_view text) {
  rule.tos = number<std::uint8_t>(text);
  if (!rule.tos) rule.unmodelled.push_back(fmt::format("tos {}", text));
}

bool set_mark(PolicyRule& rule, std::string_view mark, std::string_view mask) {
  rule.fwmark = number<std::uint32_t>(mark);
  rule.fwmask = number<std::uint32_t>(mask).value_or(0xffffffff);
  return rule.fwmark && (mask.empty() || number<std::uint32_t>(mask));
}

struct Ports {
  std::optional<std::uint16_t> first, last;
};

// "80", "80-90"; not "0x50/0xf0"
std::optional<Ports> ports_of(std::string_view text) {
  Ports ports;
  ports.first = number<std::uint16_t>(take_until(text, '-'));
  ports.last = text.empty() ? ports.first : number<std::uint16_t>(text);
  return ports.first && ports.last ? std::optional(ports) : std::nullopt;
}

void set_ports(PolicyRule& rule, bool source, std::string_view text) {
  const auto ports = ports_of(text);
  if (!ports) {
    rule.unmodelled.push_back(fmt::format("{} {}", source ? "sport" : "dport", text));
    return;
  }
  (source ? rule.sport_first : rule.dport_first) = ports->first;
  (source ? rule.sport_last : rule.dport_last) = ports->last;
}

// --- the text ------------------------------------------------------------------------------------

class RuleLine {
 public:
  RuleLine(const SourceText& text, Span line, Family family, ReadLog& log)
      : text_(text), words_(text, line), log_(log) {
    rule_.family = family;
  }

  // Reads the line; its state when it is no rule is Ignored or Unrecognised.
  LineState read();
  PolicyRule take() { return std::move(rule_); }

 private:
  void priority();
  bool selector(std::string_view word);
  bool verdict(std::string_view word);
  bool skipped(std::string_view word);
  bool unmodelled(std::string_view word);
  void prefix(bool from);
  void mark();
  void lookup();
  void suppress();
  void odd(std::string_view expected) { report_odd_word(text_, words_.last(), expected, kOddHint, log_); }

  const SourceText& text_;
  Words words_;
  ReadLog& log_;
  PolicyRule rule_;
  bool decided_ = false;  // the rule says what it does
};

LineState RuleLine::read() {
  if (words_.done()) return LineState::Ignored;
  priority();
  while (!words_.done() && !words_.faulty()) {
    const std::string_view word = words_.next();
    if (selector(word) || verdict(word) || skipped(word) || unmodelled(word)) continue;
    rule_.unmodelled.emplace_back(word);
    odd("a selector or an action of a rule");
  }
  if (!words_.faulty() && !decided_) {
    words_.next();
    words_.fault("'lookup' or another action");
  }
  if (words_.faulty()) return report_fault(text_, words_, kHint, log_);
  return rule_.unmodelled.empty() ? LineState::Modelled : LineState::Unmodelled;
}

// "32766:"
void RuleLine::priority() {
  std::string_view word = words_.next();
  const bool colon = word.ends_with(':');
  if (colon) word.remove_suffix(1);
  const auto priority = number<std::uint32_t>(word);
  if (!colon || !priority) words_.fault("a rule's priority and ':'");
  rule_.priority = priority.value_or(0);
}

bool RuleLine::selector(std::string_view word) {
  if (word == "not") {
    rule_.inverted = true;
  } else if (word == "from" || word == "to") {
    prefix(word == "from");
  } else if (word == "iif") {
    rule_.iif = words_.value("a device");
  } else if (word == "oif") {
    rule_.oif = words_.value("a device");
  } else if (word == "fwmark") {
    mark();
  } else if (word == "tos") {
    set_tos(rule_, words_.value("a TOS"));
  } else if (word == "ipproto") {
    set_protocol(rule_, words_.value("a protocol"));
  } else if (word == "sport" || word == "dport") {
    set_ports(rule_, word == "sport", words_.value("a port"));
  } else {
    return false;
  }
  return true;
}

bool RuleLine::verdict(std::string_view word) {
  if (word == "lookup" || word == "table") {
    lookup();
  } else if (word == "goto") {
    if (!set_goto(rule_, words_.value("a rule's priority"))) words_.fault("a rule's priority");
  } else if (word == "suppress_prefixlength") {
    suppress();
    return true;
  } else if (!set_action(rule_, word)) {
    return false;
  }
  decided_ = true;
  return true;
}

// Who made the rule, its routing realm, and devices or targets that are not there now.
bool RuleLine::skipped(std::string_view word) {
  if (word == "proto" || word == "protocol" || word == "realms") {
    words_.value("a value");
    return true;
  }
  return word == "[detached]" || word == "[unresolved]";
}

bool RuleLine::unmodelled(std::string_view word) {
  constexpr std::array<std::string_view, 6> kWithValue{"uidrange", "suppress_ifgroup", "tun_id",
                                                       "dscp",     "flowlabel",        "map-to"};
  for (const std::string_view known : kWithValue) {
    if (word != known) continue;
    rule_.unmodelled.push_back(fmt::format("{} {}", word, words_.value("a value")));
    decided_ = decided_ || word == "map-to";
    return true;
  }
  if (word != "masquerade" && word != "l3mdev") return false;
  rule_.unmodelled.emplace_back(word);
  return decided_ = true;
}

void RuleLine::prefix(bool from) {
  if (!set_prefix(rule_, from, words_.value("a prefix or 'all'"))) words_.fault("a prefix or 'all'");
}

void RuleLine::mark() {
  std::string_view mask = words_.value("a mark");
  const std::string_view mark = take_until(mask, '/');
  if (!set_mark(rule_, mark, mask)) words_.fault("a mark");
}

void RuleLine::lookup() {
  const std::string_view table = words_.value("a routing table");
  if (words_.faulty()) return;
  if (table == "[l3mdev-table]") {
    rule_.unmodelled.push_back("l3mdev");
  } else if (!set_table(rule_, table)) {
    odd("the number of a routing table");
  }
}

void RuleLine::suppress() {
  const auto length = number<std::uint32_t>(words_.value("a prefix length"));
  if (!length || *length > 128) words_.fault("a prefix length");
  rule_.suppress_prefixlength = static_cast<int>(length.value_or(0));
}

// --- JSON ----------------------------------------------------------------------------------------

std::string joined(const Json& object, const char* first, char separator, const char* second) {
  std::string text(json_text(object, first));
  if (const auto more = json_number(object, second)) text += fmt::format("{}{}", separator, *more);
  return text;
}

void read_ports(const Json& object, bool source, PolicyRule& rule) {
  const char* single = source ? "sport" : "dport";
  if (const auto port = json_number(object, single)) {
    const bool masked = json_member(object, source ? "sport_mask" : "dport_mask") != nullptr;
    set_ports(rule, source, fmt::format("{}{}", *port, masked ? "/mask" : ""));
  }
  const auto first = json_number(object, source ? "sport_start" : "dport_start");
  const auto last = json_number(object, source ? "sport_end" : "dport_end");
  if (first && last) set_ports(rule, source, fmt::format("{}-{}", *first, *last));
}

void read_selectors(const Json& object, PolicyRule& rule) {
  rule.inverted = json_member(object, "not") != nullptr;
  rule.iif = json_text(object, "iif");
  rule.oif = json_text(object, "oif");
  if (json_member(object, "tos")) set_tos(rule, json_text(object, "tos"));
  if (json_member(object, "ipproto")) set_protocol(rule, json_text(object, "ipproto"));
  read_ports(object, true, rule);
  read_ports(object, false, rule);
  if (const auto length = json_number(object, "suppress_prefixlen")) {
    rule.suppress_prefixlength = static_cast<int>(*length);
  }
  for (const char* key : {"uid_start", "suppress_ifgroup", "tun_id", "dscp", "flowlabel", "l3mdev"}) {
    if (json_member(object, key)) rule.unmodelled.emplace_back(key);
  }
}

bool read_verdict(const Json& object, PolicyRule& rule) {
  bool decided = json_member(object, "l3mdev") != nullptr;
  if (json_member(object, "table")) {
    set_table(rule, json_text(object, "table"));
    decided = true;
  }
  if (json_member(object, "nop")) decided = set_action(rule, "nop");
  if (json_member(object, "action")) decided = set_action(rule, json_text(object, "action"));
  if (json_member(object, "nat_gateway") || json_member(object, "masquerade")) {
    rule.unmodelled.emplace_back("nat");
    decided = true;
  }
  if (!json_member(object, "goto")) return decided;
  const auto target = json_number(object, "goto");
  return set_goto(rule, target ? std::to_string(*target) : std::string(json_text(object, "goto")));
}

std::optional<PolicyRule> rule_of_json(const Json& object, Family family, std::string_view& expected) {
  PolicyRule rule;
  rule.family = family;
  const auto priority = json_number(object, "priority");
  expected = "a rule's priority";
  if (!priority || *priority > 0xffffffff) return std::nullopt;
  rule.priority = static_cast<std::uint32_t>(*priority);
  expected = "a rule's prefixes and mark";
  if (!set_prefix(rule, true, joined(object, "src", '/', "srclen"))) return std::nullopt;
  if (json_member(object, "dst") && !set_prefix(rule, false, joined(object, "dst", '/', "dstlen")))
    return std::nullopt;
  if (json_member(object, "fwmark") &&
      !set_mark(rule, json_text(object, "fwmark"), json_text(object, "fwmask"))) {
    return std::nullopt;
  }
  read_selectors(object, rule);
  expected = "a rule's action";
  return read_verdict(object, rule) ? std::optional(std::move(rule)) : std::nullopt;
}

}  // namespace

std::vector<Sourced<PolicyRule>> read_ip_rule(const SourceText& text, Family family, ReadLog& log) {
  std::vector<Sourced<PolicyRule>> rules;
  for (const Span line : lines_of(text.bytes)) {
    RuleLine rule(text, line, family, log);
    const LineState state = rule.read();
    log.lines.count(state);
    if (state == LineState::Modelled || state == LineState::Unmodelled) {
      rules.push_back({rule.take(), text.provenance(line)});
    }
  }
  return rules;
}

std::vector<Sourced<PolicyRule>> read_ip_rule_json(const SourceText& text, Family family, ReadLog& log) {
  return read_json_rows<PolicyRule>(text, kHint, log,
                                    [family](const Json& object, std::string_view& expected) {
                                      return rule_of_json(object, family, expected);
                                    });
}

}  // namespace dvrtrace
