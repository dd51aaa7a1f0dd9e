import CAV
import Glibc

/// An MP4 file. Its index is at its begin, so that a player over HTTP begins at once; that is done at the end, so it is written beside
/// (`.part`) and gets its name when it is whole.
final class MP4Output {
    /// A stream of it.
    struct Stream {
        var encoder: Encoder
        /// What players call it.
        var name: String
    }

    private let path: String
    private var context: UnsafeMutablePointer<AVFormatContext>?
    private let packet: UnsafeMutablePointer<AVPacket>
    private let bases: [AVRational]

    /// - Parameters:
    ///   - created: RFC 3339.
    ///   - chapters: ms since its own begin.
    init(path: String, streams: [Stream], title: String, created: String, chapters: [Timeline.Chapter] = []) throws {
        guard let packet = needletail_av_packet_alloc() else { throw MediaError("no memory") }
        self.path = path
        self.packet = packet
        bases = streams.map(\.encoder.context.pointee.time_base)
        guard let context = needletail_avformat_alloc("mp4") else { throw MediaError("no memory") }
        self.context = context
        try name(context, "file:" + path + ".part")
        for stream in streams { try add(stream, to: context) }
        _ = needletail_av_dict_set(&context.pointee.metadata, "title", title)
        _ = needletail_av_dict_set(&context.pointee.metadata, "creation_time", created)
        for chapter in chapters {
            let (from, until) = (Int64(chapter.span.from), Int64(chapter.span.until))
            guard needletail_avformat_add_chapter(context, from, until, chapter.title) != 0 else {
                throw MediaError("no memory")
            }
        }
        // The muxer knows files by their paths alone, and opens it twice.
        close(try WholeFile.create(path + ".part"))
        var code = needletail_avio_open_file(&context.pointee.pb, "file:" + path + ".part")
        guard code >= 0 else { throw MediaError("\(path).part", code: code) }
        var options: OpaquePointer?
        _ = needletail_av_dict_set(&options, "movflags", "+faststart")
        code = needletail_avformat_write_header(context, &options)
        needletail_av_dict_free(&options)
        guard code >= 0 else { throw MediaError("\(path).part", code: code) }
    }

    deinit {
        needletail_av_packet_free(packet)
        if let context {
            _ = needletail_avio_close_file(&context.pointee.pb)
            needletail_avformat_free(context)
        }
    }

    /// The muxer opens it once more as it brings the index to its begin.
    private func name(_ context: UnsafeMutablePointer<AVFormatContext>, _ url: String) throws {
        let bytes = Array(url.utf8CString)
        guard let room = needletail_av_mallocz(bytes.count) else { throw MediaError("no memory") }
        bytes.withUnsafeBytes { room.copyMemory(from: $0.baseAddress!, byteCount: bytes.count) }
        context.pointee.url = room.assumingMemoryBound(to: CChar.self)
    }

    private func add(_ stream: Stream, to context: UnsafeMutablePointer<AVFormatContext>) throws {
        guard let made = needletail_avformat_new_stream(context) else { throw MediaError("no memory") }
        let code = needletail_avcodec_give_parameters(made.pointee.codecpar, stream.encoder.context)
        guard code >= 0 else { throw MediaError("a stream", code: code) }
        made.pointee.time_base = stream.encoder.context.pointee.time_base
        made.pointee.avg_frame_rate = stream.encoder.context.pointee.framerate
        _ = needletail_av_dict_set(&made.pointee.metadata, "handler_name", stream.name)
    }

    /// Adds a packet, which stays the caller's, to a stream by its number.
    func write(_ encoded: UnsafeMutablePointer<AVPacket>, to stream: Int) throws {
        guard let context, let target = context.pointee.streams[stream] else { return }
        var code = needletail_av_packet_ref(packet, encoded)
        guard code >= 0 else { throw MediaError("a packet", code: code) }
        packet.pointee.stream_index = Int32(stream)
        needletail_av_packet_rescale(packet, bases[stream], target.pointee.time_base)
        code = needletail_av_interleaved_write(context, packet)
        guard code >= 0 else { throw MediaError("\(path).part", code: code) }
    }

    /// Makes it whole, and gives it its name in place of what had it.
    func finish() throws {
        guard let context else { return }
        var code = needletail_av_write_trailer(context)
        let closed = needletail_avio_close_file(&context.pointee.pb)
        if code >= 0 { code = closed }
        guard code >= 0 else { throw MediaError("\(path).part", code: code) }
        try WholeFile.put(path + ".part", as: path)
    }
}
