import Conference
import Testing

@testable import Api

/// Asks as a client of WHIP or WHEP does.
struct WHIPClient: Sendable {
    static let offer = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=sendrecv\r\n"
    static let fragment =
        "a=ice-ufrag:EsAw\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\n"
        + "a=candidate:1 1 udp 2122260223 192.0.2.1 61764 typ host\r\n"

    let node: ApiNode
    let stream: StreamProtocol
    let meeting: String
    /// Of the meeting's owner, unless a test has another.
    var token: String?

    init(_ node: ApiNode, _ stream: StreamProtocol, _ meeting: Value) async throws {
        self.node = node
        self.stream = stream
        self.meeting = try #require(meeting["meeting_id"]?.string)
        token = try await node.token([Grants.host])
        let slot = SlotAssignment(mid: "0", participant: nil, source: .video)
        node.media.setSlots(stream == .whep ? [slot] : [])
        node.media.setPublishes(PublishedMedia(audio: stream == .whip, video: stream == .whip))
    }

    var endpoint: String { "/\(stream)/\(meeting)" }

    /// - Parameter headers: nil values are taken out.
    func open(
        _ query: String = "", offer: String = offer, headers: [String: String] = ["Content-Type": "application/sdp"]
    ) async throws -> Answer {
        try await node.call("POST", endpoint + query, token: token, text: offer, headers: headers)
    }

    /// The address of a session that must open.
    func session(_ query: String = "") async throws -> String {
        let answer = try await open(query)
        #expect(answer.status == 201, "\(answer.body)")
        return try #require(answer.headers["location"])
    }

    func patch(
        _ session: String, _ fragment: String = fragment, tag: String?,
        type: String = "application/trickle-ice-sdpfrag"
    ) async throws -> Answer {
        var headers = ["Content-Type": type]
        if let tag { headers["If-Match"] = tag }
        return try await node.call("PATCH", session, token: token, text: fragment, headers: headers)
    }
}
