import Wire

@testable import Dataplane

/// A receiver of `LayeredCamera`s that finds the references of VP8 frames as Chromium does: by TL0PICIDX, temporal ids and picture
/// ids, of which none may lack; with a dependency descriptor by what it says. It decodes what it may, and knows what the frame
/// was really made of.
final class LayeredReceiver {
    private struct Packet {
        var content: LayeredContent
        var isStart: Bool
        var marker: Bool
        var isKeyframe: Bool
        var vp8: (picture: UInt64, temporal: UInt64, id: Int, isSync: Bool)?
        var frameNumber: UInt64?
    }

    /// What is found out of a frame's.
    private enum References {
        case waits, none
        case of(Set<UInt64>)
    }

    private let descriptorID: UInt8
    private let now: () -> UInt64
    private var packets: [UInt64: Packet] = [:]
    private var latestPicture: UInt64?
    private var latestTemporal: UInt64?
    private var latestNumber: UInt64?
    /// Frames that wait for others.
    private var waiting: [Packet] = []
    /// By TL0PICIDX: the latest picture of each temporal layer.
    private var layers: [UInt64: [UInt64?]] = [:]
    /// Pictures that did not come, though later ones did.
    private var absent: Set<UInt64> = []
    private var newest: UInt64?
    /// By timestamps: what was really decoded since the keyframe.
    private var decoded: Set<UInt32> = []
    private var decodedLast: UInt64 = 0
    /// By picture ids.
    private var decodedPictures: Set<UInt64> = []

    /// When each frame was decoded, ns, with its layer and place.
    private(set) var frames: [(at: UInt64, layer: UInt8, place: UInt32)] = []
    /// What must not happen.
    private(set) var faults: [String] = []
    /// Frames that it gave up.
    private(set) var skipped = 0

    init(descriptorID: UInt8, now: @escaping () -> UInt64) {
        self.descriptorID = descriptorID
        self.now = now
    }

    func take(_ sequence: UInt64, _ header: RTPPacket, _ payload: [UInt8]) {
        guard let content = LayeredContent(payload) else { return }
        payload.withUnsafeBytes { raw in
            guard let vp8 = VP8Descriptor(raw) else { return fault("no VP8") }
            var packet = Packet(
                content: content, isStart: vp8.startsFrame, marker: header.marker, isKeyframe: vp8.startsKeyframe)
            if let value = header.element(descriptorID), let descriptor = DependencyDescriptor(value) {
                let number = unwrap(UInt64(descriptor.frameNumber), near: latestNumber, bits: 16)
                latestNumber = max(number, latestNumber ?? 0)
                packet.frameNumber = number
            } else if let picture = vp8.pictureID, let temporal = vp8.tl0PictureIndex, let id = vp8.temporalID {
                let picture = unwrap(UInt64(picture), near: latestPicture, bits: 15)
                let temporal = unwrap(UInt64(temporal), near: latestTemporal, bits: 8)
                latestPicture = max(picture, latestPicture ?? 0)
                latestTemporal = max(temporal, latestTemporal ?? 0)
                packet.vp8 = (picture, temporal, Int(id), vp8.isLayerSync)
            }
            packets[sequence] = packet
        }
        assemble(around: sequence)
        packets = packets.filter { $0.key + 2_000 > sequence }
    }

    /// A frame is whole when all numbers from its start to its marker are there.
    private func assemble(around sequence: UInt64) {
        var first = sequence
        while let packet = packets[first], !packet.isStart { first -= 1 }
        var last = sequence
        while let packet = packets[last], !packet.marker { last += 1 }
        guard let start = packets[first], packets[last] != nil else { return }
        for number in first...last {
            guard let packet = packets[number], packet.content.timestamp == start.content.timestamp else { return }
            guard packet.vp8?.picture == start.vp8?.picture, packet.frameNumber == start.frameNumber else {
                return fault("a frame of two numbers")
            }
        }
        waiting.append(start)
        var isAny = true
        while isAny {
            isAny = false
            for (index, frame) in waiting.enumerated() where settle(frame) {
                waiting.remove(at: index)
                isAny = true
                break
            }
        }
        if waiting.count > 100 {
            skipped += 1
            waiting.removeFirst()
        }
    }

    /// Whether it was decoded, or never will be.
    private func settle(_ frame: Packet) -> Bool {
        let isDecodable: Bool
        if let vp8 = frame.vp8 {
            switch references(frame, vp8.picture, vp8.temporal, vp8.id, vp8.isSync) {
            case .waits: return false
            case .none: isDecodable = false
            case .of(let pictures): isDecodable = decodedPictures.isSuperset(of: pictures)
            }
        } else {
            isDecodable = frame.isKeyframe || hasReferences(frame)
        }
        let order = frame.vp8?.picture ?? frame.frameNumber ?? 0
        guard isDecodable, order > decodedLast else {
            skipped += 1
            return true
        }
        decode(frame, order)
        return true
    }

    private func decode(_ frame: Packet, _ order: UInt64) {
        if frame.isKeyframe {
            decoded = []
        } else if !hasReferences(frame) {
            fault("a broken chain at \(frame.content)")
        }
        decodedLast = order
        decodedPictures.insert(order)
        decoded.insert(frame.content.timestamp)
        frames.append((now(), frame.content.layer, frame.content.place))
    }

    private func hasReferences(_ frame: Packet) -> Bool {
        frame.content.references.allSatisfy { distance in
            // The first frames refer to the keyframe where the pattern goes back behind it.
            let back = min(UInt32(distance), frame.content.place)
            return decoded.contains(frame.content.timestamp &- back * 3_000)
        }
    }

    /// libwebrtc's RtpVp8RefFinder.
    private func references(
        _ frame: Packet, _ picture: UInt64, _ temporal: UInt64, _ id: Int, _ isSync: Bool
    ) -> References {
        absent.remove(picture)
        if let newest, picture > newest { absent.formUnion((newest + 1)..<picture) }
        newest = max(picture, newest ?? 0)
        if frame.isKeyframe {
            layers = [temporal: [picture, picture, picture]]
            return .of([])
        }
        guard let latest = layers[id == 0 ? temporal - 1 : temporal] else { return .waits }
        if id == 0 { layers[temporal] = latest }
        var pictures: Set<UInt64> = []
        for layer in 0...(isSync ? 0 : id) {
            guard let reference = latest[layer], reference < picture else { return .none }
            // Something between may be what it refers to.
            if id > 0, !isSync, absent.contains(where: { $0 > reference && $0 < picture }) { return .waits }
            pictures.insert(reference)
        }
        var index = temporal
        while var known = layers[index], known[id].map({ $0 < picture }) ?? true {
            known[id] = picture
            layers[index] = known
            index += 1
        }
        return .of(pictures)
    }

    private func fault(_ text: String) { faults.append(text) }

    private func unwrap(_ value: UInt64, near reference: UInt64?, bits: UInt64) -> UInt64 {
        guard let reference else { return value + 1 << 32 }
        let round: UInt64 = 1 << bits
        var number = reference & ~(round - 1) | value
        if number + round / 2 < reference { number += round } else if number > reference + round / 2 { number -= round }
        return number
    }
}
