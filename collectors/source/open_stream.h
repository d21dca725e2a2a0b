// Files that are read from their beginning to their end in one go, however large: captures.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "src/base/byte_stream.h"
#include "src/base/result.h"

namespace dvrtrace {

// The bytes of a file, "-" for standard input. What gzip, bzip2, xz, zstd or lz4 compressed, told by its
// content, comes out as it was before.
Result<std::unique_ptr<ByteStream>> open_stream(const std::string& path);

bool is_folder(const std::string& path);

// The regular files in a folder, their paths, by name. Links are not followed.
Result<std::vector<std::string>> files_of_folder(const std::string& path);

}  // namespace dvrtrace
