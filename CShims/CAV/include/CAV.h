// libavformat for Swift: what writes Matroska. The libraries are loaded by needletail_av_load, and not with the program: some
// 130 stand behind them, and the process that serves meetings needs none. No logic.
#ifndef NEEDLETAIL_CAV_H
#define NEEDLETAIL_CAV_H

#include <libavformat/avformat.h>

#include "CAVMedia.h"

/// Loads the libraries unless they are; not for several threads at once. NULL, or why they could not be.
const char *needletail_av_load(void);

// The functions of libavformat, libavcodec and libavutil with these names, once the libraries are loaded.
AVFormatContext *needletail_avformat_alloc(const char *format);
void needletail_avformat_free(AVFormatContext *context);
AVStream *needletail_avformat_new_stream(AVFormatContext *context);
int needletail_avformat_write_header(AVFormatContext *context, AVDictionary **options);
int needletail_av_write_frame(AVFormatContext *context, AVPacket *packet);
int needletail_av_write_trailer(AVFormatContext *context);
AVIOContext *needletail_avio_alloc(
    unsigned char *buffer, int size, void *owner, int (*write)(void *owner, uint8_t *bytes, int count),
    int64_t (*seek)(void *owner, int64_t offset, int whence));
void needletail_avio_free(AVIOContext *io);
void needletail_avio_flush(AVIOContext *io);
AVPacket *needletail_av_packet_alloc(void);
void needletail_av_packet_free(AVPacket *packet);
void *needletail_av_mallocz(size_t count);
int needletail_av_dict_set(AVDictionary **dictionary, const char *key, const char *value);
void needletail_av_dict_free(AVDictionary **dictionary);
int needletail_av_strerror(int code, char *text, size_t room);

#endif
