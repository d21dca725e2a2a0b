#include "src/report/pictures/trace_dot.h"

#include <fmt/format.h>

#include <algorithm>

#include "src/base/text.h"
#include "src/report/pictures/picture.h"
#include "src/report/style.h"
#include "src/report/trace_text.h"

namespace dvrtrace {
namespace {

// In a quoted string a backslash begins an escape, and what looks like an entity of HTML is taken for one.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : printable(text)) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
    if (c == '&') out += "amp;";
  }
  return out + '"';
}

// Lines of a label: of a node in its middle, of an edge beside it.
std::string label(const std::vector<std::string>& lines, bool of_edge) {
  std::string out = "\"";
  for (const std::string& line : lines) {
    if (line.empty()) continue;
    if (of_edge)
      out += "  ";
    else if (out.size() > 1)
      out += "\\n";
    const std::string one = quoted(line);
    out += one.substr(1, one.size() - 2);
    if (of_edge) out += "\\l";
  }
  return out + '"';
}

std::string plain(const Pieces& pieces) {
  std::string text;
  for (const Piece& piece : pieces) text += piece.text;
  return text;
}

std::string_view colour_of(Paint paint) {
  switch (paint) {
    case Paint::Good:
      return "#0f6b30";
    case Paint::Bad:
      return "#b21822";
    case Paint::Doubtful:
      return "#7a4d00";
    default:
      return "#33659c";
  }
}

std::string_view shape_of(PlaceKind kind) {
  switch (kind) {
    case PlaceKind::Vm:
      return "box";
    case PlaceKind::Tunnel:
      return "cds";
    case PlaceKind::Wire:
      return "ellipse";
    case PlaceKind::Outside:
      return "egg";
    default:
      return "box";
  }
}

class Writing {
 public:
  Writing(const Direction& direction, const std::vector<Finding>& findings, const Glossary& glossary,
          std::string& out)
      : picture_(picture_of(direction, findings, glossary)), out_(out) {
    out_ += fmt::format(
        "  subgraph {} {{\n    label={};\n    labeljust=l; style=rounded; color=\"#cfd6df\";\n",
        quoted("cluster_" + direction.name), quoted(plain(direction_pieces(direction, glossary))));
    nodes();
    edges();
    out_ += "  }\n";
  }

 private:
  // In the order in which the way comes to the hosts; what is on none stands beside the clusters.
  void nodes() {
    std::vector<std::string> hosts;
    for (const PictureNode& node : picture_.nodes) {
      if (std::ranges::find(hosts, node.host) == hosts.end()) hosts.push_back(node.host);
    }
    std::vector<bool> on_way(picture_.nodes.size());
    for (const std::size_t i : picture_.way) on_way[i] = true;
    for (const std::string& host : hosts) {
      const char* indent = host.empty() ? "    " : "      ";
      if (!host.empty()) {
        out_ += fmt::format(
            "    subgraph {} {{\n      label={}; style=\"rounded,filled\"; fillcolor=\"#edf2f8\"; "
            "color=\"#cfd6df\";\n",
            quoted("cluster_" + picture_.direction + "_" + host), quoted(host));
      }
      for (std::size_t i = 0; i < picture_.nodes.size(); ++i) {
        if (picture_.nodes[i].host == host) node(picture_.nodes[i], on_way[i], indent);
      }
      if (!host.empty()) out_ += "    }\n";
    }
  }

  void node(const PictureNode& node, bool on_way, const char* indent) {
    std::vector<std::string> lines{fmt::format("{}  {}", node.number, in_words(node.kind)), node.name,
                                   node.meaning};
    for (const PictureSign& sign : signs_of(node)) lines.push_back(sign.text);
    std::string style = node.kind == PlaceKind::Vm ? "rounded,filled" : "filled";
    if (node.origin != Origin::Observed) style += ",dashed";
    const std::string_view colour = node.end ? colour_of(paint_of(*node.end))
                                    : on_way ? colour_of(Paint::Plain)
                                             : "#566170";
    out_ += fmt::format("{}{} [label={}, tooltip={}, shape={}, style={}, color={}, penwidth={}{}];\n", indent,
                        quoted(node.id), label(lines, false), quoted(node.whole), shape_of(node.kind),
                        quoted(style), quoted(colour),
                        !on_way    ? "0.5"
                        : node.end ? "2.5"
                                   : "1.5",
                        on_way ? "" : ", fontsize=9");
  }

  void edges() {
    for (std::size_t i = 0; i + 1 < picture_.way.size(); ++i)
      edge(picture_.nodes[picture_.way[i]], picture_.nodes[picture_.way[i + 1]], true);
    for (const PictureNode& node : picture_.nodes) {
      for (const std::size_t copy : node.copies) edge(node, picture_.nodes[copy], false);
      if (node.not_drawn == 0) continue;
      const std::string more = node.id + " more";
      out_ += fmt::format(
          "    {} [label={}, shape=plaintext, fontsize=9];\n    {} -> {} [style=dashed, penwidth=0.5, "
          "arrowhead=none];\n",
          quoted(more), quoted(fmt::format("and {} more copies", node.not_drawn)), quoted(node.id),
          quoted(more));
    }
  }

  void edge(const PictureNode& from, const PictureNode& to, bool on_way) {
    std::vector<std::string> lines;
    if (on_way)
      lines.push_back(from.out);
    else
      lines.push_back(to.in);
    if (on_way) {
      for (const HeaderRow& row : from.changes) {
        std::string text = row.name == "VLAN" ? row.after : fmt::format("{} {}", row.name, row.after);
        for (std::size_t at = text.find(", "); at != std::string::npos; at = text.find(", ")) {
          lines.push_back(text.substr(0, at));
          text.erase(0, at + 2);
        }
        lines.push_back(std::move(text));
      }
    }
    out_ += fmt::format("    {} -> {} [label={}{}];\n", quoted(from.id), quoted(to.id), label(lines, true),
                        !on_way          ? ", style=dashed, penwidth=0.5, color=\"#566170\", fontsize=8"
                        : from.by_tunnel ? ", color=\"#33659c:#33659c\", penwidth=1.5"
                                         : ", color=\"#33659c\", penwidth=1.5");
  }

  Picture picture_;
  std::string& out_;
};

}  // namespace

std::string print_dot(const Trace& trace, const std::vector<Finding>& findings, const Glossary& glossary) {
  std::string out = "digraph dvrtrace {\n";
  out +=
      fmt::format("  label={}; labelloc=t; fontname=\"sans-serif\"; fontsize=12; rankdir=TB; newrank=true;\n",
                  quoted(plain(verdict_pieces(trace, glossary))));
  out += "  node [fontname=\"sans-serif\", fontsize=10, fillcolor=\"#ffffff\"];\n";
  out += "  edge [fontname=\"sans-serif\", fontsize=9];\n";
  for (const Direction& direction : trace.directions) Writing(direction, findings, glossary, out);
  return out + "}\n";
}

}  // namespace dvrtrace
