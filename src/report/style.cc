#include "src/report/style.h"

namespace dvrtrace {
namespace {

std::string_view sgr(Paint paint) {
  switch (paint) {
    case Paint::Plain:
      return "";
    case Paint::Strong:
      return "1";
    case Paint::Faint:
      return "2";
    case Paint::Good:
      return "1;32";
    case Paint::Bad:
      return "1;31";
    case Paint::Doubtful:
      return "1;33";
    case Paint::Place:
      return "1;36";
    case Paint::Changed:
      return "35";
  }
  return "";
}

}  // namespace

Paint paint_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::Delivered:
    case Verdict::LeftTheCloud:
      return Paint::Good;
    case Verdict::Dropped:
    case Verdict::Looped:
      return Paint::Bad;
    case Verdict::Unknown:
      return Paint::Doubtful;
  }
  return Paint::Plain;
}

std::string painted(const Style& style, Paint paint, std::string_view text) {
  const std::string_view code = sgr(paint);
  if (!style.colour || code.empty() || text.empty()) return std::string(text);
  return "\x1b[" + std::string(code) + "m" + std::string(text) + "\x1b[0m";
}

}  // namespace dvrtrace
