import Mailbox
import Meetings
import TestSupport
import Testing
import Wire

@testable import Agents
@testable import Conference

/// Real DTLS between a client and the director, through the rings.
@Suite struct MediaHandshakeTests {
    private let ann = ParticipantID.named(1)

    /// The other end of a session: what a browser is.
    private final class Client {
        let handshake: DTLSHandshake
        let session: SessionHandle
        let worker: FakeWorker
        /// Datagrams to lose on the way to the worker, by number.
        var losses: Set<Int> = []
        private var sent = 0

        init(_ room: MediaFixture, _ session: SessionHandle, server: Fingerprint) throws {
            handshake = try DTLSHandshake(
                certificate: room.client, role: .client, peer: server, now: room.clock.now)
            self.session = session
            worker = room.workers[session.worker]
        }

        /// What the client has to say becomes punts, what the worker was given as replies reaches the client.
        func exchange(now: UInt64) {
            while let reply = worker.mailbox.replies.pop() {
                let bytes = (0..<Int(reply.count)).map { reply.bytes[$0] }
                if reply.session == session { bytes.withUnsafeBytes { handshake.receive($0, now: now) } }
            }
            if let timeout = handshake.timeout, timeout <= now { handshake.handleTimeout(now: now) }
            while let bytes = handshake.nextOutgoing() {
                sent += 1
                if losses.contains(sent) { continue }
                var datagram = Datagram(session: session)
                bytes.withUnsafeBytes { datagram.fill($0) }
                #expect(worker.mailbox.punts.push(datagram))
            }
        }
    }

    private func validate(_ room: MediaFixture, _ session: SessionHandle) {
        let remote = Endpoint(address: IPAddress(v4: 0x0a00_0001), port: 5_000)
        room.workers[session.worker].tell(.sessionValidated(session, remote: remote))
    }

    private func play(_ room: MediaFixture, _ client: Client, turns: Int, milliseconds: UInt64 = 2) async {
        for _ in 0..<turns {
            client.exchange(now: room.clock.now)
            await room.turn(milliseconds: milliseconds)
        }
    }

    @Test(arguments: [Set<Int>(), [1], [2], [1, 2, 4]])
    func `a handshake ends with the same keys on both sides`(losses: Set<Int>) async throws {
        let room = try MediaFixture(workers: 2)
        let session = try await room.enter(ann)
        validate(room, session)
        let client = try Client(room, session, server: await room.director.fingerprint)
        client.losses = losses
        await play(room, client, turns: losses.isEmpty ? 12 : 800, milliseconds: losses.isEmpty ? 2 : 20)
        guard case .connected(let profile, let receive, let send) = client.handshake.state else {
            Issue.record("not connected: \(client.handshake.state)")
            return
        }
        let keys = try #require(room.workers[session.worker].keys[session])
        #expect(keys.profile == .aeadAes128Gcm && profile == keys.profile)
        #expect(bytes(keys.receive) == bytes(send) && bytes(keys.send) == bytes(receive))
        #expect(bytes(keys.receive) != bytes(keys.send))
        #expect(room.faults.isEmpty, "\(room.faults)")
        #expect(await room.allUpdates() == [.connected(ann)])
    }

    @Test func `dtls begins only after a valid ice check`() async throws {
        let room = try MediaFixture(workers: 1)
        let session = try await room.enter(ann)
        let client = try Client(room, session, server: await room.director.fingerprint)
        await play(room, client, turns: 5)
        #expect(await room.director.currentStatistics().strayDatagrams == 1)
        #expect(room.workers[0].mailbox.replies.count == 0)
        validate(room, session)
        await play(room, client, turns: 200, milliseconds: 20)
        #expect(room.workers[0].keys[session] != nil, "the client repeats its hello")
    }

    @Test func `a first datagram that comes with the check is not lost`() async throws {
        let room = try MediaFixture(workers: 1)
        let session = try await room.enter(ann)
        let client = try Client(room, session, server: await room.director.fingerprint)
        validate(room, session)
        client.exchange(now: room.clock.now)
        await room.turn()
        #expect(await room.director.currentStatistics().strayDatagrams == 0)
        #expect(room.workers[0].mailbox.replies.count > 0)
    }

    @Test func `a client with another certificate than it promised is refused`() async throws {
        let room = try MediaFixture(workers: 1)
        let session = try await room.enter(ann)
        validate(room, session)
        let server = await room.director.fingerprint
        let stranger = try MediaFixture(workers: 1)
        let handshake = try DTLSHandshake(
            certificate: stranger.client, role: .client, peer: server, now: room.clock.now)
        for _ in 0..<20 {
            while let bytes = handshake.nextOutgoing() {
                var datagram = Datagram(session: session)
                bytes.withUnsafeBytes { datagram.fill($0) }
                #expect(room.workers[0].mailbox.punts.push(datagram))
            }
            await room.turn()
            while let reply = room.workers[0].mailbox.replies.pop() {
                let bytes = (0..<Int(reply.count)).map { reply.bytes[$0] }
                bytes.withUnsafeBytes { handshake.receive($0, now: room.clock.now) }
            }
        }
        await room.rest()
        #expect(await room.director.session(of: ann) == nil && room.workers[0].isEmpty)
        #expect(await room.allUpdates() == [.failed(ann, reason: MediaFailure.handshake)])
    }

    @Test func `a client that closes is gone at once, and one that leaves is told goodbye`() async throws {
        let room = try MediaFixture(workers: 1)
        let session = try await room.enter(ann)
        validate(room, session)
        let client = try Client(room, session, server: await room.director.fingerprint)
        await play(room, client, turns: 12)
        client.handshake.close()
        await play(room, client, turns: 2)
        await room.rest()
        #expect(await room.director.session(of: ann) == nil && room.workers[0].isEmpty)

        let again = try await room.enter(ann)
        validate(room, again)
        let second = try Client(room, again, server: await room.director.fingerprint)
        await play(room, second, turns: 12)
        await room.director.disconnect(ann)
        await play(room, second, turns: 2)
        guard case .closed = second.handshake.state else {
            Issue.record("no goodbye: \(second.handshake.state)")
            return
        }
        #expect(
            await room.allUpdates() == [
                .connected(ann), .failed(ann, reason: MediaFailure.closedByPeer), .connected(ann),
            ])
    }

    @Test func `garbage in a session's datagrams harms nobody`() async throws {
        let room = try MediaFixture(workers: 1)
        let session = try await room.enter(ann)
        validate(room, session)
        var random = SplitMix(seed: 9)
        for _ in 0..<200 {
            var datagram = Datagram(session: session)
            // Also counts that are not true.
            datagram.count = UInt16.random(in: 0 ... .max, using: &random)
            for index in 0..<64 { datagram.bytes[index] = UInt8.random(in: 0...255, using: &random) }
            datagram.bytes[0] = UInt8.random(in: 20...63, using: &random)
            #expect(room.workers[0].mailbox.punts.push(datagram))
            await room.turn()
        }
        let client = try Client(room, session, server: await room.director.fingerprint)
        await play(room, client, turns: 400, milliseconds: 10)
        #expect(room.workers[0].keys[session] != nil, "the handshake still works")
        #expect(room.faults.isEmpty, "\(room.faults)")
    }

    private func bytes(_ key: SRTPMasterKey) -> [UInt8] {
        (0..<32).map { key.key[$0] } + (0..<14).map { key.salt[$0] }
    }
}

extension MediaDirector {
    var fingerprint: Fingerprint { certificate.fingerprint }
}
