#include "collectors/source/file_tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>

#include "collectors/source/archive.h"
#include "src/base/all_cores.h"
#include "src/base/source.h"
#include "src/base/text.h"

namespace dvrtrace {

namespace {

// Deeper than any report; a folder that contains itself through a bind mount ends here.
constexpr unsigned kMaxDepth = 40;

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

struct CloseFolder {
  void operator()(DIR* folder) const { ::closedir(folder); }
};
using Folder = std::unique_ptr<DIR, CloseFolder>;

std::string real_path(const std::string& path) {
  std::error_code error;
  std::string real = std::filesystem::canonical(path, error).string();
  return error ? std::string{} : real;
}

std::string_view last_part(std::string_view path) { return path.substr(path.rfind('/') + 1); }

FileEntry entry_at(std::string path) {
  FileEntry entry;
  entry.path = std::move(path);
  return entry;
}

class Lister {
 public:
  Lister(const std::string& name, const std::string& root, Diagnostics& diagnostics)
      : name_(name), root_(root), diagnostics_(diagnostics) {}

  // Ascending by path.
  std::vector<FileEntry> list(Folder top) {
    list(top.get(), "", 0);
    return std::move(files_);
  }

 private:
  // A folder has its '/' in the name: so what is in it stands where it belongs among its neighbours.
  struct Name {
    std::string name;
    unsigned char type;
  };

  void list(DIR* folder, const std::string& prefix, unsigned depth) {
    std::vector<Name> names;
    while (const dirent* entry = ::readdir(folder)) {
      const std::string_view name = entry->d_name;
      if (name == "." || name == "..") continue;
      const unsigned char type = type_of(folder, *entry);
      if (type == DT_REG || type == DT_LNK || type == DT_DIR)
        names.push_back({std::string(name), type});  // not sockets, devices
      if (type == DT_DIR) names.back().name += '/';
    }
    std::ranges::sort(names, {}, &Name::name);
    for (Name& each : names) {
      std::string path = prefix + each.name;
      if (each.type == DT_REG) {
        files_.push_back(entry_at(std::move(path)));
      } else if (each.type == DT_LNK) {
        add_link(std::move(path));
      } else {
        each.name.pop_back();
        list_folder(folder, each.name.c_str(), path, depth + 1);
      }
    }
  }

  static unsigned char type_of(DIR* folder, const dirent& entry) {
    if (entry.d_type != DT_UNKNOWN) return entry.d_type;
    struct stat status {};
    if (::fstatat(::dirfd(folder), entry.d_name, &status, AT_SYMLINK_NOFOLLOW) != 0) return DT_UNKNOWN;
    return static_cast<unsigned char>(IFTODT(status.st_mode));
  }

  void list_folder(DIR* parent, const char* name, const std::string& prefix, unsigned depth) {
    if (depth > kMaxDepth) return report(prefix, "folders within folders without end");
    Descriptor fd(::openat(::dirfd(parent), name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    Folder folder(fd.get() < 0 ? nullptr : ::fdopendir(fd.get()));
    if (folder == nullptr) return report(prefix, std::strerror(errno));
    fd.release();
    list(folder.get(), prefix, depth);
  }

  void add_link(std::string path) {
    const std::string target = real_path(root_ + '/' + path);
    FileEntry entry = entry_at(std::move(path));
    std::error_code error;
    if (target.empty()) {
      entry.fault = "a link to a file that is not there";
    } else if (!target.starts_with(root_ + '/')) {
      entry.fault = "a link that leads out of the input";
    } else if (std::filesystem::is_regular_file(target, error)) {
      entry.link_to = target.substr(root_.size() + 1);
    } else {
      return;
    }
    files_.push_back(std::move(entry));
  }

  void report(const std::string& folder, std::string_view what) {
    diagnostics_.error(
        {}, fmt::format("{}/{}: expected a folder, found that it cannot be listed: {}", name_, folder, what),
        "what is in it counts as missing");
  }

  const std::string& name_;
  const std::string& root_;
  Diagnostics& diagnostics_;
  std::vector<FileEntry> files_;
};

// The one byte more than the size that fstat gave shows the end of the file without a second read.
Result<std::string> read_all(int fd, std::size_t size) {
  std::string bytes(size + 1, '\0');
  std::size_t used = 0;
  while (true) {
    const ssize_t count = ::read(fd, bytes.data() + used, bytes.size() - used);
    if (count < 0) return failure(std::strerror(errno));
    used += static_cast<std::size_t>(count);
    if (used < bytes.size()) break;
    if (used > Sources::kMaxBytes) return failure("it is larger than 4 GiB");
    bytes.resize(2 * bytes.size());
  }
  bytes.resize(used);
  return bytes;
}

Result<std::string> read_path(const std::string& path, int flags) {
  // A pipe put in the place of a file must not keep us waiting.
  const Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | flags));
  if (fd.get() < 0) return failure(std::strerror(errno));
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return failure(std::strerror(errno));
  if (!S_ISREG(status.st_mode)) return failure("it is not a file");
  const auto size = static_cast<std::uint64_t>(status.st_size);
  if (size > Sources::kMaxBytes) return failure("it is larger than 4 GiB");
  return read_all(fd.get(), static_cast<std::size_t>(size));
}

// Archives in a folder become folders, each read on a core of its own.
void unfold_archives(std::vector<FileEntry>& files, const std::string& name, const std::string& root,
                     Wanted wanted, Diagnostics& diagnostics) {
  std::vector<std::size_t> places;
  for (std::size_t file = 0; file < files.size(); ++file) {
    if (files[file].link_to.empty() && is_inner_archive(files[file].path)) places.push_back(file);
  }
  if (places.empty()) return;
  std::vector<Result<std::vector<FileEntry>>> members(places.size());
  std::vector<Diagnostics> reported(places.size());
  run_on_all_cores(places.size(), [&](std::size_t each) {
    const std::string& path = files[places[each]].path;
    members[each] = read_archive(root + '/' + path, name + '/' + path, wanted, reported[each]);
  });
  for (std::size_t each = 0; each < places.size(); ++each) {
    FileEntry& archive = files[places[each]];
    diagnostics.merge(std::move(reported[each]));
    if (!members[each]) {
      diagnostics.error(
          {}, printable(fmt::format("{}/{}: {}", name, archive.path, members[each].error().message)),
          "what is in it counts as missing");
      continue;
    }
    const std::string prefix = std::exchange(archive.path, {}) + '/';
    for (FileEntry& member : *members[each]) {
      member.path.insert(0, prefix);
      if (!member.link_to.empty()) member.link_to.insert(0, prefix);
    }
  }
  std::erase_if(files, [](const FileEntry& file) { return file.path.empty(); });
  for (auto& each : members) {
    if (each) std::ranges::move(*each, std::back_inserter(files));
  }
  std::ranges::sort(files, {}, &FileEntry::path);
}

}  // namespace

Result<FileTree> FileTree::open(const std::string& path, Wanted wanted, Diagnostics& diagnostics) {
  std::error_code error;
  const bool is_folder = std::filesystem::is_directory(path, error);
  return is_folder ? open_folder(path, wanted, diagnostics) : open_archive(path, wanted, diagnostics);
}

Result<FileTree> FileTree::open_archive(const std::string& path, Wanted wanted, Diagnostics& diagnostics) {
  FileTree tree;
  tree.name_ = path;
  auto files = read_archive(path, tree.name_, wanted, diagnostics);
  if (!files) return tl::unexpected(files.error());
  tree.files_ = std::move(*files);
  tree.root_ = without_archive_ending(real_path(path));
  return tree;
}

Result<FileTree> FileTree::open_folder(const std::string& path, Wanted wanted, Diagnostics& diagnostics) {
  FileTree tree;
  tree.name_ = path;
  while (tree.name_.size() > 1 && tree.name_.back() == '/') tree.name_.pop_back();
  tree.root_ = real_path(path);
  Folder top(::opendir(path.c_str()));
  if (top == nullptr || tree.root_.empty()) return failure(std::strerror(errno));
  if (tree.root_ == "/") tree.root_.clear();
  tree.files_ = Lister(tree.name_, tree.root_, diagnostics).list(std::move(top));
  unfold_archives(tree.files_, tree.name_, tree.root_, wanted, diagnostics);
  return tree;
}

FileTree FileTree::of_texts(std::string name, std::vector<std::pair<std::string, std::string>> texts) {
  FileTree tree;
  tree.root_ = tree.name_ = std::move(name);
  std::ranges::sort(texts);
  for (auto& [path, text] : texts) {
    FileEntry file = entry_at(std::move(path));
    file.text = std::make_shared<const std::string>(std::move(text));
    tree.files_.push_back(std::move(file));
  }
  return tree;
}

std::string_view FileTree::folder_name() const { return last_part(root_); }

std::string_view FileTree::parent_name() const {
  const std::string_view root = root_;
  return last_part(root.substr(0, std::min(root.size(), root.rfind('/'))));
}

Result<SharedText> FileTree::read(const FileEntry& entry) const {
  if (!entry.fault.empty()) return failure(entry.fault);
  if (entry.text) return entry.text;
  if (entry.lines) return failure("its text was not kept when the archive was read");
  return read_path(root_ + '/' + (entry.link_to.empty() ? entry.path : entry.link_to), O_NOFOLLOW)
      .map([](std::string bytes) { return std::make_shared<const std::string>(std::move(bytes)); });
}

Result<std::string> read_file(const std::string& path) { return read_path(path, 0); }

}  // namespace dvrtrace
