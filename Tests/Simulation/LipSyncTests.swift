import Mailbox
import Testing
import Wire

@testable import Dataplane

/// Sender reports carry the publishers' clocks, so that receivers can put sound and picture together.
@Suite(.serialized)
struct LipSyncTests {
    /// A participant with a clock of its own: its sound and its pictures, and when they were taken.
    private final class Source {
        let peer: Peer
        let sound: TrackHandle
        let picture: TrackHandle
        /// What its encoder takes for a picture, ms, in turns.
        var delays = [0]
        /// Its clock runs faster by this, parts per million, and began elsewhere.
        let drift: Double
        let epoch: Double
        /// It says by header extensions when its content was captured, and sends no reports. A clock that captured is behind its
        /// own by this, s.
        var captureOffset: Double?
        private let world: World
        private var soundIndex: UInt64 = 100
        private var pictureIndex: UInt64 = 200
        private var waiting: [(at: UInt64, taken: UInt64)] = []
        private var pictures = 0

        init(_ world: World, worker: Int, index: UInt32, drift: Double, epoch: Double) {
            self.world = world
            self.drift = drift
            self.epoch = epoch
            peer = Peer(world, worker: worker, index: index)
            sound = TrackHandle(worker: UInt8(worker), index: index * 2, generation: world.nextGeneration())
            picture = TrackHandle(worker: UInt8(worker), index: index * 2 + 1, generation: world.nextGeneration())
            world.command(
                worker, .openTrack(open(sound, .session(peer.session))),
                .openTrack(open(picture, .session(peer.session))))
        }

        func open(_ track: TrackHandle, _ source: TrackSource) -> OpenTrack {
            let isSound = source.session != nil ? track == sound : track.index % 2 == 0
            return OpenTrack(
                track: track, source: source, mid: ShortText(isSound ? "a" : "v")!, kind: isSound ? .audio : .video,
                codec: isSound ? .opus : .vp8, payloadTypes: PayloadTypes(media: isSound ? 111 : 96),
                layers: .init(repeating: LayerDescription()), layerCount: 1)
        }

        /// Seconds of its clock at a moment of the world.
        private func seconds(_ moment: UInt64) -> Double { Double(moment) * 1e-9 * (1 + drift * 1e-6) + epoch }

        private func timestamp(_ moment: UInt64, _ rate: Double) -> UInt32 {
            UInt32(truncatingIfNeeded: Int64(seconds(moment) * rate) + Int64(rate) * 7)
        }

        /// What it sends in a millisecond: sound each 20 ms, pictures each 33 ms, a report of both each second.
        func turn() {
            let moment = world.now / 1_000_000
            if moment % 20 == 0 { sendSound() }
            if moment % 33 == 0 {
                waiting.append((world.now + UInt64(delays[pictures % delays.count]) * 1_000_000, world.now))
                pictures += 1
            }
            while let first = waiting.first, first.at <= world.now {
                sendPicture(taken: first.taken)
                waiting.removeFirst()
            }
            if moment % 1_000 == 500 && captureOffset == nil { report() }
        }

        private func sendSound() {
            peer.sendRTP(
                ssrc: 77, payloadType: 111, index: soundIndex, timestamp: timestamp(world.now, 48_000),
                payload: Self.stamp(world.now), mid: "a", audioLevel: 20,
                captureTime: soundIndex % 50 == 0 ? captureTime(world.now) : nil)
            soundIndex += 1
        }

        private func sendPicture(taken: UInt64) {
            peer.sendRTP(
                ssrc: 78, payloadType: 96, index: pictureIndex, timestamp: timestamp(taken, 90_000), marker: true,
                payload: [0x10, pictures % 30 == 1 ? 0 : 1, 0, 0, 0x9d, 1, 0x2a, 0x40, 1, 0xd0, 2] + Self.stamp(taken),
                mid: "v", captureTime: pictureIndex % 30 == 20 ? captureTime(taken) : nil)
            pictureIndex += 1
        }

        /// The value of the absolute capture time's element; with the second field where another clock captured.
        private func captureTime(_ moment: UInt64) -> [UInt8]? {
            guard let captureOffset else { return nil }
            let fields = [Self.ntp(seconds(moment) - captureOffset), Self.ntp(captureOffset)]
            return fields.prefix(captureOffset == 0 ? 1 : 2).flatMap { field in
                (0..<8).map { UInt8(truncatingIfNeeded: field >> (56 - 8 * $0)) }
            }
        }

        /// 64-bit NTP time, or a difference of such times.
        private static func ntp(_ seconds: Double) -> UInt64 {
            UInt64(bitPattern: Int64(seconds.rounded(.down))) << 32
                | UInt64((seconds - seconds.rounded(.down)) * 0x1p32)
        }

        private func report() {
            let ntp = Self.ntp(seconds(world.now))
            for (ssrc, rate) in [(UInt32(77), 48_000.0), (78, 90_000.0)] {
                let timestamp = timestamp(world.now, rate)
                peer.sendRTCP(ssrc: ssrc) {
                    _ = $0.addSenderReport(
                        ssrc: ssrc, ntpTime: ntp, rtpTimestamp: timestamp, packetCount: 1, octetCount: 1)
                }
            }
        }

        /// When it was taken, ms, as the last bytes of a payload.
        static func stamp(_ moment: UInt64) -> [UInt8] {
            (0..<4).map { UInt8(truncatingIfNeeded: (moment / 1_000_000) >> (24 - 8 * $0)) }
        }
    }

    /// When a packet was taken by our reports' account, seconds: by the first report after it, as receivers know it.
    private func times(_ viewer: Peer, _ ssrc: UInt32, rate: Double) -> [(taken: Double, said: Double)] {
        guard let inbox = viewer.inboxes[ssrc] else { return [] }
        let reports = viewer.clocks.filter { $0.ssrc == ssrc }
        return zip(inbox.sequences, inbox.timestamps).compactMap { sequence, timestamp in
            let taken = inbox.payloads[sequence]!.suffix(4).reduce(0.0) { $0 * 256 + Double($1) }
            return reports.first { Int32(bitPattern: $0.timestamp &- timestamp) >= 0 }.map { report in
                let behind = Double(report.timestamp &- timestamp) / rate
                let base = Double(report.ntp >> 32) + Double(report.ntp & 0xffff_ffff) * 0x1p-32
                return (taken / 1_000, base - 3_900_000_000 - behind)
            }
        }
    }

    /// A viewer with a Slot for sound and one for a picture.
    private func watch(_ viewer: Peer) -> (sound: (SlotHandle, UInt32), picture: (SlotHandle, UInt32)) {
        (openSlot(viewer, index: 1, kind: .audio, rtx: false), openSlot(viewer, index: 2))
    }

    @Test("delays of the encoder, in turns, leave NTP minus RTP as it is")
    func encoderDelays() throws {
        let world = try World(seed: 101)
        let source = Source(world, worker: 0, index: 1, drift: 0, epoch: 3_800_000_000)
        source.delays = [0, 40, 80]
        let viewer = Peer(world, index: 2)
        let slots = watch(viewer)
        world.command(0, .mapSlot(MapSlot(slot: slots.picture.0, track: source.picture, maxHeight: 720)))
        world.run(3)
        source.peer.check()
        viewer.check()
        for _ in 0..<12_000 {
            source.turn()
            world.run(1)
        }
        let reports = viewer.clocks.filter { $0.ssrc == slots.picture.1 }.dropFirst(2)
        #expect(reports.count >= 9)
        let first = try #require(reports.first)
        for report in reports {
            let passed = Double(report.ntp &- first.ntp) * 0x1p-32
            let played = Double(report.timestamp &- first.timestamp) / 90_000
            #expect(abs(passed - played) < 0.000_5, "\(passed - played) s")
        }
    }

    @Test(
        "sound and picture fit by their absolute capture times, where there is no sender report yet",
        arguments: [0, 1.5])
    func captureTimes(offset: Double) throws {
        let world = try World(seed: 103)
        let source = Source(world, worker: 0, index: 1, drift: 0, epoch: 3_800_000_000)
        source.peer.extensions.absCaptureTime = 9
        source.captureOffset = offset
        source.delays = [40, 80, 60]
        let viewer = Peer(world, index: 2)
        let slots = watch(viewer)
        world.command(
            0, .configureSession(source.peer.session, source.peer.extensions),
            .mapSlot(MapSlot(slot: slots.sound.0, track: source.sound, maxHeight: 0)),
            .mapSlot(MapSlot(slot: slots.picture.0, track: source.picture, maxHeight: 720)))
        world.run(3)
        for peer in world.peers { peer.check() }
        for _ in 0..<8_000 {
            source.turn()
            world.run(1)
        }
        let (sounds, pictures) = (
            times(viewer, slots.sound.1, rate: 48_000), times(viewer, slots.picture.1, rate: 90_000)
        )
        let errors = (sounds + pictures).map { $0.said - $0.taken }
        #expect(sounds.count > 300 && pictures.count > 180, "\(sounds.count) \(pictures.count)")
        // A sound reaches the server at once, so the first is where its clock begins.
        let spread = try #require(errors.max()) - #require(errors.min())
        #expect(spread < 0.010, "sound and picture \(spread) s apart")
    }

    @Test("sound and picture of a participant fit, over drift, workers and changes of source", arguments: [0, 1])
    func lipsFit(worker: Int) throws {
        let world = try World(workers: 2, seed: 102)
        let sources = [
            Source(world, worker: 0, index: 1, drift: 100, epoch: 3_800_000_000),
            Source(world, worker: 0, index: 2, drift: -100, epoch: 12_345),
        ]
        sources[0].delays = [30, 70, 50]
        sources[1].delays = [0, 20, 90, 0]
        let viewer = Peer(world, worker: worker, index: 3)
        let slots = watch(viewer)
        world.run(3)
        for peer in world.peers { peer.check() }
        let tracks = try sources.map { source -> (sound: TrackHandle, picture: TrackHandle) in
            guard worker == 1 else { return (source.sound, source.picture) }
            let replicas = [source.sound, source.picture].map { track -> TrackHandle in
                let replica = TrackHandle(
                    worker: 1, index: UInt32(track.index), generation: world.nextGeneration())
                world.command(1, .openTrack(source.open(replica, .sibling(track))))
                world.run(3)
                world.command(0, .feed(track, replica: replica))
                return replica
            }
            return (try #require(replicas.first), try #require(replicas.last))
        }
        for turn in 0..<3 {
            let shown = tracks[turn % 2]
            viewer.inboxes = viewer.inboxes.mapValues { inbox in
                var kept = Peer.Inbox()
                kept.highest = inbox.highest
                return kept
            }
            viewer.clocks = []
            world.command(
                worker, .mapSlot(MapSlot(slot: slots.sound.0, track: shown.sound, maxHeight: 0)),
                .mapSlot(MapSlot(slot: slots.picture.0, track: shown.picture, maxHeight: 720)))
            for moment in 0..<20_000 {
                for source in sources { source.turn() }
                world.run(1)
                if moment % 10_000 == 0 { for peer in world.peers { peer.check() } }
            }
            // Of the first source nothing is known before its first report.
            let start = turn == 0 ? 2.0 : 0
            let sounds = times(viewer, slots.sound.1, rate: 48_000)
            let pictures = times(viewer, slots.picture.1, rate: 90_000)
            let begin = try #require(pictures.first).taken + start
            let errors = (sounds + pictures).filter { $0.taken >= begin }.map { $0.said - $0.taken }
            #expect(sounds.count > 900 && pictures.count > 500, "\(sounds.count) \(pictures.count)")
            let spread = try #require(errors.max()) - #require(errors.min())
            #expect(spread < 0.010, "sound and picture \(spread) s apart")
            #expect(abs(errors[0]) < 0.010, "the account is the server's own time")
        }
    }
}
