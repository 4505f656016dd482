#include "eventlog/file_removal.h"

#include <rocksdb/transaction_log.h>

namespace sagalog {

rocksdb::Status WaitForFileRemovals(rocksdb::DB& db) {
  // While deletions are held off none begins, and whoever asks for the write-ahead logs waits until
  // those under way are through. Allowing them again removes what nobody had begun to remove.
  if (const rocksdb::Status held = db.DisableFileDeletions(); !held.ok()) {
    return held;
  }
  rocksdb::VectorLogPtr files;
  const rocksdb::Status waited = db.GetSortedWalFiles(files);
  const rocksdb::Status allowed = db.EnableFileDeletions(/*force=*/false);
  return waited.ok() ? allowed : waited;
}

}  // namespace sagalog
