import Mailbox
import Wire

@testable import Agents

/// A TURN client of the tests: Allocate requests with credentials, as they come to control.
struct TURNClientDraft {
    static let realm = "needletail"

    var username: String
    var password: String
    var address = "203.0.113.5"
    var port: UInt16 = 40_000

    /// With a time-limited credential.
    init(user: String, secrets: TURNSecrets, now: Int64, address: String = "203.0.113.5", port: UInt16 = 40_000) {
        let issued = secrets.issue(user: user, lifetime: 600, now: now)
        username = issued?.username ?? ""
        password = issued?.credential ?? ""
        self.address = address
        self.port = port
    }

    var client: TURNClient {
        let endpoint = Endpoint(address: IPAddress(address)!, port: port)
        return TURNClient(
            transport: .udp, endpoint: endpoint, remote: endpoint, local: Endpoint("192.0.2.2:3478")!)
    }

    /// Signed, unless there is no password.
    func request(transaction: UInt64 = 1) -> TURNRequest {
        let id = STUNTransactionID(high: 7, low: transaction)
        var room = [UInt8](repeating: 0, count: 1_000)
        let count = room.withUnsafeMutableBytes { room -> Int in
            guard
                var writer = STUNWriter(into: room, class: .request, method: STUNMethod.allocate, transactionID: id)
            else { return 0 }
            writer.add(STUNAttributeType.requestedTransport, UInt32(17) << 24)
            for (type, text) in [
                (STUNAttributeType.username, username), (STUNAttributeType.realm, Self.realm),
                (STUNAttributeType.nonce, "a nonce"),
            ] {
                Array(text.utf8).withUnsafeBytes { writer.add(type, $0) }
            }
            if !password.isEmpty, let covered = writer.beginIntegrity() {
                let key = TURNKey(username: username.utf8, realm: Self.realm, password: password)
                Hash.hmac(covered, key: key.bytes, .sha1).withUnsafeBytes { writer.endIntegrity($0.baseAddress!) }
            }
            return writer.finish()
        }
        var request = TURNRequest(client: client, transaction: id)
        _ = room.withUnsafeBytes { request.fill(UnsafeRawBufferPointer(rebasing: $0.prefix(count))) }
        return request
    }
}
