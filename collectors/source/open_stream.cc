#include "collectors/source/open_stream.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string_view>

#include "src/base/text.h"

namespace dvrtrace {
namespace {

using namespace std::string_view_literals;

// What compressed files begin with. libarchive's own tests would also take text for some odd encodings.
constexpr std::string_view kMagics[] = {"\x1f\x8b"sv, "BZh"sv,
                                        "\xfd"
                                        "7zXZ\0"sv,
                                        "\x28\xb5\x2f\xfd"sv, "\x04\x22\x4d\x18"sv};
constexpr std::size_t kLongestMagic = 6;

// A file descriptor whose first bytes were looked at before.
class Descriptor : public ByteStream {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() override {
    if (fd_ != STDIN_FILENO) ::close(fd_);
  }

  Result<std::string_view> peek() {
    while (held_.size() < kLongestMagic) {
      char bytes[kLongestMagic];
      const auto count = read_on(bytes, kLongestMagic - held_.size());
      if (!count) return tl::unexpected<Error>(count.error());
      if (*count == 0) break;
      held_.append(bytes, *count);
    }
    return std::string_view(held_);
  }

  Result<std::size_t> read(char* into, std::size_t room) override {
    if (held_.empty()) return read_on(into, room);
    const std::size_t count = std::min(room, held_.size());
    std::memcpy(into, held_.data(), count);
    held_.erase(0, count);
    return count;
  }

 private:
  Result<std::size_t> read_on(char* into, std::size_t room) const {
    for (;;) {
      const ssize_t count = ::read(fd_, into, room);
      if (count >= 0) return static_cast<std::size_t>(count);
      if (errno != EINTR) return failure(std::strerror(errno));
    }
  }

  int fd_;
  std::string held_;
};

class Decompressed : public ByteStream {
 public:
  explicit Decompressed(std::unique_ptr<Descriptor> file)
      : file_(std::move(file)), archive_(::archive_read_new()), buffer_(256 << 10) {}
  ~Decompressed() override { ::archive_read_free(archive_); }

  Result<void> open() {
    if (archive_ == nullptr) return failure("no memory");
    ::archive_read_support_filter_gzip(archive_);
    ::archive_read_support_filter_bzip2(archive_);
    ::archive_read_support_filter_xz(archive_);
    ::archive_read_support_filter_zstd(archive_);
    ::archive_read_support_filter_lz4(archive_);
    ::archive_read_support_format_raw(archive_);
    ::archive_read_support_format_empty(archive_);
    archive_entry* entry = nullptr;
    if (::archive_read_open2(archive_, this, nullptr, on_read, nullptr, nullptr) < ARCHIVE_WARN)
      return failure(problem());
    const int status = ::archive_read_next_header(archive_, &entry);
    if (status == ARCHIVE_EOF)
      at_end_ = true;
    else if (status < ARCHIVE_WARN)
      return failure(problem());
    return {};
  }

  Result<std::size_t> read(char* into, std::size_t room) override {
    if (at_end_) return std::size_t{0};
    const la_ssize_t count = ::archive_read_data(archive_, into, room);
    if (count < 0) return failure(problem());
    return static_cast<std::size_t>(count);
  }

 private:
  static la_ssize_t on_read(archive* a, void* self, const void** bytes) {
    Decompressed& stream = *static_cast<Decompressed*>(self);
    const auto count = stream.file_->read(stream.buffer_.data(), stream.buffer_.size());
    if (!count) {
      ::archive_set_error(a, EIO, "%s", count.error().message.c_str());
      return -1;
    }
    *bytes = stream.buffer_.data();
    return static_cast<la_ssize_t>(*count);
  }
  std::string problem() const {
    const char* text = ::archive_error_string(archive_);
    return text == nullptr ? "it cannot be decompressed" : printable(text);
  }

  std::unique_ptr<Descriptor> file_;
  archive* archive_;
  std::vector<char> buffer_;
  bool at_end_ = false;
};

}  // namespace

Result<std::unique_ptr<ByteStream>> open_stream(const std::string& path) {
  const int fd = path == "-" ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return failure(std::strerror(errno));
  auto file = std::make_unique<Descriptor>(fd);
  const auto magic = file->peek();
  if (!magic) return tl::unexpected<Error>(magic.error());
  const bool compressed =
      std::ranges::any_of(kMagics, [&](std::string_view known) { return magic->starts_with(known); });
  if (!compressed) return std::unique_ptr<ByteStream>(std::move(file));
  auto stream = std::make_unique<Decompressed>(std::move(file));
  if (const auto opened = stream->open(); !opened) return tl::unexpected<Error>(opened.error());
  return std::unique_ptr<ByteStream>(std::move(stream));
}

bool is_folder(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::is_directory(path, ignored);
}

Result<std::vector<std::string>> files_of_folder(const std::string& path) {
  std::error_code error;
  std::vector<std::string> files;
  std::filesystem::directory_iterator at(path, error);
  for (; !error && at != std::filesystem::directory_iterator(); at.increment(error)) {
    std::error_code ignored;
    if (at->symlink_status(ignored).type() == std::filesystem::file_type::regular)
      files.push_back(at->path().string());
  }
  if (error) return failure(error.message());
  std::ranges::sort(files);
  return files;
}

}  // namespace dvrtrace
