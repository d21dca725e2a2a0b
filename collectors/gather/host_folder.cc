#include "collectors/gather/host_folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "src/base/text.h"

namespace dvrtrace::gather {

namespace {
constexpr mode_t kMine = 0700;
}

Result<HostFolder> HostFolder::make(const std::string& path) {
  const std::filesystem::path parent = std::filesystem::path(path).parent_path();
  std::error_code error;
  if (!parent.empty()) std::filesystem::create_directories(parent, error);
  if (error) return failure(fmt::format("{}: {}", parent.string(), error.message()));
  if (::mkdir(path.c_str(), kMine) != 0) return failure(fmt::format("{}: {}", path, std::strerror(errno)));
  HostFolder folder;
  folder.path_ = path;
  return folder;
}

File HostFolder::open(std::string_view name) const {
  for (std::size_t at = name.find('/'); at != std::string_view::npos; at = name.find('/', at + 1))
    ::mkdir(fmt::format("{}/{}", path_, name.substr(0, at)).c_str(), kMine);
  const int fd = ::open(fmt::format("{}/{}", path_, name).c_str(),
                        O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  return File(fd < 0 ? nullptr : ::fdopen(fd, "wb"));
}

bool HostFolder::write(std::string_view name, std::string_view text) const {
  const File file = open(name);
  return file && std::fwrite(text.data(), 1, text.size(), file.get()) == text.size() &&
         std::fflush(file.get()) == 0;
}

void HostFolder::remove(std::string_view name) const { ::unlink(fmt::format("{}/{}", path_, name).c_str()); }

void HostFolder::remove_all() const {
  std::error_code error;
  std::filesystem::remove_all(path_, error);
}

std::string folder_name_of(std::string_view host) {
  host = host.substr(host.rfind('@') + 1);
  std::string name;
  for (const char c : host) name += is_alpha(c) || is_digit(c) || c == '-' || c == '_' || c == '.' ? c : '_';
  return name.empty() || name.front() == '.' ? std::string{} : name;
}

}  // namespace dvrtrace::gather
