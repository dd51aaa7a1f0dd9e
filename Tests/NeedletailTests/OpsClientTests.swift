import Api
import ArgumentParser
import Foundation
import Testing

@testable import needletail

/// What the commands for people say.
struct OpsClientTests {
    @Test(arguments: [
        ("0.0.0.0", "127.0.0.1:9090"), ("::", "[::1]:9090"), ("10.1.2.3", "10.1.2.3:9090"),
        ("fd00::1", "[fd00::1]:9090"),
    ])
    func aListenerOnAllAddressesIsAskedOnLoopback(host: String, address: String) {
        #expect(OpsClient.address(of: .init(host: host, port: 9_090)).description == address)
    }

    @Test func aRefusalNamesItsReasonAndTheRemedy() {
        let body = Data(#"{"detail":"This call needs an Authorization header.","status":401}"#.utf8)
        #expect(
            OpsClient.complaint(401, body)
                == "refused (401): This call needs an Authorization header.; give --config with the node's keys, or --token with the admin grant"
        )
        #expect(OpsClient.complaint(500, Data("x".utf8)) == "refused (500): no reason given")
    }

    @Test func halfAPopIsNoTarget() {
        #expect(throws: (any Error).self) { try Needletail.parseAsRoot(["drain", "--to-media", "192.0.2.1:3478"]) }
        #expect(throws: Never.self) {
            try Needletail.parseAsRoot(["drain", "--to-media", "192.0.2.1:1", "--to-signaling", "wss://b/"])
        }
    }

    @Test func theNodeIsToldInASentence() throws {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let text = """
            {"pop":{"id":3,"region":"eu"},"version":"0.1.0","state":"draining","participants":1,"meetings":2,
             "drain_deadline_s":42,"sessions":{"used":1,"limit":8},"allocations":2,
             "load":{"busy_ratio":0.256,"packets_per_second":{"receive":1,"transmit":1999.6},
                     "bits_per_second":{"receive":1,"transmit":16200000}}}
            """
        let node = try decoder.decode(NodeAnswer.self, from: Data(text.utf8))
        #expect(node.sentence == "PoP 3 (eu) is draining: 1 participant inside, 2 allocations, 42 s left")
        #expect(
            node.figures
                == "needletail 0.1.0: 2 meetings, 1 of 8 sessions, busy 26%, sends 2000 packets/s, 16.2 Mbit/s")
    }

    @Test func anAddressWithoutAPortIsRefused() {
        #expect(throws: (any Error).self) { try Needletail.parseAsRoot(["status", "--ops", "localhost"]) }
    }

    @Test func nobodyThereIsOneLine() async {
        let failure = await #expect(throws: OpsClient.Silence.self) {
            try await OpsClient(address: OpsAddress(host: "127.0.0.1", port: 1), token: nil).call("GET", "/livez")
        }
        #expect(failure?.description.hasPrefix("no answer from 127.0.0.1:1 (") == true)
        for command in [["status"], ["drain"], ["undrain"]] {
            var parsed = try? Needletail.parseAsRoot(command + ["--ops", "127.0.0.1:1"]) as? any AsyncParsableCommand
            let code = await #expect(throws: ExitCode.self) { try await parsed?.run() }
            #expect(code == Operator.silent)
        }
    }
}
