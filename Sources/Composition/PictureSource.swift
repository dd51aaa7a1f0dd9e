import CAV
import Wire

/// The pictures of one file, in the order of their times: of each moment the one that is seen then. What nobody sees is decoded only
/// where a later picture refers to it.
final class PictureSource {
    /// Pictures of H.264 may leave a decoder so much later than they came, ms.
    private static let reordering = 500
    /// Width times height.
    private static let mostPixels: Int64 = 4_096 * 4_096

    /// The picture of the moment; nil before the first.
    private(set) var current: UnsafeMutablePointer<AVFrame>?
    /// Packets that no decoder could read.
    private(set) var failures = 0

    private let source: SourceFile
    private let file: MediaFile
    private let decoder: UnsafeMutablePointer<AVCodecContext>
    /// Decoded, and behind the moment.
    private var next: UnsafeMutablePointer<AVFrame>?
    private var spare: UnsafeMutablePointer<AVFrame>?
    /// Read, and not yet decoded.
    private var head: MediaFile.Head?
    /// Of the latest keyframe that was read, ms; what follows it may have earlier times, and refers to it.
    private var begun = Int.min
    private var hasSkipped = false
    private var isDrained = false

    init(_ source: SourceFile, in folder: String) throws {
        self.source = source
        file = try MediaFile(path: folder + "/" + source.file)
        guard let codec = needletail_avcodec_find_decoder(file.parameters.pointee.codec_id),
            let decoder = needletail_avcodec_alloc(codec)
        else { throw MediaError("there is no decoder for it") }
        self.decoder = decoder
        decoder.pointee.max_pixels = Self.mostPixels
        decoder.pointee.thread_count = 1
        var code = needletail_avcodec_take_parameters(decoder, file.parameters)
        if code >= 0 { code = needletail_avcodec_open(decoder, codec, nil) }
        guard code >= 0 else { throw MediaError("its decoder", code: code) }
        head = file.next()
    }

    deinit {
        for frame in [current, next, spare] { if let frame { needletail_av_frame_free(frame) } }
        needletail_avcodec_free(decoder)
    }

    /// Goes on to a moment, ms, which is never before the last one.
    ///
    /// - Returns: whether the picture is another.
    func advance(to moment: Int) -> Bool {
        var isNew = false
        let keyframe = source.keyframe(before: moment) ?? Int.min
        let ahead = file.codec == .h264 ? Self.reordering : 0
        while true {
            if let frame = next {
                guard Int(clamping: frame.pointee.best_effort_timestamp) <= moment else { return isNew }
                (current, next, spare) = (frame, nil, current)
                isNew = true
            }
            if receive() { continue }
            guard let packet = head else {
                guard !isDrained else { return isNew }
                isDrained = true
                _ = needletail_avcodec_send_packet(decoder, nil)
                continue
            }
            guard packet.time <= moment + ahead else { return isNew }
            feed(packet, from: keyframe)
        }
    }

    /// Gives the decoder the packet that was read, unless nothing that is seen refers to it.
    private func feed(_ packet: MediaFile.Head, from keyframe: Int) {
        if packet.isKeyframe { begun = max(begun, packet.time) }
        if begun < keyframe {
            hasSkipped = true
        } else {
            if hasSkipped { needletail_avcodec_flush(decoder) }
            hasSkipped = false
            file.packet.pointee.pts = Int64(packet.time)
            file.packet.pointee.dts = needletail_av_no_time()
            if needletail_avcodec_send_packet(decoder, file.packet) < 0 { failures += 1 }
        }
        head = file.next()
    }

    /// Whether there is a `next` now.
    private func receive() -> Bool {
        guard let frame = spare ?? needletail_av_frame_alloc() else { return false }
        spare = nil
        while needletail_avcodec_receive_frame(decoder, frame) >= 0 {
            if frame.pointee.width >= 2, frame.pointee.height >= 2, frame.pointee.data.0 != nil,
                frame.pointee.best_effort_timestamp != needletail_av_no_time()
            {
                next = frame
                return true
            }
            needletail_av_frame_unref(frame)
            failures += 1
        }
        spare = frame
        return false
    }
}
