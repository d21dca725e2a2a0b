// "Did you mean": the nearest of the words that would have been right.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace dvrtrace::cli {

// "" when none is near. Near: at most a third of the letters wrong, two neighbours exchanged counting once.
std::string nearest(std::string_view word, const std::vector<std::string>& right);

// "did you mean X?", or "" when none is near.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& right);

}  // namespace dvrtrace::cli
