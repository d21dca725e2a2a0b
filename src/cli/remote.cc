#include "src/cli/remote.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <ctime>

#include "collectors/source/file_tree.h"
#include "src/base/text.h"
#include "src/cli/console.h"

namespace dvrtrace::cli {

tl::expected<gather::HostList, Failure> read_host_list(const Options& options) {
  auto bytes = read_file(options.host_list);
  if (!bytes)
    return fail("unreadable-input", fmt::format("{}: {}", options.host_list, bytes.error().message));
  Sources sources;
  Diagnostics diagnostics;
  const SourceId id = sources.add(printable(options.host_list), std::move(*bytes));
  gather::HostList list = gather::read_host_list(sources.text(id), diagnostics);
  print_diagnostics(diagnostics.all(), sources, options);
  return list;
}

tl::expected<unsigned, Failure> seconds_in(const std::string& text, unsigned otherwise, const char* option) {
  if (text.empty()) return otherwise;
  constexpr unsigned kDay = 86'400;
  const auto value = number<unsigned>(text);
  if (!value || *value == 0 || *value > kDay)
    return fail("usage", fmt::format("{} is a number from 1 to {}, not '{}'", option, kDay, text));
  return *value;
}

std::string name_of_now(const std::string& prefix) {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  return fmt::format("{}-{:%Y%m%dT%H%M%SZ}", prefix, parts);
}

}  // namespace dvrtrace::cli
