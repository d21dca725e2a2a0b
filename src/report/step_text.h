// One step of a hop as text.
#pragma once

#include <vector>

#include "src/report/glossary.h"
#include "src/report/page.h"
#include "src/trace/trace.h"

namespace dvrtrace {

enum class Detail { Brief, Path, Full };

// What only leads from table to table, registers, marks and notes.
bool only_in_full(const Step& step);

// The steps that a level shows. What is only_in_full() is left to it; below, changes of the VLAN that
// follow each other (a tag is pushed, then filled in) are one.
std::vector<Step> shown_steps(const std::vector<Step>& steps, Detail detail);

Pieces step_pieces(const Step& step, const Place& place, Detail detail, const Style& style,
                   const Glossary& glossary);

}  // namespace dvrtrace
