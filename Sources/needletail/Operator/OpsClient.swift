import Api
import ArgumentParser
import Foundation
import NIOCore
import NIOHTTP1

/// Where a command finds the node's `ops` listener, and by what right it speaks.
struct OpsOptions: ParsableArguments {
    @Option(name: .long, help: "The configuration file of the node, for the address and a key.")
    var config: String?

    @Option(name: .long, help: "The address of the ops listener, as 127.0.0.1:9090.")
    var ops: String?

    @Option(name: .long, help: "A service token with the admin grant, where the listener is not on loopback.")
    var token: String?

    func validate() throws {
        guard ops.map({ OpsAddress($0) != nil }) ?? true else {
            throw ValidationError("--ops must be HOST:PORT, as 127.0.0.1:9090")
        }
    }

    func client() throws -> OpsClient {
        var configuration: ApiConfiguration?
        if let config { configuration = try NodeConfiguration(ConfigurationFile(path: config)).api }
        let listen = configuration?.ops ?? ApiConfiguration().ops
        let address = ops.flatMap(OpsAddress.init) ?? OpsClient.address(of: listen)
        // A loopback listener asks nobody; elsewhere the file that names the keys is the right to use them.
        var bearer = token
        if bearer == nil, let key = configuration?.keys.first { bearer = try key.operatorToken() }
        return OpsClient(address: address, token: bearer)
    }
}

/// Speaks to a node's `ops` listener.
struct OpsClient: Sendable {
    /// An answer that was none of those hoped for: one line for a person.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// The node did not answer at all.
    struct Silence: Error, CustomStringConvertible {
        let description: String
    }

    let address: OpsAddress
    let token: String?

    /// A node that says nothing for so long is silent.
    var patience: Duration = .seconds(5)

    /// What a client connects to: a listener on all addresses is reached on loopback.
    static func address(of listen: ApiConfiguration.Listen) -> OpsAddress {
        OpsAddress(host: ["0.0.0.0": "127.0.0.1", "::": "::1"][listen.host] ?? listen.host, port: listen.port)
    }

    /// - Returns: status and body.
    /// - Throws: `Silence`.
    func call(_ method: String, _ path: String, body: String? = nil) async throws -> (status: Int, body: Data) {
        let request = OpsRequest(method: HTTPMethod(rawValue: method), path: path, token: token, body: body)
        let client = self
        let answer: Result<(status: Int, body: Data), Silence> = await bounded(
            patience, else: .failure(silence("it took too long"))
        ) {
            do {
                return .success(try await request.send(to: client.address, patience: TimeAmount(client.patience)))
            } catch {
                return .failure(client.silence("\(error)"))
            }
        }
        return try answer.get()
    }

    private func silence(_ why: String) -> Silence {
        Silence(
            description: "no answer from \(address) (\(why)): is needletail serve running, and is that its ops.listen?")
    }

    /// The decoded body of a call that went well, or that answered one of `statuses`.
    ///
    /// - Throws: `Failure` with the node's own words, `Silence`.
    func ask<Answer: Decodable>(
        _ method: String, _ path: String, body: String? = nil, as type: Answer.Type, also statuses: Set<Int> = []
    ) async throws -> Answer {
        let (status, data) = try await call(method, path, body: body)
        guard (200..<300).contains(status) || statuses.contains(status) else {
            throw Failure(description: Self.complaint(status, data))
        }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        do {
            return try decoder.decode(type, from: data)
        } catch {
            throw Failure(description: "\(address) answered what needletail does not: is it another program?")
        }
    }

    private struct Problem: Decodable {
        var detail: String
    }

    static func complaint(_ status: Int, _ data: Data) -> String {
        let detail = (try? JSONDecoder().decode(Problem.self, from: data).detail) ?? "no reason given"
        let remedy =
            [401, 403].contains(status) ? "; give --config with the node's keys, or --token with the admin grant" : ""
        return "refused (\(status)): \(detail)\(remedy)"
    }
}
