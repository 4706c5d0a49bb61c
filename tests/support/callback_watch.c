/* Preloaded into a JACK client: counts what happens inside its process callback that must not happen there.
 *
 * libjack is opened at run time, so the way in is `dlsym`: whoever asks for jack_set_process_callback gets ours,
 * which registers the client's callback inside a watched one. While that runs, the calling thread is marked, and
 * the functions below count what the marked thread does, whoever calls them.
 *
 * CALLBACK_WATCH_OUT names the file for the counts (JSON), written when the process ends.
 * CALLBACK_WATCH_PLANT=1 does one of each forbidden thing in one callback: the control. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/* Page faults while code and memory are touched for the first time are warm-up. */
enum { WARM_UP_CALLBACKS = 200, PLANT_AT = 300 };

enum { ALLOCATIONS, FREES, LOCKS, SYSTEM_CALLS, FAULTS, VOLUNTARY_SWITCHES, KINDS };
static const char *const kind_name[KINDS] = {"allocations", "frees", "locks", "system_calls", "faults", "voluntary_switches"};
static uint64_t count[KINDS], callbacks;

/* initial-exec: the first use in a thread must not itself allocate. */
static __thread int inside __attribute__((tls_model("initial-exec")));

static void add(int kind, uint64_t n) { __atomic_fetch_add(&count[kind], n, __ATOMIC_RELAXED); }
static void saw(int kind) { if (inside) add(kind, 1); }

/* ---- memory: glibc's own entry points, since dlsym may allocate ---- */
extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t), *__libc_memalign(size_t, size_t);
extern void __libc_free(void *);
void *malloc(size_t n) { saw(ALLOCATIONS); return __libc_malloc(n); }
void *calloc(size_t n, size_t size) { saw(ALLOCATIONS); return __libc_calloc(n, size); }
void *realloc(void *p, size_t n) { saw(ALLOCATIONS); return __libc_realloc(p, n); }
void *memalign(size_t align, size_t n) { saw(ALLOCATIONS); return __libc_memalign(align, n); }
void *aligned_alloc(size_t align, size_t n) { saw(ALLOCATIONS); return __libc_memalign(align, n); }
int posix_memalign(void **out, size_t align, size_t n) {
    saw(ALLOCATIONS);
    *out = __libc_memalign(align, n);
    return *out ? 0 : ENOMEM;
}
void free(void *p) { if (p) saw(FREES); __libc_free(p); }

/* ---- everything else: the next definition, looked up before it can be needed in a callback ---- */
static void *(*real_dlsym)(void *, const char *);
static void *next(const char *name) {
    if (!real_dlsym) {
        static const char *const versions[] = {"GLIBC_2.34", "GLIBC_2.17", "GLIBC_2.2.5"};
        for (size_t i = 0; i < sizeof versions / sizeof *versions && !real_dlsym; i++)
            real_dlsym = (void *(*)(void *, const char *))dlvsym(RTLD_NEXT, "dlsym", versions[i]);
    }
    return real_dlsym(RTLD_NEXT, name);
}
#define FORWARD(kind, type, name, parameters, arguments)      \
    static type(*real_##name) parameters;                     \
    type name parameters {                                    \
        saw(kind);                                            \
        if (!real_##name) real_##name = next(#name);          \
        return real_##name arguments;                         \
    }

FORWARD(LOCKS, int, pthread_mutex_lock, (pthread_mutex_t *m), (m))
FORWARD(LOCKS, int, pthread_mutex_trylock, (pthread_mutex_t *m), (m))
FORWARD(LOCKS, int, pthread_rwlock_rdlock, (pthread_rwlock_t *l), (l))
FORWARD(LOCKS, int, pthread_rwlock_wrlock, (pthread_rwlock_t *l), (l))
FORWARD(LOCKS, int, pthread_spin_lock, (pthread_spinlock_t *l), (l))
FORWARD(LOCKS, int, sem_wait, (sem_t *s), (s))
FORWARD(LOCKS, int, sem_post, (sem_t *s), (s))
FORWARD(SYSTEM_CALLS, ssize_t, read, (int fd, void *b, size_t n), (fd, b, n))
FORWARD(SYSTEM_CALLS, ssize_t, pread64, (int fd, void *b, size_t n, off_t at), (fd, b, n, at))
FORWARD(SYSTEM_CALLS, ssize_t, write, (int fd, const void *b, size_t n), (fd, b, n))
FORWARD(SYSTEM_CALLS, ssize_t, writev, (int fd, const struct iovec *v, int n), (fd, v, n))
FORWARD(SYSTEM_CALLS, ssize_t, send, (int fd, const void *b, size_t n, int flags), (fd, b, n, flags))
FORWARD(SYSTEM_CALLS, ssize_t, recv, (int fd, void *b, size_t n, int flags), (fd, b, n, flags))
FORWARD(SYSTEM_CALLS, ssize_t, sendmsg, (int fd, const struct msghdr *m, int flags), (fd, m, flags))
FORWARD(SYSTEM_CALLS, ssize_t, recvmsg, (int fd, struct msghdr *m, int flags), (fd, m, flags))
FORWARD(SYSTEM_CALLS, int, poll, (struct pollfd *p, nfds_t n, int timeout), (p, n, timeout))
FORWARD(SYSTEM_CALLS, int, close, (int fd), (fd))
FORWARD(SYSTEM_CALLS, int, munmap, (void *p, size_t n), (p, n))
FORWARD(SYSTEM_CALLS, int, madvise, (void *p, size_t n, int advice), (p, n, advice))
FORWARD(SYSTEM_CALLS, int, mprotect, (void *p, size_t n, int access), (p, n, access))
FORWARD(SYSTEM_CALLS, void *, mmap, (void *p, size_t n, int access, int flags, int fd, off_t at), (p, n, access, flags, fd, at))
FORWARD(SYSTEM_CALLS, int, nanosleep, (const struct timespec *t, struct timespec *rest), (t, rest))
FORWARD(SYSTEM_CALLS, int, clock_nanosleep, (clockid_t c, int flags, const struct timespec *t, struct timespec *rest), (c, flags, t, rest))
FORWARD(SYSTEM_CALLS, int, sched_yield, (void), ())

/* Rust's std waits and wakes through this one, thread parking and contended locks included. */
static long (*real_syscall)(long, ...);
long syscall(long number, ...) {
    va_list list;
    va_start(list, number);
    long a[6];
    for (int i = 0; i < 6; i++) a[i] = va_arg(list, long);
    va_end(list);
    saw(SYSTEM_CALLS);
    if (!real_syscall) real_syscall = next("syscall");
    return real_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

/* ---- the callback ---- */
typedef int (*Process)(uint32_t frames, void *argument);
typedef int (*SetProcess)(void *client, Process process, void *argument);
static SetProcess real_set_process;
static Process client_process;
static void *client_argument;

static void plant(void) {
    void *volatile p = malloc(100); /* volatile: the pair must not be optimised away */
    free(p);
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&mutex);
    pthread_mutex_unlock(&mutex);
    struct timespec t = {0, 1000000};
    nanosleep(&t, NULL);
    volatile char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page != MAP_FAILED) page[0] = 1;
}

static int watched(uint32_t frames, void *argument) {
    (void)argument;
    struct rusage before, after;
    getrusage(RUSAGE_THREAD, &before);
    inside = 1;
    if (callbacks == PLANT_AT && getenv("CALLBACK_WATCH_PLANT")) plant();
    int result = client_process(frames, client_argument);
    inside = 0;
    getrusage(RUSAGE_THREAD, &after);
    if (++callbacks > WARM_UP_CALLBACKS) {
        add(FAULTS, after.ru_minflt - before.ru_minflt + after.ru_majflt - before.ru_majflt);
        add(VOLUNTARY_SWITCHES, after.ru_nvcsw - before.ru_nvcsw);
    }
    return result;
}

static int set_process(void *client, Process process, void *argument) {
    client_process = process;
    client_argument = argument;
    return real_set_process(client, watched, NULL);
}

void *dlsym(void *handle, const char *name) {
    if (!real_dlsym) next("dlsym");
    void *found = real_dlsym(handle, name);
    if (!found || strcmp(name, "jack_set_process_callback")) return found;
    real_set_process = (SetProcess)found;
    return (void *)set_process;
}

__attribute__((destructor)) static void report(void) {
    const char *path = getenv("CALLBACK_WATCH_OUT");
    FILE *out = path && callbacks ? fopen(path, "w") : NULL;
    if (!out) return;
    fprintf(out, "{\"callbacks\": %llu", (unsigned long long)callbacks);
    for (int i = 0; i < KINDS; i++) fprintf(out, ", \"%s\": %llu", kind_name[i], (unsigned long long)count[i]);
    fputs("}\n", out);
    fclose(out);
}
