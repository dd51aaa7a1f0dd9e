import Wire

/// Makes RTP packets of an encoder's frames, as a publisher does.
public struct Packetizer: Sendable {
    public let codec: Codec
    public var ssrc: UInt32
    public var sequence: UInt16
    /// Bytes of a payload.
    public var room = 1_100
    private var pictureID: UInt16 = 0x7ff0

    public init(_ codec: Codec, ssrc: UInt32, sequence: UInt16) {
        self.codec = codec
        self.ssrc = ssrc
        self.sequence = sequence
    }

    /// The packets of a frame, the last of them with the marker.
    public mutating func packets(_ frame: [[UInt8]], timestamp: UInt32) -> [[UInt8]] {
        let payloads = payloads(frame)
        return payloads.enumerated().map { index, payload in
            packet(payload, timestamp: timestamp, marker: codec != .opus && index == payloads.count - 1)
        }
    }

    public mutating func packet(_ payload: [UInt8], timestamp: UInt32, marker: Bool) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 12)
        bytes.withUnsafeMutableBytes { raw in
            let base = raw.baseAddress!
            base.setU8(0x80, at: 0)
            base.setU8((marker ? 0x80 : 0) | 96, at: 1)
            base.setBE16(sequence, at: 2)
            base.setBE32(timestamp, at: 4)
            base.setBE32(ssrc, at: 8)
        }
        sequence &+= 1
        return bytes + payload
    }

    private mutating func payloads(_ frame: [[UInt8]]) -> [[UInt8]] {
        defer { pictureID = (pictureID + 1) & 0x7fff }
        return switch codec {
        case .opus: frame
        case .vp8: vp8(frame[0])
        case .vp9: vp9(frame[0])
        case .h264: h264(frame)
        case .av1: av1(frame[0])
        }
    }

    private var longPictureID: [UInt8] { [0x80 | UInt8(pictureID >> 8), UInt8(pictureID & 0xff)] }

    private func pieces(_ bytes: some Collection<UInt8>) -> [[UInt8]] {
        var rest = bytes[...]
        var pieces: [[UInt8]] = []
        while !rest.isEmpty {
            pieces.append(Array(rest.prefix(room)))
            rest = rest.dropFirst(room)
        }
        return pieces
    }

    private func vp8(_ frame: [UInt8]) -> [[UInt8]] {
        pieces(frame).enumerated().map { [$0 == 0 ? 0x90 : 0x80, 0x80] + longPictureID + $1 }
    }

    private func vp9(_ frame: [UInt8]) -> [[UInt8]] {
        let isKey = frame.withUnsafeBytes { VP9FrameHeader($0) } != nil
        let pieces = pieces(frame)
        return pieces.enumerated().map { index, piece in
            let begin: UInt8 = index == 0 ? 0x08 : 0
            let end: UInt8 = index == pieces.count - 1 ? 0x04 : 0
            return [0x80 | (isKey ? 0 : 0x40) | begin | end] + longPictureID + piece
        }
    }

    private func h264(_ units: [[UInt8]]) -> [[UInt8]] {
        var payloads: [[UInt8]] = []
        var small: [[UInt8]] = []
        func aggregate() {
            if small.count > 1 {
                payloads.append(small.reduce([24 | 0x60]) { $0 + [UInt8($1.count >> 8), UInt8($1.count & 0xff)] + $1 })
            } else {
                payloads += small
            }
            small = []
        }
        for unit in units {
            guard unit.count > 100 else {
                small.append(unit)
                continue
            }
            aggregate()
            guard unit.count > room else {
                payloads.append(unit)
                continue
            }
            let pieces = pieces(unit.dropFirst())
            for (index, piece) in pieces.enumerated() {
                let bits: UInt8 = index == 0 ? 0x80 : index == pieces.count - 1 ? 0x40 : 0
                payloads.append([unit[0] & 0xe0 | 28, bits | unit[0] & 0x1f] + piece)
            }
        }
        aggregate()
        return payloads
    }

    /// OBUs without their sizes; each packet has one element, or all with their lengths.
    private func av1(_ unit: [UInt8]) -> [[UInt8]] {
        var units = Self.split(unit)
        let isKey = units.contains { $0[0] >> 3 & 0xf == AV1Unit.sequenceHeader }
        var payloads: [[UInt8]] = []
        // Small ones lead in one packet with their lengths.
        let small = units.prefix { $0.count < 100 }
        if small.count > 0, small.count < units.count {
            payloads.append([isKey ? 0x08 : 0] + small.flatMap { [UInt8($0.count)] + $0 })
            units.removeFirst(small.count)
        }
        for unit in units {
            let pieces = pieces(unit)
            for (index, piece) in pieces.enumerated() {
                let continues: UInt8 = index > 0 ? 0x80 : 0
                let isContinued: UInt8 = index < pieces.count - 1 ? 0x40 : 0
                let starts: UInt8 = isKey && payloads.isEmpty ? 0x08 : 0
                payloads.append([continues | isContinued | 0x10 | starts] + piece)
            }
        }
        return payloads
    }

    private static func split(_ bytes: [UInt8]) -> [[UInt8]] {
        var units: [[UInt8]] = []
        var rest = bytes[...]
        while let first = rest.first {
            let header = first & 0x04 != 0 ? 2 : 1
            var size = 0
            var length = header
            for index in 0..<4 {
                let byte = rest[rest.startIndex + length]
                length += 1
                size |= Int(byte & 0x7f) << (7 * index)
                if byte & 0x80 == 0 { break }
            }
            var unit = Array(rest.prefix(header))
            unit[0] &= ~0x02
            unit += rest.dropFirst(length).prefix(size)
            // A temporal delimiter does not travel.
            if first >> 3 & 0xf != AV1Unit.temporalDelimiter { units.append(unit) }
            rest = rest.dropFirst(length + size)
        }
        return units
    }
}
