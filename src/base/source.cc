#include "src/base/source.h"

#include <algorithm>
#include <cstring>

namespace dvrtrace {

void Lines::Iterator::find_end() {
  if (at_ >= bytes_.size()) {
    end_ = next_ = at_ = bytes_.size();
    return;
  }
  const void* found = std::memchr(bytes_.data() + at_, '\n', bytes_.size() - at_);
  if (found == nullptr) {
    end_ = next_ = bytes_.size();
  } else {
    end_ = static_cast<std::size_t>(static_cast<const char*>(found) - bytes_.data());
    next_ = end_ + 1;
  }
}

Span Lines::Iterator::operator*() const {
  std::size_t end = end_;
  if (end > at_ && bytes_[end - 1] == '\r') --end;
  return {static_cast<std::uint32_t>(at_), static_cast<std::uint32_t>(end)};
}

std::size_t Lines::count() const {
  const auto ends = static_cast<std::size_t>(std::count(bytes_.begin(), bytes_.end(), '\n'));
  return ends + (!bytes_.empty() && bytes_.back() != '\n' ? 1 : 0);
}

SourceId Sources::add(std::string name, std::string bytes) {
  return add(std::move(name), std::make_shared<const std::string>(std::move(bytes)));
}

SourceId Sources::add(std::string name, SharedText bytes) {
  const std::lock_guard lock(mutex_);
  entries_.push_back({std::move(name), std::move(bytes), {}, false});
  return SourceId{static_cast<std::uint32_t>(entries_.size() - 1)};
}

SourceText Sources::text(SourceId id) const {
  const std::lock_guard lock(mutex_);
  if (id.value >= entries_.size()) return {};
  const Entry& entry = entries_[id.value];
  return {id, entry.name,
          entry.bytes == nullptr ? std::string_view{} : std::string_view(*entry.bytes).substr(0, kMaxBytes)};
}

const Sources::Kept* Sources::kept(const Provenance& at) const {
  const std::lock_guard lock(mutex_);
  if (at.source.value >= entries_.size()) return nullptr;
  const std::vector<Kept>& all = entries_[at.source.value].kept;
  const auto found = std::ranges::lower_bound(all, at.span.begin, {}, &Kept::begin);
  return found == all.end() || found->begin != at.span.begin ? nullptr : &*found;
}

void Sources::forget(SourceId id, std::vector<Provenance> but) {
  std::erase_if(but, [&](const Provenance& at) { return at.source != id; });
  std::ranges::sort(but);
  std::vector<Kept> places;
  const std::string_view bytes = text(id).bytes;
  std::uint32_t line_number = 1;
  std::size_t line_begin = 0;  // of the line with that number, never beyond the place
  for (const Provenance& at : but) {
    if (!places.empty() && places.back().begin == at.span.begin) continue;
    if (bytes.empty() || at.span.begin > bytes.size()) {  // forgotten before, or known by name alone
      const Location where = locate(at);
      if (where.line != 0) places.push_back({at.span.begin, where.line, where.column, std::string(line(at))});
      continue;
    }
    for (std::size_t end; (end = bytes.find('\n', line_begin)) < at.span.begin; ++line_number)
      line_begin = end + 1;
    places.push_back({at.span.begin, line_number, static_cast<std::uint32_t>(at.span.begin - line_begin + 1),
                      std::string(line(at))});
  }
  const std::lock_guard lock(mutex_);
  if (id.value >= entries_.size()) return;
  Entry& entry = entries_[id.value];
  entry.bytes.reset();
  entry.kept = std::move(places);
  entry.forgotten = true;
}

bool Sources::known_by_name(SourceId id) const {
  const std::lock_guard lock(mutex_);
  return id.value < entries_.size() && entries_[id.value].bytes == nullptr && !entries_[id.value].forgotten;
}

std::string_view Sources::name(SourceId id) const { return text(id).name; }

std::string_view Sources::bytes(const Provenance& at) const {
  if (const Kept* place = kept(at)) {
    const std::string_view rest =
        std::string_view(place->text).substr(std::min<std::size_t>(place->column - 1, place->text.size()));
    return rest.substr(0, at.span.end - at.span.begin);
  }
  const SourceText source = text(at.source);
  if (at.span.end > source.bytes.size() || at.span.begin > at.span.end) return {};
  return source.at(at.span);
}

std::string_view Sources::line(const Provenance& at) const {
  if (const Kept* place = kept(at)) return place->text;
  const SourceText source = text(at.source);
  if (at.span.begin > source.bytes.size()) return {};
  const std::size_t before =
      at.span.begin == 0 ? std::string_view::npos : source.bytes.rfind('\n', at.span.begin - 1);
  const std::size_t begin = before == std::string_view::npos ? 0 : before + 1;
  std::string_view line = source.bytes.substr(begin);
  line = line.substr(0, line.find('\n'));
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  return line;
}

Location Sources::locate(const Provenance& at) const {
  if (const Kept* place = kept(at)) return {name(at.source), place->line, place->column};
  const SourceText source = text(at.source);
  if (known_by_name(at.source)) return {source.name, at.span.begin, at.span.end};
  if (at.span.begin > source.bytes.size()) return {source.name, 0, 0};
  const std::string_view before = source.bytes.substr(0, at.span.begin);
  const auto line = std::count(before.begin(), before.end(), '\n') + 1;
  const std::size_t last = before.rfind('\n');
  const std::size_t column = last == std::string_view::npos ? before.size() : before.size() - last - 1;
  return {source.name, static_cast<std::uint32_t>(line), static_cast<std::uint32_t>(column + 1)};
}

}  // namespace dvrtrace
