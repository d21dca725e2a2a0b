// dvrtrace inventory: what the inputs hold, and what is missing.
#include "src/report/inventory.h"
#include "src/cli/console.h"
#include "src/cli/inputs.h"
#include "src/cli/program.h"
#include "src/report/inventory_json.h"
#include "src/report/inventory_text.h"

namespace dvrtrace::cli {

Outcome run_inventory(const Options& options) {
  if (!options.words.empty())
    return fail("usage", "inventory takes no words, found '" + options.words[0] + "'",
                "dvrtrace inventory -i INPUT...");
  Sources sources;
  Diagnostics diagnostics;
  const auto collection = open_inputs(options, sources, diagnostics);
  if (!collection) return tl::unexpected<Failure>(collection.error());
  const Snapshot snapshot = collection->read_all(Depth::Everything, diagnostics);
  const Inventory inventory = take_inventory(snapshot, diagnostics, sources);
  const std::string text = options.format == "json"
                               ? print_json(inventory, sources, tool_name())
                               : print_text(inventory, sources, output_style(options), options.verbose);
  if (!answer(text, options)) return fail("output", "the answer could not be written");
  return kDelivered;
}

}  // namespace dvrtrace::cli
