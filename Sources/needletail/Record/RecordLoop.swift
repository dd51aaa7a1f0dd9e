import Agents
import Foundation
import Glibc
import Recording
import Synchronization

/// The thread that captures: it owns the recording, the certificate and all sessions, and waits for their sockets. Others hand it
/// what it is to do.
final class RecordLoop: Sendable {
    /// What the thread owns.
    final class State {
        let recording: MeetingRecording
        let certificate: Certificate
        /// By number, as who asked for them knows them.
        fileprivate(set) var players: [Int: RecordPlayer] = [:]

        init(recording: MeetingRecording, certificate: Certificate) {
            self.recording = recording
            self.certificate = certificate
        }
    }

    /// ms that it waits for packets at most: how late what others hand it may be.
    private static let turn: Int32 = 10
    private static let advanceInterval: UInt64 = 20_000_000

    private struct Orders {
        var waiting: [@Sendable (State, UInt64) -> Void] = []
        var isEnding = false
    }

    private let orders = Mutex(Orders())
    /// Hears of a session that is lost, with its number; of its thread.
    private let onLost: @Sendable (Int, String) -> Void
    let fingerprint: Fingerprint
    private let ended = DispatchSemaphore(value: 0)

    /// ns, monotonic.
    static var now: UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    /// - Parameter make: makes the recording, on the thread that is to own it.
    init(
        make: @escaping @Sendable (_ now: UInt64) throws -> MeetingRecording,
        onLost: @escaping @Sendable (Int, String) -> Void
    ) throws {
        let made = Mutex<Result<Fingerprint, any Error>?>(nil)
        let isMade = DispatchSemaphore(value: 0)
        let handoff = Mutex<RecordLoop?>(nil)
        let mayBegin = DispatchSemaphore(value: 0)
        let thread = Thread {
            do {
                let certificate = try Certificate(notBefore: Int(Date().timeIntervalSince1970) - 86_400)
                let state = State(recording: try make(Self.now), certificate: certificate)
                made.withLock { $0 = .success(certificate.fingerprint) }
                isMade.signal()
                mayBegin.wait()
                handoff.withLock { $0 }?.run(state)
            } catch {
                made.withLock { $0 = .failure(error) }
                isMade.signal()
            }
        }
        thread.name = "recording"
        thread.start()
        isMade.wait()
        fingerprint = try made.withLock { try $0!.get() }
        self.onLost = onLost
        handoff.withLock { $0 = self }
        mayBegin.signal()
    }

    /// Has the thread do something soon.
    func perform(_ order: @escaping @Sendable (State, UInt64) -> Void) {
        orders.withLock { $0.waiting.append(order) }
    }

    /// Ends the recording, and returns when its files are told to the disk.
    func end() {
        orders.withLock { $0.isEnding = true }
        ended.wait()
    }

    private func run(_ state: State) {
        var nextAdvance: UInt64 = 0
        while true {
            let (waiting, isEnding) = orders.withLock { orders in
                defer { orders.waiting = [] }
                return (orders.waiting, orders.isEnding)
            }
            let now = Self.now
            for order in waiting { order(state, now) }
            if isEnding {
                for player in state.players.values { player.close() }
                state.recording.end(now: now)
                ended.signal()
                return
            }
            wait(state)
            let arrival = Self.now
            if arrival >= nextAdvance {
                nextAdvance = arrival + Self.advanceInterval
                advance(state, now: arrival)
            }
        }
    }

    /// Until packets come, for a turn; and takes them.
    private func wait(_ state: State) {
        let players = Array(state.players.values)
        var entries = players.map { pollfd(fd: $0.socket.descriptor, events: Int16(POLLIN), revents: 0) }
        guard poll(&entries, nfds_t(entries.count), Self.turn) > 0 else { return }
        let now = Self.now
        for (player, entry) in zip(players, entries) where entry.revents != 0 { player.receive(now: now) }
    }

    private func advance(_ state: State, now: UInt64) {
        for (number, player) in state.players {
            player.advance(now: now)
            if case .lost(let reason) = player.session.state {
                state.players[number] = nil
                onLost(number, reason)
            }
        }
        state.recording.advance(now: now)
    }
}

extension RecordLoop.State {
    func add(_ player: RecordPlayer, as number: Int) { players[number] = player }

    func remove(_ number: Int) { players.removeValue(forKey: number)?.close() }
}
