import ArgumentParser
import Foundation

/// What all commands for people share: an error is one line, and scripts tell by the exit code what to do about it.
enum Operator {
    /// The node did not answer; 1 is that it answered no.
    static let silent = ExitCode(2)

    static func run(_ body: () async throws -> Void) async throws {
        do {
            try await body()
        } catch let error where !(error is ExitCode) {
            LineWriter.standardError.write("needletail: \(error)\n")
            throw error is OpsClient.Silence ? silent : ExitCode.failure
        }
    }
}

/// `GET /api/v1/node`, as far as people read it.
struct NodeAnswer: Decodable {
    struct Pop: Decodable {
        var id: Int
        var region: String?
    }

    struct Places: Decodable {
        var used: Int
        var limit: Int
    }

    struct Load: Decodable {
        struct Rate: Decodable {
            var receive: Double
            var transmit: Double
        }

        var busyRatio: Double
        var packetsPerSecond: Rate
        var bitsPerSecond: Rate
    }

    var pop: Pop
    var version: String
    var state: String
    var participants: Int
    var meetings: Int
    var drainDeadlineS: Int?
    var sessions: Places
    var allocations: Int
    var load: Load

    var sentence: String {
        let name = "PoP \(pop.id)" + (pop.region.map { " (\($0))" } ?? "")
        let relayed = allocations == 0 ? "" : ", \(allocations) \(allocations == 1 ? "allocation" : "allocations")"
        let inside = "\(participants) \(participants == 1 ? "participant" : "participants") inside" + relayed
        return switch state {
        case "draining": "\(name) is draining: \(inside), \(drainDeadlineS ?? 0) s left"
        case "drained": "\(name) is drained: \(inside), no newcomers until needletail undrain"
        default: "\(name) serves: \(inside)"
        }
    }

    var figures: String {
        let sent = (load.packetsPerSecond.transmit.rounded(), load.bitsPerSecond.transmit / 1_000_000)
        return "needletail \(version): \(meetings) meetings, \(sessions.used) of \(sessions.limit) sessions, "
            + "busy \(String(format: "%.0f", load.busyRatio * 100))%, "
            + "sends \(String(format: "%.0f", sent.0)) packets/s, \(String(format: "%.1f", sent.1)) Mbit/s"
    }
}

/// `GET /readyz`.
struct HealthAnswer: Decodable {
    struct Condition: Decodable {
        var name: String
        var met: Bool
        var detail: String
        var since: String

        var line: String {
            let word = (met ? "ok" : "NOT MET").padding(toLength: 8, withPad: " ", startingAt: 0)
            return "\(word) \(name): \(detail) (since \(since))"
        }
    }

    var ready: Bool
    var conditions: [Condition]
}
