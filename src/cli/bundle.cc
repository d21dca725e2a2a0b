// dvrtrace bundle: an archive of the dumps that are read, with names and addresses replaced if asked.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

#include "collectors/bundle/archive_writer.h"
#include "collectors/bundle/database_log.h"
#include "collectors/bundle/names.h"
#include "collectors/bundle/redactor.h"
#include "collectors/run/process.h"
#include "collectors/source/file_tree.h"
#include "src/base/text.h"
#include "src/cli/console.h"
#include "src/cli/inputs.h"
#include "src/cli/program.h"
#include "src/cli/progress.h"

namespace dvrtrace::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kMapSchema = "dvrtrace.redaction/1";

// --- the map, which stays with the user ----------------------------------------------------------------

std::optional<redact::Key> key_in(const std::string& text) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object() || json.value("schema", "") != kMapSchema || !json.contains("key") ||
      !json["key"].is_string())
    return std::nullopt;
  const std::string hex = json["key"];
  redact::Key key{};
  if (hex.size() != 2 * key.size()) return std::nullopt;
  for (std::size_t i = 0; i < key.size(); ++i) {
    const auto byte = hex_number(std::string_view(hex).substr(2 * i, 2));
    if (!byte) return std::nullopt;
    key[i] = static_cast<std::uint8_t>(*byte);
  }
  return key;
}

std::string map_json(const redact::Key& key, const redact::Redactor& redactor,
                     const std::set<std::string>& kept) {
  std::string hex;
  for (const std::uint8_t byte : key) hex += fmt::format("{:02x}", byte);
  const Json map{{"schema", kMapSchema},
                 {"tool", tool_name()},
                 {"key", hex},
                 {"kept", kept},
                 {"replaced", redactor.replaced()}};
  return map.dump(1, ' ', true, Json::error_handler_t::replace) + "\n";
}

// A map that was there is put in the place of: it holds all of the old one's key's images.
bool write_map(const std::string& path, const std::string& text) {
  const std::string fresh = path + ".new";
  const int fd = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0) return false;
  const bool written = ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  return ::close(fd) == 0 && written && ::rename(fresh.c_str(), path.c_str()) == 0;
}

// --- the bundle ----------------------------------------------------------------------------------------

class Bundling {
 public:
  Bundling(const Options& options, const Collection& collection)
      : options_(options), collection_(collection) {}

  tl::expected<void, Failure> write(const std::string& path) {
    if (options_.redact) {
      if (const auto ready = prepare(path); !ready) return tl::unexpected<Failure>(ready.error());
    }
    auto archive = ArchiveWriter::create(path);
    if (!archive) return fail("output", archive.error().message);
    const auto filled = fill(*archive, archive_stem(path));
    if (!filled) {
      ::unlink(path.c_str());
      return tl::unexpected<Failure>(filled.error());
    }
    if (redactor_ && !write_map(map_path_, map_json(*key_, *redactor_, kept_))) {
      ::unlink(path.c_str());
      return fail("output", map_path_ + " could not be written");
    }
    return {};
  }

  std::size_t files() const { return files_.size(); }
  std::size_t hosts() const { return collection_.hosts().size(); }
  std::string map_path() const { return redactor_ ? map_path_ : std::string{}; }
  const std::set<std::string>& kept() const { return kept_; }

 private:
  static bool is_taken(const HostFile& file) { return file.name.kind > FileKind::Ignored; }

  std::size_t count() const {
    std::size_t count = 0;
    for (const HostFiles& host : collection_.hosts())
      count += static_cast<std::size_t>(std::ranges::count_if(host.files, is_taken));
    return count;
  }

  // The text of a file as the bundle has it, but for what is replaced.
  std::optional<std::string> text_of(const HostFile& file) const {
    const auto bytes = collection_.text(file);
    if (!bytes) return std::nullopt;
    return options_.redact && file.name.kind == FileKind::AgentConfig ? redact::settings_that_matter(**bytes)
                                                                      : **bytes;
  }

  tl::expected<void, Failure> prepare(const std::string& path) {
    map_path_ = options_.map_file.empty() ? path + ".map.json" : options_.map_file;
    std::error_code error;
    if (std::filesystem::exists(map_path_, error)) {
      if (options_.map_file.empty())
        return fail("output", map_path_ + " is there already",
                    "name it with --map to use its replacements again");
      const auto text = read_file(map_path_);
      key_ = text ? key_in(*text) : std::nullopt;
      if (!key_) return fail("unreadable-input", map_path_ + ": expected a map that dvrtrace bundle wrote");
    } else {
      key_ = redact::random_key();
    }
    redactor_.emplace(*key_);
    learn();
    return {};
  }

  void learn() {
    redact::Names names;
    for (const auto& [name, text] : collection_.neutron_texts()) redact::names_in_neutron(*text, names);
    for (const HostFiles& host : collection_.hosts()) {
      names.insert(host.name);
      for (const HostFile& file : host.files) {
        const bool tells = file.name.kind == FileKind::Domain || file.name.kind == FileKind::Hostname;
        const auto bytes = tells ? collection_.text(file) : Result<SharedText>(failure(""));
        if (!bytes) continue;
        if (file.name.kind == FileKind::Domain) redact::names_in_domain(**bytes, names);
        if (file.name.kind == FileKind::Hostname) names.emplace(trim(**bytes));
      }
    }
    for (const std::string& name : names) {
      if (!redactor_->add_name(name)) kept_.insert(name);
    }
    for (const auto& [name, text] : collection_.neutron_texts()) redactor_->learn(*text);
    for (const HostFiles& host : collection_.hosts()) {
      for (const HostFile& file : host.files) {
        if (!is_taken(file)) continue;
        if (const auto text = text_of(file)) redactor_->learn(*text);
      }
    }
  }

  std::string redacted(std::string_view text) {
    return redactor_ ? redactor_->redact(text) : std::string(text);
  }

  tl::expected<void, Failure> add(ArchiveWriter& archive, const std::string& stem, const std::string& path,
                                  std::string_view text) {
    files_.push_back({{"path", path}, {"bytes", text.size()}, {"sha256", sha256(text)}});
    const auto added = archive.add(fmt::format("{}/{}", stem, path), text);
    return added ? tl::expected<void, Failure>{} : fail("output", added.error().message);
  }

  tl::expected<void, Failure> fill(ArchiveWriter& archive, const std::string& stem) {
    Progress progress(options_);
    const std::size_t all = count();
    for (const HostFiles& host : collection_.hosts()) {
      std::string folder = redacted(host.name);
      std::ranges::replace(folder, '/', '_');
      for (const HostFile& file : host.files) {
        const auto text = is_taken(file) ? text_of(file) : std::nullopt;
        if (!text) continue;
        const std::string path = fmt::format("hosts/{}/{}", folder, redacted(file.path));
        std::string written = redacted(*text);
        if (options_.redact && file.path.ends_with("/conf.db"))
          written = redact::with_right_sums(*text, written);
        if (const auto added = add(archive, stem, path, written); !added) return added;
        progress.show(files_.size(), all, file.path);
      }
    }
    std::set<std::string> taken;
    for (const auto& [name, text] : collection_.neutron_texts()) {
      std::string path = redacted(name);
      for (int number = 2; !taken.insert(path).second; ++number)
        path = fmt::format("{}-{}", number, redacted(name));
      if (const auto added = add(archive, stem, "neutron/" + path, redacted(*text)); !added) return added;
    }
    if (!options_.ask.empty()) {
      if (const auto added = add_answer(archive, stem); !added) return added;
    }
    Json manifest{{"schema", "dvrtrace.bundle/1"}, {"tool", tool_name()}, {"redacted", options_.redact}};
    if (!options_.ask.empty()) manifest["question"] = redacted(options_.ask);
    manifest["files"] = files_;
    const auto added = archive.add(stem + "/bundle.json",
                                   manifest.dump(1, ' ', true, Json::error_handler_t::replace) + "\n");
    if (!added) return fail("output", added.error().message);
    const auto finished = archive.finish();
    return finished ? tl::expected<void, Failure>{} : fail("output", finished.error().message);
  }

  // The question is put to this very program, as a user would.
  tl::expected<void, Failure> add_answer(ArchiveWriter& archive, const std::string& stem) {
    for (const char* format : {"text", "json"}) {
      Words words{"/proc/self/exe", "from"};
      for (std::string& word : words_in(options_.ask)) words.push_back(std::move(word));
      for (const std::string& input : options_.inputs) words.insert(words.end(), {"-i", input});
      for (const std::string& input : options_.neutron) words.insert(words.end(), {"--neutron", input});
      words.insert(words.end(), {"-o", format, "--color", "never"});
      std::string answer;
      const Ran ran = run_process(words, {}, {.time = std::chrono::minutes(10)},
                                  [&](std::string_view piece) { answer += piece; });
      if (!ran.started() || ran.timed_out || ran.status.value_or(kCouldNotRun) == kCouldNotRun) {
        const std::string_view complaint = trim(ran.errors);
        return fail("usage", fmt::format("the question '{}' could not be answered: {}", options_.ask,
                                         printable(complaint.substr(0, 300))));
      }
      for (const std::string& input : options_.inputs) {  // where the dumps lie is nobody's business
        for (std::size_t at = answer.find(input); !input.empty() && at != std::string::npos;
             at = answer.find(input, at + 5))
          answer.replace(at, input.size(), "hosts");
      }
      const std::string path = std::string("answer.") + (format == std::string_view("text") ? "txt" : "json");
      if (const auto added = add(archive, stem, path, redacted(answer)); !added) return added;
    }
    return {};
  }

  const Options& options_;
  const Collection& collection_;
  std::optional<redact::Key> key_;
  std::optional<redact::Redactor> redactor_;
  std::string map_path_;
  std::set<std::string> kept_;
  Json files_ = Json::array();
};

}  // namespace

Outcome run_bundle(const Options& options) {
  if (options.words.size() != 1)
    return fail("usage", "bundle takes the name of the archive", "dvrtrace bundle FILE.tar.zst -i INPUT...");
  if (!options.map_file.empty() && !options.redact) return fail("usage", "--map goes with --redact");
  Sources sources;
  Diagnostics diagnostics;
  const auto collection = open_inputs(options, sources, diagnostics);
  print_diagnostics(diagnostics.all(), sources, options);
  if (!collection) return tl::unexpected<Failure>(collection.error());
  Bundling bundling(options, *collection);
  if (const auto written = bundling.write(options.words[0]); !written)
    return tl::unexpected<Failure>(written.error());
  std::string text =
      fmt::format("{}: {} files of {} hosts\n", options.words[0], bundling.files(), bundling.hosts());
  if (!bundling.map_path().empty())
    text += fmt::format("what was replaced by what: {} (keep it to yourself)\n", bundling.map_path());
  if (!bundling.kept().empty())
    text += fmt::format("names that are words of the dumps, and were kept: {}\n",
                        printable(fmt::format("{}", fmt::join(bundling.kept(), ", "))));
  if (!answer(text, options)) return fail("output", "the answer could not be written");
  return kDelivered;
}

}  // namespace dvrtrace::cli
