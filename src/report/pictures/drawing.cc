#include "src/report/pictures/drawing.h"

#include <fmt/format.h>

#include <algorithm>

#include "src/report/pictures/layout.h"

namespace dvrtrace {
namespace {

std::string px(double value) {
  std::string text = fmt::format("{:.1f}", value);
  if (text.ends_with(".0")) text.resize(text.size() - 2);
  return text;
}

Markup rect(double x, double y, double width, double height, double radius, std::string kind) {
  HtmlAttributes attributes{
      {"x", px(x)}, {"y", px(y)}, {"width", px(width)}, {"height", px(height)}, {"rx", px(radius)}};
  if (!kind.empty()) attributes.emplace_back("class", std::move(kind));
  return element("rect", attributes);
}

Markup text_at(double x, double y, std::string_view kind, const std::string& text) {
  HtmlAttributes attributes{{"x", px(x)}, {"y", px(y)}};
  if (!kind.empty()) attributes.emplace_back("class", std::string(kind));
  return element("text", attributes, html_text(text));
}

std::string_view class_of(LaidOutLine::Kind kind) {
  switch (kind) {
    case LaidOutLine::Kind::Place:
      return "kind";
    case LaidOutLine::Kind::Name:
      return "name";
    case LaidOutLine::Kind::Minor:
      return "minor";
    case LaidOutLine::Kind::Changes:
      return "changes";
    case LaidOutLine::Kind::Sign:
      return "sign";
    case LaidOutLine::Kind::Warning:
      return "warn";
  }
  return "";
}

// What is said of a hop where it is only pointed at or heard.
std::string spoken(const PictureNode& node) {
  std::string text =
      fmt::format("hop {}: {}{}", node.number, node.whole, node.host.empty() ? "" : " on " + node.host);
  for (const PictureSign& sign : signs_of(node)) text += ", " + sign.text.substr(sign.text.find(' ') + 1);
  return text;
}

std::string tooltip(const PictureNode& node) {
  std::string text = spoken(node);
  for (const HeaderRow& row : node.changes)
    text += fmt::format("; {} {} → {}", row.name, row.before, row.after);
  return text;
}

Markup link_to(const PictureNode& node, std::string kind, const Markup& inside) {
  Markup content = element("title", {}, html_text(tooltip(node)));
  content += inside;
  return element("a", {{"href", "#" + node.id}, {"class", std::move(kind)}, {"aria-label", spoken(node)}},
                 content);
}

double radius_of(PlaceKind kind) {
  switch (kind) {
    case PlaceKind::Vm:
      return 12;
    case PlaceKind::Tunnel:
    case PlaceKind::Wire:
    case PlaceKind::Outside:
      return 22;
    default:
      return 4;
  }
}

Markup box(const LaidOutBox& laid, const PictureNode& node) {
  std::string kind = "box";
  if (node.kind == PlaceKind::Tunnel || node.kind == PlaceKind::Wire || node.kind == PlaceKind::Outside)
    kind += " pill";
  if (node.origin != Origin::Observed) kind += " doubt";
  if (node.end)
    kind += fmt::format(" {}", class_of(paint_of(*node.end)));
  else if (node.faulty)
    kind += " doubtful";
  Markup inside = rect(laid.x, laid.y, laid.width, laid.height, radius_of(node.kind), "");
  double y = laid.y + 6;
  for (const LaidOutLine& line : laid.lines) {
    y += kLineHeight;
    inside += text_at(laid.x + 10, y - 3.5, class_of(line.kind), line.text);
  }
  return link_to(node, kind, inside);
}

Markup path(const std::string& shape, std::string kind) {
  return element("path", {{"d", shape}, {"class", std::move(kind)}});
}

Markup link(const LaidOutLink& laid) {
  const auto& tip = laid.points.back();
  const auto& before = laid.points[laid.points.size() - 2];
  const bool down = tip.y > before.y;
  const double size = laid.tunnel ? 9 : 7;
  std::string shape;
  for (std::size_t i = 0; i < laid.points.size(); ++i) {
    const double short_of = i + 1 == laid.points.size() ? size - 1 : 0;  // the arrow's head is the rest
    shape += fmt::format("{}{} {}", i == 0 ? "M" : "L", px(laid.points[i].x - (down ? 0 : short_of)),
                         px(laid.points[i].y - (down ? short_of : 0)));
  }
  Markup drawn = path(shape, laid.tunnel ? "link tunnel" : "link");
  if (laid.tunnel) drawn += path(shape, "link core");
  drawn += path(
      down ? fmt::format("M{} {}l{} {}h{}z", px(tip.x), px(tip.y), px(-size * .7), px(-size), px(size * 1.4))
           : fmt::format("M{} {}l{} {}v{}z", px(tip.x), px(tip.y), px(-size), px(-size * .7), px(size * 1.4)),
      "head");
  return drawn;
}

Markup copy(const LaidOutCopy& laid, const Picture& picture) {
  const double y = laid.y - 4;
  Markup drawn =
      path(fmt::format("M{} {}V{}H{}", px(laid.trunk), px(laid.from), px(y), px(laid.x - 4)), "twig");
  if (!laid.node) {
    drawn += element("g", {{"class", "copy"}}, text_at(laid.x, laid.y, "", laid.text));
  } else {
    const PictureNode& node = picture.nodes[*laid.node];
    std::string kind = "copy";
    if (node.end) kind += fmt::format(" {}", class_of(paint_of(*node.end)));
    drawn += link_to(node, kind, text_at(laid.x, laid.y, "", laid.text));
  }
  return drawn;
}

Markup drawn(const Picture& picture, double width, const char* kind) {
  const Layout layout = lay_out(picture, width);
  Markup inside;
  for (const LaidOutBand& band : layout.bands) {
    inside += rect(band.x, band.y, band.width, band.height, 8, "host-frame");
    inside += text_at(band.name_x, band.y + 20, "host-name", band.host);
  }
  for (const LaidOutCopy& each : layout.copies) inside += copy(each, picture);
  for (const LaidOutLink& each : layout.links) inside += link(each);
  for (const LaidOutBox& each : layout.boxes) inside += box(each, picture.nodes[each.node]);
  return element("svg",
                 {{"class", std::string("way ") + kind},
                  {"viewBox", fmt::format("0 0 {} {}", px(layout.width), px(layout.height))},
                  {"role", "group"},
                  {"aria-label", "the way of the " + picture.direction}},
                 inside);
}

}  // namespace

Markup draw_picture(const Picture& picture) {
  if (picture.way.empty()) return {};
  constexpr double kWide = 1152, kMiddle = 680, kNarrow = 340;
  Markup all = drawn(picture, kWide, "wide");
  all += drawn(picture, kMiddle, "middle");
  all += drawn(picture, kNarrow, "narrow");
  // Only what the drawing uses is explained.
  bool changes = false, copies = false, wrong = false, doubt = false;
  for (const PictureNode& node : picture.nodes) {
    changes = changes || !node.changes.empty();
    copies = copies || !node.copies.empty();
    wrong = wrong || node.faulty;
    doubt = doubt || node.origin != Origin::Observed;
  }
  std::string legend = "Each box leads to its steps.";
  if (changes) legend += " Δ headers that the next hop gets changed.";
  if (copies) legend += " Thin lines: copies of floods, beside the way.";
  if (wrong) legend += " ! something is found wrong in this place.";
  if (doubt) legend += " ~ and a dashed frame: no dump was asked.";
  all += element("figcaption", {}, html_text(legend));
  return element("figure", {}, all);
}

}  // namespace dvrtrace
