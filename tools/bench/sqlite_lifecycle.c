/* The lifecycle of `sagalog bench remote` on SQLite, in the process: each transition is one durable
   transaction with a conditional update. Usage: sqlite_lifecycle FILE SAGAS. Prints JSON. */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

static double Now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double CpuSeconds(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static int Compare(const void* a, const void* b) {
  const double left = *(const double*)a;
  const double right = *(const double*)b;
  return (left > right) - (left < right);
}

static void Check(sqlite3* database, int result, int expected) {
  if (result != expected) {
    fprintf(stderr, "sqlite_lifecycle: %s\n", sqlite3_errmsg(database));
    exit(1);
  }
}

int main(int argc, char** argv) {
  static const char* const kStatements[4] = {
      "INSERT INTO sagas VALUES (?1, 'planned', NULL, 0, 1)",
      "UPDATE sagas SET state = 'running', owner = 'bench-worker', expires = 1, version = version + 1"
      " WHERE id = ?1 AND state = 'planned'",
      "UPDATE sagas SET expires = expires + 1, version = version + 1"
      " WHERE id = ?1 AND state = 'running' AND owner = 'bench-worker'",
      "UPDATE sagas SET state = 'completed', version = version + 1"
      " WHERE id = ?1 AND state = 'running' AND owner = 'bench-worker'"};
  if (argc != 3) {
    fprintf(stderr, "usage: sqlite_lifecycle FILE SAGAS\n");
    return 2;
  }
  const long sagas = atol(argv[2]);
  sqlite3* database = NULL;
  sqlite3_stmt* steps[4];
  Check(database, sqlite3_open(argv[1], &database), SQLITE_OK);
  Check(database,
        sqlite3_exec(database,
                     "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                     "CREATE TABLE sagas (id INTEGER PRIMARY KEY, state TEXT, owner TEXT,"
                     " expires INTEGER, version INTEGER)",
                     NULL, NULL, NULL),
        SQLITE_OK);
  for (int step = 0; step < 4; ++step) {
    Check(database, sqlite3_prepare_v2(database, kStatements[step], -1, &steps[step], NULL),
          SQLITE_OK);
  }
  double* micros = malloc(sizeof(double) * (size_t)sagas * 4);
  const double cpu = CpuSeconds();
  const double start = Now();
  for (long i = 0; i < sagas * 4; ++i) {
    const double asked = Now();
    sqlite3_stmt* step = steps[i % 4];
    sqlite3_bind_int64(step, 1, i / 4 + 1);
    Check(database, sqlite3_step(step), SQLITE_DONE);
    sqlite3_reset(step);
    if (sqlite3_changes(database) != 1) {
      fprintf(stderr, "sqlite_lifecycle: a transition changed nothing\n");
      return 1;
    }
    micros[i] = (Now() - asked) * 1e6;
  }
  const double seconds = Now() - start;
  const double count = (double)sagas * 4;
  qsort(micros, (size_t)sagas * 4, sizeof(double), Compare);
  printf("{\"per_second\": %.1f, \"p50_us\": %.1f, \"p99_us\": %.1f, \"cpu_s_per_million\": %.2f}\n",
         count / seconds, micros[sagas * 2], micros[(long)(count * 0.99)],
         (CpuSeconds() - cpu) / count * 1e6);
  sqlite3_close(database);
  return 0;
}
