import Agents
import Conference
import Testing

@testable import Api

/// Statuses and headers that WHIP and WHEP share.
@Suite(.timeLimit(.minutes(1))) struct WHIPHTTPTests {
    @Test(arguments: StreamProtocol.allCases)
    func aPreflightSaysWhatMayBeAsked(_ stream: StreamProtocol) async throws {
        try await ApiNode.run { node async throws in
            let client = try await WHIPClient(node, stream, node.meeting())
            let session = try await client.session()
            for (path, methods, header, type) in [
                (client.endpoint, "POST, OPTIONS", "accept-post", "application/sdp"),
                (session, "PATCH, DELETE, OPTIONS", "accept-patch", "application/trickle-ice-sdpfrag"),
            ] {
                let answer = try await node.call("OPTIONS", path, headers: ["Origin": "https://studio.test"])
                #expect(answer.status == 204)
                #expect(answer.headers["access-control-allow-origin"] == "*")
                #expect(answer.headers["access-control-allow-methods"] == methods)
                #expect(answer.headers["access-control-allow-headers"] == "Authorization, Content-Type, If-Match")
                #expect(answer.headers["access-control-max-age"] == "7200")
                #expect(answer.headers["allow"] == methods)
                #expect(answer.headers[header] == type)
            }
        }
    }

    @Test(arguments: StreamProtocol.allCases)
    func otherMethodsAreNotAllowed(_ stream: StreamProtocol) async throws {
        try await ApiNode.run { node async throws in
            let client = try await WHIPClient(node, stream, node.meeting())
            let session = try await client.session()
            for (path, methods, allowed) in [
                (client.endpoint, ["GET", "HEAD", "PUT", "PATCH", "DELETE"], "POST, OPTIONS"),
                (session, ["GET", "HEAD", "PUT", "POST"], "PATCH, DELETE, OPTIONS"),
            ] {
                for method in methods {
                    let answer = try await node.call(method, path, token: client.token)
                    #expect(answer.status == 405, "\(method) \(path)")
                    #expect(answer.headers["allow"] == allowed)
                    if method != "HEAD" { #expect(answer.code == "method_not_allowed") }
                }
            }
        }
    }

    @Test(arguments: StreamProtocol.allCases)
    func anOfferSaysWhatItIs(_ stream: StreamProtocol) async throws {
        try await ApiNode.run { node async throws in
            let client = try await WHIPClient(node, stream, node.meeting())
            for type in [nil, "application/json", "text/plain"] {
                let answer = try await client.open(headers: type.map { ["Content-Type": $0] } ?? [:])
                #expect(answer.status == 415)
                #expect(answer.code == "unsupported_media_type")
                #expect(answer.headers["accept-post"] == "application/sdp")
            }
            for type in ["application/sdp", "Application/SDP; charset=utf-8"] {
                #expect(try await client.open(headers: ["Content-Type": type]).status == 201)
            }
            for (accept, status) in [
                ("application/json", 406), ("application/sdp;q=0", 406), ("text/html, application/*", 201),
                ("*/*;q=0.1", 201),
            ] {
                let headers = ["Content-Type": "application/sdp", "Accept": accept]
                let answer = try await client.open(headers: headers)
                #expect(answer.status == status, "\(accept)")
                if status == 406 { #expect(answer.code == "not_acceptable") }
            }
            let long = String(repeating: "a", count: ApiConfiguration.bodyLimit + 1)
            #expect(try await client.open(offer: long).status == 413)
        }
    }

    @Test(arguments: StreamProtocol.allCases)
    func whatIsNotThereIsNotFound(_ stream: StreamProtocol) async throws {
        try await ApiNode.run { node async throws in
            let client = try await WHIPClient(node, stream, node.meeting())
            let other: StreamProtocol = stream == .whip ? .whep : .whip
            let session = try await client.session()
            let elsewhere = try await node.meeting()
            for path in [
                session.replacing("/\(stream)/", with: "/\(other)/"), "\(client.endpoint)/p_nobody",
                "\(client.endpoint)/p.nobody", "/\(stream)/m_none/\(session.split(separator: "/").last ?? "")",
                "/\(stream)/\(elsewhere["meeting_id"]?.string ?? "")/\(session.split(separator: "/").last ?? "")",
            ] {
                #expect(try await node.call("DELETE", path, token: client.token).status == 404, "\(path)")
                #expect(try await client.patch(path, tag: "*").status == 404, "\(path)")
            }
            let offer = ["Content-Type": "application/sdp"]
            let none = try await node.call(
                "POST", "/\(stream)/123-456-789", token: client.token, text: WHIPClient.offer, headers: offer)
            #expect(none.status == 404)
            #expect(none.code == "meeting_not_found")
        }
    }

    @Test func aSessionIsOfWhoOpenedItAlone() async throws {
        try await ApiNode.run { node async throws in
            let client = try await WHIPClient(node, .whip, node.meeting())
            let session = try await client.session()
            let none = try await node.call("DELETE", session)
            #expect(none.status == 401)
            #expect(none.code == "token_missing")
            let other = try await node.call("DELETE", session, token: node.token([Grants.host], user: "user-2"))
            #expect(other.status == 403)
            #expect(other.code == "forbidden")
            // The token may have run out since.
            await node.clock.advance(by: .seconds(3_600))
            #expect(try await node.call("DELETE", session, token: client.token).status == 200)
        }
    }

    @Test func aPatchNamesTheICESession() async throws {
        try await ApiNode.run { node async throws in
            let client = try await WHIPClient(node, .whip, node.meeting())
            let opened = try await client.open()
            let session = try #require(opened.headers["location"])
            let tag = try #require(opened.headers["etag"])
            #expect(try await client.patch(session, tag: tag).status == 204)
            for (fragment, tag, type, status, code) in [
                (WHIPClient.fragment, nil, "application/trickle-ice-sdpfrag", 428, "precondition_required"),
                (WHIPClient.fragment, "\"old\"", "application/trickle-ice-sdpfrag", 412, "precondition_failed"),
                (
                    "a=candidate:1 1 udp 1 192.0.2.1 9 typ host", "*", "application/trickle-ice-sdpfrag", 400,
                    "malformed"
                ),
                (WHIPClient.fragment, tag, "application/sdp", 415, "unsupported_media_type"),
                ("a=candidate:nonsense", tag, "application/trickle-ice-sdpfrag", 400, "malformed"),
            ] {
                let answer = try await client.patch(session, fragment, tag: tag, type: type)
                #expect(answer.status == status)
                #expect(answer.code == code)
                if status == 415 { #expect(answer.headers["accept-patch"] == "application/trickle-ice-sdpfrag") }
            }
        }
    }

    @Test func aRestartOfICEGoesOnWithTheSession() async throws {
        try await ApiNode.run { node async throws in
            let client = try await WHIPClient(node, .whip, node.meeting())
            let credentials = "a=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuv\r\n"
            let opened = try await client.open(offer: WHIPClient.offer + credentials)
            let session = try #require(opened.headers["location"])
            let answer = try await client.patch(session, tag: "*")
            #expect(answer.status == 200)
            #expect(answer.headers["content-type"] == "application/trickle-ice-sdpfrag")
            let tag = try #require(answer.headers["etag"])
            #expect(tag != opened.headers["etag"])
            guard case .restart(_, let offer) = node.media.calls.last else {
                Issue.record("\(String(describing: node.media.calls.last))")
                return
            }
            #expect(
                offer == WHIPClient.offer.replacing("sendrecv", with: "sendonly")
                    + "a=ice-ufrag:EsAw\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\n")
            #expect(answer.body.hasSuffix("a=ice-ufrag:EsAw\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\n"))
            #expect(!answer.body.contains("o="))
            #expect(try await client.patch(session, tag: opened.headers["etag"]).status == 412)
            #expect(try await client.patch(session, tag: tag).status == 204)
            #expect(node.media.connectedCount == 1)
        }
    }

    @Test func anAddressOpensSoManyAtOnce() async throws {
        var configuration = ApiNode.configuration
        // One of them makes the meeting.
        configuration.rateLimit = .init(burst: 2, perSecond: 1)
        try await ApiNode.run(configuration) { node async throws in
            let client = try await WHIPClient(node, .whip, node.meeting())
            _ = try await client.session()
            let refused = try await client.open()
            #expect(refused.status == 429)
            #expect(refused.headers["retry-after"] == "1")
        }
    }

    @Test func anotherWayThanTheProtocolsIsLeftOut() {
        let head = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\n"
        func narrowed(_ lines: String, _ stream: StreamProtocol) -> String {
            OneWayOffer(head + lines, for: stream).text.replacing(head, with: "")
        }
        #expect(
            narrowed("m=a\r\na=sendrecv\r\nm=v\r\na=recvonly \r\n", .whip)
                == "m=a\r\na=sendonly\r\nm=v\r\na=inactive\r\n")
        #expect(narrowed("m=a\na=sendrecv\nm=v\na=sendonly\n", .whep) == "m=a\r\na=recvonly\r\nm=v\r\na=inactive\r\n")
        #expect(narrowed("m=a\r\na=mid:0\r\n", .whip) == "a=sendonly\r\nm=a\r\na=mid:0\r\n")
        #expect(narrowed("m=a\r\nm=v\r\na=sendonly\r\n", .whep) == "a=recvonly\r\nm=a\r\nm=v\r\na=inactive\r\n")
        #expect(narrowed("a=sendrecv\r\nm=a\r\n", .whep) == "a=recvonly\r\nm=a\r\n")
        #expect(narrowed("m=a\r\na=sendonly:x\r\n", .whip) == "a=sendonly\r\nm=a\r\na=sendonly:x\r\n")
    }
}

/// What is negotiated of a narrowed offer.
@Suite struct OneWayOfferTests {
    private func negotiate(_ stream: StreamProtocol, direction: String) throws -> Negotiation {
        let fingerprint = Array(repeating: "AB", count: 32).joined(separator: ":")
        let lines = [
            "v=0", "o=- 1 1 IN IP4 0.0.0.0", "s=-", "t=0 0", "a=group:BUNDLE 0", "m=video 9 UDP/TLS/RTP/SAVPF 96",
            "c=IN IP4 0.0.0.0", "a=mid:0", "a=\(direction)", "a=rtcp-mux", "a=ice-ufrag:abcd",
            "a=ice-pwd:abcdefghijklmnopqrstuv", "a=fingerprint:sha-256 \(fingerprint)", "a=setup:actpass",
            "a=rtpmap:96 VP8/90000", "a=rid:q send", "a=rid:h send", "a=rid:f send", "a=simulcast:send q;h;f",
        ]
        let answerer = Answerer(fingerprint: try #require(Fingerprint("sha-256 \(fingerprint)")), candidates: [])
        var random = SystemRandomNumberGenerator()
        return try answerer.answer(
            to: OneWayOffer(lines.joined(separator: "\r\n") + "\r\n", for: stream).text, ufrag: "AAEAAAAAAAAAAAAA",
            password: ICECredentials.makePassword(using: &random), using: &random)
    }

    @Test(arguments: ["sendrecv", "sendonly"])
    func aPublishersLayersAreTakenAndItIsSentNothing(_ direction: String) throws {
        let negotiation = try negotiate(.whip, direction: direction)
        #expect(negotiation.sends.map { $0.layers.map(\.rid) } == [["q", "h", "f"]])
        #expect(negotiation.receives.isEmpty)
        #expect(negotiation.answer.contains("\r\na=recvonly\r\n"))
        #expect(negotiation.answer.contains("a=simulcast:recv "))
    }

    @Test func nothingIsTakenOfAPlayer() throws {
        let negotiation = try negotiate(.whep, direction: "sendrecv")
        #expect(negotiation.sends.isEmpty)
        #expect(negotiation.receives.count == 1)
        #expect(negotiation.answer.contains("\r\na=sendonly\r\n"))
    }
}
