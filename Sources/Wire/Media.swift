/// What a Track or a Slot carries.
@frozen
public enum MediaKind: UInt8, Sendable, BitwiseCopyable {
    case audio, video, screen

    /// Camera and screen are both video on the wire.
    @inlinable
    public var isVideo: Bool { self != .audio }
}

/// The codecs that we forward; the raw value is the index into `PayloadTypeMap`.
@frozen
public enum Codec: UInt8, Sendable, BitwiseCopyable, CaseIterable {
    case opus, vp8, h264, vp9, av1

    /// RTP clock rate, Hz.
    @inlinable
    public var clockRate: UInt32 { self == .opus ? 48_000 : 90_000 }
}

/// A receiver's payload types for one codec; 0xff where it was not negotiated.
@frozen
public struct PayloadTypes: Sendable, BitwiseCopyable, Equatable {
    public var media: UInt8
    public var rtx: UInt8
    /// Of sounds that come with those that were sent before them (RFC 2198).
    public var red: UInt8

    @inlinable
    public init(media: UInt8 = 0xff, rtx: UInt8 = 0xff, red: UInt8 = 0xff) {
        self.media = media
        self.rtx = rtx
        self.red = red
    }

    @inlinable
    public var hasMedia: Bool { media != 0xff }
    @inlinable
    public var hasRtx: Bool { rtx != 0xff }
    @inlinable
    public var hasRed: Bool { red != 0xff }
}

/// What a publisher agreed to be sent (RFC 4585 section 4.2): nothing else may be asked of it.
@frozen
public struct PublisherFeedback: OptionSet, Sendable, BitwiseCopyable {
    public let rawValue: UInt8

    @inlinable
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Generic NACK: packets again.
    @inlinable public static var nack: Self { Self(rawValue: 1 << 0) }
    /// Picture loss indication: a keyframe.
    @inlinable public static var pli: Self { Self(rawValue: 1 << 1) }
    /// Full intra request (RFC 5104): a keyframe.
    @inlinable public static var fir: Self { Self(rawValue: 1 << 2) }
    @inlinable public static var all: Self { [.nack, .pli, .fir] }
}

/// A receiver's payload types by codec.
@frozen
public struct PayloadTypeMap: Sendable, BitwiseCopyable, Equatable {
    public var entries: InlineArray<5, PayloadTypes>

    @inlinable
    public init() { entries = InlineArray(repeating: PayloadTypes()) }

    @inlinable
    public subscript(codec: Codec) -> PayloadTypes {
        get { entries[Int(codec.rawValue)] }
        set { entries[Int(codec.rawValue)] = newValue }
    }

    /// Some video format has no retransmission stream: its packets are sent again as they were.
    @inlinable
    public var repeatsAsIs: Bool {
        for index in entries.indices
        where index != Int(Codec.opus.rawValue) && entries[index].hasMedia && !entries[index].hasRtx {
            return true
        }
        return false
    }

    @inlinable
    public static func == (left: PayloadTypeMap, right: PayloadTypeMap) -> Bool {
        Codec.allCases.allSatisfy { left[$0] == right[$0] }
    }
}

/// A Session's negotiated RTP header extension ids (RFC 8285); 0 where not negotiated. With BUNDLE
/// they are the same in all its m-lines (RFC 8843 section 9.1).
@frozen
public struct ExtensionMap: Sendable, BitwiseCopyable, Equatable {
    /// urn:ietf:params:rtp-hdrext:sdes:mid
    public var mid: UInt8 = 0
    /// urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id
    public var rid: UInt8 = 0
    /// urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id
    public var repairedRid: UInt8 = 0
    /// urn:ietf:params:rtp-hdrext:ssrc-audio-level (RFC 6464)
    public var audioLevel: UInt8 = 0
    /// http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time
    public var absSendTime: UInt8 = 0
    /// draft-holmer-rmcat-transport-wide-cc-extensions-01
    public var transportSequence: UInt8 = 0
    /// urn:3gpp:video-orientation
    public var videoOrientation: UInt8 = 0
    /// http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time
    public var absCaptureTime: UInt8 = 0
    /// https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension
    public var dependencyDescriptor: UInt8 = 0
    /// The same where all Slots of video may be sent it: they agreed on it, and on headers of both forms in one stream
    /// (RFC 8285 section 4.1.2), which it needs as soon as it carries a structure.
    public var slotDescriptor: UInt8 = 0

    @inlinable
    public init() {}
}
