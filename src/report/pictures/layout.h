// Where the boxes of a picture stand, in pixels, for a given width: a band for each stay on a host, one
// below the other, the hops in it on lines from left to right, in as many columns as fit. Narrow enough,
// that is one column: a phone's drawing. Copies of floods hang below the box that they branch off. No two
// boxes overlap, and no line crosses one.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/report/pictures/picture.h"

namespace dvrtrace {

struct LaidOutLine {
  enum class Kind { Place, Name, Minor, Changes, Sign, Warning };
  Kind kind = Kind::Minor;
  std::string text;  // cut to the box
};
struct LaidOutBox {
  std::size_t node = 0;
  double x = 0, y = 0, width = 0, height = 0;
  std::vector<LaidOutLine> lines;
};
struct LaidOutBand {  // a host's frame
  std::string host;   // cut to the band
  double x = 0, y = 0, width = 0, height = 0;
  double name_x = 0;
};
struct LaidOutLink {
  struct Point {
    double x = 0, y = 0;
  };
  std::vector<Point> points;  // horizontal and vertical; the arrow is at the last
  bool tunnel = false;
};
struct LaidOutCopy {
  std::optional<std::size_t> node;  // none: the line that tells how many are not drawn
  std::string text;                 // cut to the column
  double x = 0, y = 0;              // of the text, on its base line
  double trunk = 0, from = 0;       // the line that it branches off: where, and from which height
};
struct Layout {
  double width = 0, height = 0;
  std::vector<LaidOutBand> bands;
  std::vector<LaidOutBox> boxes;  // in the order of the way
  std::vector<LaidOutLink> links;
  std::vector<LaidOutCopy> copies;
};

inline constexpr double kLineHeight = 15, kCopyHeight = 17;

Layout lay_out(const Picture& picture, double width);

// The text in so many cells (two for what is as wide as that): what does not fit is left out of its middle,
// where names differ least.
std::string shortened(std::string_view text, std::size_t cells);

}  // namespace dvrtrace
