// A picture as SVG, to stand in a page: once for each width of screen and for paper; the page's style sheet
// shows the one that fits.
#pragma once

#include "src/report/pictures/html_page.h"
#include "src/report/pictures/picture.h"

namespace dvrtrace {

// Each box is a link to the element of its node's id.
Markup draw_picture(const Picture& picture);

}  // namespace dvrtrace
