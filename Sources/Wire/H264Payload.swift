/// What an H.264 payload holds (RFC 6184 sections 5.6 to 5.8): single NAL unit, STAP-A or FU-A.
@frozen
public struct H264Payload: BitwiseCopyable {
    /// A slice of an IDR picture starts here.
    public let startsIDR: Bool
    /// A sequence parameter set is inside, whole or its beginning.
    public let hasSPS: Bool

    /// Nil when it is empty, of another type (STAP-B, MTAP, FU-B), or an aggregated unit does not fit.
    @inlinable
    public init?(_ payload: UnsafeRawBufferPointer) {
        guard payload.count >= 1, let base = payload.baseAddress else { return nil }
        let type = base.u8(0) & 0x1f
        switch type {
        case 1...23: self.init(unit: type)
        case 24:
            guard let unit = Self(aggregation: payload, base) else { return nil }
            self = unit
        case 28:
            guard payload.count >= 2 else { return nil }
            self.init(unit: base.u8(1) & 0x80 != 0 ? base.u8(1) & 0x1f : 0)
        default: return nil
        }
    }

    @inlinable
    init(unit type: UInt8) {
        startsIDR = type == 5
        hasSPS = type == 7
    }

    /// STAP-A: a 16-bit size before each unit.
    @inlinable
    init?(aggregation payload: UnsafeRawBufferPointer, _ base: UnsafeRawPointer) {
        var idr = false
        var sps = false
        var offset = 1
        while offset < payload.count {
            guard offset &+ 3 <= payload.count else { return nil }
            let size = Int(base.be16(offset))
            guard size > 0, offset &+ 2 &+ size <= payload.count else { return nil }
            let type = base.u8(offset &+ 2) & 0x1f
            idr = idr || type == 5
            sps = sps || type == 7
            offset &+= 2 &+ size
        }
        guard offset > 1 else { return nil }
        startsIDR = idr
        hasSPS = sps
    }

    /// Where a decoder can begin: parameter sets, with which every WebRTC sender leads its IDR pictures. An IDR slice
    /// without them cannot be decoded after a change of source.
    @inlinable public var startsKeyframe: Bool { hasSPS }
}
