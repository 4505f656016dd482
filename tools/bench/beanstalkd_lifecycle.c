/* The lifecycle of `sagalog bench remote` on beanstalkd: put, reserve, touch and delete of a job, one
   after the other on each of many connections, all from one thread. Usage: beanstalkd_lifecycle
   PORT CONNECTIONS JOBS-A-CONNECTION. Prints JSON. */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { kConnectionsMax = 1024, kAnswerSizeMax = 512 };

struct Peer {
  int step; /* 0 and 1 choose its tube; then four transitions a job. */
  long jobs_left;
  char job[32];
  char answer[kAnswerSizeMax];
  size_t answer_size;
  double asked;
};

static double Now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int Compare(const void* a, const void* b) {
  const double left = *(const double*)a;
  const double right = *(const double*)b;
  return (left > right) - (left < right);
}

static void Fail(const char* what) {
  fprintf(stderr, "beanstalkd_lifecycle: %s\n", what);
  exit(1);
}

static int Connect(int port) {
  const int one = 1;
  struct sockaddr_in address = {0};
  address.sin_family = AF_INET;
  address.sin_port = htons((unsigned short)port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int peer = socket(AF_INET, SOCK_STREAM, 0);
  setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
  if (peer < 0 || connect(peer, (struct sockaddr*)&address, sizeof(address)) != 0) {
    Fail("nobody listens there");
  }
  return peer;
}

static void Ask(int socket_of, int number, struct Peer* peer) {
  char text[128];
  switch (peer->step) {
    case 0: snprintf(text, sizeof(text), "use t%d\r\n", number); break;
    case 1: snprintf(text, sizeof(text), "watch t%d\r\n", number); break;
    case 2: snprintf(text, sizeof(text), "put 0 0 120 5\r\nhello\r\n"); break;
    case 3: snprintf(text, sizeof(text), "reserve\r\n"); break;
    case 4: snprintf(text, sizeof(text), "touch %s\r\n", peer->job); break;
    default: snprintf(text, sizeof(text), "delete %s\r\n", peer->job); break;
  }
  peer->asked = Now();
  if (write(socket_of, text, strlen(text)) != (ssize_t)strlen(text)) {
    Fail("a request did not leave");
  }
}

/* Whether the answer is whole; it must be the one that the step wants. */
static int Take(struct Peer* peer) {
  static const char* const kWanted[6] = {"USING",    "WATCHING", "INSERTED",
                                         "RESERVED", "TOUCHED",  "DELETED"};
  static const int kLines[6] = {1, 1, 1, 2, 1, 1};
  int lines = 0;
  for (size_t i = 0; i < peer->answer_size; ++i) {
    lines += peer->answer[i] == '\n';
  }
  if (lines < kLines[peer->step]) {
    return 0;
  }
  peer->answer[peer->answer_size] = '\0';
  if (strncmp(peer->answer, kWanted[peer->step], strlen(kWanted[peer->step])) != 0) {
    Fail(peer->answer);
  }
  if (peer->step == 3 && sscanf(peer->answer, "RESERVED %31s", peer->job) != 1) {
    Fail(peer->answer);
  }
  peer->answer_size = 0;
  return 1;
}

int main(int argc, char** argv) {
  if (argc != 4 || atoi(argv[2]) < 1 || atoi(argv[2]) > kConnectionsMax || atol(argv[3]) < 1) {
    fprintf(stderr, "usage: beanstalkd_lifecycle PORT CONNECTIONS JOBS-A-CONNECTION\n");
    return 2;
  }
  const int connections = atoi(argv[2]);
  const size_t count = (size_t)connections * (size_t)atol(argv[3]) * 4;
  double* micros = malloc(sizeof(double) * count);
  struct Peer* peers = calloc((size_t)connections, sizeof(struct Peer));
  struct pollfd* polls = calloc((size_t)connections, sizeof(struct pollfd));
  for (int i = 0; i < connections; ++i) {
    polls[i].fd = Connect(atoi(argv[1]));
    polls[i].events = POLLIN;
    peers[i].jobs_left = atol(argv[3]);
  }
  const double start = Now();
  for (int i = 0; i < connections; ++i) {
    Ask(polls[i].fd, i, &peers[i]);
  }
  for (size_t done = 0; done < count;) {
    poll(polls, (nfds_t)connections, -1);
    for (int i = 0; i < connections; ++i) {
      struct Peer* peer = &peers[i];
      if (polls[i].revents == 0) {
        continue;
      }
      const ssize_t got = read(polls[i].fd, peer->answer + peer->answer_size,
                               sizeof(peer->answer) - 1 - peer->answer_size);
      if (got <= 0) {
        Fail("a connection ended");
      }
      peer->answer_size += (size_t)got;
      if (!Take(peer)) {
        continue;
      }
      if (peer->step >= 2) {
        micros[done++] = (Now() - peer->asked) * 1e6;
      }
      peer->step = peer->step == 5 ? 2 : peer->step + 1;
      if (peer->step == 2 && peer->job[0] != '\0' && --peer->jobs_left == 0) {
        polls[i].fd = -1; /* Passed over by poll from now on; the end of the process closes it. */
        continue;
      }
      Ask(polls[i].fd, i, peer);
    }
  }
  const double seconds = Now() - start;
  qsort(micros, count, sizeof(double), Compare);
  printf("{\"per_second\": %.1f, \"p50_us\": %.1f, \"p99_us\": %.1f}\n", (double)count / seconds,
         micros[count / 2], micros[(size_t)((double)count * 0.99)]);
  return 0;
}
