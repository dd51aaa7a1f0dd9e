#include "CAV.h"

#include <dlfcn.h>

#define NAME(library, major) "lib" library ".so." AV_STRINGIFY(major)

// The declarations of the headers give each pointer its type.
static struct {
    __typeof__(&avformat_alloc_output_context2) alloc;
    __typeof__(&avformat_free_context) free;
    __typeof__(&avformat_new_stream) new_stream;
    __typeof__(&avformat_write_header) write_header;
    __typeof__(&av_write_frame) write_frame;
    __typeof__(&av_write_trailer) write_trailer;
    __typeof__(&avio_alloc_context) io_alloc;
    __typeof__(&avio_context_free) io_free;
    __typeof__(&avio_flush) io_flush;
    __typeof__(&av_packet_alloc) packet_alloc;
    __typeof__(&av_packet_free) packet_free;
    __typeof__(&av_mallocz) mallocz;
    __typeof__(&av_freep) freep;
    __typeof__(&av_dict_set) dict_set;
    __typeof__(&av_dict_free) dict_free;
    __typeof__(&av_strerror) strerror;
} av;

static int is_loaded;

// Returns the library's handle when it and the symbol are there.
static int find(void *library, const char *symbol, void *pointer) {
    void *found = library == NULL ? NULL : dlsym(library, symbol);
    *(void **)pointer = found;
    return found != NULL;
}

const char *needletail_av_load(void) {
    if (is_loaded) return NULL;
    void *util = dlopen(NAME("avutil", LIBAVUTIL_VERSION_MAJOR), RTLD_NOW | RTLD_LOCAL);
    void *codec = util == NULL ? NULL : dlopen(NAME("avcodec", LIBAVCODEC_VERSION_MAJOR), RTLD_NOW | RTLD_LOCAL);
    void *format = codec == NULL ? NULL : dlopen(NAME("avformat", LIBAVFORMAT_VERSION_MAJOR), RTLD_NOW | RTLD_LOCAL);
    is_loaded = find(format, "avformat_alloc_output_context2", &av.alloc) &&
                find(format, "avformat_free_context", &av.free) &&
                find(format, "avformat_new_stream", &av.new_stream) &&
                find(format, "avformat_write_header", &av.write_header) &&
                find(format, "av_write_frame", &av.write_frame) &&
                find(format, "av_write_trailer", &av.write_trailer) &&
                find(format, "avio_alloc_context", &av.io_alloc) && find(format, "avio_context_free", &av.io_free) &&
                find(format, "avio_flush", &av.io_flush) && find(codec, "av_packet_alloc", &av.packet_alloc) &&
                find(codec, "av_packet_free", &av.packet_free) && find(util, "av_mallocz", &av.mallocz) &&
                find(util, "av_freep", &av.freep) && find(util, "av_dict_set", &av.dict_set) &&
                find(util, "av_dict_free", &av.dict_free) && find(util, "av_strerror", &av.strerror);
    if (is_loaded) return NULL;
    const char *reason = dlerror();
    return reason == NULL ? "libavformat lacks a function" : reason;
}

AVFormatContext *needletail_avformat_alloc(const char *format) {
    AVFormatContext *context = NULL;
    return av.alloc(&context, NULL, format, NULL) < 0 ? NULL : context;
}

void needletail_avformat_free(AVFormatContext *context) { av.free(context); }

AVStream *needletail_avformat_new_stream(AVFormatContext *context) { return av.new_stream(context, NULL); }

int needletail_avformat_write_header(AVFormatContext *context, AVDictionary **options) {
    return av.write_header(context, options);
}

int needletail_av_write_frame(AVFormatContext *context, AVPacket *packet) { return av.write_frame(context, packet); }

int needletail_av_write_trailer(AVFormatContext *context) { return av.write_trailer(context); }

AVIOContext *needletail_avio_alloc(
    unsigned char *buffer, int size, void *owner, int (*write)(void *owner, uint8_t *bytes, int count),
    int64_t (*seek)(void *owner, int64_t offset, int whence)) {
    return av.io_alloc(buffer, size, 1, owner, NULL, write, seek);
}

// The buffer may be another than the one that was given.
void needletail_avio_free(AVIOContext *io) {
    if (io != NULL) av.freep(&io->buffer);
    av.io_free(&io);
}

void needletail_avio_flush(AVIOContext *io) { av.io_flush(io); }

AVPacket *needletail_av_packet_alloc(void) { return av.packet_alloc(); }

void needletail_av_packet_free(AVPacket *packet) { av.packet_free(&packet); }

void *needletail_av_mallocz(size_t count) { return av.mallocz(count); }

int needletail_av_dict_set(AVDictionary **dictionary, const char *key, const char *value) {
    return av.dict_set(dictionary, key, value, 0);
}

void needletail_av_dict_free(AVDictionary **dictionary) { av.dict_free(dictionary); }

int needletail_av_strerror(int code, char *text, size_t room) { return av.strerror(code, text, room); }
