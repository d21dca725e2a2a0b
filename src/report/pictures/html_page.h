// HtmlPage: one page of HTML to attach to a ticket: a single file that asks the network for nothing, and
// that can be read without its script, on a screen, a phone and paper, in light and dark.
//
// A page is a heading and sections; their bodies are Markup. Markup is made by the functions below alone,
// and they escape what they are given, so no text of a dump becomes part of the page's structure. Should it
// ever, the page's Content-Security-Policy lets nothing run or load but the one style sheet and the one
// script whose hashes it names; hence no style="..." and no on...="..." .
//
//   HtmlPage page;
//   page.title = "who reaches whom";
//   page.heading = element("h1", {}, html_text(page.title));
//   HtmlTable matrix{"12 pairs", {"from \\ to", "vm1", "vm2"}, {}, "matrix"};
//   matrix.rows.push_back({{"vm1"}, {"✓", Paint::Good}, {"✗", Paint::Bad, "vm1-to-vm2"}});
//   page.sections.push_back({"matrix", "Matrix", html_table(matrix)});
//   page.sections.push_back({"pairs", "Pairs", html_details({"vm1-to-vm2"}, html_text("vm1 to vm2"), ...)});
//   const std::string file = print_html(page);
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/base/diagnostics.h"
#include "src/base/source.h"
#include "src/report/page.h"
#include "src/report/style.h"
#include "src/report/trace_json.h"

namespace dvrtrace {

using HtmlAttributes = std::vector<std::pair<std::string_view, std::string>>;

class Markup {
 public:
  Markup() = default;
  const std::string& text() const { return text_; }
  bool empty() const { return text_.empty(); }
  Markup& operator+=(const Markup& other);

 private:
  friend Markup html_text(std::string_view text);
  friend Markup html_line(std::string_view text);
  friend Markup element(std::string_view name, const HtmlAttributes& attributes, const Markup& content);
  std::string text_;
};

// Text: what could be markup escaped, control characters and bytes that are not UTF-8 made visible.
Markup html_text(std::string_view text);

// The same for a line of a dump, whose tabs stay.
Markup html_line(std::string_view text);

// <name attribute="value">content</name>. Name and attributes' names are the program's own words; values
// are escaped.
Markup element(std::string_view name, const HtmlAttributes& attributes = {}, const Markup& content = {});

// Painted text, as text reports have it; each paint is a class.
Markup html_pieces(const Pieces& pieces);
std::string_view class_of(Paint paint);  // "good"; "" for Plain

// What unfolds. An id lets a link (#id) lead here, which opens it.
struct HtmlDetails {
  std::string id;      // "" none
  std::string kind;    // classes: "hop", "finding"; those of class "entry" are what the search looks through
  bool open = false;   // unfolded from the beginning
  bool prints = true;  // unfolded on paper
};
Markup html_details(const HtmlDetails& how, const Markup& summary, const Markup& body);

// A table, in a frame that scrolls when it is too wide. Colour is never the only sign: a coloured cell says
// by its text what it is.
struct HtmlCell {
  std::string text;
  Paint paint = Paint::Plain;  // of the ground
  std::string link = {};       // the id of what it leads to; "" none
  std::string title = {};      // shown when pointed at
};
struct HtmlTable {
  std::string caption;                      // "" none
  std::vector<std::string> heads;           // of the columns; the first column's cells are the rows' heads
  std::vector<std::vector<HtmlCell>> rows;  // each as long as `heads`
  std::string kind = {};                    // classes
};
Markup html_table(const HtmlTable& table);

// A place in a dump: file, line, column, and the line itself, whole, with what was read in it marked; of a
// line too long to be shown (a database in one) the part that was read.
Markup html_evidence(const Provenance& at, const Sources& sources);

struct HtmlSection {
  std::string id, heading;
  Markup body;
};
struct HtmlPage {
  std::string title;
  Markup heading;                     // above the sections: the answer in a line
  std::vector<HtmlSection> sections;  // those without a body are left out
};

// What every answer ends with: diagnostics, and the inputs with the time of their collection and the tool's
// version.
void add_provenance(const JsonContext& context, HtmlPage& page);

std::string print_html(const HtmlPage& page);

}  // namespace dvrtrace
