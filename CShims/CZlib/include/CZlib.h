// zlib for Swift: its initialisers are macros. No logic.
#ifndef NEEDLETAIL_CZLIB_H
#define NEEDLETAIL_CZLIB_H

#define ZLIB_CONST
#include <zlib.h>

/// A raw DEFLATE stream (RFC 1951) with a window of 32 KiB.
static inline int needletail_deflate_init(z_stream *stream, int level) {
    return deflateInit2(stream, level, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY);
}

static inline int needletail_inflate_init(z_stream *stream) { return inflateInit2(stream, -15); }

#endif
