#include "COpus.h"

#include <dlfcn.h>
#include <stddef.h>

// The declarations of the header give each pointer its type.
static struct {
    __typeof__(&opus_decoder_create) create;
    __typeof__(&opus_decoder_destroy) destroy;
    __typeof__(&opus_decode_float) decode;
    __typeof__(&opus_packet_get_nb_samples) samples;
} opus;

static int is_loaded;

static int find(void *library, const char *symbol, void *pointer) {
    void *found = library == NULL ? NULL : dlsym(library, symbol);
    *(void **)pointer = found;
    return found != NULL;
}

const char *needletail_opus_load(void) {
    if (is_loaded) return NULL;
    void *library = dlopen("libopus.so.0", RTLD_NOW | RTLD_LOCAL);
    is_loaded = find(library, "opus_decoder_create", &opus.create) &&
                find(library, "opus_decoder_destroy", &opus.destroy) &&
                find(library, "opus_decode_float", &opus.decode) &&
                find(library, "opus_packet_get_nb_samples", &opus.samples);
    if (is_loaded) return NULL;
    const char *reason = dlerror();
    return reason == NULL ? "libopus lacks a function" : reason;
}

OpusDecoder *needletail_opus_decoder_create(opus_int32 rate, int channels, int *error) {
    return opus.create(rate, channels, error);
}

void needletail_opus_decoder_destroy(OpusDecoder *decoder) { opus.destroy(decoder); }

int needletail_opus_decode_float(
    OpusDecoder *decoder, const unsigned char *data, opus_int32 count, float *samples, int room, int uses_fec) {
    return opus.decode(decoder, data, count, samples, room, uses_fec);
}

int needletail_opus_packet_samples(const unsigned char *data, opus_int32 count, opus_int32 rate) {
    return opus.samples(data, count, rate);
}
