/* Plays a MIDI file through libfluidsynth and prints the voice-samples it computed (voices sounding
   in each block of 64 frames, times 64) and the most voices at once.
   usage: voices SOUNDFONT POLYPHONY SONG */
#include <fluidsynth.h>
#include <stdio.h>
#include <stdlib.h>

enum { BLOCK = 64 };

int main(int argc, char **argv) {
    if (argc != 4) return 2;
    fluid_settings_t *settings = new_fluid_settings();
    fluid_settings_setnum(settings, "synth.sample-rate", 48000);
    fluid_settings_setint(settings, "synth.polyphony", atoi(argv[2]));
    fluid_settings_setint(settings, "synth.reverb.active", 0);
    fluid_settings_setint(settings, "synth.chorus.active", 0);
    /* By frames rendered, not by the clock. */
    fluid_settings_setstr(settings, "player.timing-source", "sample");
    fluid_synth_t *synth = new_fluid_synth(settings);
    if (fluid_synth_sfload(synth, argv[1], 1) == FLUID_FAILED) return 1;
    fluid_player_t *player = new_fluid_player(synth);
    if (fluid_player_add(player, argv[3]) == FLUID_FAILED) return 1;
    fluid_player_play(player);
    unsigned long long sum = 0;
    int most = 0;
    while (fluid_player_get_status(player) == FLUID_PLAYER_PLAYING) {
        float block[2 * BLOCK];
        fluid_synth_write_float(synth, BLOCK, block, 0, 2, block, 1, 2);
        int voices = fluid_synth_get_active_voice_count(synth);
        sum += (unsigned long long)voices * BLOCK;
        if (voices > most) most = voices;
    }
    printf("%llu %d\n", sum, most);
    return 0;
}
