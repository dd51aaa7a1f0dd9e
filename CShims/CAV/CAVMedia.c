#include "CAVMedia.h"

#include <dlfcn.h>

#include "CAV.h"

#define NAME(library, major) "lib" library ".so." AV_STRINGIFY(major)

// What is taken of each library.
#define FORMAT(each)                                                                                               \
    each(av_find_input_format) each(avformat_open_input) each(avformat_close_input) each(av_read_frame)            \
    each(avio_open) each(avio_closep) each(av_interleaved_write_frame)
#define CODEC(each)                                                                                                \
    each(av_packet_unref) each(av_packet_ref) each(av_packet_rescale_ts) each(avcodec_find_decoder)                \
    each(avcodec_find_encoder_by_name) each(avcodec_alloc_context3) each(avcodec_free_context)                     \
    each(avcodec_parameters_to_context) each(avcodec_parameters_from_context) each(avcodec_open2)                  \
    each(avcodec_send_packet) each(avcodec_receive_frame) each(avcodec_send_frame) each(avcodec_receive_packet)    \
    each(avcodec_flush_buffers)
#define UTIL(each)                                                                                                 \
    each(av_frame_alloc) each(av_frame_free) each(av_frame_unref) each(av_frame_move_ref)                          \
    each(av_frame_get_buffer) each(av_frame_make_writable) each(av_mallocz) each(av_freep) each(av_realloc_array)  \
    each(av_dict_set) each(av_log_set_level)
#define SCALE(each) each(sws_getContext) each(sws_freeContext) each(sws_scale)

// The declarations of the headers give each pointer its type.
#define MEMBER(name) __typeof__(&name) name##_;
static struct {
    FORMAT(MEMBER) CODEC(MEMBER) UTIL(MEMBER) SCALE(MEMBER)
} av;

static int is_loaded;

// Returns the library's handle when it and the symbol are there.
static int find(void *library, const char *symbol, void *pointer) {
    void *found = library == NULL ? NULL : dlsym(library, symbol);
    *(void **)pointer = found;
    return found != NULL;
}

const char *needletail_av_load_media(void) {
    if (is_loaded) return NULL;
    void *util = dlopen(NAME("avutil", LIBAVUTIL_VERSION_MAJOR), RTLD_NOW | RTLD_LOCAL);
    void *codec = util == NULL ? NULL : dlopen(NAME("avcodec", LIBAVCODEC_VERSION_MAJOR), RTLD_NOW | RTLD_LOCAL);
    void *format = codec == NULL ? NULL : dlopen(NAME("avformat", LIBAVFORMAT_VERSION_MAJOR), RTLD_NOW | RTLD_LOCAL);
    void *scale = format == NULL ? NULL : dlopen(NAME("swscale", LIBSWSCALE_VERSION_MAJOR), RTLD_NOW | RTLD_LOCAL);
    int all = 1;
#define FIND_FORMAT(name) all = all && find(format, #name, &av.name##_);
#define FIND_CODEC(name) all = all && find(codec, #name, &av.name##_);
#define FIND_UTIL(name) all = all && find(util, #name, &av.name##_);
#define FIND_SCALE(name) all = all && find(scale, #name, &av.name##_);
    FORMAT(FIND_FORMAT)
    CODEC(FIND_CODEC)
    UTIL(FIND_UTIL)
    SCALE(FIND_SCALE)
    if (all) {
        av.av_log_set_level_(AV_LOG_QUIET);
        is_loaded = 1;
        return NULL;
    }
    const char *reason = dlerror();
    return reason == NULL ? "FFmpeg's libraries lack a function" : reason;
}

int needletail_avformat_open_matroska(AVFormatContext **context, const char *path) {
    const AVInputFormat *matroska = av.av_find_input_format_("matroska");
    if (matroska == NULL) return AVERROR_DEMUXER_NOT_FOUND;
    AVDictionary *options = NULL;
    av.av_dict_set_(&options, "protocol_whitelist", "file", 0);
    int code = av.avformat_open_input_(context, path, matroska, &options);
    needletail_av_dict_free(&options);
    return code;
}

void needletail_avformat_close_input(AVFormatContext **context) { av.avformat_close_input_(context); }

int needletail_av_read_frame(AVFormatContext *context, AVPacket *packet) { return av.av_read_frame_(context, packet); }

void needletail_av_packet_unref(AVPacket *packet) { av.av_packet_unref_(packet); }

int needletail_av_packet_ref(AVPacket *to, const AVPacket *from) { return av.av_packet_ref_(to, from); }

void needletail_av_packet_rescale(AVPacket *packet, AVRational from, AVRational to) {
    av.av_packet_rescale_ts_(packet, from, to);
}

const AVCodec *needletail_avcodec_find_decoder(enum AVCodecID codec) { return av.avcodec_find_decoder_(codec); }

const AVCodec *needletail_avcodec_find_encoder(const char *name) { return av.avcodec_find_encoder_by_name_(name); }

AVCodecContext *needletail_avcodec_alloc(const AVCodec *codec) { return av.avcodec_alloc_context3_(codec); }

void needletail_avcodec_free(AVCodecContext *context) { av.avcodec_free_context_(&context); }

int needletail_avcodec_take_parameters(AVCodecContext *context, const AVCodecParameters *from) {
    return av.avcodec_parameters_to_context_(context, from);
}

int needletail_avcodec_give_parameters(AVCodecParameters *to, const AVCodecContext *context) {
    return av.avcodec_parameters_from_context_(to, context);
}

int needletail_avcodec_open(AVCodecContext *context, const AVCodec *codec, AVDictionary **options) {
    return av.avcodec_open2_(context, codec, options);
}

int needletail_avcodec_send_packet(AVCodecContext *context, const AVPacket *packet) {
    return av.avcodec_send_packet_(context, packet);
}

int needletail_avcodec_receive_frame(AVCodecContext *context, AVFrame *frame) {
    return av.avcodec_receive_frame_(context, frame);
}

int needletail_avcodec_send_frame(AVCodecContext *context, const AVFrame *frame) {
    return av.avcodec_send_frame_(context, frame);
}

int needletail_avcodec_receive_packet(AVCodecContext *context, AVPacket *packet) {
    return av.avcodec_receive_packet_(context, packet);
}

void needletail_avcodec_flush(AVCodecContext *context) { av.avcodec_flush_buffers_(context); }

AVFrame *needletail_av_frame_alloc(void) { return av.av_frame_alloc_(); }

void needletail_av_frame_free(AVFrame *frame) { av.av_frame_free_(&frame); }

void needletail_av_frame_unref(AVFrame *frame) { av.av_frame_unref_(frame); }

void needletail_av_frame_move(AVFrame *to, AVFrame *from) { av.av_frame_move_ref_(to, from); }

int needletail_av_frame_get_buffer(AVFrame *frame) { return av.av_frame_get_buffer_(frame, 0); }

int needletail_av_frame_make_writable(AVFrame *frame) { return av.av_frame_make_writable_(frame); }

int needletail_avio_open_file(AVIOContext **io, const char *path) {
    return av.avio_open_(io, path, AVIO_FLAG_WRITE);
}

int needletail_avio_close_file(AVIOContext **io) { return av.avio_closep_(io); }

int needletail_av_interleaved_write(AVFormatContext *context, AVPacket *packet) {
    return av.av_interleaved_write_frame_(context, packet);
}

int needletail_avformat_add_chapter(AVFormatContext *context, int64_t from, int64_t until, const char *title) {
    AVChapter **chapters =
        av.av_realloc_array_(context->chapters, context->nb_chapters + 1, sizeof(*context->chapters));
    if (chapters == NULL) return 0;
    context->chapters = chapters;
    AVChapter *chapter = av.av_mallocz_(sizeof(AVChapter));
    if (chapter == NULL) return 0;
    chapter->id = context->nb_chapters + 1;
    chapter->time_base = (AVRational){1, 1000};
    chapter->start = from;
    chapter->end = until;
    av.av_dict_set_(&chapter->metadata, "title", title, 0);
    chapters[context->nb_chapters++] = chapter;
    return 1;
}

struct SwsContext *needletail_sws_alloc(
    int width, int height, enum AVPixelFormat format, int to_width, int to_height, enum AVPixelFormat to_format) {
    return av.sws_getContext_(
        width, height, format, to_width, to_height, to_format, SWS_BILINEAR, NULL, NULL, NULL);
}

void needletail_sws_free(struct SwsContext *scaler) { av.sws_freeContext_(scaler); }

int needletail_sws_scale(struct SwsContext *scaler, const AVFrame *from, AVFrame *to) {
    return av.sws_scale_(
        scaler, (const uint8_t *const *)from->data, from->linesize, 0, from->height, to->data, to->linesize);
}
