import Logging
import Mailbox
import Meetings
import TestSupport
import Testing
import Wire

@testable import Agents
@testable import Conference

/// An offer in SDP, through the answerer, to what the worker is told.
@Suite struct MediaOfferTests {
    private let ann = ParticipantID.named(1)
    private let capacity = Capacity(sessions: 4, tracks: 16, slots: 64)

    /// Sends audio, a camera in three layers and a second video; receives two of audio, three of video and a screen.
    private func offer(fingerprint: String) -> String {
        let transport = [
            "c=IN IP4 0.0.0.0", "a=rtcp-mux", "a=ice-ufrag:abcd", "a=ice-pwd:abcdefghijklmnopqrstuv",
            "a=fingerprint:" + fingerprint, "a=setup:actpass",
        ]
        let audio = ["m=audio 9 UDP/TLS/RTP/SAVPF 111", "a=rtpmap:111 opus/48000/2"]
        let video = [
            "m=video 9 UDP/TLS/RTP/SAVPF 96 97", "a=rtpmap:96 VP8/90000", "a=rtpmap:97 rtx/90000", "a=fmtp:97 apt=96",
            "a=rtcp-fb:96 nack", "a=rtcp-fb:96 ccm fir",
        ]
        let layers = ["a=rid:q send", "a=rid:h send", "a=rid:f send", "a=simulcast:send q;h;f"]
        let rid = [
            "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid",
            "a=extmap:5 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id",
        ]
        let sections =
            [audio + ["a=sendonly"], video + ["a=sendonly"] + rid + layers, video + ["a=sendonly"] + rid]
            + Array(repeating: audio + ["a=recvonly"], count: 2)
            + Array(repeating: video + ["a=recvonly"], count: 3)
            + [video + ["a=recvonly", "a=content:slides"]]
        let mids = sections.indices.map(String.init).joined(separator: " ")
        let session = ["v=0", "o=- 1 2 IN IP4 127.0.0.1", "s=-", "t=0 0", "a=group:BUNDLE " + mids]
        let lines = sections.enumerated().flatMap { [$1[0]] + transport + ["a=mid:\($0)"] + $1.dropFirst() }
        return (session + lines).joined(separator: "\r\n") + "\r\n"
    }

    @Test func `an offer becomes a session with its tracks and slots, and the answer leads to it`() async throws {
        let worker = FakeWorker(number: 0, mailbox: WorkerMailbox(depth: 256, datagrams: 8), capacity: capacity)
        defer { worker.mailbox.deallocate() }
        let clock = MediaClock()
        let certificate = try Certificate(notBefore: 1_700_000_000)
        let ours = certificate.fingerprint.text
        let theirs = try Certificate(notBefore: 1_700_000_000).fingerprint.text
        let address = Endpoint(address: IPAddress(v4: 0xc000_0207), port: 3_478)
        let director = MediaDirector(
            workers: [worker.mailbox], capacity: capacity, pop: 3, certificate: certificate, candidates: [address],
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, generator: SplitMix(seed: 5),
            clock: { clock.now })
        let answer = try await director.connect(
            ann, in: .test, MediaOffer(sdp: offer(fingerprint: theirs), state: .camera)
        ).sdp
        worker.turn()

        let session = try #require(worker.sessions.values.first)
        let ufrag = OwnerUfrag(
            pop: 3, worker: 0, index: UInt32(session.session.index), secret: session.ufragSecret)
        #expect(answer.contains("a=ice-ufrag:\(ufrag.text)\r\n"))
        let password = String(
            decoding: (0..<Int(session.password.count)).map { session.password.bytes[$0] }, as: UTF8.self)
        #expect(answer.contains("a=ice-pwd:\(password)\r\n"))
        #expect(answer.contains("a=fingerprint:\(ours)\r\n"))
        #expect(answer.contains("192.0.2.7 3478 typ host"))
        let map = try #require(worker.extensions[session.session])
        #expect(map.mid == 4 && map.rid == 5)
        let tracks = worker.tracks.values.sorted { $0.kind.rawValue < $1.kind.rawValue }
        #expect(tracks.map(\.kind) == [.audio, .video, .screen])
        #expect(tracks.map(\.layerCount) == [1, 3, 1])
        #expect(tracks.map(\.codec) == [.opus, .vp8, .vp8] && tracks[1].payloadTypes.rtx == 97)
        #expect(tracks.map(\.feedback) == [[], [.nack, .fir], [.nack, .fir]])
        #expect(await director.slots(of: ann).map(\.source) == [.audio, .audio, .video, .video, .video, .screen])
        for slot in worker.slots.values { #expect(answer.contains("a=ssrc:\(slot.opening.ssrc) ")) }
        #expect(worker.slots.count == 6 && worker.faults.isEmpty, "\(worker.faults)")
    }

    @Test(arguments: [
        ("", 1, MediaError.Code.badOffer), ("v=0\r\n", 1, .badOffer), ("v=0\r\n", 100_000, .badOffer),
        ("v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n", 1, .unsupported),
    ])
    func `a bad offer is refused with a word, and takes no place`(
        text: String, times: Int, code: MediaError.Code
    ) async throws {
        let mailbox = WorkerMailbox(depth: 64, datagrams: 8)
        defer { mailbox.deallocate() }
        let director = MediaDirector(
            workers: [mailbox], capacity: capacity, pop: 3, certificate: try Certificate(notBefore: 1_700_000_000),
            candidates: [], logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, clock: { 0 })
        do {
            _ = try await director.connect(
                ann, in: .test, MediaOffer(sdp: String(repeating: text, count: times), state: .camera)
            ).sdp
            Issue.record("it was answered")
        } catch let error as MediaError {
            #expect(error.code == code)
        }
        #expect(await director.placesInUse() == [0, 0, 0])
        #expect(mailbox.commands.count == 0)
    }

    @Test func `the first sound is the microphone and the second another one`() {
        let media = { (mid: String, kind: MediaKind) in
            SendMedia(
                mid: mid, kind: kind, codec: .vp8, payloadTypes: PayloadTypes(), feedback: .all, layers: [], stream: "")
        }
        let published = MediaDirector.published([
            media("a", .audio), media("b", .video), media("c", .screen), media("d", .audio), media("e", .audio),
        ])
        #expect(published.map { "\($0.0.mid) \($0.1)" } == ["a microphone", "b camera", "c screen", "d sound"])
    }
}
