import Mailbox
import Testing
import Wire

@testable import Dataplane

/// Which m-line an SSRC belongs to that the worker did not see before, and which one our own packets name.
@Suite(.serialized)
struct BindingTests {
    private func payload(keyframe: Bool, tag: UInt8) -> [UInt8] {
        [0x10, keyframe ? 0 : 1, 0, 0, 0x9d, 1, 0x2a, 0x40, 1, 0xd0, 2] + [UInt8](repeating: tag, count: 50)
    }

    private func send(
        _ camera: Camera, ssrc: UInt32, numbers: Range<Int>, mid: String? = nil, type: UInt8 = Camera.payloadType,
        loses: Int? = nil
    ) {
        for number in numbers {
            camera.peer.sendRTP(
                ssrc: ssrc, payloadType: type, index: UInt64(100 + number), timestamp: UInt32(number) * 3_000,
                marker: true, payload: payload(keyframe: number == numbers.lowerBound, tag: UInt8(number)), mid: mid,
                loses: number == loses)
            camera.peer.world.run(20)
        }
    }

    @Test("a packet with an m-line's MID and another SSRC than the offer's belongs to it, and so does its repetition")
    func otherSsrc() throws {
        let world = try World(seed: 91)
        let (camera, viewer, _, ssrc) = pair(world)
        send(camera, ssrc: camera.ssrcs[0], numbers: 0..<10, mid: "v1")
        world.run(500)
        camera.peer.retransmission[777] = (778, Camera.rtxType)
        send(camera, ssrc: 777, numbers: 20..<40, mid: "v1", loses: 25)
        world.run(100)
        let inbox = try #require(viewer.inboxes[ssrc])
        #expect(inbox.payloads.count == 30 && inbox.missing.isEmpty)
        #expect(world.worker().pointee.counters[.rtpUnknownSource] == 0)
    }

    @Test("the MID is believed before the SSRC of the offer")
    func midBeforeSsrc() throws {
        let world = try World(seed: 92)
        let (camera, viewer, _, ssrc) = pair(world)
        let second = Camera(camera.peer, index: 5)
        world.run(3)
        // The second Track's SSRC with the first one's MID.
        send(camera, ssrc: second.ssrcs[0], numbers: 0..<10, mid: "v1")
        #expect(try #require(viewer.inboxes[ssrc]).payloads.count == 10)
        let other = world.worker().pointee.tracks.find(second.track)
        #expect(other?.pointee.layers[0].isStarted == false)
    }

    @Test("a MID that no m-line has is of no m-line, whatever the SSRC")
    func unknownMid() throws {
        let world = try World(seed: 93)
        let (camera, viewer, _, ssrc) = pair(world)
        send(camera, ssrc: camera.ssrcs[0], numbers: 0..<5, mid: "zz")
        #expect(viewer.inboxes[ssrc] == nil)
        #expect(world.worker().pointee.counters[.rtpUnknownSource] == 5)
    }

    @Test("without MID a payload type tells the m-line, if only one has it")
    func payloadType() throws {
        let world = try World(seed: 94)
        let (camera, viewer, _, ssrc) = pair(world)
        send(camera, ssrc: 777, numbers: 0..<5)
        #expect(try #require(viewer.inboxes[ssrc]).payloads.count == 5)
        _ = Camera(camera.peer, index: 5)
        world.run(600)
        send(camera, ssrc: 779, numbers: 0..<5)
        #expect(try #require(viewer.inboxes[ssrc]).payloads.count == 5, "two m-lines have the type")
        #expect(world.worker().pointee.counters[.rtpUnknownSource] == 5)
    }

    @Test("MID and stream id are read from one-byte and two-byte headers", arguments: [false, true])
    func headerForms(isTwoByte: Bool) throws {
        let world = try World(seed: 95)
        let (camera, viewer, _, ssrc) = pair(world, layers: 3, maxHeight: 180, names: true)
        camera.peer.extensions.dependencyDescriptor = 12
        for number in 0..<5 {
            // An element of 17 bytes, with an id that nobody knows, takes the two-byte form.
            camera.peer.sendRTP(
                ssrc: 900, payloadType: Camera.payloadType, index: UInt64(100 + number), timestamp: 0, marker: true,
                payload: payload(keyframe: number == 0, tag: 1), mid: "v1", rid: "q",
                descriptor: isTwoByte ? [UInt8](repeating: 1, count: 17) : nil)
            world.run(20)
        }
        #expect(try #require(viewer.inboxes[ssrc]).payloads.count == 5)
    }

    @Test(
        "padding before any media, of any retransmission type, binds nothing wrong and counts nothing",
        arguments: [false, true])
    func paddingFirst(names: Bool) throws {
        let world = try World(seed: 96)
        let (camera, viewer, _, ssrc) = pair(world, names: names)
        let (rtx, rid): (UInt32, String?) = (camera.ssrcs[0] + 50, names ? "q" : nil)
        let before = camera.peer.transportSequence
        for number in 0..<20 {
            // The number of a packet that never was; half of it with the type of another codec.
            camera.peer.sendRTP(
                ssrc: rtx, payloadType: number < 10 ? 99 : Camera.rtxType, index: UInt64(500 + number), timestamp: 0,
                payload: [0, 0] + [UInt8](repeating: 0, count: 200), mid: "v1", repairedRid: rid)
            world.run(5)
        }
        world.run(100)
        let found = world.worker().pointee.tracks.find(camera.track)
        let track = try #require(found)
        #expect(track.pointee.layers[0].ssrc == 0 && !track.pointee.layers[0].isStarted)
        #expect(!track.pointee.layers[0].reception.hasReceived)
        #expect(world.worker().pointee.counters[.rtpUnknownSource] == 0)
        // The sender learns that it came: it probes with it.
        #expect(camera.peer.feedback.reduce(0) { $0 + $1.received } == Int(camera.peer.transportSequence &- before))
        for number in 0..<10 {
            camera.peer.sendRTP(
                ssrc: camera.ssrcs[0], payloadType: Camera.payloadType, index: UInt64(100 + number), timestamp: 0,
                marker: true, payload: payload(keyframe: number == 0, tag: 1), mid: "v1", rid: rid, loses: number == 5)
            world.run(20)
        }
        world.run(100)
        let inbox = try #require(viewer.inboxes[ssrc])
        #expect(inbox.payloads.count == 10 && inbox.missing.isEmpty && camera.peer.nacksReceived > 0)
    }

    @Test("our packets name their m-line, repetitions too, until the receiver's reports know the streams")
    func ownPackets() throws {
        let world = try World(seed: 97)
        var (camera, viewer, _, ssrc) = pair(world)
        var isLossy = false
        viewer.takes = { _, sequence, _, _ in !isLossy || sequence % 3 != 0 }
        for number in 0..<10 {
            camera.frame(keyframe: number == 0)
            world.run(33)
        }
        #expect(viewer.names[ssrc] == [String?](repeating: "s1", count: 30))
        viewer.sendRTCP { writer in
            [ReportBlock(ssrc: 4_711), ReportBlock(ssrc: ssrc)].withUnsafeBufferPointer {
                _ = writer.addReceiverReport(ssrc: 1, blocks: $0)
            }
        }
        world.run(5)
        viewer.names = [:]
        camera.frame()
        world.run(33)
        #expect(viewer.names[ssrc] == [nil, nil, nil])
        // The retransmission stream is another one.
        isLossy = true
        camera.frame()
        camera.frame()
        world.run(33)
        isLossy = false
        world.run(200)
        let repeated = try #require(viewer.names[ssrc + 1])
        #expect(repeated.count > 0 && repeated.allSatisfy { $0 == "s1" })
        viewer.sendRTCP { writer in
            [ReportBlock(ssrc: ssrc + 1)].withUnsafeBufferPointer {
                _ = writer.addSenderReport(
                    ssrc: 1, ntpTime: 1, rtpTimestamp: 1, packetCount: 1, octetCount: 1, blocks: $0)
            }
        }
        world.run(5)
        viewer.names = [:]
        isLossy = true
        for _ in 0..<3 { camera.frame() }
        world.run(33)
        isLossy = false
        world.run(200)
        let unnamed = try #require(viewer.names[ssrc + 1])
        #expect(unnamed.count > 0 && unnamed.allSatisfy { $0 == nil })
        let session = world.worker().pointee.sessions.find(viewer.session)
        #expect(session?.pointee.awaitedNames == 0)
    }
}
