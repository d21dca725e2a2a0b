#include "src/cli/capture_inputs.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "collectors/source/open_stream.h"

namespace dvrtrace::cli {
namespace {

bool exists(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

verify::CaptureSource open_one(const std::string& path, verify::PlaceName name) {
  verify::CaptureSource source{path == "-" ? "standard input" : path, std::move(name), nullptr, ""};
  auto bytes = open_stream(path);
  if (!bytes) {
    source.fault = bytes.error().message;
    return source;
  }
  auto reader = verify::open_capture(std::move(*bytes));
  if (reader)
    source.reader = std::make_unique<verify::PeekingReader>(std::move(*reader));
  else
    source.fault = reader.error().message;
  return source;
}

}  // namespace

tl::expected<std::vector<verify::CaptureSource>, Failure> open_captures(
    const Options& options, const std::vector<std::string>& hosts, const std::vector<CapturePoint>& points) {
  std::vector<verify::CaptureSource> sources;
  if (options.captures.empty())
    return fail("no-input", "no capture: which packets are to be looked at?",
                "name files or a folder: -r captures");
  for (const std::string& text : options.captures) {
    const std::size_t at = text.find('=');
    const bool named = at != std::string::npos && at != 0 && text.find('/') > at && !exists(text);
    const std::string path = named ? text.substr(at + 1) : text;
    const verify::PlaceName name =
        named ? verify::read_place(std::string_view(text).substr(0, at), hosts) : verify::PlaceName{};
    if (path != "-" && !exists(path))
      return fail("unreadable-input", fmt::format("no such capture: {}", path));
    if (!is_folder(path)) {
      sources.push_back(
          open_one(path, verify::joined(name, path == "-" ? verify::PlaceName{}
                                                          : verify::place_of_file(path, hosts, points))));
      continue;
    }
    const auto files = files_of_folder(path);
    if (!files) return fail("unreadable-input", fmt::format("{}: {}", path, files.error().message));
    const std::size_t before = sources.size();
    for (const std::string& file : *files) {
      if (verify::is_capture_file(file))
        sources.push_back(open_one(file, verify::joined(name, verify::place_of_file(file, hosts, points))));
    }
    if (sources.size() == before)
      return fail("no-input", fmt::format("no capture in {}", path),
                  "captures are called HOST__NETNS__DEVICE.pcap there");
  }
  const bool any = std::ranges::any_of(
      sources, [](const verify::CaptureSource& source) { return source.reader != nullptr; });
  if (any) return sources;
  return fail("unreadable-input", fmt::format("{}: {}", sources.front().file, sources.front().fault));
}

}  // namespace dvrtrace::cli
