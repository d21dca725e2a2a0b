#include "collectors/source/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <set>

#include "src/base/text.h"

namespace dvrtrace {

namespace {

constexpr std::size_t kLongestPath = 4096;
constexpr std::size_t kDeepestPath = 40;
constexpr int kMostLinks = 8;  // from link to link
constexpr std::string_view kLost =
    "what is not read counts as missing; that something is not there proves nothing";

// clang-format off
constexpr std::array<std::string_view, 13> kEndings = {
    ".tar", ".tar.gz", ".tar.xz", ".tar.bz2", ".tar.zst", ".tar.zstd",
    ".tgz", ".taz", ".txz", ".tbz", ".tbz2", ".tb2", ".tzst"};
// clang-format on

// Bytes as libarchive asks for them.
class BlockStream {
 public:
  BlockStream() = default;
  BlockStream(const BlockStream&) = delete;
  BlockStream& operator=(const BlockStream&) = delete;
  virtual ~BlockStream() = default;
  virtual Result<std::string_view> next() = 0;  // "" at the end
  virtual std::int64_t skip(std::int64_t) { return 0; }
};

class FileStream : public BlockStream {
 public:
  explicit FileStream(int fd) : fd_(fd), buffer_(256 << 10) {}
  ~FileStream() override { ::close(fd_); }

  Result<std::string_view> next() override {
    const ssize_t count = ::read(fd_, buffer_.data(), buffer_.size());
    if (count < 0) return failure(std::strerror(errno));
    taken_ += static_cast<std::uint64_t>(count);
    return std::string_view(buffer_.data(), static_cast<std::size_t>(count));
  }
  // Never beyond the end: that what is skipped is not there must come to light.
  std::int64_t skip(std::int64_t count) override {
    struct stat status {};
    const off_t at = ::lseek(fd_, 0, SEEK_CUR);
    if (at < 0 || ::fstat(fd_, &status) != 0) return 0;
    const std::int64_t step = std::min<std::int64_t>(count, status.st_size - at);
    if (step <= 0 || ::lseek(fd_, step, SEEK_CUR) < 0) return 0;
    taken_ += static_cast<std::uint64_t>(step);
    return step;
  }
  std::uint64_t taken() const { return taken_; }

  // A tar that was cut between two members looks whole but for the zeros that every writer ends it with.
  bool ends_with_zeros() const {
    struct stat status {};
    std::array<char, 512> end{};
    if (::fstat(fd_, &status) != 0) return true;
    const off_t at = std::max<off_t>(0, status.st_size - static_cast<off_t>(end.size()));
    const ssize_t count = ::pread(fd_, end.data(), end.size(), at);
    return count < 0 || std::all_of(end.begin(), end.begin() + count, [](char c) { return c == 0; });
  }

 private:
  int fd_;
  std::vector<char> buffer_;
  std::uint64_t taken_ = 0;
};

struct FreeArchive {
  void operator()(archive* a) const { ::archive_read_free(a); }
};
using ArchiveHandle = std::unique_ptr<archive, FreeArchive>;

// What the archive and those in it have in common.
struct Reading {
  const std::string& name;
  Wanted wanted;
  Diagnostics& diagnostics;
  const ArchiveLimits& limits;
  const FileStream& file;

  std::vector<FileEntry> files = {};
  std::vector<std::string> folders = {};
  std::set<std::string> hard_links = {};
  std::uint64_t passed = 0, kept = 0;
  std::size_t members = 0, wanted_members = 0, listed = 0, unlisted = 0;
  std::size_t refused = 0;  // paths that lead out
  std::string first_refused = {};
  bool full = false;     // the first text that there was no room for is reported
  bool stopped = false;  // nothing more is read

  std::string shown(std::string_view path) const {
    return printable(path.empty() ? name : fmt::format("{}/{}", name, path));
  }
  void error(std::string_view path, std::string_view what) {
    diagnostics.error({}, fmt::format("{}: {}", shown(path), what), std::string(kLost));
  }
  void stop(std::string_view path, std::string_view what) {
    if (!stopped) error(path, what);
    stopped = true;
  }
  // Whether there is room for one more name.
  bool may_list(std::string_view path, bool is_wanted) {
    if (!is_wanted) {
      if (listed < limits.listed) return ++listed != 0;
      ++unlisted;
      return false;
    }
    if (wanted_members++ < limits.wanted) return true;
    stop(path, fmt::format("expected the dumps of hosts, found more than {} of them; the rest is not read",
                           limits.wanted));
    return false;
  }
  void refuse(std::string_view path) {
    if (refused++ == 0) first_refused = printable(path.substr(0, 200));
  }
};

// A path without "." and empty parts; none for one that leads out of the archive.
// `base`: the folder that a link stands in.
std::optional<std::string> path_within(std::string_view base, std::string_view path, bool is_link) {
  if (path.empty() || path.front() == '/' || path.size() > kLongestPath) return std::nullopt;
  std::vector<std::string_view> parts;
  if (!base.empty()) parts = split(base, '/');
  for (const std::string_view part : split(path, '/')) {
    if (part.empty() || part == ".") continue;
    if (part != "..") {
      parts.push_back(part);
    } else if (!is_link || parts.empty()) {
      return std::nullopt;
    } else {
      parts.pop_back();
    }
  }
  if (parts.size() > kDeepestPath) return std::nullopt;
  return fmt::format("{}", fmt::join(parts, "/"));
}

// One archive: the one that was named, or one in it.
class Layer {
 public:
  Layer(Reading& reading, BlockStream& stream, std::string path, unsigned depth)
      : reading_(reading),
        stream_(stream),
        path_(std::move(path)),
        depth_(depth),
        archive_(::archive_read_new()) {}

  // Fails when nothing can be made of it.
  Result<void> read();

 private:
  static la_ssize_t on_read(archive* a, void* layer, const void** bytes);
  static la_int64_t on_skip(archive*, void* layer, la_int64_t count) {
    return static_cast<Layer*>(layer)->stream_.skip(count);
  }

  friend class MemberStream;
  enum class Next { Block, End, Broken };
  Next next_block(std::string_view& block, std::uint64_t& offset);
  void pass_over();

  void read_member(archive_entry* entry);
  void read_file(archive_entry* entry, std::string path);
  void keep(archive_entry* entry, FileEntry& file);
  void count_lines(archive_entry* entry, FileEntry& file);
  bool read_inner(const std::string& path);
  void add_link(archive_entry* entry, std::string path, std::string_view inner);

  std::string within(std::string_view inner) const {
    return path_.empty() ? std::string(inner) : fmt::format("{}/{}", path_, inner);
  }
  std::string problem() const {
    const char* text = ::archive_error_string(archive_.get());
    return text == nullptr ? "it cannot be read" : printable(text);
  }

  Reading& reading_;
  BlockStream& stream_;
  std::string path_;
  unsigned depth_;
  ArchiveHandle archive_;
  bool broken_ = false;
  std::string where_;  // the member that is being read
};

// The bytes of a member that is an archive.
class MemberStream : public BlockStream {
 public:
  explicit MemberStream(Layer& outer) : outer_(outer) {}
  Result<std::string_view> next() override {
    std::string_view block;
    std::uint64_t offset = 0;
    switch (outer_.next_block(block, offset)) {
      case Layer::Next::End:
        return std::string_view{};
      case Layer::Next::Broken:
        return failure("the archive around it breaks off");
      case Layer::Next::Block:
        break;
    }
    if (offset != at_) return failure("it has holes");
    at_ += block.size();
    return block;
  }

 private:
  Layer& outer_;
  std::uint64_t at_ = 0;
};

la_ssize_t Layer::on_read(archive* a, void* self, const void** bytes) {
  Layer& layer = *static_cast<Layer*>(self);
  const auto block = layer.stream_.next();
  if (!block) {
    ::archive_set_error(a, EIO, "%s", block.error().message.c_str());
    return -1;
  }
  *bytes = block->data();
  return static_cast<la_ssize_t>(block->size());
}

Result<void> Layer::read() {
  archive* a = archive_.get();
  if (a == nullptr) return failure("no memory");
  ::archive_read_support_filter_gzip(a);
  ::archive_read_support_filter_bzip2(a);
  ::archive_read_support_filter_xz(a);
  ::archive_read_support_filter_zstd(a);
  ::archive_read_support_format_tar(a);
  if (::archive_read_open2(a, this, nullptr, on_read, on_skip, nullptr) < ARCHIVE_WARN)
    return failure(problem());
  for (bool first = true; !reading_.stopped; first = false) {
    archive_entry* entry = nullptr;
    const int status = ::archive_read_next_header(a, &entry);
    if (status == ARCHIVE_EOF) break;
    if (status < ARCHIVE_WARN) {
      if (first) return failure(problem());
      broken_ = true;
      break;
    }
    // One compression and the bare bytes. Compressing what is compressed serves nobody but who wants it to burst.
    if (::archive_filter_count(a) > 2) return failure("it is compressed more than once");
    if (reading_.members++ >= reading_.limits.members) {
      reading_.stop(
          path_, fmt::format("expected the dumps of hosts, found more than {} members; the rest is not read",
                             reading_.limits.members));
      break;
    }
    read_member(entry);
    if (broken_) break;
  }
  const bool bare = depth_ == 0 && ::archive_filter_count(a) == 1;
  const bool cut = bare && !reading_.stopped && !broken_ && !reading_.file.ends_with_zeros();
  if ((broken_ || cut) && !reading_.stopped) {
    const std::string reason = cut ? "it has no end mark" : problem();
    const std::string where = where_.empty() ? "" : fmt::format(", after or in '{}'", printable(where_));
    reading_.error(
        path_, fmt::format("expected the end of the archive, found that the archive breaks off{}: {}", where,
                           reason));
  }
  return {};
}

Layer::Next Layer::next_block(std::string_view& block, std::uint64_t& offset) {
  if (reading_.stopped || broken_) return Next::Broken;
  const void* bytes = nullptr;
  std::size_t size = 0;
  la_int64_t at = 0;
  const int status = ::archive_read_data_block(archive_.get(), &bytes, &size, &at);
  if (status == ARCHIVE_EOF) return Next::End;
  if (status < ARCHIVE_WARN || at < 0) {
    broken_ = true;
    return Next::Broken;
  }
  block = {static_cast<const char*>(bytes), size};
  offset = static_cast<std::uint64_t>(at);
  reading_.passed += size;
  const ArchiveLimits& limits = reading_.limits;
  if (reading_.passed > limits.ratio_from && reading_.passed / limits.ratio > reading_.file.taken()) {
    reading_.stop(path_, fmt::format("expected text, found that it unpacks to more than {} times its size, "
                                     "in '{}'; the rest is not read",
                                     limits.ratio, printable(where_)));
    return Next::Broken;
  }
  return Next::Block;
}

// libarchive would skip on its own, without end where the member has none.
void Layer::pass_over() {
  if (::archive_filter_count(archive_.get()) == 1 && depth_ == 0) return;
  std::string_view block;
  std::uint64_t offset = 0;
  while (next_block(block, offset) == Next::Block) {
  }
}

void Layer::read_member(archive_entry* entry) {
  const char* name = ::archive_entry_pathname(entry);
  if (name == nullptr) name = ::archive_entry_pathname_utf8(entry);
  const std::string_view given = name == nullptr ? "" : name;
  const auto inner = path_within("", given, false);
  where_ = given.substr(0, 200);
  if (!inner) {
    reading_.refuse(within(given));
    return pass_over();
  }
  if (inner->empty()) return;  // "./"
  std::string path = within(*inner);
  const char* hard = ::archive_entry_hardlink(entry);
  if (hard != nullptr || ::archive_entry_filetype(entry) == AE_IFLNK)
    return add_link(entry, std::move(path), *inner);
  if (::archive_entry_filetype(entry) == AE_IFDIR) {
    if (reading_.may_list(path, false)) reading_.folders.push_back(std::move(path));
    return;
  }
  if (::archive_entry_filetype(entry) == AE_IFREG) return read_file(entry, std::move(path));
  pass_over();  // devices, pipes
}

void Layer::read_file(archive_entry* entry, std::string path) {
  if (is_inner_archive(path) && read_inner(path)) return;
  FileEntry file;
  const bool wanted = reading_.wanted(path);
  if (!reading_.may_list(path, wanted)) return pass_over();
  file.path = std::move(path);
  if (wanted)
    keep(entry, file);
  else
    count_lines(entry, file);
  reading_.files.push_back(std::move(file));
}

void Layer::keep(archive_entry* entry, FileEntry& file) {
  const ArchiveLimits& limits = reading_.limits;
  const std::uint64_t room = std::min(limits.member, limits.kept - std::min(limits.kept, reading_.kept));
  if (room == 0) {
    if (!std::exchange(reading_.full, true))
      reading_.error(
          file.path,
          fmt::format("expected dumps, found more than {} MiB of them in one archive; this and the next "
                      "are not read",
                      limits.kept >> 20));
    file.fault = "there was no room for it";
    return pass_over();
  }
  auto text = std::make_shared<std::string>();
  const auto size = static_cast<std::uint64_t>(std::max<la_int64_t>(0, ::archive_entry_size(entry)));
  text->reserve(std::min(room, size));
  std::string_view block;
  std::uint64_t offset = 0;
  Next next = Next::End;
  while ((next = next_block(block, offset)) == Next::Block) {
    if (offset > text->size()) text->resize(std::min(room, offset));  // a hole
    text->append(block.substr(0, room - text->size()));
    if (offset + block.size() <= room) continue;
    file.cut = true;
    reading_.error(
        file.path,
        fmt::format("expected a dump, found more than {} MiB; only its beginning is read", room >> 20));
    pass_over();
    break;
  }
  file.cut = file.cut || next == Next::Broken || text->size() < std::min(room, size);
  // What the header promised is not what came.
  if (text->capacity() > 2 * text->size() + 4096) text->shrink_to_fit();
  reading_.kept += text->size();
  file.text = std::move(text);
}

// Every line of an input is accounted for, of those files too that nothing is read from.
void Layer::count_lines(archive_entry* entry, FileEntry& file) {
  file.lines = 0;
  if (static_cast<std::uint64_t>(std::max<la_int64_t>(0, ::archive_entry_size(entry))) >
      reading_.limits.counted)
    return pass_over();
  std::string_view block;
  std::uint64_t offset = 0;
  char last = '\n';
  while (next_block(block, offset) == Next::Block) {
    if (block.empty()) continue;
    *file.lines += static_cast<std::uint64_t>(std::ranges::count(block, '\n'));
    last = block.back();
  }
  if (last != '\n') ++*file.lines;
}

// False where it is no archive in spite of its name.
bool Layer::read_inner(const std::string& path) {
  if (depth_ + 1 >= reading_.limits.nested) {
    reading_.error(
        path, "expected the dumps of a host, found archives within archives without end; it is not read");
    pass_over();
    return true;
  }
  MemberStream stream(*this);
  Layer layer(reading_, stream, path, depth_ + 1);
  const auto read = layer.read();
  if (!read && !reading_.stopped)
    reading_.error(path, fmt::format("expected an archive, found that it is none: {}", read.error().message));
  pass_over();  // what follows its end mark
  return read.has_value();
}

void Layer::add_link(archive_entry* entry, std::string path, std::string_view inner) {
  if (!reading_.may_list(path, reading_.wanted(path))) return;
  const char* hard = ::archive_entry_hardlink(entry);
  const char* target = hard != nullptr ? hard : ::archive_entry_symlink(entry);
  const std::string_view base =
      hard != nullptr ? "" : inner.substr(0, std::min(inner.size(), inner.rfind('/')));
  const bool at_top = inner.find('/') == std::string_view::npos;
  const auto to = path_within(at_top ? "" : base, target == nullptr ? "" : target, hard == nullptr);
  if (hard != nullptr) reading_.hard_links.insert(path);
  FileEntry file;
  file.path = std::move(path);
  if (to)
    file.link_to = within(*to);
  else
    file.fault = "a link that leads out of the archive";
  reading_.files.push_back(std::move(file));
}

// --- when all is read ----------------------------------------------------------------------------

// The last of several members with one path counts, as it does for tar.
void sort_by_path(std::vector<FileEntry>& files) {
  std::ranges::stable_sort(files, {}, &FileEntry::path);
  std::vector<FileEntry> unique;
  unique.reserve(files.size());
  for (FileEntry& file : files) {
    if (!unique.empty() && unique.back().path == file.path)
      unique.back() = std::move(file);
    else
      unique.push_back(std::move(file));
  }
  files = std::move(unique);
}

// A link counts for the file that it leads to, over other links and through folders that are links.
class LinkResolver {
 public:
  explicit LinkResolver(Reading& reading) : reading_(reading) {
    std::ranges::sort(reading_.folders);
    for (FileEntry& file : reading_.files) {
      if (!file.link_to.empty()) targets_.emplace(file.path, std::exchange(file.link_to, {}));
    }
  }

  void resolve() {
    for (FileEntry& file : reading_.files) {
      if (targets_.contains(file.path)) resolve(file);
    }
    // What is in a folder stands under its own path.
    std::erase_if(reading_.files, [&](const FileEntry& file) { return to_folders_.contains(file.path); });
  }

 private:
  void resolve(FileEntry& link) {
    std::string path = link.path;
    int hops = 0;
    while (follow(path)) {
      if (++hops > kMostLinks) {
        link.fault = "a link that leads in a circle";
        return;
      }
    }
    const FileEntry* target = find(path);
    if (target == nullptr && is_folder(path)) {
      to_folders_.insert(link.path);
    } else if (target == nullptr) {
      link.fault = "a link to a file that is not there";
    } else {
      link.text = target->text;
      link.cut = target->cut;
      link.lines = target->lines;
      link.fault = target->fault;
      // A hard link is as good a name as the other.
      if (!reading_.hard_links.contains(link.path)) link.link_to = target->path;
    }
  }

  // Puts the target of the first link in `path` in its place; false where there is none.
  bool follow(std::string& path) const {
    for (std::size_t end = path.find('/');; end = path.find('/', end + 1)) {
      if (const auto found = targets_.find(std::string_view(path).substr(0, end)); found != targets_.end()) {
        path = found->second + (end == std::string::npos ? "" : path.substr(end));
        return true;
      }
      if (end == std::string::npos) return false;
    }
  }
  const FileEntry* find(const std::string& path) const {
    const auto found = std::ranges::lower_bound(reading_.files, path, {}, &FileEntry::path);
    return found != reading_.files.end() && found->path == path ? &*found : nullptr;
  }
  bool is_folder(const std::string& path) const {
    if (std::ranges::binary_search(reading_.folders, path)) return true;
    const auto found = std::ranges::lower_bound(reading_.files, path + '/', {}, &FileEntry::path);
    return found != reading_.files.end() && found->path.starts_with(path + '/');
  }

  Reading& reading_;
  std::map<std::string, std::string, std::less<>> targets_;
  std::set<std::string> to_folders_;
};

std::string_view ending_of(std::string_view name) {
  std::string_view longest;
  for (const std::string_view ending : kEndings) {
    if (name.ends_with(ending) && ending.size() > longest.size()) longest = ending;
  }
  return longest;
}

}  // namespace

std::string_view without_archive_ending(std::string_view name) {
  name.remove_suffix(ending_of(name).size());
  return name;
}

bool is_inner_archive(std::string_view path) {
  if (ending_of(path).empty()) return false;
  constexpr std::array<std::string_view, 7> kCopies = {"sos_commands", "var", "etc", "usr",
                                                       "proc",         "sys", "opt"};
  return std::ranges::none_of(split(path, '/'), [&](std::string_view part) {
    return std::ranges::find(kCopies, part) != kCopies.end();
  });
}

Result<std::vector<FileEntry>> read_archive(const std::string& path, const std::string& name, Wanted wanted,
                                            Diagnostics& diagnostics, const ArchiveLimits& limits) {
  // A pipe in the place of an archive must not keep us waiting.
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return failure(std::strerror(errno));
  FileStream stream(fd);
  struct stat status {};
  if (::fstat(fd, &status) != 0) return failure(std::strerror(errno));
  if (!S_ISREG(status.st_mode)) return failure("it is neither a folder nor a file");
  Reading reading{name, wanted, diagnostics, limits, stream};
  const auto read = Layer(reading, stream, "", 0).read();
  if (!read) {
    return failure(
        fmt::format("it is no archive that can be read (tar, alone or with gzip, xz, bzip2 or zstd): {}",
                    read.error().message));
  }
  if (reading.refused != 0) {
    diagnostics.error({},
                      fmt::format("{}: expected paths within the archive, found {} that lead out of it or "
                                  "are too long, the first '{}'",
                                  printable(name), reading.refused, reading.first_refused),
                      "they are not read");
  }
  if (reading.unlisted != 0) {
    diagnostics.warning({},
                        fmt::format("{}: expected at most {} files that nothing is read from, found {} more",
                                    printable(name), limits.listed, reading.unlisted),
                        "they are not listed");
  }
  sort_by_path(reading.files);
  LinkResolver(reading).resolve();
  return std::move(reading.files);
}

}  // namespace dvrtrace
