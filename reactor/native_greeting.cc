#include "reactor/native_greeting.h"

#include <utility>

#include <fmt/format.h>

#include "reactor/native_answers.h"
#include "reactor/service.h"

namespace sagalog {

using schema::RefusalCode;

NativeGreeting::Reply NativeGreeting::Answer(FrameBuilder& builder, std::uint64_t number,
                                             const frames::Hello& hello) {
  if (done_ || hello.version() != kNativeVersion) {
    answers::RefusalT refusal;
    refusal.code = RefusalCode::invalid_argument;
    refusal.detail = done_ ? "hello is said once"
                           : fmt::format("version: this server speaks version {}, not {}",
                                         kNativeVersion, hello.version());
    refusal.subject = "version";
    refusal.limit = kNativeVersion;
    refusal.actual = hello.version();
    return {builder.Build(number, refusal), false};
  }
  const std::string_view token =
      hello.access_token() == nullptr ? std::string_view() : hello.access_token()->string_view();
  if (!Recognize(token)) {
    connection_.service().figures().commands.CountRefusal(commands::Body::NONE,
                                                          RefusalCode::unauthenticated);
    return {BuildRefusal(builder, number, RefusalCode::unauthenticated,
                         token.empty() ? "access_token: who asks? This server wants one in hello"
                                       : "access_token: this token is nobody's"),
            false};
  }
  done_ = true;
  frames::WelcomeT welcome;
  welcome.version = kNativeVersion;
  welcome.server = SAGALOG_VERSION;
  welcome.last_sequence = connection_.service().store().log().Last().value();
  return {builder.Build(number, welcome), true};
}

// False when nobody knows who speaks.
bool NativeGreeting::Recognize(std::string_view access_token) {
  const Service& service = connection_.service();
  tokens_generation_ = service.tokens_generation();
  if (connection_.caller().role != Role::kNone) {
    caller_ = connection_.caller();
    return true;
  }
  auto caller = service.Authenticate(access_token);
  if (access_token.empty() || !caller) {
    return false;
  }
  caller_ = *std::move(caller);
  connection_.BecomeKnown();
  access_token_ = access_token;
  return true;
}

bool NativeGreeting::IsStillRecognized() {
  return tokens_generation_ == connection_.service().tokens_generation() ||
         Recognize(std::string(access_token_));
}

}  // namespace sagalog
