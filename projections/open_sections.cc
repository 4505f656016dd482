#include "projections/open_sections.h"

namespace sagalog {

void OpenSections::Update(Saga& saga) {
  const bool open = saga.Section() != nullptr;
  if (open == saga.places.section_open) {
    return;
  }
  if (open) {
    sagas_.Insert(saga);
  } else {
    sagas_.Erase(saga);
  }
  saga.places.section_open = open;
}

void OpenSections::Remove(Saga& saga) {
  if (saga.places.section_open) {
    sagas_.Erase(saga);
    saga.places.section_open = false;
  }
}

}  // namespace sagalog
