// ArchiveWriter: a tar archive, compressed as its name says: .tar.zst, .tar.xz, .tar.gz, .tar.
//
// Two of the same files are the same bytes: members have no time and no owner. Nothing that is there is written over, and
// only the user may read it.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "src/base/result.h"

struct archive;

namespace dvrtrace {

class ArchiveWriter {
 public:
  // Fails when there is such a file, when it cannot be made, or when the name says nothing of the kind.
  static Result<ArchiveWriter> create(const std::string& path);

  Result<void> add(const std::string& name, std::string_view bytes);
  // Until then it is not known whether all could be written.
  Result<void> finish();

 private:
  struct Free {
    void operator()(archive* a) const;
  };
  std::unique_ptr<archive, Free> archive_;
};

// "DIR/case-1.tar.zst" as "case-1"; "" for a name that tells no archive.
std::string archive_stem(std::string_view path);

// In hexadecimal.
std::string sha256(std::string_view bytes);

}  // namespace dvrtrace
