// Model: the whole state of the viewer, and what happens to it.
//
// update() is a pure function from a model and an event to the next model; draw() puts a model on a canvas.
// Neither does anything else. What is to be done in the world stands in the model as a request; whoever
// runs the viewer does it and hands in the outcome as an event:
//
//   model = update(std::move(model), KeyPressed{key});
//   while (model.request) model = update(std::move(model), backend(*std::exchange(model.request, {})));
//   draw(model, canvas);
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "src/report/step_text.h"
#include "src/report/style.h"
#include "tui/canvas.h"
#include "tui/keys.h"
#include "tui/subject.h"

namespace dvrtrace::tui {

enum class Part { Path, Steps, Evidence };
enum class View { Trace, Findings, Ends, Help, Reference, Counters, Verification, Line };

// One of the views that lie on each other; the last one is seen.
struct Level {
  View view = View::Trace;
  std::size_t chosen = 0;                                   // in a list; of a text the first row shown
  std::string filter;                                       // of a list
  std::shared_ptr<const std::vector<std::uint32_t>> shown;  // what the filter leaves; none: all
  std::string text;                                         // of View::Line
  std::shared_ptr<const struct TextRows> rows;              // of a text, as they were worked out last
};

// The rows of a text, and what they were made for.
struct TextRows {
  std::shared_ptr<const Subject> subject;
  std::size_t columns = 0, direction = 0, hop = 0;
  std::vector<Pieces> rows;
};

struct Prompt {
  enum class What { Search, Filter, Packet, SaveView, SaveJson };
  What what = What::Search;
  std::string text;
};

// The dump that the chosen step cites.
struct Dump {
  SourceId source = kNoSource;
  std::shared_ptr<const std::vector<std::uint32_t>> lines;  // where each line begins; none: there is no text
  std::size_t cited = 0;                                    // the line, from 0
  Span span;                                                // in the text
};

// --- requests -----------------------------------------------------------------------------------------

struct AskAgain {
  Inquiry inquiry;
};                     // answered by Answered
struct FindFaults {};  // what is wrong and what is expected; answered by Answered
struct CopyText {
  std::string text;
};
struct SaveScreen {
  std::string path;
};
struct SaveTrace {
  std::string path;
};
using Request = std::variant<AskAgain, FindFaults, CopyText, SaveScreen, SaveTrace>;

// --- events -------------------------------------------------------------------------------------------

struct KeyPressed {
  Key key;
};
struct MousePressed {
  enum class What { Click, Open, WheelUp, WheelDown };  // Open: a double click
  What what = What::Click;
  std::size_t row = 0, column = 0;
};
struct Resized {
  std::size_t columns = 80, rows = 24;
};
// Another subject takes the place of the one shown. `same_question`: it only knows more.
struct Answered {
  std::shared_ptr<const Subject> subject;
  bool same_question = false;
};
struct Told {
  std::string message;
  bool failed = false;
};
using Event = std::variant<KeyPressed, MousePressed, Resized, Answered, Told>;

using Backend = std::function<Event(const Request&, const struct Model&)>;

// --- the model ----------------------------------------------------------------------------------------

struct Model {
  std::shared_ptr<const Subject> subject;
  Style style;  // colour and unicode; the width is `columns`
  std::size_t columns = 80, rows = 24;

  std::vector<Level> levels{{}};
  Part part = Part::Path;
  bool enlarged = false;
  Detail detail = Detail::Path;
  std::size_t direction = 0, hop = 0, item = 0;  // of Subject::ways; of Way::hops; of the steps
  Dump dump;
  std::map<SourceId, std::shared_ptr<const std::vector<std::uint32_t>>>
      line_starts;                     // of dumps that were opened
  std::size_t line = 0, sideways = 0;  // of the evidence: the line chosen, and how far it is moved

  std::optional<Prompt> prompt;
  std::string needle;  // what was searched for, in small letters
  std::string message;
  bool message_is_bad = false;

  std::optional<std::string> from;                     // chosen among the ends, while the other end is chosen
  std::vector<std::shared_ptr<const Subject>> before;  // what was asked before, the last one last
  std::optional<Inquiry> asking;                       // while a request is under way

  std::vector<std::string> copied;
  std::optional<Request> request;
  bool quit = false, print_on_quit = false;

  const Level& level() const { return levels.back(); }
  Level& level() { return levels.back(); }
};

// A model that shows the subject: its trace, or its findings, or the choice of ends.
Model open(std::shared_ptr<const Subject> subject, Style style, std::size_t columns, std::size_t rows);

Model update(Model model, const Event& event);
void draw(const Model& model, Canvas& canvas);

// The event, and all that it asks for.
Model run(Model model, const Event& event, const Backend& backend);
Canvas drawn(const Model& model);

}  // namespace dvrtrace::tui
