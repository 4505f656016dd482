"""A client for sagalog, the store for task sagas. See docs/python.md."""

from .calls import BatchResult
from .client import Client
from .clock import AsyncClock, Clock
from .errors import *  # noqa: F401,F403
from .errors import LeaseLost, Refused, SagalogError, Unavailable
from .event_stream import EventStream, ExportStream
from .lease import Lease
from .records import (Answer, Compensation, CompensationRow, Effect, EffectRow, Event, Exit, Owner,
                      OwnerRow, Page, Queue, Reader, Record, Saga, Section, SectionRow, StaleRow,
                      StaleSince, Status, StorePolicy, parse_time, this_process)
from .task_saga_store import (LeaseConflictError, TaskExistsError, TaskLease, TaskSaga,
                              TaskSagaStore, TaskStoreError, TerminalTaskMutationError)
from .retrying import NEVER, Retry

__version__ = "0.1.0"
