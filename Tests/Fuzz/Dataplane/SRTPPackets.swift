import Wire

@testable import Dataplane

/// One engine of each kind with a transform for each profile.
private struct Engines: ~Copyable, @unchecked Sendable {
    let fast: SRTPEngine
    let portable: SRTPEngine
    let fastTransforms: [SRTPTransform]
    let portableTransforms: [SRTPTransform]

    init() {
        guard let portable = SRTPEngine(kind: .libsrtp) else { fatalError("libsrtp2 is missing") }
        let fast = SRTPEngine()
        fastTransforms = Self.install(fast)
        portableTransforms = Self.install(portable)
        self.fast = fast
        self.portable = portable
    }

    private static func install(_ engine: borrowing SRTPEngine) -> [SRTPTransform] {
        var master = SRTPMasterKey()
        for index in 0..<32 { master.key[index] = UInt8(index) }
        var transforms: [SRTPTransform] = []
        for profile in SRTPProfile.allCases {
            let memory = UnsafeMutableRawPointer.allocate(
                byteCount: SRTPTransform.byteCount, alignment: SRTPTransform.alignment)
            transforms.append(.install(at: memory, engine: engine, profile: profile, master: master))
        }
        return transforms
    }
}

private let engines = Engines()

/// SRTP and SRTCP: both engines refuse what nobody sealed; what one seals the other opens; the replay window and the
/// roll-over counter agree with a set of indices.
func fuzzSRTPPackets(_ input: UnsafeRawBufferPointer) {
    guard input.count >= 1 else { return }
    let packet = UnsafeRawBufferPointer(rebasing: input.dropFirst())
    let profile = Int(input[0]) % SRTPProfile.allCases.count
    refuse(packet, profile)
    roundTrip(packet, profile)
    roundTripRTCP(packet, profile)
    followIndices(packet)
}

private func refuse(_ packet: UnsafeRawBufferPointer, _ profile: Int) {
    if let header = RTPPacket(encrypted: packet) {
        withCopy(packet) { copy in
            var job = OpenJob(
                transform: engines.fastTransforms[profile], packet: copy.start, headerLength: header.headerLength,
                length: copy.count, index: UInt64(header.sequence), ssrc: header.ssrc)
            engines.fast.open(&job, 1)
            precondition(!job.ok)
        }
        withCopy(packet) { copy in
            var job = OpenJob(
                transform: engines.portableTransforms[profile], packet: copy.start, headerLength: header.headerLength,
                length: copy.count, index: UInt64(header.sequence), ssrc: header.ssrc)
            engines.portable.open(&job, 1)
            precondition(!job.ok)
        }
    }
    guard packet.count > 0 else { return }
    withCopy(packet) { copy in
        precondition(engines.fast.openRTCP(engines.fastTransforms[profile], copy.start, copy.count) == nil)
    }
    withCopy(packet) { copy in
        precondition(engines.portable.openRTCP(engines.portableTransforms[profile], copy.start, copy.count) == nil)
    }
}

/// The input is header and payload.
private func roundTrip(_ packet: UnsafeRawBufferPointer, _ profile: Int) {
    guard packet.count >= 12 else { return }
    let transform = engines.fastTransforms[profile]
    let headerLength = 12 + Int(packet[0]) % (packet.count - 11)
    let index = UInt64(packet[1]) << 40 | UInt64(packet[2]) << 16 | UInt64(packet[3])
    withBlock(packet.count + transform.tagLength) { sealed in
        sealed.copyMemory(from: packet)
        var seal = SealJob(
            transform: transform, source: UnsafePointer(sealed.start + headerLength), destination: sealed.start,
            headerLength: headerLength, payloadLength: packet.count - headerLength, index: index, ssrc: 7)
        engines.fast.seal(&seal, 1)
        var open = OpenJob(
            transform: engines.portableTransforms[profile], packet: sealed.start, headerLength: headerLength,
            length: sealed.count, index: index, ssrc: 7)
        engines.portable.open(&open, 1)
        precondition(open.ok && open.plainLength == packet.count)
        precondition(sealed.prefix(packet.count).elementsEqual(packet))
    }
}

private func roundTripRTCP(_ packet: UnsafeRawBufferPointer, _ profile: Int) {
    guard packet.count >= 8 else { return }
    let transform = engines.portableTransforms[profile]
    withBlock(packet.count + transform.rtcpTrailerLength) { sealed in
        sealed.copyMemory(from: packet)
        let length = engines.portable.sealRTCP(transform, sealed.start, packet.count, index: UInt32(packet[0]) << 20)
        precondition(length == sealed.count)
        guard let opened = engines.fast.openRTCP(engines.fastTransforms[profile], sealed.start, length) else {
            fatalError("a sealed SRTCP packet was refused")
        }
        precondition(opened.index == UInt32(packet[0]) << 20 && opened.plainLength == packet.count)
        precondition(sealed.prefix(packet.count).elementsEqual(packet))
    }
}

/// The input is sequence numbers; each is accepted when the window lets it.
private func followIndices(_ input: UnsafeRawBufferPointer) {
    var window = ReplayWindow()
    var rollover = RolloverCounter()
    var accepted: Set<UInt64> = []
    var highest: UInt64 = 0
    for offset in stride(from: 0, to: input.count - 1, by: 2) {
        let sequence = UInt16(input[offset]) << 8 | UInt16(input[offset + 1])
        let index = rollover.estimate(sequence: sequence)
        precondition(index & 0xFFFF == UInt64(sequence))
        let isTooOld = !accepted.isEmpty && index + ReplayWindow.width <= highest
        precondition(window.check(index) == (!isTooOld && !accepted.contains(index)))
        guard window.check(index) else { continue }
        window.accept(index)
        rollover.accept(index)
        accepted.insert(index)
        highest = max(highest, index)
    }
}

extension UnsafeMutableRawBufferPointer {
    fileprivate var start: UnsafeMutablePointer<UInt8> { baseAddress!.assumingMemoryBound(to: UInt8.self) }
}
