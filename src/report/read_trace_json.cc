#include "src/report/read_trace_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>

#include "src/base/text.h"
#include "src/report/json_parts.h"

namespace dvrtrace {
namespace {

constexpr std::size_t kMostHops = 100'000;  // of a direction; more is no trace

// The enumerator whose name a text is.
template <class Enum>
std::optional<Enum> named(std::string_view text, Enum last) {
  for (int i = 0; i <= static_cast<int>(last); ++i) {
    if (name(static_cast<Enum>(i)) == text) return static_cast<Enum>(i);
  }
  return std::nullopt;
}

// The texts that a document cites.
class CitedTexts {
 public:
  CitedTexts(const FindDump& find, Sources& sources) : find_(find), sources_(sources) {}

  Provenance at(const std::string& file, std::uint32_t line, std::uint32_t column) {
    Entry& entry = entries_[file];
    if (!entry.asked) open(file, entry);
    if (line >= 1 && line <= entry.starts.size()) {
      const std::uint32_t begin = entry.starts[line - 1];
      const std::uint32_t next = line < entry.starts.size() ? entry.starts[line] : entry.size + 1;
      const std::uint32_t end = std::max(next, begin + 1) - 1;
      if (column >= 1 && begin + std::uint64_t{column} - 1 <= end)
        return {entry.found, {begin + column - 1, end}};
    }
    if (entry.absent == kNoSource) entry.absent = sources_.add(file, SharedText{});
    return {entry.absent, {line, column}};
  }

 private:
  struct Entry {
    bool asked = false;
    SourceId found = kNoSource, absent = kNoSource;
    std::vector<std::uint32_t> starts;
    std::uint32_t size = 0;
  };

  void open(const std::string& file, Entry& entry) {
    entry.asked = true;
    std::optional<std::string> bytes = find_ ? find_(file) : std::nullopt;
    if (!bytes || bytes->size() > Sources::kMaxBytes) return;
    entry.size = static_cast<std::uint32_t>(bytes->size());
    for (std::size_t at = 0; at < bytes->size();) {
      entry.starts.push_back(static_cast<std::uint32_t>(at));
      const std::size_t end = bytes->find('\n', at);
      at = end == std::string::npos ? bytes->size() : end + 1;
    }
    entry.found = sources_.add(file, std::move(*bytes));
  }

  const FindDump& find_;
  Sources& sources_;
  std::map<std::string, Entry> entries_;
};

// One object or list of the document, and where it stands in it.
struct Node {
  const Json& json;
  std::string path;

  const Json* find(const char* key) const {
    if (!json.is_object()) return nullptr;
    const auto found = json.find(key);
    return found == json.end() || found->is_null() ? nullptr : &*found;
  }
};

class Reader {
 public:
  Reader(std::string_view name, const FindDump& find, Sources& sources, Diagnostics& diagnostics)
      : name_(name), cited_(find, sources), diagnostics_(diagnostics) {}

  Result<SavedAnswer> read(std::string_view text) {
    const Json json = Json::parse(text, nullptr, false);
    if (json.is_discarded()) return failure(fmt::format("{}: not a JSON document", name_));
    const Node root{json, ""};
    const std::string schema = this->text(root, "schema");
    const bool trace = schema == "dvrtrace.trace/1", check = schema == "dvrtrace.check/1",
               verify = schema == "dvrtrace.verify/1";
    if (!trace && !check && !verify) {
      return failure(fmt::format(
          "{}: the schema is '{}'; a trace is dvrtrace.trace/1 (from ... -o json), a check dvrtrace.check/1, "
          "a verification dvrtrace.verify/1",
          name_, printable(schema.substr(0, 40))));
    }
    SavedAnswer answer;
    if (verify) {
      inside(root, "trace", [&](const Node& n) { answer = answer_of(n, true); });
      each(root, "directions", [&](const Node& n) { answer.seen.push_back(seen_of(n)); });
    } else {
      answer = answer_of(root, trace);
    }
    return answer;
  }

 private:
  SavedAnswer answer_of(const Node& root, bool trace) {
    SavedAnswer answer;
    answer.tool = this->text(root, "tool");
    each(root, "inputs", [&](const Node& n) {
      answer.inputs.push_back(
          {this->text(n, "host"), this->text(n, "path"), this->text(n, "collected_at"), {}});
      inside(n, "taken", [&](const Node& t) {
        const auto first = seconds(t, "first"), last = seconds(t, "last");
        if (first && last) answer.inputs.back().taken = Taken{*first, *last};
      });
    });
    if (trace) answer.trace = trace_of(root);
    each(root, "findings", [&](const Node& n) { answer.findings.push_back(finding_of(n)); });
    return answer;
  }

  SeenDirection seen_of(const Node& n) {
    SeenDirection seen{text(n, "direction"), text(n, "text"), {}};
    each(n, "crossings", [&](const Node& c) {
      SeenCrossing crossing{text(c, "state"), {}, {}, number_of<std::uint64_t>(c, "packets")};
      each(c, "altered", [&](const Node& a) {
        crossing.altered += fmt::format("{}{} {} (expected {})", crossing.altered.empty() ? "" : ", ",
                                        text(a, "field"), text(a, "found"), text(a, "expected"));
      });
      inside(c, "latency", [&](const Node& l) {
        const Json* median = l.find("median_ns");
        if (median != nullptr && median->is_number_integer()) crossing.latency = median->get<std::int64_t>();
      });
      seen.crossings.push_back(std::move(crossing));
    });
    return seen;
  }

  void wrong(const Node& node, std::string_view key, std::string_view expected) {
    diagnostics_.error(
        {},
        fmt::format("{}: {}{}{}: expected {}", name_, node.path, node.path.empty() ? "" : ".", key, expected),
        "this part of the document is left out");
  }

  // --- single values; absent and null are as if they were not set -------------------------------------

  std::string text(const Node& node, const char* key) {
    const Json* value = node.find(key);
    if (value == nullptr) return {};
    if (value->is_string()) return value->get<std::string>();
    wrong(node, key, "a text");
    return {};
  }

  bool flag(const Node& node, const char* key) {
    const Json* value = node.find(key);
    if (value == nullptr) return false;
    if (value->is_boolean()) return value->get<bool>();
    wrong(node, key, "true or false");
    return false;
  }

  template <class T>
  std::optional<T> maybe(const Node& node, const char* key) {
    const Json* value = node.find(key);
    if (value == nullptr) return std::nullopt;
    if (value->is_number_unsigned() && value->get<std::uint64_t>() <= std::numeric_limits<T>::max())
      return static_cast<T>(value->get<std::uint64_t>());
    wrong(node, key, fmt::format("a number up to {}", std::numeric_limits<T>::max()));
    return std::nullopt;
  }

  std::optional<double> seconds(const Node& node, const char* key) {
    const Json* value = node.find(key);
    if (value == nullptr) return std::nullopt;
    if (value->is_number()) return value->get<double>();
    wrong(node, key, "a number of seconds");
    return std::nullopt;
  }

  template <class T>
  T number_of(const Node& node, const char* key) {
    return maybe<T>(node, key).value_or(T{});
  }

  std::optional<Ip> ip(const Node& node, const char* key) {
    const std::string value = text(node, key);
    const std::optional<Ip> read = parse_ip(value);
    if (!value.empty() && !read) wrong(node, key, "an address");
    return read;
  }

  std::optional<Mac> mac(const Node& node, const char* key) {
    const std::string value = text(node, key);
    const std::optional<Mac> read = parse_mac(value);
    if (!value.empty() && !read) wrong(node, key, "a MAC address");
    return read;
  }

  template <class Enum>
  Enum one_of(const Node& node, const char* key, Enum last, Enum otherwise) {
    const std::string value = text(node, key);
    const std::optional<Enum> read = named(value, last);
    if (!read)
      wrong(node, key, fmt::format("a name that is known, found '{}'", printable(value.substr(0, 40))));
    return read.value_or(otherwise);
  }

  // --- objects and lists ------------------------------------------------------------------------------

  template <class Visit>
  void inside(const Node& node, const char* key, Visit visit) {
    const Json* value = node.find(key);
    if (value == nullptr) return;
    if (!value->is_object()) return wrong(node, key, "an object");
    visit(Node{*value, node.path + (node.path.empty() ? "" : ".") + key});
  }

  // Objects of a list.
  template <class Visit>
  void each(const Node& node, const char* key, Visit visit) {
    const Json* list = node.find(key);
    if (list == nullptr) return;
    if (!list->is_array()) return wrong(node, key, "a list");
    std::size_t i = 0;
    for (const Json& value : *list) {
      const Node inner{value, fmt::format("{}{}{}[{}]", node.path, node.path.empty() ? "" : ".", key, i++)};
      if (value.is_object())
        visit(inner);
      else
        wrong(inner, "", "an object");
    }
  }

  std::vector<std::string> texts(const Node& node, const char* key) {
    const Json* list = node.find(key);
    std::vector<std::string> all;
    if (list == nullptr) return all;
    if (!list->is_array()) wrong(node, key, "a list");
    for (const Json& value : *list) {
      if (value.is_string()) all.push_back(value.get<std::string>());
    }
    return all;
  }

  Provenance source(const Node& node) {
    Provenance at;
    inside(node, "source", [&](const Node& n) {
      at = cited_.at(text(n, "file"), number_of<std::uint32_t>(n, "line"),
                     number_of<std::uint32_t>(n, "column"));
    });
    return at;
  }

  // --- parts of a trace -------------------------------------------------------------------------------

  Encapsulation encapsulation(const Node& n) {
    return {text(n, "type"), number_of<std::uint32_t>(n, "vni"), ip(n, "src").value_or(Ip{}),
            ip(n, "dst").value_or(Ip{})};
  }

  Encapsulation tunnel(const Node& node) {
    Encapsulation read;
    inside(node, "encap", [&](const Node& n) { read = encapsulation(n); });
    return read;
  }

  Headers headers(const Node& n) {
    Headers h;
    h.eth_src = mac(n, "eth_src").value_or(Mac{});
    h.eth_dst = mac(n, "eth_dst").value_or(Mac{});
    h.eth_type = number_of<std::uint16_t>(n, "eth_type");
    h.vlan = maybe<std::uint16_t>(n, "vlan");
    h.tun_id = maybe<std::uint64_t>(n, "tun_id");
    h.ip_src = ip(n, "ip_src");
    h.ip_dst = ip(n, "ip_dst");
    const Json* protocol = n.find("proto");
    if (protocol != nullptr && !protocol->is_string()) h.protocol = number_of<std::uint8_t>(n, "proto");
    h.ttl = number_of<std::uint8_t>(n, "ttl");
    h.src_port = maybe<std::uint16_t>(n, "src_port");
    h.dst_port = maybe<std::uint16_t>(n, "dst_port");
    h.icmp_type = maybe<std::uint8_t>(n, "icmp_type");
    h.icmp_code = maybe<std::uint8_t>(n, "icmp_code");
    h.arp_op = maybe<std::uint16_t>(n, "arp_op");
    h.tcp_flags = maybe<std::uint16_t>(n, "tcp_flags");
    inside(n, "encap", [&](const Node& inner) { h.encapsulation = encapsulation(inner); });
    return h;
  }

  EndpointName endpoint(const Node& node, const char* key) {
    EndpointName end;
    inside(node, key, [&](const Node& n) {
      end = {text(n, "name"),    text(n, "kind"), text(n, "port"), text(n, "host"),
             text(n, "network"), ip(n, "ip"),     mac(n, "mac")};
    });
    return end;
  }

  Device device(const Node& n) {
    Device device{text(n, "netns"), text(n, "device"), {}};
    if (const auto port = maybe<std::uint32_t>(n, "ofport")) device.ofport = Ofport{*port};
    return device;
  }

  TableId table(const Node& n, const char* key) {
    return TableId{number_of<decltype(TableId::value)>(n, key)};
  }

  Step step(const Node& n) {
    const std::string kind = text(n, "kind");
    const Provenance at = source(n);
    if (kind == "flow") {
      FlowHit s;
      s.table = table(n, "table");
      s.priority = number_of<std::uint16_t>(n, "priority");
      s.cookie = number<std::uint64_t>(text(n, "cookie")).value_or(0);
      s.match = text(n, "match");
      s.actions = text(n, "actions");
      s.packets = maybe<std::uint64_t>(n, "packets");
      s.learned = flag(n, "learned");
      s.at = at;
      return s;
    }
    if (kind == "miss") return TableMissed{table(n, "table"), at};
    if (kind == "change") return Changed{text(n, "field"), text(n, "before"), text(n, "after")};
    if (kind == "ct")
      return Tracked{number_of<std::uint16_t>(n, "zone"), text(n, "state"), flag(n, "committed"),
                     flag(n, "assumed"), text(n, "nat")};
    if (kind == "normal")
      return Switched{maybe<std::uint16_t>(n, "vlan"), text(n, "port"), texts(n, "ports"),
                      maybe<std::uint32_t>(n, "age"), at};
    if (kind == "output") return SentTo{text(n, "port"), text(n, "note"), at};
    if (kind == "ip-rule") return RuleHit{number_of<std::uint32_t>(n, "priority"), text(n, "text"), at};
    if (kind == "route") return RouteHit{text(n, "table"), text(n, "text"), at};
    if (kind == "neighbour")
      return NeighbourHit{ip(n, "ip").value_or(Ip{}), mac(n, "mac").value_or(Mac{}), text(n, "state"), at};
    if (kind == "iptables")
      return ChainHit{text(n, "table"), text(n, "chain"), text(n, "rule"), text(n, "target"), at};
    if (kind == "nat") return Translated{text(n, "what"), text(n, "before"), text(n, "after"), at};
    if (kind == "encap") return Encapsulated{tunnel(n), text(n, "port"), at};
    if (kind == "decap") return Decapsulated{tunnel(n), text(n, "port"), at};
    if (kind == "arp")
      return Resolved{ip(n, "ip").value_or(Ip{}), mac(n, "mac").value_or(Mac{}), text(n, "by"), at};
    if (kind == "note") return Noted{text(n, "text"), at};
    if (kind == "stop") {
      return Stopped{one_of(n, "verdict", Verdict::Unknown, Verdict::Unknown),
                     one_of(n, "reason", Reason::HiddenState, Reason::HiddenState), text(n, "text"),
                     text(n, "needs"), at};
    }
    return Noted{fmt::format("a step of a kind that this version does not know: {}", kind), at};
  }

  Origin origin(const Node& n) {
    const std::string value = text(n, "origin");
    if (value == "reference") return Origin::Reference;
    if (value != "observed" && value != "assumed") wrong(n, "origin", "observed, reference or assumed");
    return value == "observed" ? Origin::Observed : Origin::Assumed;
  }

  Hop hop(const Node& n, std::size_t index) {
    Hop hop;
    hop.parent = maybe<std::size_t>(n, "parent");
    if (hop.parent && *hop.parent >= index) {
      wrong(n, "parent", "a hop in front of this one");
      hop.parent.reset();
    }
    inside(n, "place", [&](const Node& p) {
      hop.place = {one_of(p, "kind", PlaceKind::Outside, PlaceKind::Outside), text(p, "host"),
                   text(p, "name")};
    });
    inside(n, "in", [&](const Node& d) { hop.in = device(d); });
    if (n.find("outs") != nullptr)
      each(n, "outs", [&](const Node& d) { hop.out.push_back(device(d)); });
    else
      inside(n, "out", [&](const Node& d) { hop.out.push_back(device(d)); });
    inside(n, "arrived", [&](const Node& p) { hop.arrived = headers(p); });
    each(n, "steps", [&](const Node& s) { hop.steps.push_back(step(s)); });
    hop.origin = origin(n);
    hop.on_path = flag(n, "on_path");
    return hop;
  }

  Direction direction(const Node& n) {
    Direction direction;
    direction.name = text(n, "direction");
    direction.verdict = one_of(n, "verdict", Verdict::Unknown, Verdict::Unknown);
    direction.reason = one_of(n, "reason", Reason::HiddenState, Reason::HiddenState);
    each(n, "hops", [&](const Node& h) {
      if (direction.hops.size() < kMostHops) direction.hops.push_back(hop(h, direction.hops.size()));
    });
    each(n, "crossings", [&](const Node& c) {
      Crossing crossing{
          text(c, "host"),   text(c, "netns"), text(c, "device"), number_of<std::size_t>(c, "hop"), {},
          flag(c, "on_path")};
      inside(c, "packet", [&](const Node& p) { crossing.packet = headers(p); });
      direction.crossings.push_back(std::move(crossing));
    });
    inside(n, "stopped_at", [&](const Node& s) { direction.stopped_at = maybe<std::size_t>(s, "hop"); });
    if (direction.stopped_at && *direction.stopped_at >= direction.hops.size()) {
      wrong(n, "stopped_at.hop", "a hop that is there");
      direction.stopped_at.reset();
    }
    return direction;
  }

  Trace trace_of(const Node& root) {
    Trace trace;
    inside(root, "question", [&](const Node& q) {
      trace.question.from = endpoint(q, "from");
      trace.question.to = endpoint(q, "to");
      inside(q, "packet", [&](const Node& p) {
        trace.question.protocol = text(p, "proto");
        trace.question.packet = headers(p);
      });
    });
    trace.verdict = one_of(root, "verdict", Verdict::Unknown, Verdict::Unknown);
    trace.reason = one_of(root, "reason", Reason::HiddenState, Reason::HiddenState);
    each(root, "directions", [&](const Node& d) { trace.directions.push_back(direction(d)); });
    each(root, "assumptions", [&](const Node& a) {
      trace.assumptions.push_back({text(a, "code"), text(a, "text")});
    });
    trace.spread = seconds(root, "spread_seconds");
    return trace;
  }

  Finding finding_of(const Node& n) {
    Finding finding;
    finding.code = text(n, "code");
    const std::string severity = text(n, "severity");
    finding.severity = severity == "note"      ? Severity::Note
                       : severity == "warning" ? Severity::Warning
                                               : Severity::Error;
    finding.host = text(n, "host");
    inside(n, "place", [&](const Node& p) {
      finding.place_kind = text(p, "kind");
      finding.place = text(p, "name");
    });
    inside(n, "object", [&](const Node& o) {
      finding.object_kind = text(o, "kind");
      finding.object = text(o, "text");
      if (o.find("table") != nullptr) finding.table = table(o, "table");
      finding.name = text(o, "name");
    });
    finding.expected = text(n, "expected");
    finding.found = text(n, "found");
    finding.at = source(n);
    finding.affects = texts(n, "affects");
    finding.cause = text(n, "cause");
    finding.repair = text(n, "repair");
    finding.explains = text(n, "explains");
    return finding;
  }

  std::string name_;
  CitedTexts cited_;
  Diagnostics& diagnostics_;
};

}  // namespace

Result<SavedAnswer> read_trace_json(std::string_view name, std::string_view text, const FindDump& find,
                                    Sources& sources, Diagnostics& diagnostics) {
  return Reader(name, find, sources, diagnostics).read(text);
}

}  // namespace dvrtrace
