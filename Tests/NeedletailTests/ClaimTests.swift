import Foundation
import Testing

@testable import needletail

/// What a node takes before it changes anything; of several that start at the same time one has it.
struct ClaimTests {
    /// A node on a device that nobody else could want, with these listeners.
    private func configuration(api: String, ops: String) throws -> NodeConfiguration {
        let file = FileManager.default.temporaryDirectory.appending(path: "claim-\(UUID().uuidString).yaml")
        defer { try? FileManager.default.removeItem(at: file) }
        let text = """
            port: {device: net_null0, addresses: ["192.0.2.2/24"]}
            workers: {cores: [0]}
            api: {listen: "\(api)"}
            ops: {listen: "\(ops)"}

            """
        try text.write(to: file, atomically: true, encoding: .utf8)
        return try NodeConfiguration(ConfigurationFile(path: file.path))
    }

    /// Ports of loopback that are free now.
    private func ports(_ count: Int) throws -> [Int] {
        let handles = (0..<count).map { _ in socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0) }
        defer { for handle in handles { close(handle) } }
        return try handles.map { handle in
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
            var size = socklen_t(MemoryLayout<sockaddr_in>.size)
            let isBound = withUnsafeMutablePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(handle, $0, size) == 0 && getsockname(handle, $0, &size) == 0
                }
            }
            try #require(isBound)
            return Int(UInt16(bigEndian: address.sin_port))
        }
    }

    @Test func ofTwoThatStartAtOnceOneHasTheListeners() throws {
        let ports = try ports(4)
        let first = try configuration(api: "127.0.0.1:\(ports[0])", ops: "127.0.0.1:\(ports[1])")
        let claim = try Claim(first)
        let process = "a node that runs has it (process \(getpid()))"
        let failure = #expect(throws: ListenFailure.self) { try Claim(first) }
        #expect(failure?.description.contains("127.0.0.1 port \(ports[0]): \(process)") == true)
        #expect(failure?.description.contains("api.listen") == true)
        // Another listener of another spelling.
        let second = try configuration(api: "127.0.0.1:\(ports[2])", ops: "localhost:\(ports[1])")
        let other = #expect(throws: ListenFailure.self) { try Claim(second) }
        #expect(other?.description.contains("port \(ports[1]): \(process)") == true)
        // One that failed has nothing.
        let third = try configuration(api: "127.0.0.1:\(ports[2])", ops: "127.0.0.1:\(ports[3])")
        try Claim(third).release()
        claim.release()
        try Claim(first).release()
    }
}
