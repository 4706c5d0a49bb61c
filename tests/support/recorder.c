/* Records two audio outputs of a JACK client, the first two unless told otherwise, bit for bit.
 *
 *   recorder OUT.f32 SECONDS CLIENT realtime|freewheel|keys [PROGRAM ARGUMENT...]
 *
 * Starts PROGRAM, if there is one, and interrupts it at the end. Waits for CLIENT's ports, connects them, prints "connected", and records SECONDS of sound as interleaved
 * 32-bit floats. With `freewheel` and `keys` the server then runs as fast as it can; with `keys` the port
 * recorder:keys sends a note every 12,345 frames (or in their turn the messages of RECORDER_MESSAGES, such as 903c7f,b04a00),
 * and OUT.f32.notes lists the frames. RECORDER_FIRST=2 records CLIENT's third and fourth output. Ends early if the server goes away.
 * At the end prints one line: frames, xruns, and the nanoseconds from the start of PROGRAM to the callback in
 * which the first sample over -80 dBFS arrived (-1: none did). */
#define _GNU_SOURCE
#include <jack/jack.h>
#include <jack/midiport.h>
#include <math.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const float AUDIBLE = 1e-4f;
enum { PATIENCE_MS = 20000, FIRST_NOTE = 48000, NOTE_STEP = 12345 };
static jack_midi_data_t messages[16][3] = {{0x90, 60, 127}};
static size_t message_count = 1;
static jack_port_t *input[2], *keys;
static float *sound;
static size_t wanted;
static atomic_size_t recorded;
static atomic_int armed, gone, xruns;
static atomic_llong first_sound_ns;

static long long now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* Whether the keyboard plays a note at this frame. */
static int is_note(size_t frame) { return frame >= FIRST_NOTE && (frame - FIRST_NOTE) % NOTE_STEP == 0; }

static void send_notes(void *buffer, size_t at, jack_nframes_t frames) {
    jack_midi_clear_buffer(buffer);
    for (jack_nframes_t i = 0; i < frames; i++)
        if (is_note(at + i)) jack_midi_event_write(buffer, i, messages[(at + i - FIRST_NOTE) / NOTE_STEP % message_count], 3);
}

static int process(jack_nframes_t frames, void *unused) {
    (void)unused;
    if (!atomic_load(&armed)) return 0;
    const float *left = jack_port_get_buffer(input[0], frames), *right = jack_port_get_buffer(input[1], frames);
    size_t at = atomic_load(&recorded);
    if (keys) send_notes(jack_port_get_buffer(keys, frames), at, frames);
    for (jack_nframes_t i = 0; i < frames && at < wanted; i++, at++) {
        sound[2 * at] = left[i];
        sound[2 * at + 1] = right[i];
        if ((fabsf(left[i]) > AUDIBLE || fabsf(right[i]) > AUDIBLE) && !atomic_load(&first_sound_ns)) atomic_store(&first_sound_ns, now_ns());
    }
    atomic_store(&recorded, at);
    return 0;
}

static int count_xrun(void *unused) {
    (void)unused;
    atomic_fetch_add(&xruns, 1);
    return 0;
}

static void server_gone(void *unused) {
    (void)unused;
    atomic_store(&gone, 1);
}

static void pause_ms(long ms) {
    struct timespec t = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&t, NULL);
}

static void read_messages(const char *text) {
    for (message_count = 0; text && message_count < 16; message_count++) {
        unsigned bytes[3];
        if (sscanf(text, "%2x%2x%2x", &bytes[0], &bytes[1], &bytes[2]) != 3) exit(2);
        for (int i = 0; i < 3; i++) messages[message_count][i] = (jack_midi_data_t)bytes[i];
        text = strchr(text, ',');
        if (text) text++;
    }
}

int main(int argc, char **argv) {
    if (argc < 5) return 2;
    if (getenv("RECORDER_MESSAGES")) read_messages(getenv("RECORDER_MESSAGES"));
    int with_keys = !strcmp(argv[4], "keys"), freewheel = with_keys || !strcmp(argv[4], "freewheel");
    jack_client_t *client = jack_client_open("recorder", JackNoStartServer, NULL);
    if (!client) return 1;
    wanted = (size_t)(atof(argv[2]) * jack_get_sample_rate(client));
    sound = malloc(wanted * 2 * sizeof *sound);
    if (!sound) return 1;
    memset(sound, 0, wanted * 2 * sizeof *sound); /* resident before the callback runs */
    jack_set_process_callback(client, process, NULL);
    jack_set_xrun_callback(client, count_xrun, NULL);
    jack_on_shutdown(client, server_gone, NULL);
    input[0] = jack_port_register(client, "left", JACK_DEFAULT_AUDIO_TYPE, JackPortIsInput, 0);
    input[1] = jack_port_register(client, "right", JACK_DEFAULT_AUDIO_TYPE, JackPortIsInput, 0);
    if (with_keys) keys = jack_port_register(client, "keys", JACK_DEFAULT_MIDI_TYPE, JackPortIsOutput, 0);
    if (jack_activate(client)) return 1;
    pid_t program = 0;
    long long start_ns = now_ns();
    if (argc > 5 && posix_spawnp(&program, argv[5], NULL, NULL, argv + 5, environ)) return 1;
    const char *first_port = getenv("RECORDER_FIRST");
    size_t first_output = first_port ? strtoul(first_port, NULL, 10) : 0;
    char pattern[256];
    snprintf(pattern, sizeof pattern, "^%s.*:", argv[3]);
    for (int connected = 0, waited_ms = 0; !connected; waited_ms++) {
        if (atomic_load(&gone) || waited_ms > PATIENCE_MS) {
            fprintf(stderr, "no ports of %s\n", argv[3]);
            return 1;
        }
        const char **ports = jack_get_ports(client, pattern, JACK_DEFAULT_AUDIO_TYPE, JackPortIsOutput);
        size_t count = 0;
        while (ports && ports[count]) count++;
        if (count > first_output + 1)
            connected = !jack_connect(client, ports[first_output], jack_port_name(input[0]))
                     && !jack_connect(client, ports[first_output + 1], jack_port_name(input[1]));
        jack_free(ports);
        if (!connected) pause_ms(1);
    }
    /* What is played before somebody listens is heard by nobody. */
    for (int waited_ms = 0; with_keys && !jack_port_connected(keys); waited_ms++) {
        if (atomic_load(&gone) || waited_ms > PATIENCE_MS) {
            fprintf(stderr, "nobody listens to the keys\n");
            return 1;
        }
        pause_ms(1);
    }
    atomic_store(&armed, 1);
    puts("connected");
    fflush(stdout);
    if (freewheel) jack_set_freewheel(client, 1);
    while (atomic_load(&recorded) < wanted && !atomic_load(&gone)) pause_ms(1);
    if (freewheel && !atomic_load(&gone)) jack_set_freewheel(client, 0);
    size_t frames = atomic_load(&recorded);
    FILE *out = fopen(argv[1], "wb");
    if (!out || fwrite(sound, 2 * sizeof *sound, frames, out) != frames || fclose(out)) return 1;
    if (with_keys) {
        char name[4096];
        snprintf(name, sizeof name, "%s.notes", argv[1]);
        FILE *notes = fopen(name, "w");
        if (!notes) return 1;
        for (size_t i = 0; i < frames; i++)
            if (is_note(i)) fprintf(notes, "%zu\n", i);
        fclose(notes);
    }
    if (program) {
        kill(program, SIGINT);
        waitpid(program, NULL, 0);
    }
    long long first = atomic_load(&first_sound_ns);
    printf("%zu %d %lld\n", frames, atomic_load(&xruns), first ? first - start_ns : -1);
    fflush(stdout);
    _exit(0); /* closing a client of a dead server can wait for ever */
}
