// docs/log-format.md, taken at its word.
#include <cstring>
#include <map>
#include <memory>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rocksdb/db.h>

#include "eventlog/crc32c.h"
#include "eventlog/head_file.h"
#include "eventlog/rocks_log.h"
#include "schema/json.h"
#include "schema/verify.h"
#include "tests/eventlog/sample_events.h"
#include "tests/eventlog/scratch_directory.h"
#include "tests/generated/places.h"

namespace sagalog {
namespace {

std::string Document() {
  return ReadFile(std::filesystem::path(kSourceDirectory) / "docs" / "log-format.md");
}

// The bytes of the hex block that follows `heading`, with zeros where its addresses jump.
std::string HexBlockBehind(const std::string& document, const std::string& heading) {
  std::istringstream lines(document.substr(document.find(heading)));
  std::string line;
  while (std::getline(lines, line) && line != "```") {
  }
  std::string bytes;
  while (std::getline(lines, line) && line != "```") {
    std::istringstream words(line);
    std::size_t address = 0;
    words >> std::hex >> address;
    bytes.resize(address);
    for (unsigned byte = 0; words >> byte;) {
      bytes.push_back(static_cast<char>(byte));
    }
  }
  return bytes;
}

std::string JsonBlock(const std::string& document) {
  const std::string fence = "```json\n";
  const std::size_t begin = document.find(fence) + fence.size();
  return document.substr(begin, document.find("```", begin) - begin);
}

// Reads an event by nothing but the rules of the page.
class HandReader {
 public:
  explicit HandReader(std::string bytes) : bytes_(std::move(bytes)) {}

  template <typename T>
  [[nodiscard]] T Number(std::size_t at) const {
    T value{};
    EXPECT_LE(at + sizeof(value), bytes_.size());
    std::memcpy(&value, bytes_.data() + at, sizeof(value));
    return value;
  }

  [[nodiscard]] std::size_t Root() const { return Number<std::uint32_t>(0); }

  // Where the field stands; 0 if it is not there.
  [[nodiscard]] std::size_t Field(std::size_t table, std::size_t number) const {
    const std::size_t vtable =
        table - static_cast<std::size_t>(std::int64_t{Number<std::int32_t>(table)});
    const std::size_t entry = 4 + 2 * number;
    if (entry >= Number<std::uint16_t>(vtable)) {
      return 0;
    }
    const std::size_t offset = Number<std::uint16_t>(vtable + entry);
    return offset == 0 ? 0 : table + offset;
  }

  [[nodiscard]] std::size_t Follow(std::size_t field) const {
    return field + Number<std::uint32_t>(field);
  }

  [[nodiscard]] std::string Text(std::size_t field) const {
    const std::size_t at = Follow(field);
    return bytes_.substr(at + 4, Number<std::uint32_t>(at));
  }

 private:
  std::string bytes_;
};

TEST(LogFormat, ExampleIsAnEventWithTheJsonBesideIt) {
  const std::string document = Document();
  const std::string bytes = HexBlockBehind(document, "## An example");
  ASSERT_EQ(bytes.size(), 240U);
  const Status verified = VerifyEvent(bytes);
  ASSERT_TRUE(verified.ok()) << verified.text();
  const Result<events::EventT> from_json = EventFromJson(JsonBlock(document));
  ASSERT_TRUE(from_json.ok()) << from_json.status().text();
  flatbuffers::FlatBufferBuilder builder;
  builder.Finish(events::Event::Pack(builder, &*from_json));
  EXPECT_EQ(EventToJson(*events::GetEvent(bytes.data())),
            EventToJson(*events::GetEvent(builder.GetBufferPointer())));
}

TEST(LogFormat, ExampleIsReadByHandAsThePageSays) {
  const HandReader reader(HexBlockBehind(Document(), "## An example"));
  const std::size_t root = reader.Root();
  EXPECT_EQ(reader.Number<std::uint64_t>(reader.Field(root, 0)), 43U);
  EXPECT_EQ(reader.Text(reader.Field(root, 1)), "build-168");
  EXPECT_EQ(reader.Number<std::uint64_t>(reader.Field(root, 2)), 3U);
  EXPECT_EQ(reader.Number<std::uint64_t>(reader.Field(root, 3)), 41U);
  EXPECT_EQ(reader.Number<std::uint64_t>(reader.Field(root, 4)), 40U);
  EXPECT_EQ(reader.Number<std::int64_t>(reader.Field(root, 5)), 1'795'000'080'000'000);
  EXPECT_EQ(reader.Number<std::int64_t>(reader.Field(root, 6)), 1'795'000'080'000'250);
  EXPECT_EQ(reader.Text(reader.Field(root, 7)), "build-agent");
  EXPECT_EQ(reader.Text(reader.Field(root, 8)), "uid 1000");
  EXPECT_EQ(reader.Number<std::uint64_t>(reader.Field(root, 9)), 0x0123456789abcdefU);
  EXPECT_EQ(reader.Number<std::uint64_t>(reader.Field(root, 9) + 8), 0x00112233445566ffU);
  EXPECT_EQ(reader.Number<std::uint64_t>(reader.Field(root, 10)), 2'246'800'662'264'969'608U);
  EXPECT_EQ(reader.Field(root, 11), 0U);
  EXPECT_EQ(reader.Number<std::uint8_t>(reader.Field(root, 12)), 7U);
  const std::size_t body = reader.Follow(reader.Field(root, 13));
  EXPECT_EQ(reader.Text(reader.Field(body, 0)), "planned");
  EXPECT_EQ(reader.Text(reader.Field(body, 1)), "pushed");
}

TEST(LogFormat, TypesHaveTheNumbersOfThePage) {
  const std::string document = Document();
  const std::regex cell(R"(\| (\d+) \| `([a-z_]+)` (?=\|))");
  std::map<int, std::string> listed;
  const std::size_t table = document.find("| number | type | number |");
  const std::string rows = document.substr(table, document.find("\n\n", table) - table);
  for (std::sregex_iterator row(rows.begin(), rows.end(), cell), end; row != end; ++row) {
    listed[std::stoi((*row)[1])] = (*row)[2];
  }
  std::map<int, std::string> known;
  for (int number = 1; number <= static_cast<int>(events::Body::MAX); ++number) {
    known[number] = EventTypeName(static_cast<events::Body>(number));
  }
  EXPECT_EQ(listed, known);
}

TEST(LogFormat, HeadOfThePageIsReadAndWritten) {
  std::string bytes = HexBlockBehind(Document(), "The HEAD of that log");
  bytes.resize(8192);
  ScratchDirectory directory;
  const std::filesystem::path path = directory.path() / "HEAD";
  WriteFile(path, bytes);
  EXPECT_EQ(*HeadFile::Read(path), Sequence(43));
  std::filesystem::remove(path);
  Result<HeadFile> head = HeadFile::Open(path, nullptr);
  ASSERT_TRUE(head.ok()) << head.status().text();
  // A new file has 0 in both slots, so the first write goes to the second one.
  ASSERT_TRUE(head->Write(Sequence(42)).ok());
  ASSERT_TRUE(head->Write(Sequence(43)).ok());
  EXPECT_EQ(ReadFile(path), bytes);
}

TEST(LogFormat, DatabaseHoldsTheKeysOfThePageAndNothingElse) {
  ScratchDirectory directory;
  SampleEvents samples;
  const std::vector<std::string> events = samples.Batch(43);
  {
    const auto log = RocksLog::Open(directory.path(), {});
    ASSERT_TRUE(log.ok()) << log.status().text();
    ASSERT_TRUE(AppendAll(**log, events).ok());
  }
  rocksdb::DB* raw = nullptr;
  ASSERT_TRUE(rocksdb::DB::OpenForReadOnly({}, (directory.path() / "log").string(), &raw).ok());
  const std::unique_ptr<rocksdb::DB> database(raw);
  const std::unique_ptr<rocksdb::Iterator> entry(database->NewIterator({}));
  entry->SeekToFirst();
  ASSERT_TRUE(entry->Valid());
  EXPECT_EQ(entry->key().ToString(), std::string(8, '\0'));
  EXPECT_EQ(entry->value().ToString(), "sagalog log, format 1");
  std::size_t sequence = 0;
  for (entry->Next(); entry->Valid(); entry->Next()) {
    ++sequence;
    EXPECT_EQ(entry->key().ToString(), std::string(7, '\0') + static_cast<char>(sequence));
    EXPECT_EQ(entry->value().ToString(), events[sequence - 1]);
  }
  EXPECT_EQ(sequence, 43U);
}

TEST(LogFormat, ChecksumIsTheOneThePageNames) {
  EXPECT_EQ(Crc32c("123456789"), 0xE3069283U);  // the check value that goes with its definition
  EXPECT_EQ(Crc32c("6789", Crc32c("12345")), 0xE3069283U);
}

}  // namespace
}  // namespace sagalog
