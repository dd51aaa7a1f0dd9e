import Mailbox
import Testing
import Wire

@testable import Dataplane

/// A Slot whose source changes: its receiver must take it for one stream, whatever counters the codec has.
@Suite(.serialized)
struct SourceChangeTests {
    static let formats: [VideoSource.Format] = [
        .init(codec: .vp8, describes: false), .init(codec: .vp8, describes: false, pictureBits: 7),
        .init(codec: .vp8, describes: true), .init(codec: .vp9, describes: false),
        .init(codec: .vp9, describes: false, pictureBits: 7), .init(codec: .vp9, describes: true),
        .init(codec: .av1, describes: true), .init(codec: .h264, describes: false),
        .init(codec: .h264, describes: true),
    ]

    /// A viewer with one Slot for all codecs, and a strict receiver behind it.
    private func viewer(
        _ world: World, _ codec: Codec, describes: Bool = true, rtx: Bool = true
    ) -> (Peer, SlotHandle, StrictReceiver, UInt32) {
        var ids = Peer.defaultExtensions
        ids.dependencyDescriptor = 9
        ids.slotDescriptor = describes ? 9 : 0
        let peer = Peer(world, index: 40, extensions: ids)
        let slot = SlotHandle(worker: 0, index: 1, generation: world.nextGeneration())
        var types = PayloadTypeMap()
        for codec in Codec.allCases where codec != .opus {
            let type = VideoSource.payloadType(codec)
            types[codec] = PayloadTypes(media: type, rtx: rtx ? type + 1 : 0xff)
        }
        let ssrc: UInt32 = 500_010
        if rtx { peer.repairs[ssrc + 1] = ssrc }
        world.command(
            0,
            .openSlot(
                OpenSlot(
                    slot: slot, session: peer.session, kind: .video, mid: ShortText("s1")!, ssrc: ssrc,
                    rtxSsrc: rtx ? ssrc + 1 : 0, payloadTypes: types)))
        for _ in 0..<3 {
            peer.check()
            world.run(30)
        }
        let receiver = StrictReceiver(codec, descriptorID: 9)
        peer.takes = { _, sequence, header, payload in receiver.take(sequence, header, payload) }
        return (peer, slot, receiver, ssrc)
    }

    @Test("after 100 changes no frame is thrown away", arguments: formats)
    func hundredChanges(format: VideoSource.Format) throws {
        let world = try World(seed: 71)
        var sources = (1...3).map { VideoSource(world, number: UInt8($0), format: format) }
        let (peer, slot, receiver, ssrc) = viewer(world, format.codec)
        for change in 0..<100 {
            world.command(0, .mapSlot(MapSlot(slot: slot, track: sources[change % 3].track, maxHeight: 720)))
            world.run(3)
            for _ in 0..<5 {
                for index in sources.indices { sources[index].frame() }
                world.run(33)
            }
        }
        #expect(receiver.faults.isEmpty, "\(receiver.faults.prefix(3))")
        #expect(receiver.unread == 0 && receiver.skipped == 0 && receiver.keyframes >= 100)
        // A change may wait for the next frame, as keyframes are asked for at most so often.
        #expect(receiver.total >= 400, "\(receiver.frames)")
        #expect(try #require(peer.inboxes[ssrc]).missing.isEmpty)
        #expect((receiver.descriptors > 0) == format.describes)
    }

    @Test("nor with loss and reordering both ways, with retransmissions", arguments: formats)
    func hundredChangesWithLoss(format: VideoSource.Format) throws {
        let link = MemoryPort.Link(loss: 0.03, reordering: 0.03, delay: 10_000_000, jitter: 3_000_000)
        let world = try World(seed: 72, inbound: link, outbound: link)
        var sources = (1...2).map { VideoSource(world, number: UInt8($0), format: format) }
        let (peer, slot, receiver, _) = viewer(world, format.codec)
        for change in 0..<100 {
            world.command(0, .mapSlot(MapSlot(slot: slot, track: sources[change % 2].track, maxHeight: 720)))
            for _ in 0..<12 {
                for index in sources.indices { sources[index].frame() }
                world.run(33)
            }
        }
        world.run(1_000)
        #expect(receiver.faults.isEmpty, "\(receiver.faults.count): \(receiver.faults.prefix(3))")
        #expect(peer.retransmissionsReceived > 50)
        #expect(receiver.total >= 700, "\(receiver.frames), \(receiver.skipped) skipped, \(receiver.unread) unread")
    }

    @Test("nor where a packet is sent again as it was", arguments: formats)
    func withoutRetransmissionStream(format: VideoSource.Format) throws {
        let link = MemoryPort.Link(loss: 0.02, delay: 10_000_000)
        let world = try World(seed: 73, outbound: link)
        var sources = (1...2).map { VideoSource(world, number: UInt8($0), format: format) }
        let (peer, slot, receiver, ssrc) = viewer(world, format.codec, rtx: false)
        var sent: [UInt16: Set<[UInt8]>] = [:]
        var repeated = 0
        world.onFrame = { frame in
            frame.withUnsafeBytes { bytes in
                guard let datagram = DatagramFrame(bytes), datagram.destination == peer.endpoint,
                    let header = RTPPacket(encrypted: datagram.payload), header.ssrc == ssrc
                else { return }
                if sent[header.sequence] != nil { repeated += 1 }
                sent[header.sequence, default: []].insert(Array(datagram.payload))
            }
        }
        for change in 0..<20 {
            world.command(0, .mapSlot(MapSlot(slot: slot, track: sources[change % 2].track, maxHeight: 720)))
            for _ in 0..<12 {
                for index in sources.indices { sources[index].frame() }
                world.run(33)
                let latest = peer.inboxes[ssrc]?.sequences.suffix(12) ?? []
                peer.sendRTCP { writer in
                    latest.map { UInt16(truncatingIfNeeded: $0) }.withUnsafeBufferPointer {
                        _ = writer.addNack(senderSSRC: 1, mediaSSRC: ssrc, sequences: $0)
                    }
                }
            }
            // The name of the m-line may end here, but not in what is repeated.
            if change == 5 { confirm([ssrc], by: peer) }
        }
        world.run(500)
        #expect(receiver.faults.isEmpty, "\(receiver.faults.prefix(3))")
        #expect(repeated > 500 && sent.values.allSatisfy { $0.count == 1 })
        #expect(receiver.total >= 150)
    }

    @Test("a source without descriptor between two that have one leaves no trace in their numbers")
    func sourceWithoutDescriptorBetween() throws {
        let world = try World(seed: 74)
        let formats = [true, false, true].map { VideoSource.Format(codec: .vp8, describes: $0) }
        var sources = zip(1..., formats).map { VideoSource(world, number: UInt8($0), format: $1) }
        let (_, slot, receiver, _) = viewer(world, .vp8)
        for source in [0, 2] {
            world.command(0, .mapSlot(MapSlot(slot: slot, track: sources[source].track, maxHeight: 720)))
            for _ in 0..<15 {
                for index in sources.indices { sources[index].frame() }
                world.run(33)
            }
        }
        let before = receiver.total
        #expect(before >= 20 && receiver.faults.isEmpty)
        world.command(0, .mapSlot(MapSlot(slot: slot, track: sources[1].track, maxHeight: 720)))
        for _ in 0..<15 {
            for index in sources.indices { sources[index].frame() }
            world.run(33)
        }
        world.command(0, .mapSlot(MapSlot(slot: slot, track: sources[0].track, maxHeight: 720)))
        for _ in 0..<15 {
            for index in sources.indices { sources[index].frame() }
            world.run(33)
        }
        #expect(!receiver.faults.contains { $0.contains("keyframe behind") }, "\(receiver.faults)")
    }

    @Test("a receiver that did not agree on the descriptor gets none, and no two-byte headers")
    func receiverWithoutDescriptor() throws {
        let world = try World(seed: 75)
        var source = VideoSource(world, number: 1, format: .init(codec: .vp8, describes: true))
        let (peer, slot, receiver, ssrc) = viewer(world, .vp8, describes: false)
        var profiles: Set<UInt16> = []
        world.onFrame = { frame in
            frame.withUnsafeBytes { bytes in
                guard let datagram = DatagramFrame(bytes), datagram.destination == peer.endpoint,
                    let header = RTPPacket(encrypted: datagram.payload), header.ssrc == ssrc
                else { return }
                profiles.insert(header.extensionProfile)
            }
        }
        world.command(0, .mapSlot(MapSlot(slot: slot, track: source.track, maxHeight: 720)))
        for _ in 0..<20 {
            source.frame()
            world.run(33)
        }
        #expect(receiver.total >= 15 && receiver.descriptors == 0 && receiver.faults.isEmpty)
        #expect(profiles == [0xbede])
    }

    @Test("a structure comes with two-byte headers, what follows with one-byte ones")
    func headerForms() throws {
        let world = try World(seed: 76)
        var source = VideoSource(world, number: 1, format: .init(codec: .vp8, describes: true))
        let (peer, slot, receiver, ssrc) = viewer(world, .vp8)
        var profiles: [UInt16] = []
        peer.takes = { _, sequence, header, payload in
            profiles.append(header.extensionProfile)
            return receiver.take(sequence, header, payload)
        }
        world.command(0, .mapSlot(MapSlot(slot: slot, track: source.track, maxHeight: 720)))
        world.run(3)
        for _ in 0..<3 {
            source.frame()
            world.run(33)
        }
        confirm([ssrc], by: peer)
        world.run(5)
        for _ in 0..<3 {
            source.frame()
            world.run(33)
        }
        #expect(profiles == [0x1000] + [UInt16](repeating: 0xbede, count: 17))
        #expect(receiver.descriptors == 18 && receiver.faults.isEmpty && receiver.total == 6)
        #expect(peer.feedback.isEmpty)
    }

    /// A receiver report with a block for each of these.
    private func confirm(_ ssrcs: [UInt32], by peer: Peer) {
        peer.sendRTCP { writer in
            ssrcs.map { ReportBlock(ssrc: $0) }.withUnsafeBufferPointer {
                _ = writer.addReceiverReport(ssrc: 1, blocks: $0)
            }
        }
    }
}
