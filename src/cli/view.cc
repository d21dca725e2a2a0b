// dvrtrace view: a trace, or what is wrong, on a screen that one can move in.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <set>

#include "collectors/source/file_tree.h"
#include "src/base/overloaded.h"
#include "src/base/text.h"
#include "src/cli/check.h"
#include "src/cli/console.h"
#include "src/cli/inputs.h"
#include "src/cli/program.h"
#include "src/cli/question.h"
#include "src/cli/viewed_cloud.h"
#include "src/report/read_trace_json.h"
#include "tui/model.h"
#include "tui/terminal/terminal.h"

namespace dvrtrace::cli {
namespace {

struct Screen {
  std::size_t columns = 80, rows = 24;
};

tl::expected<Screen, Failure> screen_of(const std::string& text) {
  constexpr std::size_t kLeastColumns = 20, kLeastRows = 5, kMost = 1000;
  std::string_view rest = text;
  const auto columns = number<std::size_t>(take_until(rest, 'x')), rows = number<std::size_t>(rest);
  if (!columns || !rows || *columns < kLeastColumns || *rows < kLeastRows || *columns > kMost ||
      *rows > kMost)
    return fail("usage", fmt::format("--screen wants COLUMNSxROWS from 20x5 to 1000x1000, not '{}'", text));
  return Screen{*columns, *rows};
}

// Writes a file that is not there yet: a viewer overwrites nothing.
tui::Told save(const std::string& path, const std::string& text) {
  std::FILE* file = std::fopen(path.c_str(), "wx");
  if (file == nullptr) {
    std::error_code ignored;
    const bool there = std::filesystem::exists(path, ignored);
    return {there ? fmt::format("'{}' is there already; choose another name", path)
                  : fmt::format("'{}' cannot be written", path),
            true};
  }
  const bool written = std::fwrite(text.data(), 1, text.size(), file) == text.size();
  if (std::fclose(file) != 0 || !written) return {fmt::format("'{}' could not be written whole", path), true};
  return {fmt::format("saved as {}", path), false};
}

// What the viewer asks for and the terminal does not do itself.
class Backstage {
 public:
  Backstage(std::unique_ptr<ViewedCloud> cloud, Ask asked)
      : cloud_(std::move(cloud)), asked_(std::move(asked)) {}
  explicit Backstage(std::vector<JsonInput> inputs) : inputs_(std::move(inputs)) {}

  tui::Event operator()(const tui::Request& request, const tui::Model& model) const {
    using namespace tui;
    return std::visit(overloaded{
                          [&](const AskAgain& r) -> Event {
                            if (cloud_ == nullptr)
                              return Told{"there are no dumps behind this to be asked", true};
                            auto subject = cloud_->trace(asked_, r.inquiry);
                            if (!subject) return Told{subject.error().message, true};
                            return Answered{prepare(std::move(*subject)), false};
                          },
                          [&](const FindFaults&) -> Event {
                            if (cloud_ == nullptr)
                              return Told{"there are no dumps behind this to be compared", true};
                            return Answered{prepare(cloud_->judged(asked_, *model.subject)), true};
                          },
                          [&](const CopyText&) -> Event {
                            return Told{"copied; it is printed on leaving, too", false};
                          },
                          [&](const SaveScreen& r) -> Event { return save(r.path, drawn(model).text()); },
                          [&](const SaveTrace& r) -> Event { return save(r.path, json_of(*model.subject)); },
                      },
                      request);
  }

 private:
  std::string json_of(const tui::Subject& subject) const {
    const std::vector<JsonInput> inputs = cloud_ == nullptr ? inputs_ : cloud_->inputs();
    const std::vector<Diagnostic> diagnostics =
        cloud_ == nullptr ? std::vector<Diagnostic>{} : cloud_->diagnostics().all();
    return print_json(*subject.trace, {*subject.sources, tool_name(), inputs, diagnostics,
                                       subject.findings.value_or(std::vector<Finding>{})});
  }

  std::shared_ptr<const ViewedCloud> cloud_;
  Ask asked_;
  std::vector<JsonInput> inputs_;
};

struct Opened {
  std::shared_ptr<const tui::Subject> subject;
  tui::Backend backend;
};

tl::expected<Opened, Failure> open_cloud(const Options& options, bool with_question) {
  Ask asked;
  tui::Inquiry inquiry;
  Options question = options;
  if (with_question) {
    question.words.erase(question.words.begin());
  } else {
    question.words = {"?", "to", "?"};  // the options of the packet are read all the same
  }
  const auto read = question_of(question);
  if (!read) return tl::unexpected<Failure>(read.error());
  asked = *read;
  auto cloud = ViewedCloud::open(options);
  if (!cloud) return tl::unexpected<Failure>(cloud.error());
  tui::Subject subject = (*cloud)->ends();
  if (with_question) {
    inquiry = {asked.from, asked.to, question.words.size() > 3 ? question.words[3] : "icmp", {}};
    auto traced = (*cloud)->trace(asked, inquiry);
    if (!traced) return tl::unexpected<Failure>(traced.error());
    subject = std::move(*traced);
    // What stops it is what one wants to know: it is looked for at once.
    if (!arrives(subject.trace->verdict)) subject = (*cloud)->judged(asked, subject);
  }
  return Opened{tui::prepare(std::move(subject)), Backstage(std::move(*cloud), asked)};
}

// Finds the dumps that a saved trace cites, in the folders given, that of the trace, and the current one.
// Names that lead out of these are not followed.
class DumpFinder {
 public:
  DumpFinder(const Options& options, const std::string& file) {
    for (const Input& input : inputs_of(options)) folders_.emplace_back(input.path);
    folders_.push_back(std::filesystem::path(file).parent_path());
    folders_.emplace_back(".");
  }

  std::optional<std::string> operator()(const std::string& name) const {
    constexpr std::uintmax_t kLargest = std::uintmax_t{256} << 20;
    const std::filesystem::path path(name);
    if (name.empty() || path.is_absolute() ||
        std::ranges::find(path, std::filesystem::path("..")) != path.end())
      return std::nullopt;
    for (const std::filesystem::path& folder : folders_) {
      // The input's own name may be in front of the file's: "hosts/cmp1/..." below -i hosts.
      for (std::filesystem::path rest = path; !rest.empty(); rest = rest.lexically_relative(*rest.begin())) {
        const std::filesystem::path whole = folder.empty() ? rest : folder / rest;
        std::error_code error;
        const bool usable = std::filesystem::is_regular_file(std::filesystem::symlink_status(whole, error)) &&
                            !error && std::filesystem::file_size(whole, error) <= kLargest && !error &&
                            inside(folder, whole);
        if (usable) {
          if (auto text = read_file(whole.string())) return std::move(*text);
        }
        if (rest.lexically_relative(*rest.begin()) == ".") break;
      }
    }
    return std::nullopt;
  }

 private:
  // Whether no link on the way leads out of the folder.
  static bool inside(const std::filesystem::path& folder, const std::filesystem::path& file) {
    std::error_code error;
    const auto root = std::filesystem::canonical(folder.empty() ? "." : folder, error);
    if (error) return false;
    const auto real = std::filesystem::canonical(file, error);
    return !error && std::mismatch(root.begin(), root.end(), real.begin(), real.end()).first == root.end();
  }

  std::vector<std::filesystem::path> folders_;
};

tui::Sightings sightings_of(const SeenDirection& seen) {
  using State = tui::Sighting::State;
  tui::Sightings all{seen.direction, seen.text, {}};
  for (const SeenCrossing& crossing : seen.crossings) {
    tui::Sighting sighting;
    if (crossing.state == "seen")
      sighting.state = State::Seen;
    else if (crossing.state == "altered")
      sighting.state = State::Altered;
    else if (crossing.state == "not-seen")
      sighting.state = State::NotSeen;
    else if (crossing.state == "missed")
      sighting.state = State::Missed;
    else if (crossing.state == "cannot-tell")
      sighting.state = State::CannotTell;
    sighting.altered = crossing.altered;
    constexpr double kNanosecondsOfAMillisecond = 1e6;
    if (crossing.latency)
      sighting.latency = static_cast<double>(*crossing.latency) / kNanosecondsOfAMillisecond;
    sighting.packets = crossing.packets;
    all.crossings.push_back(std::move(sighting));
  }
  return all;
}

tl::expected<Opened, Failure> open_saved(const Options& options, const std::string& file) {
  auto text = read_file(file);
  if (!text)
    return fail("unreadable-input", fmt::format("{}: {}", file, text.error().message),
                "dvrtrace view from A to B [PACKET], or dvrtrace view TRACE.json");
  auto sources = std::make_shared<Sources>();
  Diagnostics diagnostics;
  const DumpFinder finder(options, file);
  auto saved = read_trace_json(file, *text, finder, *sources, diagnostics);
  if (!saved) return fail("unreadable-input", saved.error().message);
  print_diagnostics(diagnostics.all(), *sources, options);
  tui::Subject subject;
  subject.title = std::filesystem::path(file).filename().string();
  subject.sources = std::move(sources);
  subject.trace = std::move(saved->trace);
  subject.findings = std::move(saved->findings);
  for (const SeenDirection& seen : saved->seen) subject.sightings.push_back(sightings_of(seen));
  return Opened{tui::prepare(std::move(subject)), Backstage(std::move(saved->inputs))};
}

tl::expected<Opened, Failure> open_check(const Options& options) {
  auto sources = std::make_shared<Sources>();
  auto checked = check_cloud(options, *sources, Texts::Keep);
  if (!checked) return tl::unexpected<Failure>(checked.error());
  CheckReport& report = checked->report;
  tui::Subject subject;
  const auto count = [&](Severity severity) {
    return std::ranges::count(report.findings, severity, &Finding::severity);
  };
  subject.title = fmt::format("check: {} errors, {} warnings, {} notes{}", count(Severity::Error),
                              count(Severity::Warning), count(Severity::Note),
                              report.release.empty() ? "" : ", compared with Neutron " + report.release);
  subject.sources = std::move(sources);
  subject.findings = std::move(report.findings);
  return Opened{tui::prepare(std::move(subject)), Backstage(std::vector<JsonInput>{})};
}

tl::expected<Opened, Failure> open_what(const Options& options) {
  const std::vector<std::string>& words = options.words;
  if (options.check) {
    if (words.empty()) return open_check(options);
    return fail("usage", "view --check takes no words, found '" + words[0] + "'",
                "dvrtrace view --check -i INPUT...");
  }
  if (words.empty()) return open_cloud(options, false);
  if (words[0] == "from") return open_cloud(options, true);
  if (words.size() == 1) return open_saved(options, words[0]);
  return fail("usage", fmt::format("view what? '{}' is neither a file nor the word 'from'", words[0]),
              "dvrtrace view from A to B [PACKET]");
}

int shown_status(const tui::Subject& subject) {
  if (subject.trace) return status_of(subject.trace->verdict);
  const bool clean = !subject.findings || std::ranges::all_of(*subject.findings, [](const Finding& f) {
    return f.severity == Severity::Note;
  });
  return clean ? kDelivered : kNotDelivered;
}

}  // namespace

Outcome run_view(const Options& options) {
  Style style = output_style(options);
  style.unicode = style.unicode && !options.ascii;
  tl::expected<Screen, Failure> screen = Screen{};
  if (!options.screen.empty()) screen = screen_of(options.screen);
  if (!screen) return tl::unexpected<Failure>(screen.error());
  const bool on_terminal = options.screen.empty();
  const std::string hint = "dvrtrace view ... --screen 80x24 prints a screen as text";
  if (on_terminal && !tui::has_terminal())
    return fail("no-terminal", "a viewer needs a terminal on standard input and output", hint);
  auto opened = open_what(options);
  if (!opened) return tl::unexpected<Failure>(opened.error());

  tui::Model model = tui::open(std::move(opened->subject), style, screen->columns, screen->rows);
  for (const tui::Key& key : tui::read_keys(options.keys)) {
    if (!model.quit) model = tui::run(std::move(model), tui::KeyPressed{key}, opened->backend);
  }
  if (on_terminal && !model.quit) {
    auto left = tui::run_on_terminal(std::move(model), opened->backend);
    if (!left) return fail("no-terminal", left.error().message, hint);
    model = std::move(*left);
  }
  std::string text = on_terminal && !model.print_on_quit ? "" : tui::drawn(model).text();
  for (const std::string& copied : model.copied) text += copied;
  if (!answer(text, options)) return fail("output", "the screen could not be written");
  return shown_status(*model.subject);
}

}  // namespace dvrtrace::cli
