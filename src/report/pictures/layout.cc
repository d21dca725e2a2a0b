#include "src/report/pictures/layout.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace dvrtrace {
namespace {

constexpr double kEdge = 1;                           // around all, for the lines' own width
constexpr double kPad = 12, kGap = 26, kLeast = 154;  // within a band; between boxes, and of a box
constexpr double kHead = 30;                          // of a band: its host's name
constexpr double kBetweenRows = 28, kBetweenBands = 34;
constexpr double kInset = 10;                            // of a text in its box
constexpr double kEntry = 18;                            // where a line comes into a box from above
constexpr double kTrunk = 34, kSpur = 10, kIndent = 12;  // of copies, from their box's left
constexpr double kClear = 8;                             // of a copy's text, to what stands to its right
constexpr double kCell = 6.65, kNameCell = 7.9;          // of 11 and 13 pixels of a monospaced font

struct Character {
  std::string_view text;
  std::size_t cells = 1;
};

// Takes the next character of UTF-8; what is not is one byte.
Character take_character(std::string_view& text) {
  const auto first = static_cast<unsigned char>(text.front());
  const std::size_t length = std::min<std::size_t>(text.size(), first < 0xc0   ? 1
                                                                : first < 0xe0 ? 2
                                                                : first < 0xf0 ? 3
                                                                               : 4);
  const std::string_view character = text.substr(0, length);
  text.remove_prefix(length);
  // From Hangul on, most scripts are drawn wide.
  const bool wide =
      first > 0xe1 || (first == 0xe1 && length > 1 && static_cast<unsigned char>(character[1]) >= 0x84);
  const bool punctuation = first == 0xe2;
  return {character, wide && !punctuation ? std::size_t{2} : std::size_t{1}};
}

std::size_t cells_in(double width, double cell) {
  return width < cell ? 1 : static_cast<std::size_t>(width / cell);
}

struct Band {
  std::string host;
  std::vector<std::size_t> nodes;
};

// Stays on hosts. What lies between two places of one host (a tunnel into its own network card) belongs to
// it.
std::vector<Band> bands_of(const Picture& picture) {
  std::vector<Band> bands;
  for (std::size_t i = 0; i < picture.way.size(); ++i) {
    const PictureNode& node = picture.nodes[picture.way[i]];
    std::string host = node.host;
    if (host.empty() && !bands.empty() && !bands.back().host.empty()) {
      std::size_t next = i;
      while (next < picture.way.size() && picture.nodes[picture.way[next]].host.empty()) ++next;
      if (next < picture.way.size() && picture.nodes[picture.way[next]].host == bands.back().host)
        host = bands.back().host;
    }
    if (bands.empty() || bands.back().host != host) bands.push_back({host, {}});
    bands.back().nodes.push_back(picture.way[i]);
  }
  return bands;
}

class LayingOut {
 public:
  LayingOut(const Picture& picture, double width) : picture_(picture) {
    layout_.width = width;
    double available = width - 2 * (kEdge + kPad) - kGap / 2;  // a line may turn down behind the last column
    columns_ = std::max<std::size_t>(1, static_cast<std::size_t>((available + kGap) / (kLeast + kGap)));
    if (columns_ == 1) available += kGap / 2;  // all lines go straight down
    box_ = std::floor((available + kGap) / static_cast<double>(columns_) - kGap);
    y_ = kEdge;
    for (const Band& band : bands_of(picture)) add(band);
    layout_.height = y_ + kEdge;
  }

  Layout take() { return std::move(layout_); }

 private:
  struct Placed {
    std::size_t box = 0, column = 0, row = 0;
    double bottom = 0;  // of the box
    bool copies = false;
  };

  void add(const Band& band) {
    if (last_) y_ += kBetweenBands;
    const double top = y_;
    if (!band.host.empty()) y_ += kHead;
    for (std::size_t first = 0; first < band.nodes.size(); first += columns_) {
      if (first > 0) y_ += kBetweenRows;
      ++row_;
      add_row(band, first, std::min(band.nodes.size(), first + columns_), first == 0 ? top : y_);
    }
    if (band.host.empty()) return;
    y_ += kPad;
    // Its name stands beside the line that comes in.
    const double beside = layout_.boxes.size() > band.nodes.size() ? kPad + kEntry + 10 : kPad;
    const double width = layout_.width - 2 * kEdge;
    layout_.bands.push_back({shortened(band.host, cells_in(width - beside - kPad, kNameCell)), kEdge, top,
                             width, y_ - top, kEdge + beside});
  }

  // `top`: of what a line that comes from above must not turn in any more.
  void add_row(const Band& band, std::size_t first, std::size_t end, double top) {
    std::vector<LaidOutBox> boxes;
    double height = 0;
    for (std::size_t i = first; i < end; ++i) {
      LaidOutBox box;
      box.node = band.nodes[i];
      box.x = kEdge + kPad + static_cast<double>(i - first) * (box_ + kGap);
      box.y = y_;
      box.width = box_;
      box.lines = lines_of(picture_.nodes[box.node]);
      height = std::max(height, 12 + kLineHeight * static_cast<double>(box.lines.size()));
      boxes.push_back(std::move(box));
    }
    double bottom = y_ + height;
    for (LaidOutBox& box : boxes) {
      box.height = height;
      const Placed placed{layout_.boxes.size(), static_cast<std::size_t>(&box - boxes.data()), row_,
                          y_ + height, !picture_.nodes[box.node].copies.empty()};
      layout_.boxes.push_back(box);
      if (last_) link(*last_, placed, top);
      last_ = placed;
      // To its right the next box's copies begin, or a line turns down.
      text_end_ = box.x + box.width + (&box == &boxes.back() ? kClear : kGap + kTrunk - kClear);
      bottom = std::max(bottom, add_copies(box));
    }
    y_ = bottom;
  }

  std::vector<LaidOutLine> lines_of(const PictureNode& node) const {
    using Kind = LaidOutLine::Kind;
    std::vector<LaidOutLine> lines;
    const auto add = [&](Kind kind, const std::string& text) {
      if (text.empty()) return;
      lines.push_back(
          {kind, shortened(text, cells_in(box_ - 2 * kInset,
                                          kind == Kind::Name || kind == Kind::Sign ? kNameCell : kCell))});
    };
    add(Kind::Place, fmt::format("{}  {}", node.number, in_words(node.kind)));
    if (node.name != in_words(node.kind)) add(Kind::Name, node.name);
    add(Kind::Minor, node.meaning);
    if (!node.in.empty()) add(Kind::Minor, "in  " + node.in);
    if (!node.out.empty()) add(Kind::Minor, "out " + node.out);
    if (!node.changes.empty()) add(Kind::Changes, "Δ " + changes_text(node.changes));
    for (const PictureSign& sign : signs_of(node)) add(sign.end ? Kind::Sign : Kind::Warning, sign.text);
    return lines;
  }

  void link(const Placed& from, const Placed& to, double top) {
    const LaidOutBox &a = layout_.boxes[from.box], &b = layout_.boxes[to.box];
    LaidOutLink link;
    link.tunnel = picture_.nodes[a.node].by_tunnel;
    const double level = 22, entry = b.x + kEntry;
    if (from.row == to.row) {
      link.points = {{a.x + a.width, a.y + level}, {b.x, b.y + level}};
    } else if (from.column == to.column) {  // straight down: copies leave room there
      link.points = {{entry, a.y + a.height}, {entry, b.y}};
    } else {
      const double turn = a.x + a.width + kGap / 2, channel = top - kBetweenRows / 2;
      link.points = {
          {a.x + a.width, a.y + level}, {turn, a.y + level}, {turn, channel}, {entry, channel}, {entry, b.y}};
    }
    layout_.links.push_back(std::move(link));
  }

  // The height where the last of them ends.
  double add_copies(const LaidOutBox& box) {
    const PictureNode& node = picture_.nodes[box.node];
    if (node.copies.empty()) return box.y + box.height;
    double y = box.y + box.height + 4;
    add_copies(box, node, box.x + kTrunk, box.y + box.height, 0, y);
    if (node.not_drawn > 0) {
      y += kCopyHeight;
      const double x = box.x + kTrunk + kSpur + 4;
      const std::string text = fmt::format("and {} more, listed below", node.not_drawn);
      layout_.copies.push_back({{},
                                shortened(text, cells_in(text_end_ - x, kCell)),
                                x,
                                y - 3,
                                box.x + kTrunk,
                                box.y + box.height});
    }
    return y + 4;
  }

  void add_copies(const LaidOutBox& box, const PictureNode& node, double trunk, double from,
                  std::size_t depth, double& y) {
    constexpr std::size_t kDeepest = 4;  // deeper ones stand below each other
    for (const std::size_t copy : node.copies) {
      const PictureNode& child = picture_.nodes[copy];
      y += kCopyHeight;
      const double x = trunk + kSpur + 4;
      std::string text =
          child.end
              ? std::string(signs_of(child).front().text).substr(0, signs_of(child).front().text.find(' ')) +
                    " "
              : "";
      text += child.number + " " + child.name;
      if (!child.host.empty() && child.host != node.host) text += " on " + child.host;
      layout_.copies.push_back(
          {copy, shortened(text, cells_in(text_end_ - x, kCell)), x, y - 3, trunk, from});
      const bool indent = depth < kDeepest;
      const double at = y;
      add_copies(box, child, indent ? trunk + kIndent : trunk, indent ? at : from, depth + 1, y);
    }
  }

  const Picture& picture_;
  Layout layout_;
  std::size_t columns_ = 1, row_ = 0;
  double box_ = 0, y_ = 0;
  double text_end_ = 0;  // of the copies being added
  std::optional<Placed> last_;
};

}  // namespace

Layout lay_out(const Picture& picture, double width) { return LayingOut(picture, width).take(); }

std::string shortened(std::string_view text, std::size_t cells) {
  std::vector<Character> characters;
  std::size_t total = 0;
  for (std::string_view rest = text; !rest.empty();) {
    characters.push_back(take_character(rest));
    total += characters.back().cells;
  }
  if (total <= cells) return std::string(text);
  const std::size_t room = cells > 0 ? cells - 1 : 0;  // the ellipsis takes one
  const std::size_t behind = room / 3;
  std::string head, tail;
  std::size_t used = 0;
  for (const Character& c : characters) {
    if (used + c.cells > room - behind) break;
    used += c.cells;
    head += c.text;
  }
  std::size_t kept = 0;
  for (auto c = characters.rbegin(); c != characters.rend() && kept + c->cells <= behind; ++c) {
    kept += c->cells;
    tail.insert(0, c->text);
  }
  return head + "…" + tail;
}

}  // namespace dvrtrace
