// dvrtrace check: what deviates from what Neutron's agents program, and from what DVR takes for granted.
#include <algorithm>
#include <map>
#include <mutex>
#include <numeric>

#include "src/base/all_cores.h"
#include "src/cli/check.h"
#include "src/cli/console.h"
#include "src/cli/expectations.h"
#include "src/cli/inputs.h"
#include "src/cli/program.h"
#include "src/report/finding_text.h"
#include "src/report/pictures/finding_html.h"
#include "tracer/check/catalogue.h"
#include "tracer/check/invariants.h"
#include "tracer/reference/derive.h"

namespace dvrtrace::cli {
namespace {

struct Checked {
  std::vector<check::Candidate> candidates;
  std::vector<Caveat> caveats;
  Diagnostics diagnostics;
  JsonInput input;
  std::string release;
};

// Hosts are read, judged and forgotten one by one, on all cores: a cloud does not have to fit into memory.
class CloudCheck {
 public:
  // `read`: all hosts in full, where they had to be read to know the model; none: each is read when its turn comes.
  CloudCheck(const Collection& collection, const Snapshot* read, const logical::Model& model,
             const reference::Settings& settings, Sources& sources, Texts texts)
      : collection_(collection),
        read_(read),
        model_(model),
        expectations_(model, settings, sources),
        sources_(sources),
        texts_(texts) {}

  std::vector<Checked> run() {
    std::vector<Checked> checked(collection_.hosts().size());
    std::vector<std::size_t> hosts(checked.size());
    std::iota(hosts.begin(), hosts.end(), 0);
    on_all_cores(hosts, checked, false);
    // Hosts that do not show their release are taken to have that of the others.
    on_all_cores(std::exchange(waiting_, {}), checked, true);
    return checked;
  }

  std::vector<Finding> judge_cloud() { return cloud_.judge(); }

 private:
  void on_all_cores(const std::vector<std::size_t>& hosts, std::vector<Checked>& checked, bool last) {
    run_on_all_cores(
        hosts.size(), [&](std::size_t each) { check_host(hosts[each], checked[hosts[each]], last); },
        kThreadsReadingFiles);
  }

  bool has_to_wait(std::size_t host, const HostSnapshot& found) {
    const std::optional<reference::Release> release = expectations_.release_of(found);
    const std::scoped_lock lock(mutex_);
    if (release)
      release_ = std::max(release_, release);
    else
      waiting_.push_back(host);
    return !release;
  }

  void check_host(std::size_t host, Checked& into, bool last) {
    if (read_ != nullptr) {
      check_host(host, read_->hosts[host], into, last);
      return;
    }
    const HostSnapshot found = collection_.read(host, Depth::Full, into.diagnostics);
    std::vector<Provenance> cited = check_host(host, found, into, last);
    for (const check::Candidate& candidate : into.candidates) cited.push_back(candidate.finding.at);
    for (const Diagnostic& diagnostic : into.diagnostics.all()) cited.push_back(diagnostic.at);
    forget(found, cited);
  }

  // What findings of the cloud may cite of the host.
  std::vector<Provenance> check_host(std::size_t host, const HostSnapshot& found, Checked& into, bool last) {
    if (!last && has_to_wait(host, found)) {
      into = {};
      return {};
    }
    into.input = {found.name, found.inputs.empty() ? "" : found.inputs.front(), found.collected_at};
    if (found.cleaned) {
      into.caveats.push_back(
          {found.name, "cleaned", "addresses and names were replaced in this report: " + found.cleaned_sign});
      return {};
    }
    if (const auto expectation = expectations_.of(found, last ? release_ : std::nullopt)) {
      into.candidates = check::check_host(found, *expectation, sources_);
      into.release = to_string(expectation->plan.release);
      for (const reference::Caveat& caveat : expectation->reference.caveats)
        into.caveats.push_back({found.name, caveat.code, caveat.text});
      forget(expectation->snapshot, {});
    } else {
      into.candidates = check::check_host(found, model_);
    }
    const std::scoped_lock lock(mutex_);
    return cloud_.add(found);
  }

  void forget(const HostSnapshot& host, const std::vector<Provenance>& but) {
    if (texts_ == Texts::Keep) return;
    std::map<SourceId, std::vector<Provenance>> cited;
    for (const Provenance& at : but) cited[at.source].push_back(at);
    for (const FileReading& file : host.files) {
      const auto places = cited.find(file.source);
      sources_.forget(file.source,
                      places == cited.end() ? std::vector<Provenance>{} : std::move(places->second));
    }
  }

  const Collection& collection_;
  const Snapshot* read_;
  const logical::Model& model_;
  Expectations expectations_;
  Sources& sources_;
  Texts texts_;
  std::mutex mutex_;
  std::optional<reference::Release> release_;  // the latest that a host shows
  std::vector<std::size_t> waiting_;
  check::CloudInvariants cloud_;
};

int status_of(const std::vector<Finding>& findings) {
  const bool clean = std::ranges::all_of(
      findings, [](const Finding& finding) { return finding.severity == Severity::Note; });
  return clean ? kDelivered : kNotDelivered;
}

}  // namespace

tl::expected<CheckedCloud, Failure> check_cloud(const Options& options, Sources& sources, Texts texts) {
  const auto settings = settings_of(options);
  if (!settings) return tl::unexpected<Failure>(settings.error());
  CheckedCloud checked;
  CheckReport& report = checked.report;
  Diagnostics diagnostics;
  const auto collection = open_inputs(options, sources, diagnostics);
  if (!collection) return tl::unexpected<Failure>(collection.error());
  logical::Model model = collection->read_neutron(diagnostics);
  report.neutron = !model.empty();
  Snapshot read;
  if (model.empty()) {
    read = collection->read_all(Depth::Full, diagnostics);
    std::vector<reference::Caveat> caveats;
    model = reference::derive(read, caveats);
    for (reference::Caveat& caveat : caveats)
      report.caveats.push_back({"", std::move(caveat.code), std::move(caveat.text)});
  }
  CloudCheck cloud(*collection, report.neutron ? nullptr : &read, model, *settings, sources, texts);
  std::vector<Checked> hosts = cloud.run();
  std::vector<check::Candidate> all;
  for (Checked& host : hosts) {
    std::ranges::move(host.candidates, std::back_inserter(all));
    std::ranges::move(host.caveats, std::back_inserter(report.caveats));
    diagnostics.merge(std::move(host.diagnostics));
    checked.inputs.push_back(std::move(host.input));
    report.release = std::max(report.release, host.release);
  }
  for (const Finding& finding : cloud.judge_cloud())
    all.push_back({finding, check::invariant(finding.code).rank, {}});
  check::order(all);
  for (check::Candidate& candidate : all) report.findings.push_back(std::move(candidate.finding));
  checked.diagnostics = diagnostics.all();
  print_diagnostics(checked.diagnostics, sources, options);
  return checked;
}

Outcome run_check(const Options& options) {
  if (!options.words.empty())
    return fail("usage", "check takes no words, found '" + options.words[0] + "'",
                "dvrtrace check -i INPUT...");
  Sources sources;
  const auto checked = check_cloud(options, sources, Texts::Forget);
  if (!checked) return tl::unexpected<Failure>(checked.error());
  const JsonContext context{sources, tool_name(), checked->inputs, checked->diagnostics, {}};
  const std::string text = options.format == "json" ? print_json(checked->report, context)
                           : options.format == "html"
                               ? print_html(checked->report, context)
                               : print_text(checked->report, sources, output_style(options), options.verbose);
  if (!answer(text, options)) return fail("output", "the answer could not be written");
  return status_of(checked->report.findings);
}

}  // namespace dvrtrace::cli
