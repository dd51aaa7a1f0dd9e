import Wire

@testable import Dataplane

/// A receiver as strict as Chromium: what lies behind by its own counter is thrown away, whether it is a keyframe or not, a
/// descriptor that cannot be read costs its packet, and a frame is decoded only on top of the one before.
final class StrictReceiver {
    private struct Packet {
        var content: VideoContent
        var marker: Bool
        var isStart: Bool
        var isKeyframe: Bool
        /// Of the descriptor, or else of VP8 and VP9; nil where a codec has none.
        var number: UInt64?
        var temporal: UInt8?
        var isLost = false
    }

    /// What descriptors are read by: with its frame's number, its packet's and its source.
    private struct Structure {
        var bytes: [UInt8]
        var frame: UInt64
        var sequence: UInt64
        var source: UInt8
    }

    private let codec: Codec
    private let descriptorID: UInt8
    private var packets: [UInt64: Packet] = [:]
    private var next: UInt64?
    private var frame: [Packet] = []
    /// The structure that descriptors are read by, and the number of its frame.
    private var structure: Structure?
    private var latestFrame: UInt64?
    private var latestPicture: UInt64?
    private var decoded: (number: UInt64?, content: VideoContent, temporal: UInt8?)?

    private(set) var descriptors = 0
    /// Frames that were decoded, by source.
    private(set) var frames: [UInt8: Int] = [:]
    private(set) var keyframes = 0
    /// What must not happen.
    private(set) var faults: [String] = []
    /// Frames that could not be decoded, as what they refer to was lost.
    private(set) var skipped = 0
    /// Packets that came before their structure, or after the next one.
    private(set) var unread = 0

    init(_ codec: Codec, descriptorID: UInt8) {
        self.codec = codec
        self.descriptorID = descriptorID
    }

    var total: Int { frames.values.reduce(0, +) }

    /// Takes a packet as it comes, in any order; false when it is thrown away.
    func take(_ sequence: UInt64, _ header: RTPPacket, _ payload: [UInt8]) -> Bool {
        guard let content = VideoContent(payload) else { return true }
        var packet = Packet(
            content: content, marker: header.marker, isStart: content.packet == 0, isKeyframe: false, number: nil,
            temporal: nil)
        payload.withUnsafeBytes { readPayload($0, into: &packet) }
        if let descriptor = header.element(descriptorID) {
            guard read(descriptor, sequence, into: &packet) else { return false }
            descriptors += 1
        }
        packets[sequence] = packet
        if next == nil, packet.isKeyframe && packet.isStart { next = sequence }
        assemble()
        return true
    }

    private func readPayload(_ payload: UnsafeRawBufferPointer, into packet: inout Packet) {
        packet.isKeyframe = codec.startsKeyframe(payload)
        let (picture, temporal, bits): (UInt16?, UInt8?, UInt64)
        switch codec {
        case .vp8:
            let vp8 = VP8Descriptor(payload)
            (picture, temporal, bits) = (vp8?.pictureID, vp8?.tl0PictureIndex, vp8?.hasLongPictureID == true ? 15 : 7)
        case .vp9:
            let vp9 = VP9Descriptor(payload)
            (picture, temporal, bits) = (vp9?.pictureID, vp9?.tl0PictureIndex, vp9?.hasLongPictureID == true ? 15 : 7)
        default: return
        }
        packet.temporal = temporal
        guard let picture else { return }
        let number = Self.unwrap(UInt64(picture), near: latestPicture, bits: bits)
        latestPicture = max(number, latestPicture ?? 0)
        packet.number = number
    }

    /// As Chromium reads it, in the order of arrival. False when the packet must come again.
    private func read(_ value: UnsafeRawBufferPointer, _ sequence: UInt64, into packet: inout Packet) -> Bool {
        guard let descriptor = DependencyDescriptor(value) else { return fault("a descriptor of \(value.count) bytes") }
        let number = Self.unwrap(UInt64(descriptor.frameNumber), near: latestFrame, bits: 16)
        let isLate = structure.map { sequence < $0.sequence } ?? false
        if descriptor.hasStructure {
            guard DependencyStructure(value) != nil, descriptor.startsFrame else { return fault("a bad structure") }
            if let structure, structure.frame > number {
                guard isLate else { return fault("a keyframe behind the latest one's number") }
                return lose(&packet)
            }
            structure = Structure(
                bytes: Array(value), frame: number, sequence: sequence, source: packet.content.source)
        }
        let isKnown = structure?.bytes.withUnsafeBytes {
            DependencyStructure($0)?.template(descriptor.templateID) != nil
        }
        guard let structure, isKnown == true else {
            unread += 1
            return isLate ? lose(&packet) : false
        }
        guard structure.source == packet.content.source else { return fault("read by another source's structure") }
        latestFrame = max(number, latestFrame ?? 0)
        packet.number = number
        packet.isKeyframe = descriptor.hasStructure
        return true
    }

    /// What is late and cannot be read any more; true, as it need not come again.
    private func lose(_ packet: inout Packet) -> Bool {
        packet.isLost = true
        return true
    }

    private func assemble() {
        while let sequence = next, let packet = packets.removeValue(forKey: sequence) {
            next = sequence + 1
            if packet.isStart { frame = [] }
            frame.append(packet)
            if packet.marker {
                if frame[0].isStart && !frame.contains(where: \.isLost) { decode() }
                frame = []
            }
        }
    }

    private func decode() {
        let first = frame[0]
        guard frame.allSatisfy({ $0.number == first.number && $0.temporal == first.temporal }) else {
            _ = fault("a frame with two numbers")
            return
        }
        if let number = first.number, let before = decoded?.number, number <= before {
            _ = fault("frame \(number) of \(first.content) behind \(before)")
            return
        }
        if let temporal = first.temporal, let before = decoded?.temporal, Int8(bitPattern: temporal &- before) < 0 {
            _ = fault("TL0PICIDX \(temporal) behind \(before)")
            return
        }
        if !first.isKeyframe {
            guard let decoded, decoded.content.source == first.content.source,
                decoded.content.frame &+ 1 == first.content.frame
            else {
                skipped += 1
                return
            }
            guard first.number == nil || first.number == decoded.number.map({ $0 + 1 }) else {
                _ = fault("a gap of numbers before \(first.content)")
                return
            }
        } else {
            keyframes += 1
        }
        decoded = (first.number, first.content, first.temporal)
        frames[first.content.source, default: 0] += 1
    }

    private func fault(_ text: String) -> Bool {
        faults.append(text)
        return false
    }

    private static func unwrap(_ value: UInt64, near reference: UInt64?, bits: UInt64) -> UInt64 {
        // Far from zero, so that what lies behind the first has a number too.
        guard let reference else { return value + 1 << 32 }
        let round: UInt64 = 1 << bits
        var number = reference & ~(round - 1) | value
        if number + round / 2 < reference { number += round } else if number > reference + round / 2 { number -= round }
        return number
    }
}
