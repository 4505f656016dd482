#include "tools/standard_streams.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <iostream>

namespace sagalog::tools {
namespace {

// The first error of standard output, as errno says it.
int output_error = 0;

void NoteUnless(bool written) {
  if (!written && output_error == 0) {
    output_error = errno == 0 ? EIO : errno;
  }
}

}  // namespace

void WriteOutput(std::string_view text) {
  if (output_error == 0) {
    NoteUnless(std::fwrite(text.data(), 1, text.size(), stdout) == text.size());
  }
}

void FlushOutput() {
  if (output_error == 0) {
    NoteUnless(std::fflush(stdout) == 0);
  }
}

void WriteError(std::string_view text) {
  static_cast<void>(std::fwrite(text.data(), 1, text.size(), stderr));
}

std::string OutputFailure() {
  // The help comes by this way.
  NoteUnless(static_cast<bool>(std::cout.flush()));
  FlushOutput();
  return output_error == 0 ? "" : std::strerror(output_error);
}

}  // namespace sagalog::tools
