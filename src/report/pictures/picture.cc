#include "src/report/pictures/picture.h"

#include <fmt/format.h>

#include <algorithm>

#include "src/base/text.h"
#include "src/report/trace_view.h"
#include "src/report/words.h"

namespace dvrtrace {
namespace {

constexpr std::string_view kTo = " > ";  // between the ends of a tunnel

std::string name_of(const Place& place) {
  switch (place.kind) {
    case PlaceKind::Namespace:
      return place.name.empty() || place.name == "root" ? "root" : printable(short_name(place.name));
    case PlaceKind::Outside:
      return place.name.empty() ? "outside" : printable(place.name);
    case PlaceKind::Tunnel: {
      const std::size_t to = place.name.rfind(kTo);
      return "to " + printable(to == std::string::npos ? place.name : place.name.substr(to + kTo.size()));
    }
    default:
      return place.name.empty() ? "?" : printable(place.name);
  }
}

std::string meaning_of(const Place& place, const Glossary& glossary) {
  if (place.kind == PlaceKind::Namespace) return printable(name_in(glossary.namespaces, place.name));
  const std::size_t to = place.name.rfind(kTo);
  return place.kind == PlaceKind::Tunnel && to != std::string::npos
             ? "from " + printable(place.name.substr(0, to))
             : "";
}

class Drafting {
 public:
  Drafting(const Direction& direction, const std::vector<Finding>& findings, const Glossary& glossary)
      : direction_(direction),
        glossary_(glossary),
        on_path_(hops_on_path(direction)),
        numbers_(number_hops(direction, on_path_)),
        next_(next_hops(direction, on_path_)),
        faulty_(faulty_hops(direction, findings)),
        copies_(direction.hops.size()),
        below_(direction.hops.size()) {
    picture_.direction = direction.name;
    // A parent stands in front of its children.
    for (std::size_t i = direction.hops.size(); i-- > 0;) {
      const std::optional<std::size_t> parent = direction.hops[i].parent;
      if (on_path_[i] || !parent || *parent >= i) continue;
      copies_[*parent].insert(copies_[*parent].begin(), i);
      below_[*parent] += 1 + below_[i];
    }
    for (std::size_t i = 0; i < direction.hops.size(); ++i) {
      if (!on_path_[i]) continue;
      const std::size_t node = add(i);
      picture_.way.push_back(node);
      std::size_t left = kMostCopies;
      add_copies(node, left);
      picture_.nodes[node].not_drawn = below_[i] - (kMostCopies - left);
    }
  }

  Picture take() { return std::move(picture_); }

 private:
  std::size_t add(std::size_t i) {
    const Hop& hop = direction_.hops[i];
    PictureNode node;
    node.hop = i;
    node.number = numbers_.labels[i];
    node.id = hop_id(direction_, node.number);
    node.kind = hop.place.kind;
    node.host = printable(hop.place.host);
    node.name = name_of(hop.place);
    node.whole = place_text(hop.place, glossary_);
    node.meaning = meaning_of(hop.place, glossary_);
    if (hop.in) node.in = printable(hop.in->name);
    if (const Device* out = way_out(direction_, i)) node.out = printable(out->name);
    for (HeaderRow& row : header_rows(direction_, i, next_[i], glossary_, "→")) {
      if (row.changed) node.changes.push_back(std::move(row));
    }
    if (const Stopped* stopped = stop_of(hop)) node.end = stopped->verdict;
    node.faulty = faulty_[i];
    node.origin = hop.origin;
    const Hop& next = direction_.hops[next_[i]];
    node.by_tunnel = next.arrived.encapsulation || next.place.kind == PlaceKind::Tunnel ||
                     hop.place.kind == PlaceKind::Tunnel;
    picture_.nodes.push_back(std::move(node));
    return picture_.nodes.size() - 1;
  }

  // Depth first; `left` bounds the recursion too.
  void add_copies(std::size_t node, std::size_t& left) {
    for (const std::size_t copy : copies_[picture_.nodes[node].hop]) {
      if (left == 0) return;
      --left;
      const std::size_t child = add(copy);
      picture_.nodes[node].copies.push_back(child);
      add_copies(child, left);
    }
  }

  const Direction& direction_;
  const Glossary& glossary_;
  std::vector<bool> on_path_;
  HopNumbers numbers_;
  std::vector<std::size_t> next_;
  std::vector<bool> faulty_;
  std::vector<std::vector<std::size_t>> copies_;  // by hop: those that branch off there
  std::vector<std::size_t> below_;                // by hop: how many hops of copies hang on it
  Picture picture_;
};

}  // namespace

std::string hop_id(const Direction& direction, const std::string& number) {
  return direction.name + "-" + number;
}

Picture picture_of(const Direction& direction, const std::vector<Finding>& findings,
                   const Glossary& glossary) {
  return Drafting(direction, findings, glossary).take();
}

std::string_view in_words(PlaceKind kind) {
  switch (kind) {
    case PlaceKind::Vm:
      return "VM";
    case PlaceKind::Bridge:
      return "bridge";
    case PlaceKind::LinuxBridge:
      return "Linux bridge";
    case PlaceKind::Namespace:
      return "namespace";
    case PlaceKind::Tunnel:
      return "tunnel";
    case PlaceKind::Wire:
      return "wire";
    case PlaceKind::Outside:
      return "outside";
  }
  return "place";
}

std::string changes_text(const std::vector<HeaderRow>& rows) {
  const auto is_mac = [](const HeaderRow& row) { return row.changed && row.name.starts_with("eth "); };
  const auto macs = std::ranges::count_if(rows, is_mac);
  std::string text = macs == 0 ? "" : macs == 1 ? "MAC" : "MACs";
  for (const HeaderRow& row : rows) {
    if (!row.changed || is_mac(row)) continue;
    text += text.empty() ? "" : ", ";
    text += row.name;
  }
  return text;
}

std::vector<PictureSign> signs_of(const PictureNode& node) {
  std::vector<PictureSign> signs;
  if (node.end) signs.push_back({fmt::format("{} {}", sign_of(*node.end, true), name(*node.end)), true});
  if (node.faulty) signs.push_back({"! found wrong", false});
  if (node.origin == Origin::Reference) signs.push_back({"~ by the reference", false});
  if (node.origin == Origin::Assumed) signs.push_back({"~ assumed", false});
  return signs;
}

}  // namespace dvrtrace
