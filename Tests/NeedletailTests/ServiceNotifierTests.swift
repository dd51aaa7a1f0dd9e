import Api
import Foundation
import Meetings
import Testing

@testable import needletail

/// What the service manager hears.
@Suite(.timeLimit(.minutes(1))) struct ServiceNotifierTests {
    /// A datagram socket as the service manager has it.
    private final class Manager {
        let handle = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        let path = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).sock").path

        init() throws {
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
            let bound = withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(handle, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
            try #require(bound == 0)
            // A datagram that never comes fails the test instead of holding it.
            var patience = timeval(tv_sec: 5, tv_usec: 0)
            setsockopt(handle, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        }

        deinit {
            close(handle)
            unlink(path)
        }

        func next() -> String {
            var bytes = [UInt8](repeating: 0, count: 4_096)
            let count = recv(handle, &bytes, bytes.count, 0)
            return String(decoding: bytes.prefix(max(count, 0)), as: UTF8.self)
        }
    }

    @Test func whatIsSentArrivesAtTheManagersSocket() throws {
        let manager = try Manager()
        let socket = try #require(NotifySocket(["NOTIFY_SOCKET": manager.path]))
        socket.send("READY=1\nSTATUS=serving")
        #expect(manager.next() == "READY=1\nSTATUS=serving")
        socket.send("WATCHDOG=1")
        #expect(manager.next() == "WATCHDOG=1")
    }

    @Test(arguments: [[:], ["NOTIFY_SOCKET": "relative"], ["NOTIFY_SOCKET": String(repeating: "/a", count: 60)]])
    func withoutASocketNobodyIsTold(environment: [String: String]) {
        #expect(NotifySocket(environment) == nil)
    }

    @Test func aManagerThatIsGoneHarmsNobody() throws {
        try #require(NotifySocket(["NOTIFY_SOCKET": "/nowhere/socket"])).send("READY=1")
        try #require(NotifySocket(["NOTIFY_SOCKET": "@needletail-nobody"])).send("READY=1")
    }

    @Test func readinessIsToldOnceAndLifeWhileWorkersTurn() {
        var notices = ServiceNotices(hasWatchdog: true)
        let serving = Drain().state
        #expect(notices.next(isListening: false, isAlive: true, drain: serving) == ["WATCHDOG=1"])
        #expect(
            notices.next(isListening: true, isAlive: true, drain: serving)
                == ["READY=1", "STATUS=serving", "WATCHDOG=1"])
        #expect(notices.next(isListening: true, isAlive: true, drain: serving) == ["WATCHDOG=1"])
        #expect(notices.next(isListening: true, isAlive: false, drain: serving) == [])
    }

    @Test func aStopAsksForTimeWhileItDrains() {
        var notices = ServiceNotices(hasWatchdog: false)
        let drain = Drain()
        let now = Timestamp(milliseconds: 0)
        drain.begin(for: .seconds(60), at: now)
        _ = notices.next(isListening: true, isAlive: true, drain: drain.state)
        // A drain that does not end the process is no stop.
        #expect(notices.next(isListening: true, isAlive: true, drain: drain.state) == [])
        drain.begin(for: .seconds(60), stops: true, at: now)
        #expect(
            notices.next(isListening: true, isAlive: true, drain: drain.state)
                == ["STOPPING=1", "STATUS=draining", "EXTEND_TIMEOUT_USEC=30000000"])
        #expect(
            notices.next(isListening: true, isAlive: true, drain: drain.state) == ["EXTEND_TIMEOUT_USEC=30000000"])
    }
}
