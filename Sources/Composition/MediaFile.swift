import CAV
import Wire

/// A file of a recording as it is read: the packets of its one stream, in order. Opened as Matroska and nothing else, whatever is in it.
final class MediaFile {
    /// What a packet says of itself; its bytes are in `packet` until the next.
    struct Head {
        /// Since the recording's begin, ms.
        var time: Int
        var isKeyframe: Bool
    }

    let codec: Codec
    let packet: UnsafeMutablePointer<AVPacket>
    private var context: UnsafeMutablePointer<AVFormatContext>?
    private let stream: UnsafeMutablePointer<AVStream>

    /// - Throws: `MediaError` where it is no Matroska file with a codec that is recorded.
    init(path: String) throws {
        try MediaLibraries.load()
        guard let packet = needletail_av_packet_alloc() else { throw MediaError("no memory") }
        self.packet = packet
        var context: UnsafeMutablePointer<AVFormatContext>?
        let code = needletail_avformat_open_matroska(&context, "file:" + path)
        guard code >= 0, let found = context, found.pointee.nb_streams > 0, let stream = found.pointee.streams[0],
            let codec = Codec(stream.pointee.codecpar.pointee.codec_id)
        else {
            needletail_av_packet_free(packet)
            if context != nil { needletail_avformat_close_input(&context) }
            throw code < 0 ? MediaError("it cannot be read", code: code) : MediaError("there is no stream in it")
        }
        self.context = context
        self.stream = stream
        self.codec = codec
    }

    deinit {
        needletail_av_packet_free(packet)
        needletail_avformat_close_input(&context)
    }

    /// What a decoder has to know beforehand.
    var parameters: UnsafeMutablePointer<AVCodecParameters> { stream.pointee.codecpar }

    /// Nil at the end, which of a broken file is where it breaks.
    func next() -> Head? {
        while let context {
            needletail_av_packet_unref(packet)
            guard needletail_av_read_frame(context, packet) >= 0 else { return nil }
            let time = packet.pointee.pts == needletail_av_no_time() ? packet.pointee.dts : packet.pointee.pts
            guard packet.pointee.stream_index == 0, time != needletail_av_no_time(), packet.pointee.size > 0 else {
                continue
            }
            let base = stream.pointee.time_base
            let ms = Double(time) * 1_000 * Double(base.num) / Double(base.den)
            guard ms > -1e6, ms < 1e9 else { continue }
            return Head(time: Int(ms.rounded()), isKeyframe: packet.pointee.flags & AV_PKT_FLAG_KEY != 0)
        }
        return nil
    }
}

extension Codec {
    fileprivate init?(_ identifier: AVCodecID) {
        switch identifier {
        case AV_CODEC_ID_OPUS: self = .opus
        case AV_CODEC_ID_VP8: self = .vp8
        case AV_CODEC_ID_VP9: self = .vp9
        case AV_CODEC_ID_H264: self = .h264
        case AV_CODEC_ID_AV1: self = .av1
        default: return nil
        }
    }
}
