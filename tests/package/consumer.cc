// Opens a store in a folder of its own with the installed package, and plans one saga.
#include <cstdlib>
#include <filesystem>

#include "reactor/store.h"

int main() {
  char directory[] = "/tmp/sagalog-consumer-XXXXXX";
  if (mkdtemp(directory) == nullptr) return 1;
  sagalog::StoreOptions options;
  options.directory = directory;
  auto store = sagalog::Store::Open(std::move(options));
  const bool planned = store.ok() && (*store)->Plan("first").Get().ok() && (*store)->Close().ok();
  std::filesystem::remove_all(directory);
  return planned ? 0 : 1;
}
