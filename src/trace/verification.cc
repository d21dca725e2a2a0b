#include "src/trace/verification.h"

namespace dvrtrace {

std::string_view name(Agreement agreement) {
  switch (agreement) {
    case Agreement::Agrees:
      return "Agrees";
    case Agreement::Disagrees:
      return "Disagrees";
    case Agreement::CannotTell:
      return "CannotTell";
  }
  return "CannotTell";
}

std::string_view name(CrossingState state) {
  switch (state) {
    case CrossingState::Seen:
      return "seen";
    case CrossingState::Altered:
      return "altered";
    case CrossingState::NotSeen:
      return "not-seen";
    case CrossingState::Missed:
      return "missed";
    case CrossingState::CannotTell:
      return "cannot-tell";
    case CrossingState::NotCaptured:
      return "not-captured";
  }
  return "not-captured";
}

std::string to_string(const CapturePoint& point) {
  return point.host + "/" + (point.netns.empty() ? "root" : point.netns) + "/" + point.device;
}

}  // namespace dvrtrace
