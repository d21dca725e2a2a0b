#include "src/openflow/action_grammar.h"
#include "src/openflow/match_reader.h"

namespace dvrtrace::openflow {

std::optional<NatSpec> ActionGrammar::nat(std::string_view text) {
  NatSpec spec;
  while (!text.empty()) {
    std::string_view part = trim(take_until(text, ','));
    const bool source = part.starts_with("src=");
    if (!source && !part.starts_with("dst=")) {
      if (part == "src" || part == "dst")
        spec.kind = part == "src" ? NatSpec::Kind::Source : NatSpec::Kind::Destination;
      else if (part != "random" && part != "hash" && part != "persistent")
        return std::nullopt;
      continue;
    }
    spec.kind = source ? NatSpec::Kind::Source : NatSpec::Kind::Destination;
    part.remove_prefix(4);
    // A-B:p-q, IPv6 addresses in brackets when ports follow.
    std::string_view addresses = part, ports;
    const std::size_t bracket = part.rfind(']');
    const std::size_t colon = bracket != std::string_view::npos          ? part.find(':', bracket)
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

bool ActionGrammar::ct_part(std::string_view part, CtSpec& spec) {
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
    if (const auto zone = number16(part))
      spec.zone = *zone;
    else
      spec.zone_from = read_subfield(part);
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

std::optional<Action> ActionGrammar::ct(const Call& call) {
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

std::optional<Action> ActionGrammar::conjunction(const Call& call) {
  std::string_view rest = call.text;
  const auto id = number<std::uint32_t>(trim(take_until(rest, ',')));
  const auto clause = number<std::uint8_t>(trim(take_until(rest, '/')));
  const auto clauses = number<std::uint8_t>(trim(rest));
  if (!id || !clause || !clauses || *clause < 1 || *clause > *clauses || *clauses > 64)
    return bad(call, "ID,K/N");
  return Action{Conjunction{*id, *clause, *clauses}};
}

std::optional<LearnItem> ActionGrammar::learn_item(std::string_view part) {
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

bool ActionGrammar::learn_part(std::string_view part, LearnSpec& spec) {
  const std::size_t equals = part.find('=');
  const std::string_view key = part.substr(0, equals);
  const std::string_view value =
      equals == std::string_view::npos ? std::string_view{} : part.substr(equals + 1);
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
  if (equals == std::string_view::npos && !find_field(part.substr(0, part.find('['))) &&
      !part.starts_with("load:") && !part.starts_with("output:")) {
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

std::optional<Action> ActionGrammar::learn(const Call& call) {
  LearnSpec spec;
  Scanner parts(call.text);
  for (parts.skip_separators(); !parts.done(); parts.skip_separators()) {
    const std::string_view part = parts.value();
    if (part.empty() || !learn_part(part, spec)) {
      scanner_.fail_at(part.empty() ? call.text : part,
                       fmt::format("expected an argument of learn(), found {}", quote(part)));
      return std::nullopt;
    }
  }
  return Action{Learn{std::move(spec)}};
}

std::optional<Action> ActionGrammar::check_pkt_larger(const Call& call) {
  const auto size = number16(call.text);
  const std::size_t arrow = call.all.rfind("->");
  const auto to = arrow == std::string_view::npos ? std::nullopt : read_subfield(call.all.substr(arrow + 2));
  if (!size || !to || to->bits != 1) return bad(call, "(SIZE)->FIELD[BIT]");
  return Action{CheckPktLarger{*size, *to}};
}

std::optional<Action> ActionGrammar::multipath(const Call& call) {
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

std::optional<Action> ActionGrammar::bundle_of(const Call& call, bool load) {
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

}  // namespace dvrtrace::openflow
