/* Plugins that do what a host must live with. One library; what an instance does depends on its URI. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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
typedef struct { void* handle; const char* (*unmap)(void*, uint32_t); } Unmap;
typedef struct { void* handle; uint32_t (*schedule)(void*, uint32_t, const void*); } Schedule;
typedef struct { void* handle; char* (*path)(void*, const char*); } MakePath;
typedef struct { void* handle; char* (*abstract)(void*, const char*); char* (*absolute)(void*, const char*); } MapPath;
typedef uint32_t (*Store)(void*, uint32_t, const void*, size_t, uint32_t, uint32_t);
typedef const void* (*Retrieve)(void*, uint32_t, size_t*, uint32_t*, uint32_t*);

typedef struct {
    const char* uri;
    void* ports[8];
    const Feature* const* features;
    volatile int running;
    float found;
    int quantum;
    uint32_t refused;
} Self;

static void* feature(const Feature* const* features, const char* uri) {
    for (; features && *features; ++features)
        if (!strcmp((*features)->uri, uri)) return (*features)->data;
    return NULL;
}

static uint32_t map(Self* self, const char* uri) {
    Map* map = feature(self->features, "http://lv2plug.in/ns/ext/urid#map");
    return map->map(map->handle, uri);
}

static void* instantiate(const Descriptor* d, double rate, const char* path, const Feature* const* features) {
    (void)rate; (void)path;
    if (!strcmp(d->uri, "urn:odd:none")) return NULL;
    Self* self = calloc(1, sizeof(Self));
    self->uri = d->uri;
    self->features = features;
    return self;
}

static void connect(void* handle, uint32_t port, void* data) {
    if (port < 8) ((Self*)handle)->ports[port] = data;
}

/* Ports: 0 atom out, 1 control out, 2 latency, 3 audio out. */
static void garbage(Self* self) {
    uint32_t* atom = self->ports[0];
    uint32_t kinds[] = { map(self, "http://lv2plug.in/ns/ext/atom#Sequence"), 0, 12345678 };
    uint32_t sizes[] = { 0xffffffff, 7, 8, 40, atom[0] };
    uint32_t room = atom[0];
    for (uint32_t i = 2; i < room / 4; ++i) atom[i] = rand();
    atom[0] = sizes[self->quantum % 5];
    atom[1] = kinds[self->quantum % 3];
    float numbers[] = { NAN, INFINITY, -INFINITY, -5, 1e30f };
    *(float*)self->ports[1] = numbers[self->quantum % 5];
    *(float*)self->ports[2] = numbers[(self->quantum + 1) % 5];
    map(self, NULL);
    map(self, "");
    map(self, "\xff\xfe");
    Unmap* unmap = feature(self->features, "http://lv2plug.in/ns/ext/urid#unmap");
    unmap->unmap(unmap->handle, 0xffffffff);
    static char big[1 << 20];
    Schedule* schedule = feature(self->features, "http://lv2plug.in/ns/ext/worker#schedule");
    self->refused += schedule->schedule(schedule->handle, sizeof big, big) != 0;
    schedule->schedule(schedule->handle, 5, NULL);
    schedule->schedule(schedule->handle, 0, NULL);
}

static void run(void* handle, uint32_t frames) {
    Self* self = handle;
    self->running = 1;
    if (!strcmp(self->uri, "urn:odd:garbage")) garbage(self);
    if (!strcmp(self->uri, "urn:odd:slow")) usleep(500);
#if defined(__x86_64__)
    /* Denormals are flushed from now on, in and out. */
    if (!strcmp(self->uri, "urn:odd:modes")) __builtin_ia32_ldmxcsr(__builtin_ia32_stmxcsr() | 0x8040);
#endif
    if (strcmp(self->uri, "urn:odd:garbage")) *(float*)self->ports[1] = self->found;
    memset(self->ports[3], 0, frames * sizeof(float));
    self->quantum++;
    self->running = 0;
}

static uint32_t save(void* handle, Store store, void* to, uint32_t flags, const Feature* const* features) {
    (void)flags;
    Self* self = handle;
    /* As a sampler without a sample does. */
    if (!strcmp(self->uri, "urn:odd:modes")) return 1;
    uint32_t key = map(self, "urn:odd:key"), path = map(self, "http://lv2plug.in/ns/ext/atom#Path");
    if (!strcmp(self->uri, "urn:odd:garbage")) {
        store(to, 0, "x", 1, path, 1);
        store(to, key, NULL, 100, path, 1);
        store(to, key, "x", (size_t)-1, path, 1);
        store(to, key, "x", 1, 987654321, 1);
        return store(to, key, "x", 1, path, 0) == 3 ? 0 : 1;
    }
    MakePath* make = feature(features, "http://lv2plug.in/ns/ext/state#makePath");
    MapPath* paths = feature(features, "http://lv2plug.in/ns/ext/state#mapPath");
    if (make->path(make->handle, "../../escape") || make->path(make->handle, NULL)) return 1;
    char* file = make->path(make->handle, "folder/number");
    FILE* out = fopen(file, "w");
    fprintf(out, "%g", 42.0);
    fclose(out);
    char* name = paths->abstract(paths->handle, file);
    uint32_t status = store(to, key, name, strlen(name) + 1, path, 3);
    free(name);
    free(file);
    return status;
}

static uint32_t restore(void* handle, Retrieve retrieve, void* from, uint32_t flags, const Feature* const* features) {
    (void)flags;
    Self* self = handle;
    if (self->running) abort();
    usleep(200);
    if (self->running) abort();
    size_t size; uint32_t kind, value_flags;
    if (retrieve(from, 0, NULL, NULL, NULL)) return 1;
    const char* name = retrieve(from, map(self, "urn:odd:key"), &size, &kind, &value_flags);
    if (!name) return 5;
    MapPath* paths = feature(features, "http://lv2plug.in/ns/ext/state#mapPath");
    char* file = paths->absolute(paths->handle, name);
    FILE* in = fopen(file, "r");
    if (!in || fscanf(in, "%f", &self->found) != 1) return 1;
    fclose(in);
    free(file);
    return 0;
}

static uint32_t work(void* handle, uint32_t (*respond)(void*, uint32_t, const void*), void* to, uint32_t size, const void* data) {
    Self* self = handle;
    Schedule* schedule = feature(self->features, "http://lv2plug.in/ns/ext/worker#schedule");
    schedule->schedule(schedule->handle, size, data);
    while (!respond(to, 1000, self->ports)) {}
    return 0;
}

static uint32_t response(void* handle, uint32_t size, const void* data) {
    Schedule* schedule = feature(((Self*)handle)->features, "http://lv2plug.in/ns/ext/worker#schedule");
    return schedule->schedule(schedule->handle, size, data);
}

static const void* extension(const char* uri) {
    static const void* state[] = { save, restore };
    static const void* worker[] = { work, response, NULL };
    if (!strcmp(uri, "http://lv2plug.in/ns/ext/state#interface")) return state;
    if (!strcmp(uri, "http://lv2plug.in/ns/ext/worker#interface")) return worker;
    return NULL;
}

#define PLUGIN(uri) { uri, instantiate, connect, NULL, run, NULL, free, extension }
static const Descriptor plugins[] = {
    { NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL },
    { "urn:odd:empty", NULL, NULL, NULL, NULL, NULL, NULL, NULL },
    PLUGIN("urn:odd:none"), PLUGIN("urn:odd:garbage"), PLUGIN("urn:odd:files"), PLUGIN("urn:odd:slow"),
    PLUGIN("urn:odd:modes"),
};

static const Descriptor* at(uint32_t index) {
    return index < sizeof plugins / sizeof *plugins ? &plugins[index] : NULL;
}

#if defined(WHOLE)
typedef struct { void* handle; uint32_t size; void (*cleanup)(void*); const Descriptor* (*get)(void*, uint32_t); } Whole;
static int cleaned;
static void cleanup_whole(void* handle) { if (handle != &cleaned || cleaned++) abort(); }
static const Descriptor* get(void* handle, uint32_t index) { if (handle != &cleaned) abort(); return at(index); }
const void* lv2_lib_descriptor(const char* path, const Feature* const* features) {
    static Whole whole = { &cleaned, sizeof(Whole), cleanup_whole, get };
    cleaned = 0;
    return path[strlen(path) - 1] == '/' && *features ? &whole : NULL;
}
#elif !defined(EMPTY)
const Descriptor* lv2_descriptor(uint32_t index) { return at(index); }
#endif
