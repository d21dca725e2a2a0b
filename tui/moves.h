// What several commands do to a model.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "tui/model.h"

namespace dvrtrace::tui {

inline constexpr std::size_t kLongestLine = 65536;  // of a line that is shown or copied whole

// Another subject, from where its trace stops.
void show(Model& model, std::shared_ptr<const Subject> subject);

// Shows a message in the place of the hints, until the next key.
void tell(Model& model, std::string message, bool bad = false);

void choose_item(Model& model, std::size_t item);
// `position`: in Way::hops.
void choose_hop(Model& model, std::size_t direction, std::size_t position);

// A direction of the trace, from where it stops.
void choose_direction(Model& model, std::size_t direction);

// The next place that holds what was searched for, or the one before; in what is shown.
void search(Model& model, bool forward);

// The list's item for text `t` of the chosen hop: 0 is the hop itself, else the step t - 1, if it is shown;
// and the other way.
std::optional<std::size_t> item_of_text(const Model& model, std::size_t t);
std::size_t text_of_item(const Model& model);

}  // namespace dvrtrace::tui
