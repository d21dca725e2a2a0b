#include "collectors/iptables_rule.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "collectors/iptables_target.h"
#include "src/base/text.h"

namespace dvrtrace::iptables {
namespace {

// Reads one rule, left to right. Every reader of an option takes its value from value().
class RuleReader {
 public:
  RuleReader(std::string_view options, Family family) : rest_(options), family_(family) {}

  Read<kernel::IptablesRule> read();

  // Options that every rule may have.
  void source() { address(true); }
  void destination() { address(false); }
  void in_device() { device(true); }
  void out_device() { device(false); }
  void protocol();
  void fragment() { push(kernel::FragmentMatch{inverted_}); }
  void counters();
  void nothing() {}
  void ignore_value() { value(); }
  void load();
  void jump() { target(false); }
  void go() { target(true); }

  // Options of match extensions.
  void source_port() { port(true); }
  void destination_port() { port(false); }
  void source_ports() { ports(true, false); }
  void destination_ports() { ports(false, true); }
  void either_ports() { ports(true, true); }
  void tcp_flags_of();
  void syn() { push(kernel::TcpFlagsMatch{inverted_, 0x17, 0x02}); }
  void icmp();
  void ct_state();
  void mark() { mark_of(false); }
  void connection_mark() { mark_of(true); }
  void mac();
  void physdev_in();
  void physdev_out();
  void physdev_is_in() { last<kernel::PhysdevMatch>().is_in = !inverted_; }
  void physdev_is_out() { last<kernel::PhysdevMatch>().is_out = !inverted_; }
  void physdev_is_bridged() { last<kernel::PhysdevMatch>().is_bridged = !inverted_; }
  void set();
  void source_type();
  void destination_type();
  void limit_iface_in() { last<kernel::AddrtypeMatch>().limit_iface_in = true; }
  void limit_iface_out() { last<kernel::AddrtypeMatch>().limit_iface_out = true; }
  void source_range() { range(true); }
  void destination_range() { range(false); }
  void comment() { push(kernel::CommentMatch{unquoted(value())}); }
  void limit_rate();
  void limit_burst();
  void rpfilter_inverted() { last<kernel::RpfilterMatch>().inverted = true; }

 private:
  struct Module {
    std::string_view name;     // as written
    std::string_view grammar;  // whose options it has: "udp" has those of "tcp"
    bool known = true;
    std::optional<std::size_t> unmodelled;  // its UnmodelledMatch, once it has one
  };
  struct Option {
    std::string_view grammar, name;
    void (RuleReader::*read)();
  };
  static const Option kBase[];
  static const Option kExtensions[];
  static std::string_view grammar_of(std::string_view module);
  static const Option* base_option(std::string_view word);

  void read_word();
  bool read_extension_option();
  void unknown_option();
  void unknown_in(Module& module);
  void load_module(std::string_view name);
  void add_target_option();
  std::string_view peek() const;
  std::string_view value();
  std::string_view all_values();
  void fail(std::string_view word, std::string expected);

  void address(bool source);
  void device(bool in);
  void port(bool source);
  void ports(bool source, bool destination);
  void mark_of(bool connection);
  void range(bool source);
  void target(bool go);

  void push(kernel::Match match) { rule_.matches.push_back(std::move(match)); }
  // The match that an extension of several options fills, made when -m loads it.
  template <class T>
  T& last();

  std::string_view rest_;
  Family family_;
  kernel::IptablesRule rule_;
  std::vector<Module> modules_;
  std::size_t modules_before_target_ = 0;
  TargetText target_;
  std::string_view option_;  // the word that is being read
  bool inverted_ = false;
  std::string_view limit_rate_, limit_burst_;
  std::optional<Fault> fault_;
};

using R = RuleReader;

const R::Option R::kBase[] = {
    {"", "-s", &R::source},
    {"", "--source", &R::source},
    {"", "--src", &R::source},
    {"", "-d", &R::destination},
    {"", "--destination", &R::destination},
    {"", "--dst", &R::destination},
    {"", "-i", &R::in_device},
    {"", "--in-interface", &R::in_device},
    {"", "-o", &R::out_device},
    {"", "--out-interface", &R::out_device},
    {"", "-p", &R::protocol},
    {"", "--protocol", &R::protocol},
    {"", "--proto", &R::protocol},
    {"", "-f", &R::fragment},
    {"", "--fragment", &R::fragment},
    {"", "-c", &R::counters},
    {"", "--set-counters", &R::counters},
    {"", "-4", &R::nothing},
    {"", "--ipv4", &R::nothing},
    {"", "-6", &R::nothing},
    {"", "--ipv6", &R::nothing},
    {"", "-m", &R::load},
    {"", "--match", &R::load},
    {"", "-j", &R::jump},
    {"", "--jump", &R::jump},
    {"", "-g", &R::go},
    {"", "--goto", &R::go},
};

const R::Option R::kExtensions[] = {
    {"tcp", "--sport", &R::source_port},
    {"tcp", "--source-port", &R::source_port},
    {"tcp", "--dport", &R::destination_port},
    {"tcp", "--destination-port", &R::destination_port},
    {"tcp", "--tcp-flags", &R::tcp_flags_of},
    {"tcp", "--syn", &R::syn},
    {"multiport", "--sports", &R::source_ports},
    {"multiport", "--source-ports", &R::source_ports},
    {"multiport", "--dports", &R::destination_ports},
    {"multiport", "--destination-ports", &R::destination_ports},
    {"multiport", "--ports", &R::either_ports},
    {"icmp", "--icmp-type", &R::icmp},
    {"icmp", "--icmpv6-type", &R::icmp},
    {"conntrack", "--ctstate", &R::ct_state},
    {"conntrack", "--state", &R::ct_state},
    {"mark", "--mark", &R::mark},
    {"connmark", "--mark", &R::connection_mark},
    {"mac", "--mac-source", &R::mac},
    {"physdev", "--physdev-in", &R::physdev_in},
    {"physdev", "--physdev-out", &R::physdev_out},
    {"physdev", "--physdev-is-in", &R::physdev_is_in},
    {"physdev", "--physdev-is-out", &R::physdev_is_out},
    {"physdev", "--physdev-is-bridged", &R::physdev_is_bridged},
    {"set", "--match-set", &R::set},
    {"set", "--set", &R::set},
    {"set", "--update-counters", &R::nothing},
    {"set", "--update-subcounters", &R::nothing},
    {"addrtype", "--src-type", &R::source_type},
    {"addrtype", "--dst-type", &R::destination_type},
    {"addrtype", "--limit-iface-in", &R::limit_iface_in},
    {"addrtype", "--limit-iface-out", &R::limit_iface_out},
    {"iprange", "--src-range", &R::source_range},
    {"iprange", "--dst-range", &R::destination_range},
    {"comment", "--comment", &R::comment},
    {"limit", "--limit", &R::limit_rate},
    {"limit", "--limit-burst", &R::limit_burst},
    {"hashlimit", "--hashlimit", &R::limit_rate},
    {"hashlimit", "--hashlimit-upto", &R::limit_rate},
    {"hashlimit", "--hashlimit-burst", &R::limit_burst},
    {"hashlimit", "--hashlimit-mode", &R::ignore_value},
    {"hashlimit", "--hashlimit-name", &R::ignore_value},
    {"hashlimit", "--hashlimit-srcmask", &R::ignore_value},
    {"hashlimit", "--hashlimit-dstmask", &R::ignore_value},
    {"hashlimit", "--hashlimit-htable-size", &R::ignore_value},
    {"hashlimit", "--hashlimit-htable-max", &R::ignore_value},
    {"hashlimit", "--hashlimit-htable-expire", &R::ignore_value},
    {"hashlimit", "--hashlimit-htable-gcinterval", &R::ignore_value},
    {"rpfilter", "--invert", &R::rpfilter_inverted},
};

std::string_view R::grammar_of(std::string_view module) {
  if (module == "udp" || module == "sctp" || module == "dccp" || module == "udplite") return "tcp";
  if (module == "icmp6" || module == "icmpv6" || module == "ipv6-icmp") return "icmp";
  if (module == "state") return "conntrack";
  return module;
}

const R::Option* R::base_option(std::string_view word) {
  const auto found = std::ranges::find(kBase, word, &Option::name);
  return found == std::end(kBase) ? nullptr : found;
}

std::string_view R::peek() const {
  std::string_view rest = rest_;
  return take_token(rest);
}

// The value of an option. Before iptables 1.4.3 the "!" stood here.
std::string_view R::value() {
  std::string_view token = take_token(rest_);
  if (token == "!") {
    inverted_ = !inverted_;
    token = take_token(rest_);
  }
  if (token.empty()) fail({}, fmt::format("a value after {}", option_));
  return token;
}

void R::fail(std::string_view word, std::string expected) {
  if (!fault_) fault_ = Fault{word, std::move(expected)};
}

Read<kernel::IptablesRule> R::read() {
  while (!fault_ && !peek().empty()) read_word();
  if (fault_) return tl::unexpected<Fault>(*fault_);
  auto target = make_target(target_, family_);
  if (!target) return tl::unexpected<Fault>(target.error());
  rule_.target = std::move(*target);
  return std::move(rule_);
}

void R::read_word() {
  option_ = take_token(rest_);
  if (option_ == "!") {
    inverted_ = !inverted_;
    if (peek().empty()) fail({}, "an option after '!'");
    return;
  }
  if (const Option* base = base_option(option_)) {
    (this->*base->read)();
  } else if (!read_extension_option()) {
    unknown_option();
  }
  inverted_ = false;
}

// The extension loaded last is asked first. Behind -j only those loaded there are: the other
// options are the target's, and CONNMARK's --mark is not connmark's.
bool R::read_extension_option() {
  const auto read_as = [&](std::string_view grammar) {
    for (const Option& option : kExtensions) {
      if (option.name != option_ || option.grammar != grammar) continue;
      (this->*option.read)();
      return true;
    }
    return false;
  };
  for (std::size_t i = modules_.size(); i > modules_before_target_; --i) {
    if (!modules_[i - 1].known) return false;  // it may be one of its own
    if (read_as(modules_[i - 1].grammar)) return true;
  }
  if (!target_.name.empty()) return false;
  return read_as("tcp") || read_as("icmp");
}

void R::unknown_option() {
  if (!target_.name.empty() && modules_.size() == modules_before_target_) {
    add_target_option();
  } else if (modules_.empty()) {
    const std::string_view values = all_values();
    push(kernel::UnmodelledMatch{
        fmt::format("{}{}{}{}", inverted_ ? "! " : "", option_, values.empty() ? "" : " ", values)});
  } else {
    unknown_in(modules_.back());
  }
}

void R::unknown_in(Module& module) {
  if (!module.unmodelled) {
    module.unmodelled = rule_.matches.size();
    push(kernel::UnmodelledMatch{fmt::format("-m {}", module.name)});
  }
  const std::string_view values = all_values();
  std::string& text = std::get<kernel::UnmodelledMatch>(rule_.matches[*module.unmodelled]).text;
  text += fmt::format(" {}{}{}{}", inverted_ ? "! " : "", option_, values.empty() ? "" : " ", values);
}

void R::add_target_option() {
  const std::string_view values = all_values();
  target_.options.push_back({option_, values});
  target_.whole = {target_.name.data(), static_cast<std::size_t>(rest_.data() - target_.name.data())};
  if (inverted_) target_.options.push_back({"!", {}});  // no target knows one
}

// What follows an unknown option up to the next one.
std::string_view R::all_values() {
  const char *begin = nullptr, *end = nullptr;
  for (std::string_view next = peek(); !next.empty(); next = peek()) {
    const bool option = next == "!" || (next.size() > 1 && next[0] == '-' && !is_digit(next[1]));
    if (option) break;
    take_token(rest_);
    if (begin == nullptr) begin = next.data();
    end = next.data() + next.size();
  }
  return begin == nullptr ? std::string_view{}
                          : std::string_view(begin, static_cast<std::size_t>(end - begin));
}

void R::load() {
  const std::string_view name = value();
  if (!fault_) load_module(name);
}

void R::load_module(std::string_view name) {
  Module module{name, grammar_of(name), true, {}};
  if (module.grammar == "physdev") push(kernel::PhysdevMatch{});
  if (module.grammar == "addrtype") push(kernel::AddrtypeMatch{});
  if (module.grammar == "rpfilter") push(kernel::RpfilterMatch{});
  if (module.grammar == "limit") push(kernel::LimitMatch{limit_text({}, {})});
  module.known = std::ranges::find(kExtensions, module.grammar, &Option::grammar) != std::end(kExtensions);
  if (!module.known) {
    module.unmodelled = rule_.matches.size();
    push(kernel::UnmodelledMatch{fmt::format("-m {}", name)});
  }
  modules_.push_back(module);
}

template <class T>
T& R::last() {
  for (std::size_t i = rule_.matches.size(); i > 0; --i) {
    if (T* match = std::get_if<T>(&rule_.matches[i - 1])) return *match;
  }
  push(T{});
  return std::get<T>(rule_.matches.back());
}

void R::target(bool go) {
  const std::string_view name = value();
  target_ = {.name = name, .options = {}, .whole = name, .go = go};
  modules_before_target_ = modules_.size();
}

void R::address(bool source) {
  const std::string_view word = value();
  if (fault_) return;
  if (auto match = address_match(word, source, inverted_, family_)) push(std::move(*match));
}

void R::device(bool in) {
  const std::string name = unquoted(value());
  // "-i +" is every device; iptables does not print it, people write it.
  if (name != "+" || inverted_) push(kernel::DeviceMatch{in, inverted_, name});
}

void R::protocol() {
  const std::string_view word = value();
  if (fault_) return;
  const auto protocol = protocol_number(word);
  if (!protocol) {
    push(kernel::UnmodelledMatch{fmt::format("{}-p {}", inverted_ ? "! " : "", word)});
  } else if (*protocol != 0) {
    push(kernel::ProtocolMatch{inverted_, *protocol});
  } else if (inverted_) {
    fail(word, "a protocol other than all after '!'");
  }
}

void R::counters() {
  const std::string_view packets = value(), bytes = value();
  if (fault_) return;
  rule_.packets = number(packets);
  rule_.bytes = number(bytes);
  if (!rule_.packets) fail(packets, "a number of packets");
  if (!rule_.bytes) fail(bytes, "a number of bytes");
}

void R::port(bool source) {
  const std::string_view word = value();
  if (fault_) return;
  if (const auto range = port_range(word, ':')) {
    push(kernel::PortMatch{source, !source, inverted_, {*range}});
  } else {
    fail(word, "a port or a range of ports");
  }
}

void R::ports(bool source, bool destination) {
  const std::string_view word = value();
  if (fault_) return;
  if (auto list = port_list(word)) {
    push(kernel::PortMatch{source, destination, inverted_, std::move(*list)});
  } else {
    fail(word, "ports");
  }
}

void R::tcp_flags_of() {
  const std::string_view mask_word = value(), flags_word = value();
  if (fault_) return;
  const auto mask = tcp_flags(mask_word), flags = tcp_flags(flags_word);
  if (!mask) return fail(mask_word, "TCP flags");
  if (!flags) return fail(flags_word, "TCP flags");
  push(kernel::TcpFlagsMatch{inverted_, *mask, *flags});
}

void R::icmp() {
  const std::string_view word = value();
  if (fault_) return;
  auto match = icmp_type(word, family_);
  if (!match) return fail(word, "an ICMP type");
  match->inverted = inverted_;
  push(*match);
}

void R::ct_state() {
  const std::string_view word = value();
  if (fault_) return;
  const auto states = ct_states(word);
  if (!states) return fail(word, "connection states");
  push(kernel::CtStateMatch{inverted_, *states});
}

void R::mark_of(bool connection) {
  const std::string_view word = value();
  if (fault_) return;
  const auto mark = masked_value(word);
  if (!mark) return fail(word, "a mark");
  push(kernel::MarkMatch{connection, inverted_, mark->value, mark->mask});
}

void R::mac() {
  const std::string_view word = value();
  if (fault_) return;
  const auto mac = parse_mac(word);
  if (!mac) return fail(word, "a MAC address");
  push(kernel::MacMatch{inverted_, *mac});
}

void R::physdev_in() {
  const std::string_view word = value();
  auto& match = last<kernel::PhysdevMatch>();
  match.in = unquoted(word);
  match.in_inverted = inverted_;
}

void R::physdev_out() {
  const std::string_view word = value();
  auto& match = last<kernel::PhysdevMatch>();
  match.out = unquoted(word);
  match.out_inverted = inverted_;
}

// "! --hashlimit-upto" is true beyond the limit.
void R::limit_rate() {
  if (inverted_) return unknown_in(modules_.back());
  limit_rate_ = value();
  last<kernel::LimitMatch>().text = limit_text(limit_rate_, limit_burst_);
}

void R::limit_burst() {
  limit_burst_ = value();
  last<kernel::LimitMatch>().text = limit_text(limit_rate_, limit_burst_);
}

void R::set() {
  const std::string_view name = value(), dimensions_word = value();
  if (fault_) return;
  auto dimensions = set_dimensions(dimensions_word);
  if (!dimensions) return fail(dimensions_word, "src or dst for each dimension of the set");
  push(kernel::SetMatch{inverted_, unquoted(name), std::move(*dimensions)});
}

void R::source_type() {
  const std::string_view word = value();
  auto& match = last<kernel::AddrtypeMatch>();
  match.source_type = word;
  match.source_inverted = inverted_;
}

void R::destination_type() {
  const std::string_view word = value();
  auto& match = last<kernel::AddrtypeMatch>();
  match.destination_type = word;
  match.destination_inverted = inverted_;
}

void R::range(bool source) {
  const std::string_view word = value();
  if (fault_) return;
  auto match = ip_range(word);
  if (!match) return fail(word, "a range of addresses");
  match->source = source;
  match->inverted = inverted_;
  push(*match);
}

}  // namespace

std::string_view take_token(std::string_view& text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  if (!text.starts_with('"')) return take_word(text);
  std::size_t end = 1;
  while (end < text.size() && text[end] != '"') end += text[end] == '\\' ? 2 : 1;
  end = std::min(end + 1, text.size());
  const std::string_view token = text.substr(0, end);
  text.remove_prefix(end);
  return token;
}

std::string unquoted(std::string_view token) {
  if (!token.starts_with('"')) return std::string(token);
  token.remove_prefix(1);
  std::string text;
  for (std::size_t i = 0; i < token.size() && token[i] != '"'; ++i) {
    if (token[i] == '\\' && i + 1 < token.size()) ++i;
    text += token[i];
  }
  return text;
}

// The kernel's defaults are what iptables-save leaves out.
std::string limit_text(std::string_view rate, std::string_view burst) {
  return fmt::format("{} burst {}", rate.empty() ? "3/hour" : rate, burst.empty() ? "5" : burst);
}

Read<kernel::IptablesRule> read_rule(std::string_view options, Family family) {
  return RuleReader(options, family).read();
}

}  // namespace dvrtrace::iptables
