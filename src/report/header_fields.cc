#include "src/report/header_fields.h"

#include <algorithm>
#include <optional>

#include "src/report/words.h"

namespace dvrtrace {
namespace {

constexpr std::string_view kNone = "none", kVlan = "VLAN";

struct Field {
  std::string_view name;
  std::string value;
};

std::string port_text(const std::optional<std::uint16_t>& port) {
  return port ? std::to_string(*port) : std::string(kNone);
}
std::string address_text(const std::optional<Ip>& ip, const Glossary& glossary) {
  return ip ? ip_text(*ip, glossary) : std::string(kNone);
}

// The same names in the same order whichever packet it is.
std::vector<Field> fields_of(const Hop& hop, const Glossary& glossary, std::string_view arrow) {
  constexpr std::uint16_t kTypeArp = 0x0806;
  const Headers& h = hop.arrived;
  std::vector<Field> fields{
      {"eth src", mac_text(h.eth_src, glossary)},
      {"eth dst", mac_text(h.eth_dst, glossary)},
      {kVlan, h.vlan ? vlan_text(*h.vlan, hop.place, glossary) : "untagged"},
      {"tunnel", h.encapsulation ? "inside " + tunnel_text(*h.encapsulation, arrow, glossary)
                 : h.tun_id      ? vni_text(*h.tun_id, glossary)
                                 : std::string(kNone)},
      {h.eth_type == kTypeArp ? "ARP from" : "IP src", address_text(h.ip_src, glossary)},
      {h.eth_type == kTypeArp ? "ARP to" : "IP dst", address_text(h.ip_dst, glossary)}};
  if (h.src_port || h.dst_port) {
    fields.push_back({"src port", port_text(h.src_port)});
    fields.push_back({"dst port", port_text(h.dst_port)});
  }
  fields.push_back({"TTL", std::to_string(h.ttl)});
  return fields;
}

}  // namespace

std::vector<HeaderRow> header_rows(const Direction& direction, std::size_t hop, std::size_t next,
                                   const Glossary& glossary, std::string_view arrow) {
  const Hop &here = direction.hops[hop], &there = direction.hops[next];
  std::vector<HeaderRow> rows;
  for (Field& field : fields_of(here, glossary, arrow))
    rows.push_back({field.name, std::move(field.value), "", false});
  if (next == hop) return rows;
  for (HeaderRow& row : rows) row.after = kNone;
  for (Field& field : fields_of(there, glossary, arrow)) {
    auto row = std::ranges::find(rows, field.name, &HeaderRow::name);
    if (row == rows.end()) row = rows.insert(row, {field.name, std::string(kNone), "", false});
    row->after = std::move(field.value);
  }
  for (HeaderRow& row : rows)
    row.changed = row.name == kVlan ? here.arrived.vlan != there.arrived.vlan : row.before != row.after;
  return rows;
}

}  // namespace dvrtrace
