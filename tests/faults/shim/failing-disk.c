/*
 * Preloaded into a node, lets one call on the journal's files fail as a broken disk would.
 *
 * The file named by FAULT_PLAN says which; while it is absent, every call is the real one:
 *
 *   CALL SUFFIX K HOW
 *
 *   CALL    pwrite, fdatasync, rename (by its old name) or fsync (of a directory)
 *   SUFFIX  what the path of the file ends with
 *   K       the how-manieth such call since the plan was made: counted from 1
 *   HOW     EIO, ENOSPC
 *           SHORT  pwrite: half of it is written, and said so; the rest, which libuv asks for by
 *                  itself, fails with EIO. So Node is told of a short write, and not why.
 *           LOST   fdatasync: EIO, and what was written last is zeros again, as if the page
 *                  had never reached the disk and the cache had dropped it
 *
 * A plan strikes once: a disk's error is reported once, too, and whoever asks again is told that
 * all is well. The file named by FAULT_LOG gets a line with the symbol and the path when it does.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

typedef ssize_t (*pwrite_call)(int, const void *, size_t, off64_t);
typedef int (*descriptor_call)(int);
typedef int (*rename_call)(const char *, const char *);

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char plan[256];
static int calls_seen;

/* What was written last and where, until it is synced: what a failed sync may lose. */
static int last_descriptor = -1;
static off64_t last_offset;
static size_t last_length;

/* Where a write was cut short: it fails when it is tried again there. -1: nowhere. */
static off64_t cut_at = -1;

static void *real(const char *symbol) { return dlsym(RTLD_NEXT, symbol); }

static int ends_with(const char *text, const char *suffix) {
  size_t length = strlen(text);
  size_t suffix_length = strlen(suffix);
  return length >= suffix_length && strcmp(text + length - suffix_length, suffix) == 0;
}

static int path_of(int descriptor, char *path, size_t size) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  ssize_t length = readlink(link, path, size - 1);
  if (length < 0) return 0;
  path[length] = '\0';
  return 1;
}

/* Reads the plan anew, and starts to count anew when it is another one. */
static int has_plan(void) {
  const char *name = getenv("FAULT_PLAN");
  int descriptor = name == NULL ? -1 : open(name, O_RDONLY | O_CLOEXEC);
  char text[sizeof plan] = "";
  if (descriptor >= 0) {
    ssize_t length = read(descriptor, text, sizeof text - 1);
    text[length < 0 ? 0 : length] = '\0';
    close(descriptor);
  }
  if (strcmp(text, plan) != 0) {
    strcpy(plan, text);
    calls_seen = 0;
  }
  return plan[0] != '\0';
}

static void say(const char *symbol, const char *path) {
  const char *name = getenv("FAULT_LOG");
  int descriptor = name == NULL ? -1 : open(name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (descriptor < 0) return;
  dprintf(descriptor, "%s %s\n", symbol, path);
  close(descriptor);
}

/* Whether this is the call that the plan means; if so, `how` says what becomes of it. */
static int strikes(const char *call, const char *symbol, const char *path, char how[16]) {
  pthread_mutex_lock(&lock);
  int hit = 0;
  if (has_plan()) {
    char planned[16], suffix[64];
    int k;
    if (sscanf(plan, "%15s %63s %d %15s", planned, suffix, &k, how) == 4 &&
        strcmp(planned, call) == 0 && ends_with(path, suffix)) {
      calls_seen += 1;
      hit = calls_seen == k;
    }
  }
  pthread_mutex_unlock(&lock);
  if (hit) say(symbol, path);
  return hit;
}

static int fail(const char *how) {
  errno = strcmp(how, "ENOSPC") == 0 ? ENOSPC : EIO;
  return -1;
}

static ssize_t written(const char *symbol, int descriptor, const void *bytes, size_t count,
                       off64_t offset) {
  pwrite_call call = (pwrite_call)real(symbol);
  char path[4096], how[16];
  if (!path_of(descriptor, path, sizeof path)) return call(descriptor, bytes, count, offset);
  if (strikes("pwrite", symbol, path, how)) {
    if (strcmp(how, "SHORT") != 0) return fail(how);
    cut_at = offset + (off64_t)(count / 2);
    return call(descriptor, bytes, count / 2, offset);
  }
  if (offset == cut_at && ends_with(path, ".seg")) return fail("EIO");
  if (ends_with(path, ".seg")) {
    pthread_mutex_lock(&lock);
    last_descriptor = descriptor;
    last_offset = offset;
    last_length = count;
    pthread_mutex_unlock(&lock);
  }
  return call(descriptor, bytes, count, offset);
}

ssize_t pwrite(int descriptor, const void *bytes, size_t count, off_t offset) {
  return written("pwrite", descriptor, bytes, count, offset);
}

ssize_t pwrite64(int descriptor, const void *bytes, size_t count, off64_t offset) {
  return written("pwrite64", descriptor, bytes, count, offset);
}

static void lose_last_write(int descriptor) {
  pthread_mutex_lock(&lock);
  if (last_descriptor == descriptor) {
    char *zeros = calloc(1, last_length);
    if (zeros != NULL) ((pwrite_call)real("pwrite64"))(descriptor, zeros, last_length, last_offset);
    free(zeros);
  }
  pthread_mutex_unlock(&lock);
}

static int synced(const char *call, int descriptor) {
  char path[4096], how[16];
  if (path_of(descriptor, path, sizeof path) && strikes(call, call, path, how)) {
    if (strcmp(how, "LOST") == 0) lose_last_write(descriptor);
    return fail(how);
  }
  return ((descriptor_call)real(call))(descriptor);
}

int fdatasync(int descriptor) { return synced("fdatasync", descriptor); }

int fsync(int descriptor) { return synced("fsync", descriptor); }

int rename(const char *from, const char *to) {
  char how[16];
  if (strikes("rename", "rename", from, how)) return fail(how);
  return ((rename_call)real("rename"))(from, to);
}
