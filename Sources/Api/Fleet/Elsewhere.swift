import Fleet
import Hummingbird
import Meetings

/// The way to a meeting that another PoP of the fleet has.
struct Elsewhere: Equatable, Sendable {
    /// What clients reach that PoP by, without a slash at its end.
    var url: String
    /// The PoPs that sent the client on, this one the last: it says them there, so that it is never sent in a circle.
    var via: [PoPName]

    /// Of its signaling socket.
    var signalingURL: String { ApiConfiguration.socket(at: url) }

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
}

extension Problem {
    static func elsewhere(_ elsewhere: Elsewhere) -> Problem {
        var problem = Problem(307, "elsewhere", "Another PoP of the fleet has this meeting.")
        problem.elsewhere = elsewhere
        return problem
    }

    static let registryUnavailable = Problem(
        503, "registry_unavailable", "No such meeting is here, and whether another PoP has it cannot be said just now.",
        retryAfter: 3)
}
