#include "reactor/native_reads.h"

#include "reactor/native_answers.h"

namespace sagalog {

void AnswerInto(NativeOutbox& outbox, Store& store, const WaitingRead& read) {
  FrameBuilder& builder = BuilderOfThread();
  if (!outbox.Offer(AnswerRead(builder, read.number, store, *read.what), read.load)) {
    outbox.Add(BuildRefusal(builder, read.number, schema::RefusalCode::overloaded,
                            "too many large answers were not taken; ask for less at a time"),
               read.load);
  }
  static_cast<void>(builder.Begin());  // gives the memory of a large answer back
}

}  // namespace sagalog
