#include "tools/file_digest.h"

#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>

#include <fmt/format.h>
#include <openssl/evp.h>

#include "eventlog/regular_file.h"
#include "schema/check.h"

namespace sagalog::tools {
namespace {

constexpr std::size_t kReadBytes = 1U << 20;
constexpr std::size_t kDigestBytes = 32;

}  // namespace

struct FileDigest::Context {
  using Free = decltype(&EVP_MD_CTX_free);
  std::unique_ptr<EVP_MD_CTX, Free> state{EVP_MD_CTX_new(), &EVP_MD_CTX_free};
  // What Hex() finishes instead.
  std::unique_ptr<EVP_MD_CTX, Free> copy{EVP_MD_CTX_new(), &EVP_MD_CTX_free};
};

FileDigest::FileDigest() : context_(std::make_unique<Context>()) {
  CHECK(EVP_DigestInit_ex2(context_->state.get(), EVP_sha256(), nullptr) == 1);
}

FileDigest::~FileDigest() = default;
FileDigest::FileDigest(FileDigest&&) noexcept = default;
FileDigest& FileDigest::operator=(FileDigest&&) noexcept = default;

void FileDigest::Add(std::string_view bytes) {
  CHECK(EVP_DigestUpdate(context_->state.get(), bytes.data(), bytes.size()) == 1);
}

std::string FileDigest::Hex() const {
  std::array<std::uint8_t, kDigestBytes> hash{};
  CHECK(EVP_MD_CTX_copy_ex(context_->copy.get(), context_->state.get()) == 1);
  CHECK(EVP_DigestFinal_ex(context_->copy.get(), hash.data(), nullptr) == 1);
  std::string text;
  for (const std::uint8_t byte : hash) {
    text += fmt::format("{:02x}", byte);
  }
  return text;
}

Status AddFile(FileDigest& digest, const std::filesystem::path& path, std::uint64_t size_bytes,
               std::uint64_t offset) {
  ASSIGN_OR_RETURN(const RegularFile file, RegularFile::Open(path));
  std::string buffer(kReadBytes, '\0');
  while (size_bytes > 0) {
    const std::size_t part = std::min<std::uint64_t>(size_bytes, buffer.size());
    const ssize_t got = ::pread(file.descriptor(), buffer.data(), part, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got <= 0) {
      return {Code::kIoError,
              got < 0
                  ? fmt::format("cannot read {}: {}", path.string(), std::strerror(errno))
                  : fmt::format("cannot read {}: {} bytes are missing", path.string(), size_bytes)};
    }
    digest.Add(std::string_view(buffer.data(), static_cast<std::size_t>(got)));
    offset += static_cast<std::uint64_t>(got);
    size_bytes -= static_cast<std::uint64_t>(got);
  }
  return {};
}

Result<std::string> DigestOf(const std::filesystem::path& path) {
  std::error_code error;
  const std::uint64_t size_bytes = std::filesystem::file_size(path, error);
  if (error) {
    return Status(Code::kIoError,
                  fmt::format("cannot read {}: {}", path.string(), error.message()));
  }
  FileDigest digest;
  RETURN_IF_ERROR(AddFile(digest, path, size_bytes));
  return digest.Hex();
}

}  // namespace sagalog::tools
