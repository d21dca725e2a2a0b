#include "collectors/iptables_phrases.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>

#include "collectors/iptables_rule.h"
#include "collectors/iptables_target.h"
#include "collectors/iptables_words.h"
#include "src/base/text.h"

namespace dvrtrace::iptables {
namespace {

// Readers of phrases get the text behind the phrase's first word. They say whether the phrase was
// theirs and could be read; if not, what they took and added is put back.
class PhraseReader {
 public:
  PhraseReader(std::string_view tail, std::string_view target, Family family, kernel::IptablesRule& rule)
      : rest_(tail), target_(target), kind_(target_kind(target)), family_(family), rule_(rule) {}

  void read();

  // Phrases of matches.
  bool nothing() { return true; }
  bool go();
  bool source_port() { return port(true); }
  bool destination_port() { return port(false); }
  bool multiport();
  bool flags();
  bool icmp();
  bool icmp_number();
  bool state();
  bool conntrack();
  bool mark() { return mark_of(false); }
  bool connection_mark() { return mark_of(true); }
  bool mac();
  bool physdev();
  bool set();
  bool addrtype();
  bool source_range() { return range(true); }
  bool destination_range() { return range(false); }
  bool limit();
  bool rpfilter();
  bool packet_type();
  bool policy();

  // Phrases of targets.
  bool reject();
  bool nat();
  bool netmap();
  bool port_nat();
  bool random();
  bool set_mark();
  bool set_connection_mark();
  bool connection_tracking();

 private:
  struct Phrase {
    std::string_view word;  // with a final ':' or '=', only the beginning of a word
    bool (PhraseReader::*read)();
  };
  struct TargetPhrase {
    std::string_view target, word;
    bool (PhraseReader::*read)();
  };
  static const Phrase kMatches[];
  static const TargetPhrase kTargets[];

  void read_one();
  bool read_match();
  bool read_target();
  bool read_comment();
  template <class Reader>
  bool attempt(std::string_view word, Reader reader);
  void unknown();
  std::size_t target_begins() const;
  void finish_target();

  std::string_view peek() const;
  std::string_view next() { return take_token(rest_); }
  std::string_view next_value();
  bool expect(std::string_view word);
  template <class T>
  bool push(std::optional<T> match);

  bool port(bool source);
  bool mark_of(bool connection);
  bool range(bool source);
  bool physdev_option(kernel::PhysdevMatch& match);
  bool addrtype_option(kernel::AddrtypeMatch& match);
  bool copy_connection_mark(kernel::ConnMark::Operation operation);
  bool tracking_option(kernel::Ct& ct);

  std::string_view rest_;
  std::string_view target_;
  TargetKind kind_;
  Family family_;
  kernel::IptablesRule& rule_;
  std::string_view word_;   // the phrase's first word
  std::string_view value_;  // what follows its ':'
  bool inverted_ = false;
  bool goes_ = false;
  std::optional<kernel::Target> said_;  // the target, once its phrase was read
};

using R = PhraseReader;

const R::Phrase R::kMatches[] = {
    {"[goto]", &R::go},
    {"tcp", &R::nothing},
    {"udp", &R::nothing},
    {"sctp", &R::nothing},
    {"dccp", &R::nothing},
    {"udplite", &R::nothing},
    {"spt:", &R::source_port},
    {"spts:", &R::source_port},
    {"dpt:", &R::destination_port},
    {"dpts:", &R::destination_port},
    {"flags:", &R::flags},
    {"multiport", &R::multiport},
    {"icmp", &R::icmp},
    {"ipv6-icmp", &R::icmp},
    {"icmptype", &R::icmp_number},
    {"ipv6-icmptype", &R::icmp_number},
    {"state", &R::state},
    {"ctstate", &R::state},
    {"ctproto", &R::conntrack},
    {"ctorigsrc", &R::conntrack},
    {"ctorigdst", &R::conntrack},
    {"ctreplsrc", &R::conntrack},
    {"ctrepldst", &R::conntrack},
    {"ctorigsrcport", &R::conntrack},
    {"ctorigdstport", &R::conntrack},
    {"ctreplsrcport", &R::conntrack},
    {"ctrepldstport", &R::conntrack},
    {"ctstatus", &R::conntrack},
    {"ctexpire", &R::conntrack},
    {"ctdir", &R::conntrack},
    {"mark", &R::mark},
    {"MARK", &R::mark},
    {"connmark", &R::connection_mark},
    {"CONNMARK", &R::connection_mark},
    {"MAC", &R::mac},
    {"PHYSDEV", &R::physdev},
    {"match-set", &R::set},
    {"ADDRTYPE", &R::addrtype},
    {"source", &R::source_range},
    {"destination", &R::destination_range},
    {"limit:", &R::limit},
    {"rpfilter", &R::rpfilter},
    {"PKTTYPE", &R::packet_type},
    {"policy", &R::policy},
};

const R::TargetPhrase R::kTargets[] = {
    {"REJECT", "reject-with", &R::reject},
    {"DNAT", "to:", &R::nat},
    {"SNAT", "to:", &R::nat},
    {"DNAT", "random", &R::random},
    {"SNAT", "random", &R::random},
    {"DNAT", "random-fully", &R::random},
    {"SNAT", "random-fully", &R::random},
    {"DNAT", "persistent", &R::random},
    {"SNAT", "persistent", &R::random},
    {"NETMAP", "to:", &R::netmap},
    {"REDIRECT", "redir", &R::port_nat},
    {"REDIRECT", "random", &R::random},
    {"REDIRECT", "random-fully", &R::random},
    {"MASQUERADE", "masq", &R::port_nat},
    {"MASQUERADE", "random", &R::random},
    {"MASQUERADE", "random-fully", &R::random},
    {"MARK", "MARK", &R::set_mark},
    {"CONNMARK", "CONNMARK", &R::set_connection_mark},
    {"CT", "CT", &R::connection_tracking},
    {"NOTRACK", "CT", &R::connection_tracking},
    {"NOTRACK", "NOTRACK", &R::nothing},
};

// Whether `word` begins the phrase that `name` names.
bool begins(std::string_view word, std::string_view name) {
  const bool open = name.ends_with(':');
  return open ? word.starts_with(name) : word == name;
}

std::string_view R::peek() const {
  std::string_view rest = rest_;
  return take_token(rest);
}

// A value with the '!' that may stand before it, apart or attached.
std::string_view R::next_value() {
  std::string_view word = next();
  if (word == "!") {
    inverted_ = !inverted_;
    return next();
  }
  if (consume(word, "!")) inverted_ = !inverted_;
  return word;
}

bool R::expect(std::string_view word) { return next() == word; }

template <class T>
bool R::push(std::optional<T> match) {
  if (!match) return false;
  rule_.matches.push_back(std::move(*match));
  return true;
}

void R::read() {
  while (!peek().empty()) read_one();
  finish_target();
}

void R::read_one() {
  inverted_ = false;
  const std::string_view before = rest_;
  if (peek() == "!") {
    next();
    inverted_ = true;
  }
  if (read_comment() || read_target() || read_match()) return;
  rest_ = before;
  unknown();
}

template <class Reader>
bool R::attempt(std::string_view name, Reader reader) {
  const std::string_view before = rest_;
  const std::size_t matches = rule_.matches.size();
  const bool inverted = inverted_;
  word_ = next();
  value_ = name.ends_with(':') ? word_.substr(name.size()) : std::string_view{};
  if ((this->*reader)()) return true;
  rest_ = before;
  inverted_ = inverted;
  rule_.matches.resize(matches);
  return false;
}

bool R::read_match() {
  const std::string_view word = peek();
  for (const Phrase& phrase : kMatches) {
    if (begins(word, phrase.word)) return attempt(phrase.word, phrase.read);
  }
  // Releases before 1.4.20 print "MACfa:16:3e:00:00:01".
  return word.starts_with("MAC") && attempt(word, &R::mac);
}

bool R::read_target() {
  const std::string_view word = peek();
  for (const TargetPhrase& phrase : kTargets) {
    if (phrase.target == target_ && begins(word, phrase.word)) return attempt(phrase.word, phrase.read);
  }
  return false;
}

bool R::read_comment() {
  if (peek() != "/*") return false;
  const std::string_view from = rest_.substr(rest_.find("/*") + 2);
  const std::size_t end = from.find(" */");
  if (end == std::string_view::npos) return false;
  rule_.matches.push_back(kernel::CommentMatch{std::string(end == 0 ? "" : from.substr(1, end - 1))});
  rest_ = from.substr(end + 3);
  return true;
}

// Which words belong to an unknown phrase cannot be told. Reading on behind it could take its
// words for another match, and a rule that seems not to match is worse than one that says it is
// not understood.
void R::unknown() {
  const std::size_t end = std::min(rest_.size(), target_begins());
  const std::string_view text = trim(rest_.substr(0, end));
  rest_.remove_prefix(end);
  if (kind_ == TargetKind::Harmless) return;
  if (kind_ == TargetKind::Unmodelled) {
    // Some targets repeat their name there: "TPROXY redirect 0.0.0.0:0".
    said_ = kernel::UnmodelledTarget{text.starts_with(target_) ? std::string(text)
                                                               : fmt::format("{} {}", target_, text)};
  } else {
    rule_.matches.push_back(kernel::UnmodelledMatch{std::string(text)});
  }
}

// Where the target's own phrase begins behind an unknown one: its last occurrence.
std::size_t R::target_begins() const {
  std::size_t begin = std::string_view::npos;
  std::string_view ahead = rest_;
  take_token(ahead);
  while (true) {
    const std::string_view word = take_token(ahead);
    if (word.empty()) return begin;
    const auto own = [&](const TargetPhrase& phrase) {
      return phrase.target == target_ && phrase.read != &R::random && begins(word, phrase.word);
    };
    if (std::ranges::any_of(kTargets, own)) begin = static_cast<std::size_t>(word.data() - rest_.data());
  }
}

void R::finish_target() {
  if (goes_) {
    rule_.target = kernel::Jump{std::string(target_), true};
  } else if (said_) {
    rule_.target = std::move(*said_);
  } else if (target_ == "REJECT") {
    rule_.target = kernel::Reject{std::string(default_reject(family_))};
  } else {
    // The name alone says it all, or what it does not say (where DNAT goes) is lost.
    auto target = make_target({.name = target_, .options = {}, .whole = target_}, family_);
    rule_.target = target ? std::move(*target) : kernel::UnmodelledTarget{std::string(target_)};
  }
}

bool R::go() {
  goes_ = true;
  return true;
}

// "dpt:80", "dpts:!80:90"
bool R::port(bool source) {
  if (consume(value_, "!")) inverted_ = !inverted_;
  const auto ports = port_range(value_, ':');
  if (!ports) return false;
  return push(std::optional(kernel::PortMatch{source, !source, inverted_, {*ports}}));
}

bool R::multiport() {
  const std::string_view which = next();
  auto ports = port_list(next_value());
  if (!ports || (which != "sports" && which != "dports" && which != "ports")) return false;
  return push(
      std::optional(kernel::PortMatch{which != "dports", which != "sports", inverted_, std::move(*ports)}));
}

// "flags:0x17/0x02", "flags:!SYN,RST,ACK/SYN"
bool R::flags() {
  if (consume(value_, "!")) inverted_ = !inverted_;
  const auto mask = tcp_flags(take_until(value_, '/')), set = tcp_flags(value_);
  if (!mask || !set) return false;
  return push(std::optional(kernel::TcpFlagsMatch{inverted_, *mask, *set}));
}

// "icmp type 8", "icmp !type 8 code 0", and without -n "icmp echo-request"
bool R::icmp() {
  const std::string_view word = next_value();
  if (word == "type") return icmp_number();
  auto match = icmp_type(word, family_);
  if (match) match->inverted = inverted_;
  return push(match);
}

// "8", "8 code 0", "3 codes 0-5"
bool R::icmp_number() {
  auto match = icmp_type(next(), family_);
  if (!match) return false;
  match->inverted = inverted_;
  if (peek() == "code" || peek() == "codes") {
    next();
    std::string_view codes = next();
    const auto first = number<std::uint8_t>(take_until(codes, '-'));
    const auto last = codes.empty() ? first : number<std::uint8_t>(codes);
    if (!first || !last) return false;
    if (match->any) *match = {.inverted = inverted_, .type = 255};
    match->code_first = *first;
    match->code_last = *last;
  }
  return push(match);
}

bool R::state() {
  const auto states = ct_states(next_value());
  if (!states) return false;
  return push(std::optional(kernel::CtStateMatch{inverted_, *states}));
}

// Parts of -m conntrack that are not modelled, in the spelling of iptables-save.
bool R::conntrack() {
  constexpr std::string_view kModule = "-m conntrack";
  const std::string part = fmt::format(" {}--{} {}", inverted_ ? "! " : "", word_, next());
  auto* before =
      rule_.matches.empty() ? nullptr : std::get_if<kernel::UnmodelledMatch>(&rule_.matches.back());
  if (before != nullptr && before->text.starts_with(kModule)) {
    before->text += part;
    return true;
  }
  return push(std::optional(kernel::UnmodelledMatch{std::string(kModule) + part}));
}

bool R::mark_of(bool connection) {
  if (!expect("match")) return false;
  const auto mark = masked_value(next_value());
  if (!mark) return false;
  return push(std::optional(kernel::MarkMatch{connection, inverted_, mark->value, mark->mask}));
}

bool R::mac() {
  std::string_view attached = word_.substr(3);
  if (consume(attached, "!")) inverted_ = !inverted_;
  const auto mac = parse_mac(attached.empty() ? next_value() : attached);
  if (!mac) return false;
  return push(std::optional(kernel::MacMatch{inverted_, *mac}));
}

bool R::physdev() {
  if (!expect("match")) return false;
  kernel::PhysdevMatch match;
  while (true) {
    std::string_view ahead = rest_;
    inverted_ = peek() == "!";
    if (inverted_) next();
    if (!peek().starts_with("--physdev-")) {
      rest_ = ahead;  // the '!' is of another match
      break;
    }
    if (!physdev_option(match)) return false;
  }
  return push(std::optional(std::move(match)));
}

bool R::physdev_option(kernel::PhysdevMatch& match) {
  const std::string_view option = next();
  if (option == "--physdev-in" || option == "--physdev-out") {
    const bool in = option == "--physdev-in";
    const std::string_view device = next();
    (in ? match.in : match.out) = device;
    (in ? match.in_inverted : match.out_inverted) = inverted_;
    return !device.empty();
  }
  auto& is = option == "--physdev-is-in"    ? match.is_in
             : option == "--physdev-is-out" ? match.is_out
                                            : match.is_bridged;
  is = !inverted_;
  return option.starts_with("--physdev-is-");
}

bool R::set() {
  const std::string_view name = next();
  auto dimensions = set_dimensions(next());
  if (!dimensions) return false;
  return push(std::optional(kernel::SetMatch{inverted_, std::string(name), std::move(*dimensions)}));
}

bool R::addrtype() {
  if (!expect("match")) return false;
  kernel::AddrtypeMatch match;
  while (addrtype_option(match)) {
  }
  return push(std::optional(std::move(match)));
}

bool R::addrtype_option(kernel::AddrtypeMatch& match) {
  const std::string_view option = peek();
  if (option == "limit-in" || option == "limit-out") {
    (option == "limit-in" ? match.limit_iface_in : match.limit_iface_out) = true;
    next();
    return true;
  }
  const bool source = option == "src-type";
  if (!source && option != "dst-type") return false;
  next();
  inverted_ = false;
  (source ? match.source_type : match.destination_type) = next_value();
  (source ? match.source_inverted : match.destination_inverted) = inverted_;
  return true;
}

bool R::range(bool source) {
  if (!expect("IP") || !expect("range")) return false;
  auto match = ip_range(next_value());
  if (!match) return false;
  match->source = source;
  match->inverted = inverted_;
  return push(match);
}

// "limit: avg 3/hour burst 5", "limit: up to 10/sec burst 5 mode srcip". Above a limit is not
// within it: "limit: above" is left unknown.
bool R::limit() {
  const std::string_view kind = next();
  if (kind != "avg" && (kind != "up" || !expect("to"))) return false;
  const std::string_view rate = next();
  std::string_view burst;
  if (peek() == "burst") {
    next();
    burst = next();
  }
  while (peek() == "mode" || peek().starts_with("htable-") || peek() == "srcmask" || peek() == "dstmask") {
    next();
    next();
  }
  return push(std::optional(kernel::LimitMatch{limit_text(rate, burst)}));
}

bool R::rpfilter() {
  kernel::RpfilterMatch match;
  std::string others;
  while (peek() == "loose" || peek() == "validmark" || peek() == "accept-local" || peek() == "invert") {
    const std::string_view flag = next();
    if (flag == "invert")
      match.inverted = true;
    else
      others += fmt::format(" --{}", flag);
  }
  push(std::optional(match));
  return others.empty() || push(std::optional(kernel::UnmodelledMatch{"-m rpfilter" + others}));
}

// "PKTTYPE = multicast"
bool R::packet_type() {
  const std::string_view relation = next(), type = next();
  if (relation != "=" && relation != "!=") return false;
  return push(std::optional(
      kernel::UnmodelledMatch{fmt::format("-m pkttype {}--pkt-type {}", relation == "=" ? "" : "! ", type)}));
}

// "policy match dir out pol ipsec", as the VPN agent writes it.
bool R::policy() {
  if (!expect("match") || !expect("dir")) return false;
  const std::string_view direction = next();
  if (!expect("pol")) return false;
  const std::string_view policy = next();
  return push(
      std::optional(kernel::UnmodelledMatch{fmt::format("-m policy --dir {} --pol {}", direction, policy)}));
}

bool R::reject() {
  said_ = kernel::Reject{std::string(next())};
  return true;
}

bool R::nat() {
  const auto nat = nat_to(value_, target_ == "DNAT");
  if (nat) said_ = *nat;
  return nat.has_value();
}

bool R::netmap() {
  const auto prefix = parse_prefix(value_);
  if (prefix) said_ = kernel::Netmap{*prefix};
  return prefix.has_value();
}

// "redir ports 9697", "masq ports: 1024-2000"
bool R::port_nat() {
  std::string_view word = next();
  if (word != "ports" && word != "ports:") return false;
  const auto ports = nat_ports(next());
  if (!ports) return false;
  if (target_ == "REDIRECT")
    said_ = kernel::Redirect{*ports};
  else
    said_ = kernel::Masquerade{*ports};
  return true;
}

// Which address or port is chosen is not known either way.
bool R::random() { return true; }

bool R::set_mark() {
  const std::string_view operation = next();
  const auto change = mark_change(operation, next());
  if (change) said_ = kernel::SetMark{change->clear, change->flip};
  return change.has_value();
}

bool R::set_connection_mark() {
  using enum kernel::ConnMark::Operation;
  const std::string_view operation = next();
  if (operation == "save") return copy_connection_mark(Save);
  if (operation == "restore") return copy_connection_mark(Restore);
  const auto change = mark_change(operation, next());
  if (change) said_ = kernel::ConnMark{.clear = change->clear, .flip = change->flip};
  return change.has_value();
}

// "mask 0xffff0000", or "nfmask 0xff ctmask ~0xffff", where the '~' negates nothing: it recalls
// that the second mask clears.
bool R::copy_connection_mark(kernel::ConnMark::Operation operation) {
  kernel::ConnMark copy{.operation = operation};
  while (peek() == "mask" || peek() == "nfmask" || peek() == "ctmask") {
    const std::string_view which = next();
    std::string_view value = next();
    consume(value, "~");
    const auto mask = number<std::uint32_t>(value);
    if (!mask) return false;
    if (which != "ctmask") copy.nfmask = *mask;
    if (which != "nfmask") copy.ctmask = *mask;
  }
  said_ = copy;
  return true;
}

bool R::connection_tracking() {
  kernel::Ct ct;
  ct.notrack = target_ == "NOTRACK";
  while (!peek().empty() && peek() != "!") {
    if (!tracking_option(ct)) return false;
  }
  said_ = std::move(ct);
  return true;
}

bool R::tracking_option(kernel::Ct& ct) {
  const std::string_view option = next();
  if (option == "notrack") {
    ct.notrack = true;
    return true;
  }
  const std::string_view value = next();
  if (option == "helper") ct.helper = value;
  if (option == "zone") ct.zone = number<std::uint16_t>(value);
  return (option == "zone" && ct.zone) || option == "helper" || option == "timeout" || option == "ctevents" ||
         option == "expevents";
}

}  // namespace

void read_phrases(std::string_view tail, std::string_view target, Family family, kernel::IptablesRule& rule) {
  PhraseReader(tail, target, family, rule).read();
}

}  // namespace dvrtrace::iptables
