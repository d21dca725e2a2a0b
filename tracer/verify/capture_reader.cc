#include "tracer/verify/capture_reader.h"

#include <fmt/format.h>
#include <pcap/pcap.h>

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "src/base/text.h"
#include "tracer/verify/pcapng.h"

namespace dvrtrace::verify {
namespace {

constexpr std::size_t kBuffer = 512 << 10;

// The bytes that were looked at to tell the format, and then the rest.
class Rejoined : public ByteStream {
 public:
  Rejoined(std::string first, std::unique_ptr<ByteStream> rest)
      : first_(std::move(first)), rest_(std::move(rest)) {}
  Result<std::size_t> read(char* into, std::size_t room) override {
    if (at_ == first_.size()) return rest_->read(into, room);
    const std::size_t count = std::min(room, first_.size() - at_);
    std::memcpy(into, first_.data() + at_, count);
    at_ += count;
    return count;
  }

 private:
  std::string first_;
  std::size_t at_ = 0;
  std::unique_ptr<ByteStream> rest_;
};

// A classic pcap, by libpcap, which reads from a FILE.
class PcapReader : public CaptureReader {
 public:
  explicit PcapReader(std::unique_ptr<ByteStream> bytes) : bytes_(std::move(bytes)) {}
  ~PcapReader() override {
    if (pcap_ != nullptr) ::pcap_close(pcap_);  // closes the FILE too
  }

  Result<void> open() {
    cookie_io_functions_t functions{};
    functions.read = on_read;
    std::FILE* file = ::fopencookie(this, "r", functions);
    if (file == nullptr) return failure("no memory");
    std::setvbuf(file, nullptr, _IOFBF, kBuffer);
    char error[PCAP_ERRBUF_SIZE] = "";
    pcap_ = ::pcap_fopen_offline_with_tstamp_precision(file, PCAP_TSTAMP_PRECISION_NANO, error);
    if (pcap_ == nullptr) {
      std::fclose(file);
      return failure(printable(error));
    }
    const int snap = ::pcap_snapshot(pcap_);
    interfaces_.push_back({"", ::pcap_datalink(pcap_), snap > 0 ? static_cast<std::uint32_t>(snap) : 0, 0});
    return {};
  }

  bool next(Record& record) override {
    pcap_pkthdr* header = nullptr;
    const std::uint8_t* bytes = nullptr;
    const int status = ::pcap_next_ex(pcap_, &header, &bytes);
    if (status != 1) {
      if (status == PCAP_ERROR && fault_.empty())
        fault_ = stream_fault_.empty() ? printable(::pcap_geterr(pcap_)) : stream_fault_;
      return false;
    }
    // With the precision asked for, tv_usec counts nanoseconds.
    record = {0,
              std::int64_t{header->ts.tv_sec} * 1'000'000'000 + header->ts.tv_usec,
              header->len,
              {bytes, header->caplen}};
    return true;
  }

 private:
  static ssize_t on_read(void* self, char* into, size_t room) {
    PcapReader& reader = *static_cast<PcapReader*>(self);
    const auto count = reader.bytes_->read(into, room);
    if (count) return static_cast<ssize_t>(*count);
    reader.stream_fault_ = count.error().message;
    return -1;
  }

  std::unique_ptr<ByteStream> bytes_;
  pcap_t* pcap_ = nullptr;
  std::string stream_fault_;
};

}  // namespace

Result<std::unique_ptr<CaptureReader>> open_capture(std::unique_ptr<ByteStream> bytes) {
  std::string magic(4, '\0');
  std::size_t held = 0;
  while (held < magic.size()) {
    const auto count = bytes->read(magic.data() + held, magic.size() - held);
    if (!count) return tl::unexpected<Error>(count.error());
    if (*count == 0) break;
    held += *count;
  }
  magic.resize(held);
  if (magic.empty()) return failure("it is empty");
  const bool pcapng = magic == kPcapngMagic;
  auto all = std::make_unique<Rejoined>(std::move(magic), std::move(bytes));
  if (pcapng) return open_pcapng(std::move(all));
  auto reader = std::make_unique<PcapReader>(std::move(all));
  if (const auto opened = reader->open(); !opened) return tl::unexpected<Error>(opened.error());
  return std::unique_ptr<CaptureReader>(std::move(reader));
}

// --- peeking -----------------------------------------------------------------------------------------

void PeekingReader::mirror() {
  interfaces_ = inner_->interfaces();
  fault_ = inner_->fault();
}

const std::vector<Record>& PeekingReader::peek(std::size_t most) {
  Record record;
  while (held_.size() < most && inner_->next(record)) {
    bytes_.push_back(std::make_unique<std::vector<std::uint8_t>>(record.bytes.begin(), record.bytes.end()));
    record.bytes = *bytes_.back();
    held_.push_back(record);
  }
  mirror();
  return held_;
}

bool PeekingReader::next(Record& record) {
  if (at_ < held_.size()) {
    record = held_[at_++];
    return true;
  }
  if (at_ != 0) {
    held_.clear();
    bytes_.clear();
    at_ = 0;
  }
  const std::size_t known = inner_->interfaces().size();
  if (inner_->next(record)) {
    if (known != interfaces_.size() || inner_->interfaces().size() != interfaces_.size()) mirror();
    return true;
  }
  mirror();
  return false;
}

}  // namespace dvrtrace::verify
