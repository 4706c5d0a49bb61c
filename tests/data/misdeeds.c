/* LV2 plugins that each do one thing that a plugin must not do, in each block unless said otherwise, and one that does
 * none of them. One library: what an instance does depends on its URI, urn:misdeed:NAME. Ports: 0 audio in, 1 audio out,
 * 2 latency out. What they let through is their input, at half its level. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

typedef struct { const char* uri; void* data; } Feature;
typedef struct Descriptor {
    const char* uri;
    void* (*instantiate)(const struct Descriptor*, double, const char*, const Feature* const*);
    void (*connect_port)(void*, uint32_t, void*);
    void (*activate)(void*);
    void (*run)(void*, uint32_t);
    void (*deactivate)(void*);
    void (*cleanup)(void*);
    const void* (*extension_data)(const char*);
} Descriptor;
typedef struct { void* handle; uint32_t (*map)(void*, const char*); } Map;
typedef uint32_t (*Store)(void*, uint32_t, const void*, size_t, uint32_t, uint32_t);
typedef const void* (*Retrieve)(void*, uint32_t, size_t*, uint32_t*, uint32_t*);

enum { PORTS = 3, HELD_BYTES = 1 << 20, BLOCKS_UNTIL_THE_END = 50, PERIOD = 16, LATENCY_TOLD = 64, LATENCY = 32 };

typedef struct Self {
    const struct Misdeed* misdeed;
    float* ports[PORTS];
    Map* map;
    uint32_t block;
    char* held;
    pthread_mutex_t lock;
    pthread_cond_t condition;
    /* For the lock that is contended: another thread has it while these are posted back and forth. */
    pthread_t holder;
    sem_t hold, holds;
    volatile int stop;
    float delay[LATENCY];
    int32_t value;
} Self;

typedef struct Misdeed {
    const char* name;
    void (*run)(Self*, float* out, uint32_t frames);
} Misdeed;

static void* volatile seen;

/* ---- Memory */

static void allocates(Self* self, float* out, uint32_t frames) {
    (void)self; (void)out;
    seen = malloc(frames);
}

/* What it frees was taken before: it only gives back. */
static void frees(Self* self, float* out, uint32_t frames) {
    (void)out; (void)frames;
    void** chain = (void**)self->held;
    if (!chain) return;
    self->held = chain[0];
    free(chain);
}

static void first_block_allocates(Self* self, float* out, uint32_t frames) {
    (void)out;
    if (self->block == 0) seen = malloc(frames);
}

/* A host may run one block before anybody listens, to learn the latency: these are more. */
static void first_blocks_allocate(Self* self, float* out, uint32_t frames) {
    (void)out;
    if (self->block < 8) seen = malloc(frames);
}

/* Each block writes to a page that nobody has touched. */
static void faults(Self* self, float* out, uint32_t frames) {
    (void)out; (void)frames;
    self->held[(size_t)self->block * 4096 % ((size_t)HELD_BYTES * 64)] = 1;
}

/* ---- Locks and waits */

static void locks(Self* self, float* out, uint32_t frames) {
    (void)out; (void)frames;
    pthread_mutex_lock(&self->lock);
    pthread_mutex_unlock(&self->lock);
}

static void* holder(void* handle) {
    Self* self = handle;
    for (;;) {
        sem_wait(&self->hold);
        if (self->stop) return NULL;
        pthread_mutex_lock(&self->lock);
        sem_post(&self->holds);
        /* Until the other one waits for it: the C library says so in the lock. */
        while (__atomic_load_n(&self->lock.__data.__lock, __ATOMIC_RELAXED) != 2) usleep(20);
        pthread_mutex_unlock(&self->lock);
    }
}

static void locks_contended(Self* self, float* out, uint32_t frames) {
    (void)out; (void)frames;
    sem_post(&self->hold);
    /* It is seen without waiting when the other one has it. */
    while (sem_trywait(&self->holds)) {}
    pthread_mutex_lock(&self->lock);
    pthread_mutex_unlock(&self->lock);
}

static void waits(Self* self, float* out, uint32_t frames) {
    (void)out; (void)frames;
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += 200000;
    if (until.tv_nsec >= 1000000000) until.tv_nsec -= 1000000000, ++until.tv_sec;
    pthread_mutex_lock(&self->lock);
    pthread_cond_timedwait(&self->condition, &self->lock, &until);
    pthread_mutex_unlock(&self->lock);
}

static void sleeps(Self* self, float* out, uint32_t frames) {
    (void)self; (void)out; (void)frames;
    usleep(100);
}

/* ---- System calls */

/* getppid, without libc. */
static void calls_raw(Self* self, float* out, uint32_t frames) {
    (void)self; (void)out; (void)frames;
#if defined __x86_64__
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(110L) : "rcx", "r11", "memory");
#elif defined __aarch64__
    register long number __asm__("x8") = 173;
    register long result __asm__("x0");
    __asm__ volatile("svc 0" : "=r"(result) : "r"(number) : "memory");
#endif
}

static void reads_a_file(Self* self, float* out, uint32_t frames) {
    (void)self; (void)out; (void)frames;
    char bytes[16];
    int file = open("/dev/zero", O_RDONLY);
    if (read(file, bytes, sizeof bytes) != sizeof bytes) abort();
    close(file);
}

static void prints(Self* self, float* out, uint32_t frames) {
    (void)out; (void)frames;
    dprintf(STDERR_FILENO, "block %u at %g\n", self->block, 0.5);
}

static void maps(Self* self, float* out, uint32_t frames) {
    (void)self; (void)out; (void)frames;
    munmap(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), 4096);
}

static void* nothing(void* nothing) { return nothing; }

static void starts_a_thread(Self* self, float* out, uint32_t frames) {
    (void)self; (void)out; (void)frames;
    pthread_t thread;
    if (pthread_create(&thread, NULL, nothing, NULL)) abort();
    pthread_join(thread, NULL);
}

static void loads(Self* self, float* out, uint32_t frames) {
    (void)self; (void)out; (void)frames;
    void* library = dlopen("libm.so.6", RTLD_NOW | RTLD_LOCAL);
    seen = dlsym(library, "cos");
    dlclose(library);
}

/* ---- Sound */

static void makes_denormals(Self* self, float* out, uint32_t frames) {
    (void)self;
    /* As bits: no mode of the processor can make zeros of them. */
    uint32_t bits = 12345;
    for (uint32_t i = 0; i < frames; ++i) memcpy(&out[i], &bits, sizeof bits);
}

static void makes_nan(Self* self, float* out, uint32_t frames) {
    if (self->block % PERIOD == PERIOD - 1) out[frames / 2] = NAN;
}

static void is_too_loud(Self* self, float* out, uint32_t frames) {
    if (self->block % PERIOD == PERIOD - 1) out[frames / 2] = 1e6f;
}

/* Says 64 frames, takes 32. */
static void tells_another_latency(Self* self, float* out, uint32_t frames) {
    for (uint32_t i = 0; i < frames; ++i) {
        float now = out[i];
        out[i] = self->delay[LATENCY - 1];
        memmove(self->delay + 1, self->delay, (LATENCY - 1) * sizeof(float));
        self->delay[0] = now;
    }
    *self->ports[2] = LATENCY_TOLD;
}

/* Each instance sounds as the process and the time have it. */
static void is_not_deterministic(Self* self, float* out, uint32_t frames) {
    (void)self;
    static uint32_t noise;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    noise ^= (uint32_t)now.tv_nsec;
    for (uint32_t i = 0; i < frames; ++i) {
        noise = noise * 1664525 + 1013904223;
        out[i] += (float)(noise >> 9) / 8388608.0f * 0.1f;
    }
}

/* ---- Time and the end */

static void works_in_bursts(Self* self, float* out, uint32_t frames) {
    (void)frames;
    if (self->block % PERIOD) return;
    volatile float sum = out[0];
    for (int i = 0; i < 400000; ++i) sum = sum * 0.999f + 0.001f;
}

static void crashes(Self* self, float* out, uint32_t frames) {
    (void)out; (void)frames;
    if (self->block == BLOCKS_UNTIL_THE_END) *(volatile int*)8 = 1;
}

static void aborts(Self* self, float* out, uint32_t frames) {
    (void)out; (void)frames;
    if (self->block == BLOCKS_UNTIL_THE_END) abort();
}

static void hangs(Self* self, float* out, uint32_t frames) {
    (void)out; (void)frames;
    if (self->block == BLOCKS_UNTIL_THE_END) for (;;) pause();
}

static void does_no_harm(Self* self, float* out, uint32_t frames) {
    (void)self; (void)out; (void)frames;
}

static const Misdeed MISDEEDS[] = {
    { "good", does_no_harm },
    { "allocates", allocates },
    { "frees", frees },
    { "first-block-allocates", first_block_allocates },
    { "first-blocks-allocate", first_blocks_allocate },
    { "faults", faults },
    { "locks", locks },
    { "locks-contended", locks_contended },
    { "waits", waits },
    { "sleeps", sleeps },
    { "calls-raw", calls_raw },
    { "reads-a-file", reads_a_file },
    { "prints", prints },
    { "maps", maps },
    { "starts-a-thread", starts_a_thread },
    { "loads", loads },
    { "makes-denormals", makes_denormals },
    { "makes-nan", makes_nan },
    { "is-too-loud", is_too_loud },
    { "tells-another-latency", tells_another_latency },
    { "is-not-deterministic", is_not_deterministic },
    { "works-in-bursts", works_in_bursts },
    { "crashes", crashes },
    { "aborts", aborts },
    { "hangs", hangs },
    /* What these do, they do elsewhere. */
    { "holds-memory", does_no_harm },
    { "forgets-its-state", does_no_harm },
};
enum { COUNT = sizeof MISDEEDS / sizeof *MISDEEDS };

static int is(const Self* self, const char* name) { return !strcmp(self->misdeed->name, name); }

/* ---- LV2 */

static const Descriptor* descriptors(void);

static void* instantiate(const Descriptor* descriptor, double rate, const char* path, const Feature* const* features) {
    (void)rate; (void)path;
    Self* self = calloc(1, sizeof *self);
    self->misdeed = &MISDEEDS[descriptor - descriptors()];
    for (; features && *features; ++features)
        if (!strcmp((*features)->uri, "http://lv2plug.in/ns/ext/urid#map")) self->map = (*features)->data;
    pthread_mutex_init(&self->lock, NULL);
    pthread_cond_init(&self->condition, NULL);
    self->value = 42;
    if (is(self, "holds-memory")) self->held = memset(malloc(HELD_BYTES), 1, HELD_BYTES);
    if (is(self, "frees"))
        for (int i = 0; i < 4096; ++i) {
            void** link = malloc(64);
            link[0] = self->held;
            self->held = (char*)link;
        }
    if (is(self, "faults"))
        self->held = mmap(NULL, (size_t)HELD_BYTES * 64, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (is(self, "locks-contended")) {
        sem_init(&self->hold, 0, 0);
        sem_init(&self->holds, 0, 0);
        pthread_create(&self->holder, NULL, holder, self);
    }
    return self;
}

static void connect_port(void* handle, uint32_t port, void* data) {
    if (port < PORTS) ((Self*)handle)->ports[port] = data;
}

static void run(void* handle, uint32_t frames) {
    Self* self = handle;
    float *in = self->ports[0], *out = self->ports[1];
    for (uint32_t i = 0; i < frames; ++i) out[i] = in[i] * 0.5f;
    *self->ports[2] = 0;
    self->misdeed->run(self, out, frames);
    ++self->block;
}

static void cleanup(void* handle) {
    Self* self = handle;
    if (is(self, "locks-contended")) {
        self->stop = 1;
        sem_post(&self->hold);
        pthread_join(self->holder, NULL);
    }
    if (is(self, "faults")) munmap(self->held, (size_t)HELD_BYTES * 64);
    else if (is(self, "frees")) while (self->held) frees(self, NULL, 0);
    else free(self->held);
    free(self);
}

/* What is saved is a number. Whoever forgets it has another one each time. */
static uint32_t save(void* handle, Store store, void* to, uint32_t flags, const Feature* const* features) {
    (void)flags; (void)features;
    Self* self = handle;
    if (is(self, "forgets-its-state")) ++self->value;
    uint32_t key = self->map->map(self->map->handle, "urn:misdeed:value");
    uint32_t type = self->map->map(self->map->handle, "http://lv2plug.in/ns/ext/atom#Int");
    return store(to, key, &self->value, sizeof self->value, type, 3);
}

static uint32_t restore(void* handle, Retrieve retrieve, void* from, uint32_t flags, const Feature* const* features) {
    (void)flags; (void)features;
    Self* self = handle;
    size_t bytes;
    uint32_t type, how, key = self->map->map(self->map->handle, "urn:misdeed:value");
    const int32_t* value = retrieve(from, key, &bytes, &type, &how);
    if (value && bytes == sizeof *value) self->value = *value;
    return 0;
}

static const void* extension_data(const char* uri) {
    static const struct { void *save, *restore; } STATE = { save, restore };
    return strcmp(uri, "http://lv2plug.in/ns/ext/state#interface") ? NULL : &STATE;
}

static const Descriptor* descriptors(void) {
    static Descriptor all[COUNT];
    static char uris[COUNT][64];
    if (!all[0].uri)
        for (int i = 0; i < COUNT; ++i) {
            strcat(strcpy(uris[i], "urn:misdeed:"), MISDEEDS[i].name);
            all[i] = (Descriptor){ uris[i], instantiate, connect_port, NULL, run, NULL, cleanup, extension_data };
        }
    return all;
}

const Descriptor* lv2_descriptor(uint32_t index) { return index < COUNT ? &descriptors()[index] : NULL; }
