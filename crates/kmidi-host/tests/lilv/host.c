/* A small host on lilv, to compare with: runs a plugin over noise and notes and writes what comes out.

   host BUNDLE/ URI FRAMES BLOCKS MIDI_PORT ASK_PORT [SYMBOL=BEFORE,AFTER]...

   Control inputs have BEFORE for the first half of the blocks and AFTER for the second. Notes go to the port MIDI_PORT,
   a question for all properties to ASK_PORT; -1 is none. Sound is written to `sound`, the blocks of each output port in
   order of the ports, as 32-bit floats; MIDI to `midi`, a line for each message: block, port, frame, bytes. */
#include <lilv/lilv.h>
#include <lv2/atom/atom.h>
#include <lv2/atom/forge.h>
#include <lv2/atom/util.h>
#include <lv2/buf-size/buf-size.h>
#include <lv2/midi/midi.h>
#include <lv2/options/options.h>
#include <lv2/patch/patch.h>
#include <lv2/port-props/port-props.h>
#include <lv2/resize-port/resize-port.h>
#include <lv2/state/state.h>
#include <lv2/time/time.h>
#include <lv2/urid/urid.h>
#include <lv2/worker/worker.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RATE 48000
#define MAX_URIS 65536
#define INPUT_BYTES (1 << 20)
#define OUTPUT_BYTES (1 << 16)
#define WORK_BYTES (1 << 20)

/* URIDs, from 1 on. */
static char* uris[MAX_URIS];
static uint32_t uri_count;

static LV2_URID map(LV2_URID_Map_Handle handle, const char* uri) {
    (void)handle;
    for (uint32_t i = 0; i < uri_count; ++i) {
        if (!strcmp(uris[i], uri)) {
            return i + 1;
        }
    }
    uris[uri_count] = strdup(uri);
    return ++uri_count;
}

static const char* unmap(LV2_URID_Unmap_Handle handle, LV2_URID urid) {
    (void)handle;
    return urid > 0 && urid <= uri_count ? uris[urid - 1] : NULL;
}

/* Work is done behind the run that asked for it; messages of both directions wait as size and bytes. */
typedef struct {
    char bytes[WORK_BYTES];
    size_t len;
} Queue;

static Queue requests, responses;
static LilvInstance* instance;
static const LV2_Worker_Interface* worker;
static int is_running;

static void put(Queue* queue, uint32_t size, const void* data) {
    memcpy(queue->bytes + queue->len, &size, sizeof(size));
    memcpy(queue->bytes + queue->len + sizeof(size), data, size);
    queue->len += sizeof(size) + size;
}

static LV2_Worker_Status respond(LV2_Worker_Respond_Handle handle, uint32_t size, const void* data) {
    (void)handle;
    put(&responses, size, data);
    return LV2_WORKER_SUCCESS;
}

static LV2_Worker_Status schedule(LV2_Worker_Schedule_Handle handle, uint32_t size, const void* data) {
    (void)handle;
    if (!worker) {
        return LV2_WORKER_ERR_UNKNOWN;
    }
    if (is_running) {
        put(&requests, size, data);
        return LV2_WORKER_SUCCESS;
    }
    return worker->work(lilv_instance_get_handle(instance), respond, NULL, size, data);
}

typedef LV2_Worker_Status (*Deliver)(uint32_t size, const void* data);

static LV2_Worker_Status do_work(uint32_t size, const void* data) {
    return worker->work(lilv_instance_get_handle(instance), respond, NULL, size, data);
}

static LV2_Worker_Status answer(uint32_t size, const void* data) {
    return worker->work_response ? worker->work_response(lilv_instance_get_handle(instance), size, data) : 0;
}

/* Gives all that waits now to `deliver`, each message in memory of its own. */
static void drain(Queue* queue, Deliver deliver) {
    const size_t len = queue->len;
    char* bytes = malloc(len + 1);
    memcpy(bytes, queue->bytes, len);
    queue->len = 0;
    for (size_t at = 0; at < len;) {
        uint32_t size;
        memcpy(&size, bytes + at, sizeof(size));
        void* data = malloc(size + 8);
        memcpy(data, bytes + at + sizeof(size), size);
        deliver(size, data);
        free(data);
        at += sizeof(size) + size;
    }
    free(bytes);
}

static void work(void) {
    if (!worker) {
        return;
    }
    do {
        drain(&requests, do_work);
        drain(&responses, answer);
    } while (requests.len);
    if (worker->end_run) {
        worker->end_run(lilv_instance_get_handle(instance));
    }
}

static LV2_Resize_Port_Status refuse_resize(LV2_Resize_Port_Feature_Data data, uint32_t index, size_t size) {
    (void)data, (void)index, (void)size;
    return LV2_RESIZE_PORT_ERR_UNKNOWN;
}

typedef struct {
    int is_input, is_sound, is_control, is_atom, takes_position;
    float before, after, value;
    uint32_t noise;
    float* sound;
    LV2_Atom_Sequence* atoms;
    uint32_t capacity;
} Port;

static LilvWorld* world;
static const LilvPlugin* plugin;
static Port* ports;
static uint32_t port_count, frames;
static LV2_Atom_Forge forge;

static int is_a(const LilvPort* port, const char* class) {
    LilvNode* node = lilv_new_uri(world, class);
    const int result = lilv_port_is_a(plugin, port, node);
    lilv_node_free(node);
    return result;
}

static void read_ports(void) {
    port_count = lilv_plugin_get_num_ports(plugin);
    ports = calloc(port_count, sizeof(Port));
    for (uint32_t i = 0; i < port_count; ++i) {
        const LilvPort* port = lilv_plugin_get_port_by_index(plugin, i);
        Port* p = &ports[i];
        p->is_input = is_a(port, LV2_CORE__InputPort);
        p->is_sound = is_a(port, LV2_CORE__AudioPort) || is_a(port, LV2_CORE__CVPort);
        p->is_control = is_a(port, LV2_CORE__ControlPort);
        p->is_atom = is_a(port, LV2_ATOM__AtomPort);
        p->noise = i + 1;
        p->sound = calloc(frames, sizeof(float));
        LilvNode* least = lilv_port_get(plugin, port, lilv_new_uri(world, LV2_RESIZE_PORT__minimumSize));
        p->capacity = p->is_input ? INPUT_BYTES : OUTPUT_BYTES;
        if (least && (uint32_t)lilv_node_as_int(least) > p->capacity) {
            p->capacity = (uint32_t)lilv_node_as_int(least);
        }
        p->atoms = calloc(1, p->capacity);
        p->takes_position =
            p->is_atom && lilv_port_supports_event(plugin, port, lilv_new_uri(world, LV2_TIME__Position));
    }
}

static void set_values(int argc, char** argv) {
    for (int i = 0; i < argc; ++i) {
        char* equals = strrchr(argv[i], '=');
        *equals = 0;
        LilvNode* symbol = lilv_new_string(world, argv[i]);
        const LilvPort* port = lilv_plugin_get_port_by_symbol(plugin, symbol);
        if (!port) {
            fprintf(stderr, "%s has no port %s\n", lilv_node_as_uri(lilv_plugin_get_uri(plugin)), argv[i]);
            exit(1);
        }
        Port* p = &ports[lilv_port_get_index(plugin, port)];
        char* end;
        p->before = strtof(equals + 1, &end);
        p->after = strtof(end + 1, NULL);
    }
}

static void connect(void) {
    for (uint32_t i = 0; i < port_count; ++i) {
        Port* p = &ports[i];
        void* data = p->is_sound ? (void*)p->sound : p->is_control ? (void*)&p->value : NULL;
        lilv_instance_connect_port(instance, i, p->is_atom ? (void*)p->atoms : data);
    }
}

static void forge_int(const char* key, int32_t value) {
    lv2_atom_forge_key(&forge, map(NULL, key));
    lv2_atom_forge_int(&forge, value);
}

static void forge_long(const char* key, int64_t value) {
    lv2_atom_forge_key(&forge, map(NULL, key));
    lv2_atom_forge_long(&forge, value);
}

static void forge_float(const char* key, float value) {
    lv2_atom_forge_key(&forge, map(NULL, key));
    lv2_atom_forge_float(&forge, value);
}

/* A song that stands at its start, in 4/4 with 120 beats a minute. */
static void forge_position(void) {
    LV2_Atom_Forge_Frame frame;
    lv2_atom_forge_frame_time(&forge, 0);
    lv2_atom_forge_object(&forge, &frame, 0, map(NULL, LV2_TIME__Position));
    forge_long(LV2_TIME__frame, 0);
    forge_float(LV2_TIME__speed, 0.0f);
    forge_long(LV2_TIME__bar, 0);
    forge_float(LV2_TIME__barBeat, 0.0f);
    forge_int(LV2_TIME__beatUnit, 4);
    forge_float(LV2_TIME__beatsPerBar, 4.0f);
    forge_float(LV2_TIME__beatsPerMinute, 120.0f);
    lv2_atom_forge_pop(&forge, &frame);
}

static void forge_midi(uint32_t block) {
    static const struct { uint32_t block; uint8_t bytes[3]; } EVENTS[] = {
        {0, {0x90, 60, 100}}, {5, {0xb0, 1, 64}}, {10, {0xe0, 0x68, 0x47}}, {20, {0x80, 60, 64}},
    };
    for (size_t i = 0; i < sizeof(EVENTS) / sizeof(*EVENTS); ++i) {
        if (block % 40 == EVENTS[i].block) {
            lv2_atom_forge_frame_time(&forge, 13);
            lv2_atom_forge_atom(&forge, 3, map(NULL, LV2_MIDI__MidiEvent));
            lv2_atom_forge_write(&forge, EVENTS[i].bytes, 3);
        }
    }
}

static void forge_question(void) {
    LV2_Atom_Forge_Frame frame;
    lv2_atom_forge_frame_time(&forge, frames - 1);
    lv2_atom_forge_object(&forge, &frame, 0, map(NULL, LV2_PATCH__Get));
    lv2_atom_forge_pop(&forge, &frame);
}

/* With `block` -1 there is silence, and nothing is said but where the song is. */
static void prepare(long block, long blocks, long midi_port, long ask_port, int tell_position) {
    for (uint32_t i = 0; i < port_count; ++i) {
        Port* p = &ports[i];
        if (p->is_control && p->is_input) {
            p->value = block >= blocks / 2 ? p->after : p->before;
        }
        for (uint32_t n = 0; p->is_sound && p->is_input && n < frames; ++n) {
            p->noise = block < 0 ? p->noise : p->noise * 1664525u + 1013904223u;
            p->sound[n] = block < 0 ? 0.0f : ((float)(p->noise >> 9) / 4194304.0f - 1.0f) * 0.25f;
        }
        if (p->is_atom && !p->is_input) {
            p->atoms->atom.size = p->capacity - sizeof(LV2_Atom);
            p->atoms->atom.type = map(NULL, LV2_ATOM__Chunk);
        } else if (p->is_atom) {
            LV2_Atom_Forge_Frame sequence;
            lv2_atom_forge_set_buffer(&forge, (uint8_t*)p->atoms, p->capacity);
            lv2_atom_forge_sequence_head(&forge, &sequence, 0);
            if (tell_position && p->takes_position) {
                forge_position();
            }
            if (block >= 0 && midi_port == (long)i) {
                forge_midi((uint32_t)block);
            }
            if (tell_position && ask_port == (long)i) {
                forge_question();
            }
            lv2_atom_forge_pop(&forge, &sequence);
        }
    }
}

static void run(void) {
    is_running = 1;
    lilv_instance_run(instance, frames);
    is_running = 0;
    work();
}

static void write_out(FILE* sound, FILE* midi, long block) {
    for (uint32_t i = 0; i < port_count; ++i) {
        Port* p = &ports[i];
        if (p->is_sound && !p->is_input) {
            fwrite(p->sound, sizeof(float), frames, sound);
        }
        if (!p->is_atom || p->is_input || p->atoms->atom.type != forge.Sequence) {
            continue;
        }
        LV2_ATOM_SEQUENCE_FOREACH (p->atoms, event) {
            if (event->body.type == map(NULL, LV2_MIDI__MidiEvent)) {
                fprintf(midi, "%ld %u %ld", block, i, (long)event->time.frames);
                const uint8_t* bytes = (const uint8_t*)(event + 1);
                for (uint32_t n = 0; n < event->body.size; ++n) {
                    fprintf(midi, " %02x", bytes[n]);
                }
                fputc('\n', midi);
            }
        }
    }
}

static LilvInstance* instantiate(void) {
    static LV2_URID_Map urid_map = {NULL, map};
    static LV2_URID_Unmap urid_unmap = {NULL, unmap};
    static LV2_Worker_Schedule scheduler = {NULL, schedule};
    static LV2_Resize_Port_Resize resize = {NULL, refuse_resize};
    static int32_t shortest = 1, longest, sequence = OUTPUT_BYTES;
    static float rate = RATE;
    longest = (int32_t)frames;
    const LV2_URID type = map(NULL, LV2_ATOM__Int);
    static LV2_Options_Option options[6];
    const LV2_Options_Option list[6] = {
        {0, 0, map(NULL, LV2_BUF_SIZE__minBlockLength), 4, type, &shortest},
        {0, 0, map(NULL, LV2_BUF_SIZE__maxBlockLength), 4, type, &longest},
        {0, 0, map(NULL, LV2_BUF_SIZE__nominalBlockLength), 4, type, &longest},
        {0, 0, map(NULL, LV2_BUF_SIZE__sequenceSize), 4, type, &sequence},
        {0, 0, map(NULL, "http://lv2plug.in/ns/ext/parameters#sampleRate"), 4, map(NULL, LV2_ATOM__Float), &rate},
        {0, 0, 0, 0, 0, NULL},
    };
    memcpy(options, list, sizeof(list));
    static const LV2_Feature features[] = {
        {LV2_URID__map, &urid_map},
        {LV2_URID__unmap, &urid_unmap},
        {LV2_OPTIONS__options, options},
        {LV2_WORKER__schedule, &scheduler},
        {LV2_RESIZE_PORT__resize, &resize},
        {LV2_BUF_SIZE__boundedBlockLength, NULL},
        {LV2_BUF_SIZE__fixedBlockLength, NULL},
        {LV2_BUF_SIZE__powerOf2BlockLength, NULL},
        {LV2_BUF_SIZE__coarseBlockLength, NULL},
        {LV2_STATE__loadDefaultState, NULL},
        {LV2_STATE__threadSafeRestore, NULL},
        {LV2_PORT_PROPS__supportsStrictBounds, NULL},
    };
    static const LV2_Feature* pointers[sizeof(features) / sizeof(*features) + 1];
    for (size_t i = 0; i < sizeof(features) / sizeof(*features); ++i) {
        pointers[i] = &features[i];
    }
    LilvInstance* made = lilv_plugin_instantiate(plugin, RATE, pointers);
    if (!made) {
        fprintf(stderr, "no instance\n");
        exit(1);
    }
    instance = made;
    worker = lilv_instance_get_extension_data(made, LV2_WORKER__interface);
    connect();
    if (lilv_plugin_has_feature(plugin, lilv_new_uri(world, LV2_STATE__loadDefaultState))) {
        LilvState* state = lilv_state_new_from_world(world, &urid_map, lilv_plugin_get_uri(plugin));
        if (state) {
            lilv_state_restore(state, made, NULL, NULL, 0, pointers);
        }
    }
    return made;
}

int main(int argc, char** argv) {
    if (argc < 7) {
        return 2;
    }
    world = lilv_world_new();
    lilv_world_load_bundle(world, lilv_new_file_uri(world, NULL, argv[1]));
    plugin = lilv_plugins_get_by_uri(lilv_world_get_all_plugins(world), lilv_new_uri(world, argv[2]));
    if (!plugin) {
        fprintf(stderr, "%s is not in %s\n", argv[2], argv[1]);
        return 1;
    }
    frames = (uint32_t)atol(argv[3]);
    const long blocks = atol(argv[4]), midi_port = atol(argv[5]), ask_port = atol(argv[6]);
    LV2_URID_Map urid_map = {NULL, map};
    lv2_atom_forge_init(&forge, &urid_map);
    read_ports();
    set_values(argc - 7, argv + 7);
    instance = instantiate();
    FILE* sound = fopen("sound", "wb");
    FILE* midi = fopen("midi", "w");
    prepare(-1, blocks, -1, -1, 0);
    lilv_instance_activate(instance);
    if (lilv_plugin_has_latency(plugin)) {
        /* Such a plugin runs once before its latency is known, and is activated anew to forget that. */
        prepare(-1, blocks, midi_port, ask_port, 1);
        run();
        lilv_instance_deactivate(instance);
        lilv_instance_activate(instance);
    }
    for (long block = 0; block < blocks; ++block) {
        prepare(block, blocks, midi_port, ask_port, block == 0);
        run();
        write_out(sound, midi, block);
    }
    fclose(sound);
    fclose(midi);
    /* What a plugin does when it ends is not what this is for. */
    _Exit(0);
}
