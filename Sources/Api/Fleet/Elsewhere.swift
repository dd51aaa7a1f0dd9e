import Fleet
import Hummingbird
import Meetings

/// The way to a meeting that another PoP of the fleet has.
struct Elsewhere: Equatable, Sendable {
    /// What clients reach that PoP by, without a slash at its end.
    var url: String
    /// The PoPs that sent the client on, this one the last: it says them there, so that it is never sent in a circle.
    var via: [PoPName]
    /// What clients reach other PoPs by that they may go to instead, the best first.
    var others: [String] = []

    /// Of its signaling socket.
    var signalingURL: String { ApiConfiguration.socket(at: url) }
    /// Of the others' sockets.
    var alternates: [String] { others.map(ApiConfiguration.socket) }

    /// The same call there.
    func location(of request: Request) -> String {
        let rest = (request.uri.query ?? "").split(separator: "&").filter { !$0.hasPrefix("via=") }
        let query = rest.map(String.init) + ["via=" + via.map(\.rawValue).joined(separator: ",")]
        return url + request.uri.path + "?" + query.joined(separator: "&")
    }

    /// - Parameter names: of the PoPs that sent the client on, as it says them.
    /// - Throws: `Problem` 422.
    static func via(_ names: [String]) throws -> [PoPName] {
        let pops = names.compactMap { PoPName($0) }
        guard pops.count == names.count, pops.count <= PlacementPolicy.mostRedirects else {
            throw Problem(422, "invalid_field", "via: at most \(PlacementPolicy.mostRedirects) names of PoPs")
        }
        return pops
    }
}

extension Request {
    /// The PoPs that sent the client here.
    ///
    /// - Throws: `Problem` 422.
    func via() throws -> [PoPName] {
        guard let text = uri.queryParameters["via"], !text.isEmpty else { return [] }
        return try Elsewhere.via(text.split(separator: ",", omittingEmptySubsequences: false).map(String.init))
    }

    /// What is thrown names the same call elsewhere.
    func located<Result>(_ body: () async throws -> Result) async throws -> Result {
        do {
            return try await body()
        } catch var problem as Problem {
            problem.location = problem.elsewhere?.location(of: self)
            throw problem
        }
    }
}

extension Problem {
    static func elsewhere(
        _ elsewhere: Elsewhere, _ detail: String = "Another PoP of the fleet has this meeting."
    ) -> Problem {
        var problem = Problem(307, "elsewhere", detail)
        problem.elsewhere = elsewhere
        return problem
    }

    static let registryUnavailable = Problem(
        503, "registry_unavailable", "No such meeting is here, and whether another PoP has it cannot be said just now.",
        retryAfter: 3)
}
