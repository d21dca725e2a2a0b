// What the three parts hold, and where on the screen they are. Shared by update(), which moves in it, and
// draw().
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tui/model.h"

namespace dvrtrace::tui {

const Direction* direction_of(const Model& model);
const Subject::Way* way_of(const Model& model);
// How many hops can be chosen: those on the way, with full detail the copies of floods too.
std::size_t hops_shown(const Model& model, std::size_t direction);
// The chosen hop, as an index of Direction::hops.
std::optional<std::size_t> chosen_hop(const Model& model);

// --- the path -----------------------------------------------------------------------------------------

struct Box {
  std::size_t direction = 0, position = 0, hop = 0;  // position: in Way::hops
  std::size_t line = 0, column = 0, width = 0;  // of the picture; the link before it takes two cells more
  std::string text;
  bool linked = false, tunnel = false, framed = true;
  Paint paint = Paint::Plain;
};
struct PathLine {
  std::string host;  // "" goes on with the one before
  Pieces heading;    // of a direction; a line of its own
  std::size_t direction = 0;
};
struct Picture {
  std::vector<PathLine> lines;
  std::vector<Box> boxes;
  std::size_t margin = 0;  // columns for the names of hosts
  bool tall = false;       // boxes take three rows
  std::size_t rows() const;
  std::size_t row_of(std::size_t line) const;  // the first of it
};
Picture picture_of(const Model& model, std::size_t columns);
// As it is on the screen: with boxes of three rows where there is room for them.
Picture layout_picture(const Model& model);

// --- the steps ----------------------------------------------------------------------------------------

struct Item {
  Pieces pieces;
  std::size_t indent = 0;
  Provenance at;                    // what it rests on
  std::optional<std::size_t> step;  // of Hop::steps
};
std::vector<Item> items_of(const Model& model);
std::vector<Pieces> rows_of(const Item& item, const Model& model, std::size_t columns);
std::string plain(const Pieces& pieces);
// The step that an operator wants to see first.
std::size_t deciding_item(const Model& model);

// --- the screen ---------------------------------------------------------------------------------------

struct Region {
  Part part = Part::Path;
  std::size_t row = 0, column = 0, rows = 0, columns = 0;  // the first row is its title
  bool holds(std::size_t r, std::size_t c) const {
    return r >= row && r < row + rows && c >= column && c < column + columns;
  }
};
std::vector<Region> regions_of(const Model& model, const Picture& picture);
// The first of `count` rows to show in `rows`, so that those from `begin` to `end` are seen.
std::size_t first_shown(std::size_t count, std::size_t rows, std::size_t begin, std::size_t end);

// --- other views --------------------------------------------------------------------------------------

// A view that is a text: help, reference, counters, verification, one line.
bool is_text(View view);
std::vector<Pieces> text_of(const Model& model, std::size_t columns);
// The same for the width of the screen, worked out once for as long as nothing of it changes.
std::shared_ptr<const TextRows> text_rows(const Model& model);
// A view that is a list: how many rows it has after its filter, and which one is the chosen.
std::size_t list_size(const Model& model);
std::optional<std::size_t> list_entry(const Model& model, std::size_t row);

std::string_view line_of(const Model& model, std::size_t line);  // of the dump
std::string finding_title(const Finding& finding);

}  // namespace dvrtrace::tui
