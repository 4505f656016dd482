#include "tools/sqlite_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include <fmt/format.h>

namespace sagalog::tools {
namespace {

Status FailedAt(const std::filesystem::path& path, sqlite3* database) {
  return {Code::kIoError,
          fmt::format("cannot write {}: {}", path.string(),
                      database == nullptr ? "out of memory" : sqlite3_errmsg(database))};
}

}  // namespace

Result<std::unique_ptr<SqliteFile>> SqliteFile::Open(const std::filesystem::path& path) {
  // SQLite would let everybody read it; its own files get the mode of this one.
  // A link is not written through.
  const int created = ::open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC,
                             S_IRUSR | S_IWUSR);
  if (created < 0 && errno == ELOOP) {
    return Status(Code::kIoError, fmt::format("cannot write {}: it is a link", path.string()));
  }
  if (created >= 0) {
    ::close(created);
  }
  sqlite3* database = nullptr;
  const int opened =
      sqlite3_open_v2(path.c_str(), &database,
                      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  std::unique_ptr<SqliteFile> file(new SqliteFile(path, database));
  if (opened != SQLITE_OK) {
    return FailedAt(path, database);
  }
  // A commit is rare and must last; pages are bounded, so that memory does not grow with the file.
  RETURN_IF_ERROR(file->RunScript(
      "PRAGMA synchronous = FULL; PRAGMA cache_size = -32768; PRAGMA temp_store = FILE;"));
  return file;
}

SqliteFile::~SqliteFile() { Close().IgnoreBecause("what was committed is durable without it"); }

Status SqliteFile::Failed() const { return FailedAt(path_, database_); }

Status SqliteFile::RunScript(const char* sql) {
  return sqlite3_exec(database_, sql, nullptr, nullptr, nullptr) == SQLITE_OK ? Status() : Failed();
}

sqlite3_stmt* SqliteFile::Prepare(const char* sql) {
  sqlite3_stmt*& statement = statements_[sql];
  if (statement == nullptr) {
    sqlite3_prepare_v3(database_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  }
  return statement;
}

Status SqliteFile::Step(sqlite3_stmt* statement, bool bound) {
  const int stepped = bound ? sqlite3_step(statement) : SQLITE_ERROR;
  const Status status = stepped == SQLITE_DONE ? Status() : Failed();
  sqlite3_reset(statement);
  sqlite3_clear_bindings(statement);
  return status;
}

Result<std::string> SqliteFile::Ask(const char* sql) {
  sqlite3_stmt* const statement = Prepare(sql);
  if (statement == nullptr) {
    return Failed();
  }
  std::string text;
  const int stepped = sqlite3_step(statement);
  if (stepped == SQLITE_ROW) {
    const unsigned char* found = sqlite3_column_text(statement, 0);
    text = found == nullptr ? "" : reinterpret_cast<const char*>(found);
  } else if (stepped != SQLITE_DONE) {
    return Failed();
  }
  sqlite3_reset(statement);
  return text;
}

Status SqliteFile::Close() {
  for (const auto& [sql, statement] : statements_) {
    sqlite3_finalize(statement);
  }
  statements_.clear();
  if (database_ == nullptr) {
    return {};
  }
  const int closed = sqlite3_close(std::exchange(database_, nullptr));
  return closed == SQLITE_OK
             ? Status()
             : Status(Code::kIoError, fmt::format("cannot close {}", path_.string()));
}

bool SqliteFile::Bind(sqlite3_stmt* statement, int place, std::string_view text) {
  return (text.empty() ? sqlite3_bind_null(statement, place)
                       : sqlite3_bind_text64(statement, place, text.data(), text.size(),
                                             SQLITE_STATIC, SQLITE_UTF8)) == SQLITE_OK;
}

bool SqliteFile::Bind(sqlite3_stmt* statement, int place, std::int64_t number) {
  return sqlite3_bind_int64(statement, place, number) == SQLITE_OK;
}

bool SqliteFile::Bind(sqlite3_stmt* statement, int place, Blob blob) {
  return sqlite3_bind_blob64(statement, place, blob.bytes.data(), blob.bytes.size(),
                             SQLITE_STATIC) == SQLITE_OK;
}

}  // namespace sagalog::tools
