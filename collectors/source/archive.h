// The members of an archive: tar, as it is or compressed with gzip, xz, bzip2 or zstd, told by its content.
//
// An archive is read once, from its beginning to its end, and nothing of it is ever written. Kept are the
// names of all members, and the texts of those that are wanted. A member that is an archive itself, as
// `sos collect` makes them, is read in passing and stands for a folder.
//
// An archive may be hostile, or half of one, so everything is bounded. What is not read because of a bound,
// because a path leads out, or because the archive breaks off is reported and counts as missing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/source/file_tree.h"
#include "src/base/diagnostics.h"
#include "src/base/result.h"

namespace dvrtrace {

struct ArchiveLimits {
  // Of an archive with all archives in it.
  std::size_t members = 8'000'000;          // that are passed; a report has some ten thousand
  std::size_t wanted = 400'000;             // whose text is kept
  std::size_t listed = 200'000;             // that are known by name only
  std::uint64_t member = 256ULL << 20;      // of one text; sos cuts at a tenth of this
  std::uint64_t kept = 4ULL << 30;          // of all texts
  std::uint64_t counted = 64ULL << 20;      // lines of a larger member that is not wanted are not counted
  std::uint64_t ratio = 500;                // of what comes out to what went in; text shrinks to a fiftieth,
  std::uint64_t ratio_from = 256ULL << 20;  // and it is asked once this much came out
  unsigned nested = 3;                      // archives around a member; `sos collect` needs two
};

// Fails when there is no archive; one that can be read in part gives that part. `name` is what diagnostics
// call it.
Result<std::vector<FileEntry>> read_archive(const std::string& path, const std::string& name, Wanted wanted,
                                            Diagnostics& diagnostics, const ArchiveLimits& limits = {});

// Whether a file within an input is to be opened as an archive: by its name, and not where a report keeps
// copies of what lay on the host.
bool is_inner_archive(std::string_view path);

// "sosreport-cmp1.tar.xz" without the ending.
std::string_view without_archive_ending(std::string_view name);

}  // namespace dvrtrace
