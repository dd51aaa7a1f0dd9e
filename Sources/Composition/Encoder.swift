import CAV
import Glibc

/// One of libavcodec's encoders: frames in, packets out.
final class Encoder {
    let context: UnsafeMutablePointer<AVCodecContext>
    private let packet: UnsafeMutablePointer<AVPacket>

    /// - Parameters:
    ///   - name: as libavcodec has it.
    ///   - options: of the encoder.
    ///   - prepare: sets what it has to know.
    private init(
        _ name: String, options: [String: String] = [:], prepare: (UnsafeMutablePointer<AVCodecContext>) -> Void
    ) throws {
        guard let codec = needletail_avcodec_find_encoder(name) else {
            throw MediaError("libavcodec59 has no encoder \(name)")
        }
        guard let context = needletail_avcodec_alloc(codec) else { throw MediaError("no memory") }
        guard let packet = needletail_av_packet_alloc() else {
            needletail_avcodec_free(context)
            throw MediaError("no memory")
        }
        self.context = context
        self.packet = packet
        prepare(context)
        var dictionary: OpaquePointer?
        for (key, value) in options { _ = needletail_av_dict_set(&dictionary, key, value) }
        let code = needletail_avcodec_open(context, codec, &dictionary)
        needletail_av_dict_free(&dictionary)
        guard code >= 0 else { throw MediaError("the encoder \(name)", code: code) }
    }

    deinit {
        needletail_av_packet_free(packet)
        needletail_avcodec_free(context)
    }

    /// H.264 High of 8 bits, a keyframe every two seconds. Quality and speed are x264's `veryfast` at a constant 23.
    static func video(width: Int, height: Int, rate: Int, threads: Int) throws -> Encoder {
        try Encoder("libx264", options: ["preset": "veryfast", "crf": "23", "profile": "high"]) { context in
            context.pointee.width = Int32(width)
            context.pointee.height = Int32(height)
            context.pointee.pix_fmt = AV_PIX_FMT_YUV420P
            context.pointee.time_base = AVRational(num: 1, den: Int32(rate))
            context.pointee.framerate = AVRational(num: Int32(rate), den: 1)
            context.pointee.gop_size = Int32(2 * rate)
            context.pointee.thread_count = Int32(threads)
            context.pointee.flags |= AV_CODEC_FLAG_GLOBAL_HEADER
            // What browsers send is of these matrix coefficients.
            context.pointee.colorspace = AVCOL_SPC_SMPTE170M
            context.pointee.color_primaries = AVCOL_PRI_BT709
            context.pointee.color_trc = AVCOL_TRC_BT709
            context.pointee.color_range = AVCOL_RANGE_MPEG
        }
    }

    /// AAC-LC, 48 kHz, stereo, 128 kbit/s; frames of 1024 samples.
    static func audio() throws -> Encoder {
        try Encoder("aac") { context in
            context.pointee.sample_rate = Int32(VoiceTrack.rate)
            context.pointee.sample_fmt = AV_SAMPLE_FMT_FLTP
            context.pointee.bit_rate = 128_000
            context.pointee.time_base = AVRational(num: 1, den: Int32(VoiceTrack.rate))
            context.pointee.ch_layout.order = AV_CHANNEL_ORDER_NATIVE
            context.pointee.ch_layout.nb_channels = 2
            context.pointee.ch_layout.u.mask = 3
            context.pointee.flags |= AV_CODEC_FLAG_GLOBAL_HEADER
        }
    }

    /// JPEG, one picture a packet.
    static func jpeg(width: Int, height: Int) throws -> Encoder {
        try Encoder("mjpeg") { context in
            context.pointee.width = Int32(width)
            context.pointee.height = Int32(height)
            context.pointee.pix_fmt = AV_PIX_FMT_YUVJ420P
            context.pointee.color_range = AVCOL_RANGE_JPEG
            context.pointee.time_base = AVRational(num: 1, den: 1)
            context.pointee.flags |= AV_CODEC_FLAG_QSCALE
            context.pointee.global_quality = Self.jpegQuality
        }
    }

    /// 4 of 1 to 31, in FF_QP2LAMBDA.
    static let jpegQuality: Int32 = 4 * 118

    /// Encodes a frame, or with nil what is left, and hands out the packets that are made.
    func encode(
        _ frame: UnsafeMutablePointer<AVFrame>?, _ take: (UnsafeMutablePointer<AVPacket>) throws -> Void
    ) throws {
        var code = needletail_avcodec_send_frame(context, frame)
        guard code >= 0 else { throw MediaError("encoding", code: code) }
        while true {
            code = needletail_avcodec_receive_packet(context, packet)
            // Nothing more before the next frame, or at all.
            if code == -EAGAIN || code == needletail_av_end() { return }
            guard code >= 0 else { throw MediaError("encoding", code: code) }
            defer { needletail_av_packet_unref(packet) }
            try take(packet)
        }
    }
}
