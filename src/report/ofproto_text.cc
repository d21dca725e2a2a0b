#include "src/report/ofproto_text.h"

#include <fmt/format.h>

#include <initializer_list>
#include <vector>

#include "src/net/ip.h"
#include "src/openflow/field.h"
#include "src/openflow/flow_text.h"
#include "src/openflow/value.h"

namespace dvrtrace {
namespace {

using openflow::FieldId;
using Kind = OfprotoLine::Kind;

// The last line of a list is not indented, unless nothing can come below it: long chains of tables
// stay at the margin. What comes below an indented line is indented twice.
class TreePrinter {
 public:
  explicit TreePrinter(const std::vector<OfprotoLine>& lines) : lines_(lines) {}

  std::string print() {
    list(0, lines_.size(), 0);
    return std::move(out_);
  }

 private:
  static bool leaf(Kind kind) {
    return kind == Kind::Action || kind == Kind::Detail || kind == Kind::Warning || kind == Kind::Error ||
           kind == Kind::Bucket;
  }

  std::size_t end_of(std::size_t at, std::size_t end) const {
    std::size_t next = at + 1;
    while (next < end && lines_[next].level > lines_[at].level) ++next;
    return next;
  }

  void list(std::size_t begin, std::size_t end, std::size_t indent) {
    for (std::size_t at = begin; at < end;) {
      const std::size_t next = end_of(at, end);
      const std::size_t more = next < end || leaf(lines_[at].kind) ? 1 : 0;
      line(lines_[at], std::string((indent + more) * 4, ' '));
      list(at + 1, next, indent + 2 * more);
      at = next;
    }
  }

  void line(const OfprotoLine& line, const std::string& margin) {
    switch (line.kind) {
      case Kind::Bridge: {
        const std::string title = fmt::format("bridge(\"{}\")", line.text);
        out_ += "\n" + margin + title + "\n" + margin + std::string(title.size(), '-') + "\n";
        return;
      }
      case Kind::Table:
        out_ += margin + fmt::format("{:>2}. ", line.table.value);
        if (line.miss) {
          out_ += line.text + "\n";
          return;
        }
        out_ += (line.text.empty() ? "" : line.text + ", ") + fmt::format("priority {}", line.priority);
        if (line.cookie != 0) out_ += fmt::format(", cookie {:#x}", line.cookie);
        out_ += "\n";
        return;
      case Kind::ActionSet:
        out_ += margin + "--. Executing action set:\n";
        return;
      case Kind::Thaw:
        out_ += margin + "    thaw\n" + margin + "        " + line.text + "\n";
        return;
      case Kind::Detail:
        out_ += margin + " -> " + line.text + "\n";
        return;
      case Kind::Warning:
        out_ += margin + " >> " + line.text + "\n";
        return;
      case Kind::Error:
        out_ += margin + " >>>> " + line.text + " <<<<\n";
        return;
      case Kind::Action:
      case Kind::Bucket:
        out_ += margin + line.text + "\n";
        return;
    }
  }

  const std::vector<OfprotoLine>& lines_;
  std::string out_;
};

constexpr std::size_t kBanner = 79;

std::string addresses(const openflow::FlowKey& key) {
  const bool v6 = get64(key, FieldId::EthType) == openflow::kTypeIpv6;
  const auto part = [&](FieldId v4_id, FieldId v6_id) {
    const openflow::FieldInfo& field = info(v6 ? v6_id : v4_id);
    return fmt::format("{}={}", field.name,
                       print_value(field, get(key, field), openflow::ones128(field.bits)));
  };
  return fmt::format("{},tp_src={},{},tp_dst={}", part(FieldId::IpSrc, FieldId::Ipv6Src),
                     get64(key, FieldId::TcpSrc), part(FieldId::IpDst, FieldId::Ipv6Dst),
                     get64(key, FieldId::TcpDst));
}

std::string banner(const OfprotoPass& pass, std::size_t number) {
  const std::string rule = std::string(kBanner, '=') + "\n";
  const std::string state = openflow::print_ct_state(get64(pass.before, FieldId::CtState));
  std::string out = "\n" + rule + fmt::format("recirc({:#x}) - resume conntrack with ", number);
  out += pass.state_assumed ? "default ct_state=trk|new (use --ct-next to customize)\n"
                            : "ct_state=" + state + "\n";
  if (!(pass.untranslated == pass.before)) {
    out += "Replacing src/dst IP/ports to simulate NAT:\n Initial flow: " + addresses(pass.untranslated) +
           "\n Modified flow: " + addresses(pass.before) + "\n";
  }
  return out + rule + "\n";
}

// What sends the packet, and between one output and the next what makes it the packet that is sent.
class DatapathActions {
 public:
  explicit DatapathActions(const openflow::FlowKey& packet) : packet_(packet) {}

  void send(const OfprotoOutput& output) {
    const openflow::FlowKey& next = output.packet;
    const bool v6 = get64(next, FieldId::EthType) == openflow::kTypeIpv6;
    if (output.tunnel) {
      add(fmt::format("set(tunnel(tun_id={:#x},{}))", get64(next, FieldId::TunId),
                      get64(next, FieldId::TunDst) != 0 ? "dst=" + value(next, FieldId::TunDst)
                                                        : "ipv6_dst=" + value(next, FieldId::TunIpv6Dst)));
    }
    set(next, "eth", {{FieldId::EthSrc, "src"}, {FieldId::EthDst, "dst"}});
    if (v6)
      set(next, "ipv6",
          {{FieldId::Ipv6Src, "src"},
           {FieldId::Ipv6Dst, "dst"},
           {FieldId::NwTos, "tclass"},
           {FieldId::NwTtl, "hlimit"}});
    else
      set(next, "ipv4",
          {{FieldId::IpSrc, "src"},
           {FieldId::IpDst, "dst"},
           {FieldId::NwTos, "tos"},
           {FieldId::NwTtl, "ttl"}});
    set(next, transport(next), {{FieldId::TcpSrc, "src"}, {FieldId::TcpDst, "dst"}});
    set(next, "mpls",
        {{FieldId::MplsLabel, "label"},
         {FieldId::MplsTc, "tc"},
         {FieldId::MplsTtl, "ttl"},
         {FieldId::MplsBos, "bos"}});
    tags(next);
    packet_ = next;
    add(output.port);
  }

  std::string print() const { return text_.empty() ? "drop" : text_; }

 private:
  struct Part {
    FieldId field;
    const char* name;
  };

  static std::string value(const openflow::FlowKey& key, FieldId id) {
    return print_value(openflow::info(id), get(key, id), openflow::ones128(openflow::info(id).bits));
  }

  static const char* transport(const openflow::FlowKey& key) {
    switch (get64(key, FieldId::NwProto)) {
      case openflow::kProtoTcp:
        return "tcp";
      case openflow::kProtoUdp:
        return "udp";
      case openflow::kProtoSctp:
        return "sctp";
      default:
        return "icmp";
    }
  }

  void add(const std::string& action) { text_ += (text_.empty() ? "" : ",") + action; }

  void set(const openflow::FlowKey& next, const char* header, std::initializer_list<Part> parts) {
    std::string changed;
    for (const Part& part : parts) {
      if (get(packet_, part.field) == get(next, part.field)) continue;
      changed += fmt::format("{}{}={}", changed.empty() ? "" : ",", part.name, value(next, part.field));
    }
    if (!changed.empty()) add(fmt::format("set({}({}))", header, changed));
  }

  // Tags from the innermost that is the same outwards: the others are taken off, and new ones put on.
  void tags(const openflow::FlowKey& next) {
    const auto stack = [](const openflow::FlowKey& key) {
      std::vector<std::uint64_t> tags;
      for (const FieldId id : {FieldId::VlanTci1, FieldId::VlanTci}) {
        if ((get64(key, id) & openflow::kVlanPresent) != 0) tags.push_back(get64(key, id));
      }
      return tags;
    };
    const std::vector<std::uint64_t> before = stack(packet_), after = stack(next);
    std::size_t same = 0;
    while (same < before.size() && same < after.size() && before[same] == after[same]) ++same;
    for (std::size_t i = before.size(); i > same; --i) add("pop_vlan");
    for (std::size_t i = same; i < after.size(); ++i)
      add(fmt::format("push_vlan(vid={},pcp={})", after[i] & 0xfff, after[i] >> 13));
  }

  openflow::FlowKey packet_;
  std::string text_;
};

}  // namespace

std::string print_text(const OfprotoTrace& trace) {
  std::string out;
  for (std::size_t i = 0; i < trace.passes.size(); ++i) {
    const OfprotoPass& pass = trace.passes[i];
    if (pass.resumed) out += banner(pass, i);
    out += "Flow: " + openflow::print_packet(pass.before) + "\n";
    out += TreePrinter(pass.lines).print();
    const std::string before = openflow::print_packet(pass.before),
                      after = openflow::print_packet(pass.after);
    out += "\nFinal flow: " + (before == after ? std::string("unchanged") : after) + "\n";
    DatapathActions actions(pass.before);
    for (const OfprotoOutput& output : pass.outputs) actions.send(output);
    out += "Megaflow: not computed\nDatapath actions: " + actions.print() + "\n";
    if (!pass.error.empty()) out += fmt::format("Translation failed ({}), packet is dropped.\n", pass.error);
  }
  for (const Assumption& assumption : trace.assumptions)
    out += fmt::format("\nAssumed ({}): {}\n", assumption.code, assumption.text);
  for (const Stopped& stop : trace.unknown)
    out +=
        "\nUnknown: " + stop.text + (stop.needs.empty() ? "" : "\n  would be told by: " + stop.needs) + "\n";
  return out;
}

}  // namespace dvrtrace
