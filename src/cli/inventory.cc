// dvrtrace inventory: what the inputs hold, and what is missing.
#include "src/report/inventory.h"

#include "collectors/gather/commands.h"
#include "src/cli/console.h"
#include "src/cli/inputs.h"
#include "src/cli/program.h"
#include "src/report/inventory_json.h"
#include "src/report/inventory_text.h"

namespace dvrtrace::cli {
namespace {

void add_costs(Inventory& inventory) {
  for (MissingDump& missing : inventory.missing) {
    const gather::Command* command = gather::instead_of(missing.command);
    if (command == nullptr) continue;
    missing.collected_by = command->line;
    missing.cost = command->without;
  }
}

}  // namespace

Outcome run_inventory(const Options& options) {
  if (!options.words.empty())
    return fail("usage", "inventory takes no words, found '" + options.words[0] + "'",
                "dvrtrace inventory -i INPUT...");
  Sources sources;
  Diagnostics diagnostics;
  const auto collection = open_inputs(options, sources, diagnostics);
  if (!collection) return tl::unexpected<Failure>(collection.error());
  const Snapshot snapshot = collection->read_all(Depth::Everything, diagnostics);
  Inventory inventory = take_inventory(snapshot, diagnostics, sources);
  add_costs(inventory);
  const std::string text = options.format == "json"
                               ? print_json(inventory, sources, tool_name())
                               : print_text(inventory, sources, output_style(options), options.verbose);
  if (!answer(text, options)) return fail("output", "the answer could not be written");
  return kDelivered;
}

}  // namespace dvrtrace::cli
