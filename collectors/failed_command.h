// The text of a failed command in place of a dump.
//
// Whoever saves the output of a hundred commands saves their error messages under the same names.
// Such a file says nothing of the host, and above all not that there is nothing: it counts as missing.
#pragma once

#include <optional>
#include <string_view>

namespace dvrtrace {

// The line that says why the command failed, out of `text`. None for a dump, and for an empty text.
std::optional<std::string_view> failed_command(std::string_view text);

// Whether `text` holds data rather than what a command prints: very many of its bytes are NUL.
bool is_binary(std::string_view text);

}  // namespace dvrtrace
