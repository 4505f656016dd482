#include "eventlog/file_removal.h"

#include <rocksdb/db.h>
#include <rocksdb/transaction_log.h>

#include "eventlog/rocks_opening.h"

namespace sagalog {

Status WaitForFileRemovals(rocksdb::DB& db) {
  constexpr const char* kFailed = "cannot remove old files";
  // While deletions are held off none begins, and whoever asks for the write-ahead logs waits until
  // those under way are through. Allowing them again removes what nobody had begun to remove.
  RETURN_IF_ERROR(FromRocks(db.DisableFileDeletions(), kFailed));
  rocksdb::VectorLogPtr files;
  const rocksdb::Status waited = db.GetSortedWalFiles(files);
  RETURN_IF_ERROR(FromRocks(db.EnableFileDeletions(/*force=*/false), kFailed));
  return FromRocks(waited, kFailed);
}

}  // namespace sagalog
