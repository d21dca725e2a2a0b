#include "collectors/bundle/archive_writer.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/sha.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace dvrtrace {

namespace {

struct Ending {
  std::string_view text;
  int (*filter)(archive*);
};
constexpr std::array<Ending, 6> kEndings{{{".tar.zst", archive_write_add_filter_zstd},
                                          {".tar.xz", archive_write_add_filter_xz},
                                          {".tar.gz", archive_write_add_filter_gzip},
                                          {".tgz", archive_write_add_filter_gzip},
                                          {".txz", archive_write_add_filter_xz},
                                          {".tar", archive_write_add_filter_none}}};

const Ending* ending_of(std::string_view path) {
  for (const Ending& ending : kEndings) {
    if (path.ends_with(ending.text)) return &ending;
  }
  return nullptr;
}

std::string said(archive* a) {
  const char* text = archive_error_string(a);
  return text == nullptr ? "it cannot be written" : text;
}

}  // namespace

void ArchiveWriter::Free::operator()(archive* a) const { archive_write_free(a); }

Result<ArchiveWriter> ArchiveWriter::create(const std::string& path) {
  const Ending* ending = ending_of(path);
  if (ending == nullptr || archive_stem(path).empty())
    return failure(fmt::format("{}: expected a name that ends in .tar.zst, .tar.xz, .tar.gz or .tar", path));
  ArchiveWriter writer;
  writer.archive_.reset(archive_write_new());
  archive* a = writer.archive_.get();
  archive_write_set_format_pax_restricted(a);
  if (ending->filter(a) < ARCHIVE_WARN) return failure(fmt::format("{}: {}", path, said(a)));
  archive_write_set_filter_option(a, "gzip", "timestamp",
                                  nullptr);  // of another kind of archive it is no option
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return failure(fmt::format("{}: {}", path, std::strerror(errno)));
  ::close(fd);
  if (archive_write_open_filename(a, path.c_str()) != ARCHIVE_OK)
    return failure(fmt::format("{}: {}", path, said(a)));
  return writer;
}

Result<void> ArchiveWriter::add(const std::string& name, std::string_view bytes) {
  const std::unique_ptr<archive_entry, decltype(&archive_entry_free)> entry(archive_entry_new(),
                                                                            archive_entry_free);
  archive_entry_set_pathname_utf8(entry.get(), name.c_str());
  archive_entry_set_size(entry.get(), static_cast<la_int64_t>(bytes.size()));
  archive_entry_set_filetype(entry.get(), AE_IFREG);
  archive_entry_set_perm(entry.get(), 0600);
  archive_entry_set_mtime(entry.get(), 0, 0);
  archive* a = archive_.get();
  if (archive_write_header(a, entry.get()) < ARCHIVE_WARN)
    return failure(fmt::format("{}: {}", name, said(a)));
  if (archive_write_data(a, bytes.data(), bytes.size()) != static_cast<la_ssize_t>(bytes.size()))
    return failure(fmt::format("{}: {}", name, said(a)));
  return {};
}

Result<void> ArchiveWriter::finish() {
  if (archive_write_close(archive_.get()) != ARCHIVE_OK) return failure(said(archive_.get()));
  return {};
}

std::string archive_stem(std::string_view path) {
  const Ending* ending = ending_of(path);
  if (ending == nullptr) return {};
  path.remove_suffix(ending->text.size());
  return std::string(path.substr(path.rfind('/') + 1));
}

std::string sha256(std::string_view bytes) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest.data());
  std::string text;
  for (const unsigned char byte : digest) text += fmt::format("{:02x}", byte);
  return text;
}

}  // namespace dvrtrace
