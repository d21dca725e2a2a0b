#include "collectors/libvirt_xml.h"

#include <algorithm>
#include <pugixml.hpp>

#include "collectors/line_marks.h"
#include "collectors/words.h"
#include "src/base/text.h"

namespace dvrtrace {

namespace {

// Nova's elements have a prefix that the document chooses.
std::string_view local_name(const pugi::xml_node& node) {
  const std::string_view name = node.name();
  return name.substr(name.find(':') + 1);
}

pugi::xml_node child_named(const pugi::xml_node& parent, std::string_view name) {
  for (const pugi::xml_node& child : parent.children()) {
    if (local_name(child) == name) return child;
  }
  return {};
}

class DomainReader {
 public:
  DomainReader(const SourceText& text, ReadLog& log) : text_(text), log_(log) {}

  std::optional<Domain> read() {
    pugi::xml_document document;
    const auto result = document.load_buffer(text_.bytes.data(), text_.bytes.size(), pugi::parse_default,
                                             pugi::encoding_utf8);
    const pugi::xml_node root = document.child("domstatus") ? document.child("domstatus") : document;
    const pugi::xml_node node = root.child("domain");
    std::optional<Domain> domain;
    if (node) domain = read_domain(node);
    if (!result && !trim(text_.bytes).empty()) {
      report_rest(static_cast<std::size_t>(std::max<std::ptrdiff_t>(result.offset, 0)));
    } else if (!node) {
      log_.diagnostics.note(text_.provenance(rest_of(text_, 0)), "no virtual machine in this text");
    }
    marks_.count(text_, log_.lines);
    return domain;
  }

 private:
  Domain read_domain(const pugi::xml_node& node) {
    Domain domain;
    domain.at = text_.provenance(rest_of(text_, offset_of(node)));
    for (const pugi::xml_node& child : node.children()) {
      const std::string_view name = child.name();
      if (name == "name") {
        domain.name = text_in(child);
      } else if (name == "uuid") {
        domain.uuid = text_in(child);
      } else if (name == "metadata") {
        const pugi::xml_node instance = child_named(child, "instance");
        if (const pugi::xml_node title = child_named(instance, "name")) domain.instance_name = text_in(title);
        ports_ = child_named(instance, "ports");
      } else if (name == "devices") {
        for (const pugi::xml_node& nic : child.children("interface"))
          domain.interfaces.push_back(interface(nic));
      }
    }
    return domain;
  }

  DomainInterface interface(const pugi::xml_node& node) {
    const Span span = span_of_element(node);
    DomainInterface nic;
    const std::string_view address = node.child("mac").attribute("address").value();
    if (const auto mac = parse_mac(address)) {
      nic.mac = *mac;
      marks_.mark(span, LineState::Modelled);
    } else {
      marks_.mark(span, report_fault(text_, span, "a MAC address in the interface", kHint, log_));
    }
    nic.tap = node.child("target").attribute("dev").value();
    nic.bridge = node.child("source").attribute("bridge").value();
    nic.mtu = number<std::uint32_t>(node.child("mtu").attribute("size").value());
    nic.port_id = node.child("virtualport").child("parameters").attribute("interfaceid").value();
    if (nic.port_id.empty()) nic.port_id = port_of_tap(nic.tap);
    return nic;
  }

  // With a Linux bridge between, only nova's own list of ports has the full id; taps have its start.
  std::string port_of_tap(std::string_view tap) const {
    if (!consume(tap, "tap") || tap.empty()) return {};
    for (const pugi::xml_node& port : ports_.children()) {
      const std::string_view uuid = port.attribute("uuid").value();
      if (uuid.starts_with(tap)) return std::string(uuid);
    }
    return {};
  }

  std::string text_in(const pugi::xml_node& node) {
    marks_.mark(span_of_element(node), LineState::Modelled);
    return node.child_value();
  }

  static std::size_t offset_of(const pugi::xml_node& node) {
    return static_cast<std::size_t>(std::max<std::ptrdiff_t>(node.offset_debug(), 1)) - 1;  // of '<'
  }

  // The tree has no ends. The elements that are asked for do not hold others of their name.
  Span span_of_element(const pugi::xml_node& node) const {
    const std::size_t begin = std::min(offset_of(node), text_.bytes.size());
    const std::size_t close = text_.bytes.find("</" + std::string(node.name()) + ">", begin);
    return span_between(begin, std::min(close, text_.bytes.size()));
  }

  void report_rest(std::size_t at) {
    const Span span = rest_of(text_, at);
    marks_.mark(span, report_fault(text_, span, "libvirt's XML of a domain", kHint, log_));
  }

  static constexpr std::string_view kHint = "names of virtual machines and their ports may be missing";
  const SourceText& text_;
  ReadLog& log_;
  LineMarks marks_;
  pugi::xml_node ports_;
};

}  // namespace

std::optional<Domain> read_libvirt_domain(const SourceText& text, ReadLog& log) {
  return DomainReader(text, log).read();
}

}  // namespace dvrtrace
