import CAV
import Foundation
import Wire

/// libavformat refused something.
public struct MatroskaError: Error, Sendable, CustomStringConvertible {
    public let description: String

    init(_ doing: String, code: Int32 = 0) {
        var text = [CChar](repeating: 0, count: 128)
        if code < 0 { _ = needletail_av_strerror(code, &text, text.count) }
        let reason = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        description = reason.isEmpty ? doing : "\(doing): \(reason)"
    }

    init(_ description: String) { self.description = description }
}

/// One stream of frames in Matroska (RFC 9559), as libavformat writes it. Its times count from the recording's begin, which its DateUTC
/// says, so that all files of a recording lie beside each other as they are.
///
/// Clusters end after `clusterLength` and go to the disk whole: a file that was never closed plays up to its last one. `close` adds
/// duration and index. One thread or actor owns it.
final class MatroskaFile {
    /// ns. With what waits for its order, and what is not yet on the disk, it is less than the second that may be lost.
    static let clusterLength: UInt64 = 200_000_000

    private let disk: RecordingDisk
    private let file: DiskFile
    private let context: UnsafeMutablePointer<AVFormatContext>
    private let packet: UnsafeMutablePointer<AVPacket>
    private var io: UnsafeMutablePointer<AVIOContext>?
    private var position = 0
    private(set) var byteCount = 0
    /// The begin of the cluster that is not on the disk, ns; nil when all is.
    private var clusterBegin: UInt64?
    private var lastDecodeTime = Int64.min

    /// Loads libavformat.
    static func prepare() throws {
        if let reason = needletail_av_load() { throw MatroskaError("libavformat: " + String(cString: reason)) }
    }

    /// - Parameters:
    ///   - begin: of the recording, RFC 3339.
    ///   - title: what people see of the file.
    init(
        _ configuration: CodecConfiguration, path: String, disk: RecordingDisk, begin: String, title: String
    ) throws {
        try Self.prepare()
        guard let context = needletail_avformat_alloc("matroska") else { throw MatroskaError("no memory") }
        guard let packet = needletail_av_packet_alloc() else {
            needletail_avformat_free(context)
            throw MatroskaError("no memory")
        }
        self.disk = disk
        self.context = context
        self.packet = packet
        file = DiskFile(path: path)
        try attachOutput()
        try describe(configuration)
        _ = needletail_av_dict_set(&context.pointee.metadata, "creation_time", begin)
        _ = needletail_av_dict_set(&context.pointee.metadata, "title", title)
        try writeHeader()
    }

    deinit {
        needletail_av_packet_free(packet)
        if let io { needletail_avio_free(io) }
        needletail_avformat_free(context)
    }

    private func attachOutput() throws {
        let room: Int32 = 64 << 10
        guard let buffer = needletail_av_mallocz(Int(room))?.assumingMemoryBound(to: UInt8.self) else {
            throw MatroskaError("no memory")
        }
        let owner = Unmanaged.passUnretained(self).toOpaque()
        io = needletail_avio_alloc(
            buffer, room, owner,
            { owner, bytes, count in
                guard let owner, let bytes, count >= 0 else { return -EINVAL }
                Unmanaged<MatroskaFile>.fromOpaque(owner).takeUnretainedValue()
                    .take(UnsafeRawBufferPointer(start: bytes, count: Int(count)))
                return count
            },
            { owner, offset, whence in
                guard let owner else { return -Int64(EINVAL) }
                return Unmanaged<MatroskaFile>.fromOpaque(owner).takeUnretainedValue().seek(offset, whence)
            })
        guard let io else { throw MatroskaError("no memory") }
        context.pointee.pb = io
        context.pointee.flags |= AVFMT_FLAG_CUSTOM_IO
        // The times are ours, and none is below 0.
        context.pointee.avoid_negative_ts = 0
    }

    private func describe(_ configuration: CodecConfiguration) throws {
        guard let stream = needletail_avformat_new_stream(context), let parameters = stream.pointee.codecpar else {
            throw MatroskaError("no memory")
        }
        parameters.pointee.codec_id = configuration.codec.matroska
        if configuration.codec == .opus {
            parameters.pointee.codec_type = AVMEDIA_TYPE_AUDIO
            parameters.pointee.sample_rate = 48_000
            parameters.pointee.ch_layout.order = AV_CHANNEL_ORDER_NATIVE
            parameters.pointee.ch_layout.nb_channels = 2
            parameters.pointee.ch_layout.u.mask = 3
        } else {
            parameters.pointee.codec_type = AVMEDIA_TYPE_VIDEO
            parameters.pointee.width = Int32(clamping: configuration.width)
            parameters.pointee.height = Int32(clamping: configuration.height)
        }
        let data = configuration.privateData
        guard !data.isEmpty else { return }
        guard let extra = needletail_av_mallocz(data.count + Int(AV_INPUT_BUFFER_PADDING_SIZE)) else {
            throw MatroskaError("no memory")
        }
        data.withUnsafeBytes { extra.copyMemory(from: $0.baseAddress!, byteCount: data.count) }
        parameters.pointee.extradata = extra.assumingMemoryBound(to: UInt8.self)
        parameters.pointee.extradata_size = Int32(data.count)
    }

    private func writeHeader() throws {
        var options: OpaquePointer?
        _ = needletail_av_dict_set(&options, "cluster_time_limit", "1000")
        let code = needletail_avformat_write_header(context, &options)
        needletail_av_dict_free(&options)
        guard code >= 0 else { throw MatroskaError("the header", code: code) }
        needletail_avio_flush(io)
    }

    /// Adds a frame that was captured at `time`, ns since the recording's begin.
    func write(_ frame: AssembledFrame, at time: UInt64) throws {
        // The time base of Matroska's streams is the millisecond (libavformat's muxer).
        let milliseconds = Int64((time + 500_000) / 1_000_000)
        // Frames stand in the order of decoding, which says itself by nothing but that; pictures may be shown in another.
        lastDecodeTime = max(lastDecodeTime, milliseconds - 1_000)
        let code = frame.bytes.withUnsafeBytes { bytes in
            packet.pointee.data = UnsafeMutablePointer(
                mutating: bytes.baseAddress?.assumingMemoryBound(to: UInt8.self))
            packet.pointee.size = Int32(bytes.count)
            packet.pointee.pts = max(milliseconds, lastDecodeTime)
            packet.pointee.dts = lastDecodeTime
            packet.pointee.flags = frame.isKeyframe ? AV_PKT_FLAG_KEY : 0
            packet.pointee.stream_index = 0
            return needletail_av_write_frame(context, packet)
        }
        packet.pointee.data = nil
        packet.pointee.size = 0
        guard code >= 0 else { throw MatroskaError("a frame", code: code) }
    }

    /// Ends the cluster when it is old enough.
    ///
    /// - Parameter now: ns, of any clock that is the same for all calls.
    func flush(now: UInt64, isForced: Bool = false) {
        guard let begin = clusterBegin else { return }
        guard isForced || now &- begin >= Self.clusterLength else { return }
        _ = needletail_av_write_frame(context, nil)
        needletail_avio_flush(io)
        clusterBegin = nil
    }

    /// A frame was written at `now`, ns.
    func noteFrame(now: UInt64) { if clusterBegin == nil { clusterBegin = now } }

    /// Writes what stands at the end, and in the header of a file that is whole.
    func close() throws {
        let code = needletail_av_write_trailer(context)
        needletail_avio_flush(io)
        disk.close(file)
        guard code >= 0 else { throw MatroskaError("the end", code: code) }
    }

    private func take(_ bytes: UnsafeRawBufferPointer) {
        guard !bytes.isEmpty else { return }
        disk.write(Array(bytes), to: file, at: position)
        position += bytes.count
        byteCount = max(byteCount, position)
    }

    private func seek(_ offset: Int64, _ whence: Int32) -> Int64 {
        switch whence & ~AVSEEK_FORCE {
        case SEEK_SET: position = Int(max(offset, 0))
        case SEEK_CUR: position = max(position + Int(offset), 0)
        case SEEK_END: position = max(byteCount + Int(offset), 0)
        case AVSEEK_SIZE: return Int64(byteCount)
        default: return -Int64(EINVAL)
        }
        return Int64(position)
    }
}

extension Codec {
    fileprivate var matroska: AVCodecID {
        switch self {
        case .opus: AV_CODEC_ID_OPUS
        case .vp8: AV_CODEC_ID_VP8
        case .vp9: AV_CODEC_ID_VP9
        case .h264: AV_CODEC_ID_H264
        case .av1: AV_CODEC_ID_AV1
        }
    }
}
