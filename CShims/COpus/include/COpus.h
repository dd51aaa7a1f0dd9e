// libopus for Swift: its decoder. Loaded by needletail_opus_load, and not with the program. No logic.
#ifndef NEEDLETAIL_COPUS_H
#define NEEDLETAIL_COPUS_H

#include <opus/opus.h>

/// Loads the library unless it is; not for several threads at once. NULL, or why it could not be.
const char *needletail_opus_load(void);

// The functions of libopus with these names, once the library is loaded.
OpusDecoder *needletail_opus_decoder_create(opus_int32 rate, int channels, int *error);
void needletail_opus_decoder_destroy(OpusDecoder *decoder);
int needletail_opus_decode_float(
    OpusDecoder *decoder, const unsigned char *data, opus_int32 count, float *samples, int room, int uses_fec);
int needletail_opus_packet_samples(const unsigned char *data, opus_int32 count, opus_int32 rate);

#endif
