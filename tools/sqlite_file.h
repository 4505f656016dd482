// An SQLite file that is written by one program and then left alone.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include <sqlite3.h>

#include "schema/status.h"

namespace sagalog::tools {

// One thread at a time. Statements stay prepared; text is borrowed for the call, and an empty text
// is NULL.
class SqliteFile {
 public:
  // Bytes that are no text.
  struct Blob {
    std::string_view bytes;
  };

  // Opens the file, or creates it, for its owner alone.
  [[nodiscard]] static Result<std::unique_ptr<SqliteFile>> Open(const std::filesystem::path& path);
  ~SqliteFile();
  SqliteFile(const SqliteFile&) = delete;
  SqliteFile& operator=(const SqliteFile&) = delete;

  // Runs several statements that give nothing.
  Status RunScript(const char* sql);

  // Runs one statement that gives nothing. `sql` must be a literal: its address is its name.
  template <typename... Values>
  Status Run(const char* sql, const Values&... values) {
    sqlite3_stmt* const statement = Prepare(sql);
    if (statement == nullptr) {
      return Failed();
    }
    int place = 0;
    const bool bound = (Bind(statement, ++place, values) && ...);
    return Step(statement, bound);
  }

  // The text that a query without values gives first; empty when it gives nothing.
  [[nodiscard]] Result<std::string> Ask(const char* sql);

  // Closes the file; what failed before has been told.
  Status Close();

 private:
  SqliteFile(std::filesystem::path path, sqlite3* database)
      : path_(std::move(path)), database_(database) {}

  sqlite3_stmt* Prepare(const char* sql);
  Status Step(sqlite3_stmt* statement, bool bound);
  [[nodiscard]] Status Failed() const;

  static bool Bind(sqlite3_stmt* statement, int place, std::string_view text);
  // Else a literal would be a flag.
  static bool Bind(sqlite3_stmt* statement, int place, const char* text) {
    return Bind(statement, place, std::string_view(text));
  }
  static bool Bind(sqlite3_stmt* statement, int place, Blob blob);
  static bool Bind(sqlite3_stmt* statement, int place, std::int64_t number);
  static bool Bind(sqlite3_stmt* statement, int place, std::uint64_t number) {
    return Bind(statement, place, static_cast<std::int64_t>(number));
  }
  static bool Bind(sqlite3_stmt* statement, int place, std::int32_t number) {
    return Bind(statement, place, std::int64_t{number});
  }
  static bool Bind(sqlite3_stmt* statement, int place, std::uint32_t number) {
    return Bind(statement, place, std::int64_t{number});
  }
  static bool Bind(sqlite3_stmt* statement, int place, bool flag) {
    return Bind(statement, place, std::int64_t{flag});
  }

  std::filesystem::path path_;
  sqlite3* database_;
  std::map<const char*, sqlite3_stmt*> statements_;
};

}  // namespace sagalog::tools
