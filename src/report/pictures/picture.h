// Picture: the way of a direction as it is drawn: its hops in order, and the copies of floods that branch
// off them. What is drawn as SVG and what is written for Graphviz both come from it, so that both show the
// same.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "src/report/glossary.h"
#include "src/report/header_fields.h"
#include "src/trace/finding.h"
#include "src/trace/trace.h"

namespace dvrtrace {

struct PictureNode {
  std::size_t hop = 0;
  std::string id;      // unique in the answer: "request-4", "request-4.1/2"
  std::string number;  // as the reports call it: "4", "4.1/2"
  PlaceKind kind = PlaceKind::Vm;
  std::string host, name;          // the name short: "qrouter-13c6faff"
  std::string whole;               // the name whole, with what it is called: for who points at it
  std::string meaning;             // "router r1"; "" none
  std::string in, out;             // devices; "" none
  std::vector<HeaderRow> changes;  // headers that the next hop gets otherwise
  std::optional<Verdict> end;      // it goes no further
  bool faulty = false;             // something is found wrong in this place
  Origin origin = Origin::Observed;
  bool by_tunnel = false;           // what leads on from here is inside a tunnel
  std::vector<std::size_t> copies;  // nodes that branch off here
  std::size_t not_drawn = 0;        // copies beyond those
};

struct Picture {
  std::string direction;
  std::vector<PictureNode> nodes;
  std::vector<std::size_t> way;  // the nodes on the way, in order
};

// The id of a hop of a direction.
std::string hop_id(const Direction& direction, const std::string& number);

// Of the copies that branch off one hop, and off those, so many are drawn; a flood may make thousands.
inline constexpr std::size_t kMostCopies = 12;

Picture picture_of(const Direction& direction, const std::vector<Finding>& findings,
                   const Glossary& glossary);

// "bridge", "network namespace", ...
std::string_view in_words(PlaceKind kind);

// Which headers the rows show changed: "MACs, TTL"; "" none.
std::string changes_text(const std::vector<HeaderRow>& rows);

// How it ends here, that something is wrong here, that no dump was asked here, a line each: "✗ Dropped".
struct PictureSign {
  std::string text;
  bool end = false;
};
std::vector<PictureSign> signs_of(const PictureNode& node);

}  // namespace dvrtrace
