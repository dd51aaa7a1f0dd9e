import Agents
import Logging
import Mailbox
import Meetings
import TestSupport
import Testing
import Wire

@testable import Conference

/// Later offers to a director that answers real SDP.
@Suite struct MediaRestartTests {
    private let ann = ParticipantID.named(1)
    private let capacity = Capacity(sessions: 2, tracks: 8, slots: 16)
    private let clock = MediaClock()
    private let worker: FakeWorker
    private let director: MediaDirector
    private let certificate: Certificate

    init() throws {
        worker = FakeWorker(number: 0, mailbox: WorkerMailbox(depth: 256, datagrams: 8), capacity: capacity)
        certificate = try Certificate(notBefore: 1_700_000_000)
        director = MediaDirector(
            workers: [worker.mailbox], capacity: capacity, pop: 3,
            certificate: try Certificate(notBefore: 1_700_000_000), candidates: [Endpoint("192.0.2.7:3478")!],
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, generator: SplitMix(seed: 5),
            clock: { [clock] in clock.now })
    }

    private func offer(session: Int = 1, generation: Int = 0) -> String {
        let video = ["a=rtcp-mux", "a=rtpmap:96 VP8/90000"]
        let lines =
            [
                "v=0", "o=- \(session) \(generation + 2) IN IP4 127.0.0.1", "s=-", "t=0 0", "a=group:BUNDLE v s",
                "a=ice-ufrag:peer\(generation)", "a=ice-pwd:abcdefghijklmnopqrstuv\(generation)",
                "a=fingerprint:\(certificate.fingerprint.text)", "a=setup:actpass",
                "m=video 9 UDP/TLS/RTP/SAVPF 96", "a=mid:v", "a=sendonly",
            ] + video + ["m=video 9 UDP/TLS/RTP/SAVPF 96", "a=mid:s", "a=recvonly"] + video
        return lines.map { $0 + "\r\n" }.joined()
    }

    private func connect(_ offer: String, _ state: PublishedMedia = .camera) async throws -> MediaConnection {
        defer { worker.turn() }
        return try await director.connect(ann, in: .test, MediaOffer(sdp: offer, state: state))
    }

    @Test func `a later offer of the same session publishes what the first did`() async throws {
        #expect(try await connect(offer()).publishes == PublishedMedia(video: true))
        #expect(try await connect(offer(generation: 1)).publishes == PublishedMedia(video: true))
        // As a fragment says new credentials and nothing else, the version of the offer stays (RFC 9725 section 4.3.3).
        let same = offer(generation: 1).replacing("peer1", with: "peer2")
        #expect(try await restart(same).contains("a=ice-ufrag:"))
    }

    private func restart(_ offer: String) async throws -> String {
        defer { worker.turn() }
        return try await director.restart(ann, offer)
    }

    @Test func `other credentials reach the worker, and the session with its places stays`() async throws {
        defer { worker.mailbox.deallocate() }
        let first = try await connect(offer())
        let session = try #require(worker.sessions.values.first)
        let places = await director.placesInUse()
        let answer = try await restart(offer(generation: 1))

        #expect(await director.session(of: ann) == session.session && worker.sessions.count == 1)
        #expect(await director.placesInUse() == places && worker.faults.isEmpty, "\(worker.faults)")
        let told = try #require(worker.restarts[session.session])
        #expect(told.count == 1 && told[0].ufragSecret != session.ufragSecret)
        let ufrag = OwnerUfrag(
            pop: 3, worker: 0, index: UInt32(session.session.index), secret: told[0].ufragSecret)
        let password = String(
            decoding: (0..<Int(told[0].password.count)).map { told[0].password.bytes[$0] }, as: UTF8.self)
        #expect(answer.contains("a=ice-ufrag:\(ufrag.text)\r\n") && answer.contains("a=ice-pwd:\(password)\r\n"))
        let slot = try #require(worker.slots.values.first)
        for text in [first.sdp, answer] { #expect(text.contains("a=ssrc:\(slot.opening.ssrc) ")) }

        // Its answer was lost, and it asks again.
        #expect(try await restart(offer(generation: 1)) == answer)
        #expect(worker.restarts[session.session]?.count == 1)
        #expect(await director.currentStatistics().restarts == 1)
    }

    @Test func `an offer restarts as well, with what it says beside it`() async throws {
        defer { worker.mailbox.deallocate() }
        let first = try await connect(offer())
        let session = await director.session(of: ann)
        let again = try await connect(offer(generation: 1), PublishedMedia(audio: false, video: false))
        #expect(await director.session(of: ann) == session && again.slots == first.slots)
        #expect(worker.restarts.values.map(\.count) == [1])
        #expect(await director.state(of: ann) == PublishedMedia())
        // A page that was loaded again.
        _ = try await connect(offer(session: 2))
        #expect(await director.session(of: ann) != session)
    }

    @Test func `without a session that goes on it is refused, and nothing changes`() async throws {
        defer { worker.mailbox.deallocate() }
        await #expect(throws: MediaError.self) { try await restart(offer()) }
        #expect(worker.sessions.isEmpty)
        _ = try await connect(offer())
        let session = await director.session(of: ann)
        for bad in [offer(session: 2, generation: 1), "v=0", offer().replacing("a=mid:s", with: "a=mid:t")] {
            await #expect(throws: MediaError.self) { try await restart(bad) }
        }
        #expect(await director.session(of: ann) == session && worker.restarts.isEmpty)
    }

    @Test func `while the node is emptied, those inside may restart`() async throws {
        defer { worker.mailbox.deallocate() }
        _ = try await connect(offer())
        await director.drain()
        _ = try await restart(offer(generation: 1))
        #expect(worker.restarts.values.map(\.count) == [1])
    }

    @Test func `who restarts while it connects has the whole time anew`() async throws {
        defer { worker.mailbox.deallocate() }
        _ = try await connect(offer())
        clock.advance(milliseconds: 29_000)
        _ = try await restart(offer(generation: 1))
        clock.advance(milliseconds: 29_000)
        await director.poll()
        #expect(await director.session(of: ann) != nil)
        clock.advance(milliseconds: 1_500)
        await director.poll()
        #expect(await director.session(of: ann) == nil)
    }
}
