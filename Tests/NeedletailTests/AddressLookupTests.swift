import Dispatch
import NIOCore
import Synchronization
import Testing

@testable import needletail

@Suite(.timeLimit(.minutes(1))) struct AddressLookups {
    /// Answers when it is let.
    private final class Resolver: Sendable {
        private let calls = Mutex(0)
        private let gate = DispatchSemaphore(value: 0)

        var count: Int { calls.withLock { $0 } }

        func answer() { gate.signal() }

        func resolve(_ host: String, _ port: Int) throws -> SocketAddress {
            calls.withLock { $0 += 1 }
            gate.wait()
            return try SocketAddress(ipAddress: "192.0.2.1", port: port)
        }
    }

    @Test(arguments: ["192.0.2.7", "2001:db8::7"])
    func anAddressIsNotLookedUp(_ address: String) async throws {
        let resolver = Resolver()
        let lookup = AddressLookup(host: address, port: 443, resolve: resolver.resolve)
        #expect(try await lookup.address() == SocketAddress(ipAddress: address, port: 443))
        #expect(resolver.count == 0)
    }

    @Test func howeverManyAskTheNameIsLookedUpOnceAtATime() async throws {
        let resolver = Resolver()
        let lookup = AddressLookup(host: "hooks.test", port: 443, resolve: resolver.resolve)
        let asking = (0..<8).map { _ in Task { try await lookup.address() } }
        while resolver.count == 0 { await Task.yield() }
        // Who goes away does not wait for the name server.
        asking[0].cancel()
        await #expect(throws: CancellationError.self) { try await asking[0].value }
        resolver.answer()
        // Whoever came too late for the first is answered by another.
        resolver.answer()
        for task in asking.dropFirst() { #expect(try await task.value.ipAddress == "192.0.2.1") }
        #expect(resolver.count <= 2)
    }

    @Test func aFailureIsTriedAgain() async throws {
        struct Failure: Error {}
        let failed = Mutex(false)
        let lookup = AddressLookup(host: "hooks.test", port: 443) { _, port in
            let isFirst = failed.withLock { failed in
                defer { failed = true }
                return !failed
            }
            if isFirst { throw Failure() }
            return try SocketAddress(ipAddress: "192.0.2.1", port: port)
        }
        await #expect(throws: Failure.self) { try await lookup.address() }
        #expect(try await lookup.address().port == 443)
    }
}
