// FFmpeg's libraries for Swift: what reads, decodes, scales, encodes and writes. Loaded by needletail_av_load_media, apart from
// what the recorder needs: libswscale is not among what libavformat brings. No logic.
#ifndef NEEDLETAIL_CAVMEDIA_H
#define NEEDLETAIL_CAVMEDIA_H

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libswscale/swscale.h>

/// Loads the libraries unless they are, after needletail_av_load; not for several threads at once. From then on they
/// print nothing themselves. NULL, or why they could not be.
const char *needletail_av_load_media(void);

/// AVERROR_EOF, which Swift cannot read.
static inline int needletail_av_end(void) { return AVERROR_EOF; }
/// AV_NOPTS_VALUE, which Swift cannot read.
static inline int64_t needletail_av_no_time(void) { return AV_NOPTS_VALUE; }

// The functions with these names, once the libraries are loaded.

/// Opens a file as Matroska, and as nothing else.
int needletail_avformat_open_matroska(AVFormatContext **context, const char *path);
void needletail_avformat_close_input(AVFormatContext **context);
int needletail_av_read_frame(AVFormatContext *context, AVPacket *packet);
void needletail_av_packet_unref(AVPacket *packet);
int needletail_av_packet_ref(AVPacket *to, const AVPacket *from);
void needletail_av_packet_rescale(AVPacket *packet, AVRational from, AVRational to);

const AVCodec *needletail_avcodec_find_decoder(enum AVCodecID codec);
const AVCodec *needletail_avcodec_find_encoder(const char *name);
AVCodecContext *needletail_avcodec_alloc(const AVCodec *codec);
void needletail_avcodec_free(AVCodecContext *context);
int needletail_avcodec_take_parameters(AVCodecContext *context, const AVCodecParameters *from);
int needletail_avcodec_give_parameters(AVCodecParameters *to, const AVCodecContext *context);
int needletail_avcodec_open(AVCodecContext *context, const AVCodec *codec, AVDictionary **options);
int needletail_avcodec_send_packet(AVCodecContext *context, const AVPacket *packet);
int needletail_avcodec_receive_frame(AVCodecContext *context, AVFrame *frame);
int needletail_avcodec_send_frame(AVCodecContext *context, const AVFrame *frame);
int needletail_avcodec_receive_packet(AVCodecContext *context, AVPacket *packet);
void needletail_avcodec_flush(AVCodecContext *context);

AVFrame *needletail_av_frame_alloc(void);
void needletail_av_frame_free(AVFrame *frame);
void needletail_av_frame_unref(AVFrame *frame);
void needletail_av_frame_move(AVFrame *to, AVFrame *from);
int needletail_av_frame_get_buffer(AVFrame *frame);
int needletail_av_frame_make_writable(AVFrame *frame);

int needletail_avio_open_file(AVIOContext **io, const char *path);
int needletail_avio_close_file(AVIOContext **io);
int needletail_av_interleaved_write(AVFormatContext *context, AVPacket *packet);
/// Adds a chapter, ms; before the header is written. 0 when there is no memory.
int needletail_avformat_add_chapter(AVFormatContext *context, int64_t from, int64_t until, const char *title);

struct SwsContext *needletail_sws_alloc(
    int width, int height, enum AVPixelFormat format, int to_width, int to_height, enum AVPixelFormat to_format);
void needletail_sws_free(struct SwsContext *scaler);
/// Scales the whole of a frame into another, whose pictures begin at `to`'s planes.
int needletail_sws_scale(struct SwsContext *scaler, const AVFrame *from, AVFrame *to);

#endif
