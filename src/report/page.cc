#include "src/report/page.h"

#include <utility>

namespace dvrtrace {
namespace {

// A run of text in one paint that is not broken, and the spaces behind it.
struct Chunk {
  Paint paint;
  std::string_view text;
  std::size_t spaces = 0;
  bool may_break = false;  // behind it
};

std::vector<Chunk> chunks_of(const Pieces& pieces) {
  std::vector<Chunk> chunks;
  for (const Piece& piece : pieces) {
    std::string_view rest = piece.text;
    while (!rest.empty()) {
      const std::size_t end = rest.find_first_of(" ,");
      std::size_t length = end == std::string_view::npos ? rest.size() : end + (rest[end] == ',' ? 1 : 0);
      Chunk chunk{piece.paint, rest.substr(0, length), 0, end != std::string_view::npos};
      rest.remove_prefix(length);
      while (!rest.empty() && rest.front() == ' ') {
        ++chunk.spaces;
        rest.remove_prefix(1);
      }
      chunks.push_back(chunk);
    }
  }
  return chunks;
}

std::string unglued(std::string_view text) {
  std::string out(text);
  for (std::size_t at = out.find(kGlue); at != std::string::npos; at = out.find(kGlue, at))
    out.replace(at, kGlue.size(), " ");
  return out;
}

}  // namespace

std::size_t columns(std::string_view text) {
  std::size_t count = 0;
  for (const char byte : text) count += (static_cast<unsigned char>(byte) & 0xc0) != 0x80 ? 1 : 0;
  return count;
}

void Page::blank() {
  if (!rows_.empty() && !rows_.back().empty()) rows_.emplace_back();
}

void Page::unwrapped(std::size_t indent, const Piece& piece) {
  rows_.push_back({{Paint::Plain, std::string(indent, ' ')}, piece});
}

std::string Page::text() const {
  std::string text;
  for (const Pieces& row : rows_) {
    for (const Piece& piece : row) text += painted(style_, piece.paint, piece.text);
    text += '\n';
  }
  return text;
}

void Page::line(std::size_t indent, const Pieces& pieces, std::size_t hanging) {
  const std::vector<Chunk> chunks = chunks_of(pieces);
  Pieces row{{Paint::Plain, std::string(indent, ' ')}};
  std::string run;                        // text of one paint that is not in the row yet
  std::size_t column = indent, owed = 0;  // spaces that come out only if something follows
  Paint paint = Paint::Plain;
  bool fresh = true;
  const auto flush = [&] {
    if (!run.empty()) row.push_back({paint, std::move(run)});
    run.clear();
  };
  for (std::size_t i = 0; i < chunks.size(); ++i) {
    if (i == 0 || chunks[i - 1].may_break) {
      std::size_t word = 0;  // up to the next place where a line may break
      for (std::size_t j = i; j < chunks.size(); ++j) {
        word += columns(chunks[j].text);
        if (chunks[j].may_break) break;
        word += chunks[j].spaces;
      }
      if (!fresh && column + owed + word > style_.width) {
        flush();
        rows_.push_back(std::exchange(row, {{Paint::Plain, std::string(hanging, ' ')}}));
        column = hanging;
        owed = 0;
      }
    }
    if (chunks[i].paint != paint) {
      flush();
      if (owed > 0) row.push_back({Paint::Plain, std::string(owed, ' ')});
      paint = chunks[i].paint;
    } else {
      run += std::string(owed, ' ');
    }
    run += unglued(chunks[i].text);
    column += owed + columns(chunks[i].text);
    owed = chunks[i].spaces;
    fresh = false;
  }
  flush();
  rows_.push_back(std::move(row));
}

}  // namespace dvrtrace
