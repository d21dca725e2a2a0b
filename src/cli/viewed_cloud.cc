#include "src/cli/viewed_cloud.h"

#include <fmt/format.h>

#include <algorithm>

#include "src/base/overloaded.h"
#include "src/base/text.h"
#include "src/cli/expectations.h"
#include "src/cli/inputs.h"
#include "src/cli/judgement.h"
#include "src/cli/question.h"
#include "src/report/inventory.h"
#include "src/report/name_things.h"
#include "src/report/trace_view.h"
#include "tracer/check/mend.h"

namespace dvrtrace::cli {
namespace {

std::vector<tui::End> ends_of(const Inventory& inventory) {
  std::vector<tui::End> ends;
  for (const VmItem& vm : inventory.vms) {
    const std::string& word = vm.port.empty() ? vm.name : vm.port;
    ends.push_back({word, vm.name, "VM", vm.host, vm.network, fmt::format("{}", fmt::join(vm.ips, ", "))});
  }
  for (const FloatingIpItem& fip : inventory.floating_ips) {
    ends.push_back({to_string(fip.ip), to_string(fip.ip), "floating IP",
                    fmt::format("{}", fmt::join(fip.hosts, ", ")), fip.router,
                    fip.vm.empty() ? "" : "of " + fip.vm});
  }
  for (const HostItem& host : inventory.hosts) {
    for (const std::string& netns : host.namespaces) {
      if (!netns.empty()) ends.push_back({host.name + ":" + netns, netns, "namespace", host.name, "", ""});
    }
  }
  ends.push_back({"outside", "outside", "outside", "", "", ""});
  return ends;
}

// The row of a step as a difference that has to go.
std::optional<check::Candidate> unwanted_row(const tui::Removed& removed) {
  const Provenance at = evidence_of(removed.step);
  const Place& place = removed.place;
  check::Candidate candidate;
  if (std::holds_alternative<FlowHit>(removed.step)) {
    check::BridgeDifference difference;
    difference.deviation = check::Deviation::Extra;
    difference.bridge = place.name;
    difference.found_at = at;
    candidate.difference = difference;
    return candidate;
  }
  check::Difference difference;
  difference.deviation = check::Deviation::Extra;
  difference.found_at = at;
  const bool in_namespace = place.kind == PlaceKind::Namespace && place.name != "root";
  difference.netns = in_namespace ? place.name : "";
  using Kind = std::optional<check::ObjectKind>;
  const Kind kind = std::visit(overloaded{
                                   [](const RuleHit&) -> Kind { return check::ObjectKind::Rule; },
                                   [](const RouteHit&) -> Kind { return check::ObjectKind::Route; },
                                   [](const NeighbourHit&) -> Kind { return check::ObjectKind::Neighbour; },
                                   [](const ChainHit&) -> Kind { return check::ObjectKind::IptablesRule; },
                                   [](const Translated&) -> Kind { return check::ObjectKind::IptablesRule; },
                                   [](const auto&) -> Kind { return std::nullopt; },
                               },
                               removed.step);
  if (!kind) return std::nullopt;
  difference.kind = *kind;
  if (const auto* chain = std::get_if<ChainHit>(&removed.step)) {
    difference.table = chain->table;
    difference.chain = chain->chain;
  } else if (std::holds_alternative<Translated>(removed.step)) {
    difference.table = "nat";
  }
  candidate.difference = difference;
  return candidate;
}

// Takes the row out of the host; which family it is of is tried. An iptables rule that translates is in
// whichever chain holds it.
bool take_out(HostSnapshot& host, check::Candidate candidate) {
  auto* difference = std::get_if<check::Difference>(&candidate.difference);
  if (difference == nullptr) return check::mend(host, nullptr, candidate);
  for (const char* family : {"4", "6"}) {
    difference->family = family;
    if (difference->kind != check::ObjectKind::IptablesRule || !difference->chain.empty()) {
      if (check::mend(host, nullptr, candidate)) return true;
      continue;
    }
    const NamespaceSnapshot* netns = host.find_namespace(difference->netns);
    if (netns == nullptr) return false;
    const kernel::Iptables& iptables = (family[0] == '4' ? netns->iptables4 : netns->iptables6).value;
    for (const auto& table : iptables.tables) {
      for (const auto& chain : table.chains) {
        difference->table = table.name;
        difference->chain = chain.name;
        if (check::mend(host, nullptr, candidate)) return true;
      }
    }
    difference->chain.clear();
  }
  return false;
}

// Networks, each of which lacks one row more than the one before.
class Without {
 public:
  explicit Without(const Network& base) : top_(&base) {}

  bool remove(const tui::Removed& removed) {
    const std::optional<check::Candidate> candidate = unwanted_row(removed);
    if (!candidate) return false;
    for (std::size_t host = 0; host < top_->size(); ++host) {
      if (top_->index(host).name != removed.place.host) continue;
      HostSnapshot copy = top_->host(host).snapshot;
      if (!take_out(copy, *candidate)) return false;
      networks_.push_back(std::make_unique<const Network>(*top_, host, std::move(copy)));
      top_ = networks_.back().get();
      return true;
    }
    return false;
  }

  const Network& network() const { return *top_; }

 private:
  const Network* top_;
  std::vector<std::unique_ptr<const Network>> networks_;
};

tl::expected<Ask, Failure> ask_of(const Ask& asked, const tui::Inquiry& inquiry) {
  Ask ask = asked;
  ask.from = inquiry.from;
  ask.to = inquiry.to;
  ask.packet.protocol = "icmp";
  ask.packet.dst_port.reset();
  ask.packet.flow.clear();
  if (inquiry.packet.empty()) return ask;
  if (const auto read = read_packet(inquiry.packet, ask.packet); !read)
    return tl::unexpected<Failure>(read.error());
  return ask;
}

}  // namespace

tl::expected<std::unique_ptr<ViewedCloud>, Failure> ViewedCloud::open(const Options& options) {
  std::unique_ptr<ViewedCloud> cloud(new ViewedCloud(options));
  auto opened = OpenedCloud::open(options, *cloud->sources_, cloud->diagnostics_, [&](const Snapshot& index) {
    cloud->ends_ = ends_of(take_inventory(index, cloud->diagnostics_, *cloud->sources_));
  });
  if (!opened) return tl::unexpected<Failure>(opened.error());
  cloud->opened_ = std::move(*opened);
  if (!cloud->numeric_) cloud->glossary_ = name_things(cloud->network());
  return cloud;
}

tui::Subject ViewedCloud::ends() const {
  tui::Subject subject;
  subject.title = "from where to where?";
  subject.sources = sources_;
  subject.glossary = glossary_;
  subject.ends = ends_;
  return subject;
}

tl::expected<tui::Subject, Failure> ViewedCloud::trace(const Ask& asked, const tui::Inquiry& inquiry) const {
  const auto question = ask_of(asked, inquiry);
  if (!question) return tl::unexpected<Failure>(question.error());
  Without without(network());
  for (const tui::Removed& removed : inquiry.without) {
    if (!without.remove(removed))
      return fail("usage", fmt::format("cannot be taken away: {}", trim(removed.text)));
  }
  auto trace = ask(without.network(), *question);
  if (!trace) return tl::unexpected<Failure>(failure_of(trace.error()));
  tui::Subject subject = ends();
  subject.title.clear();
  subject.trace = std::move(*trace);
  if (!numeric_) subject.glossary = name_things(network());  // knows more since hosts were read in full
  subject.inquiry = inquiry;
  subject.computes_findings = true;
  return subject;
}

tui::Subject ViewedCloud::judged(const Ask& asked, const tui::Subject& subject) const {
  tui::Subject more = subject;
  Without without(network());
  if (subject.inquiry) {
    for (const tui::Removed& removed : subject.inquiry->without) without.remove(removed);
  }
  const auto question = ask_of(asked, subject.inquiry.value_or(tui::Inquiry{}));
  more.computes_findings = false;
  if (!question || !subject.trace) return more;
  const Judgement judgement =
      judge(without.network(), *question, *subject.trace, opened_->settings(), *sources_);
  more.findings = judgement.findings;
  tui::Comparison comparison;
  comparison.reference = "Neutron " + judgement.release;
  if (!judgement.not_compared.empty()) {
    comparison.not_compared = fmt::format("{}", fmt::join(judgement.not_compared, "; "));
  } else if (judgement.release.empty()) {
    comparison.not_compared = "neither Neutron's objects nor the dumps say what should be there";
  }
  for (const Finding& finding : judgement.all) {
    auto place = std::ranges::find_if(comparison.places, [&](const tui::PlaceReference& known) {
      return known.host == finding.host && known.kind == finding.place_kind && known.place == finding.place;
    });
    if (place == comparison.places.end()) {
      comparison.places.push_back({finding.host, finding.place_kind, finding.place, {}});
      place = comparison.places.end() - 1;
    }
    place->differences.push_back(finding);
  }
  more.comparison = std::move(comparison);
  return more;
}

}  // namespace dvrtrace::cli
