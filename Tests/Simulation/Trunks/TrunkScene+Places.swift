import Mailbox

@testable import Conference
@testable import Dataplane

/// What holds of the directors' places, and in the end.
extension TrunkScene {
    /// Workers that have read every command hold what their director believes, and each source comes once.
    func checkPlaces() async {
        for (number, director) in directors.enumerated() {
            let reading = await director.trunkReading()
            if reading.sources.count != Set(reading.sources).count { fail("PoP \(number) takes one source twice") }
            for worker in worlds[number].mailboxes.indices where reading.isIdle[worker] {
                let tables = worlds[number].worker(worker)
                let held = [tables.pointee.cascade.lanes.count, tables.pointee.cascade.crossings.count]
                if held != reading.places[worker] {
                    fail(
                        "worker \(worker) of PoP \(number) holds \(held) Lanes and Crossings, not \(reading.places[worker])"
                    )
                }
                let come = (0..<tables.pointee.tracks.capacity).map { tables.pointee.tracks.handle(at: $0) }
                    .filter { tables.pointee.tracks.find($0)?.pointee.source.lane != nil }
                if Set(come) != reading.imports.filter({ $0.worker == worker }) {
                    fail("worker \(worker) of PoP \(number) has other Tracks of Lanes than the director believes")
                }
            }
        }
    }

    /// As many come as go, as all agree.
    func checkAgreement() async {
        var readings: [MediaDirector.TrunkReading] = []
        for director in directors { readings.append(await director.trunkReading()) }
        let come = readings.reduce(0) { $0 + $1.imports.count }
        let go = readings.reduce(0) { $0 + $1.places.reduce(0) { $0 + $1[1] } }
        if come != go { fail("\(come) Tracks come, and \(go) go") }
    }

    /// Everybody leaves: no place is in use anywhere.
    func empty() async {
        for client in ordered { await leave(client.number) }
        await run(13_000, step: 100)
        for (number, director) in directors.enumerated() {
            let left = await director.placesLeft
            if left.contains(where: { $0 != 0 }) { fail("PoP \(number) keeps places: \(left)") }
            if await !director.isForgotten { fail("PoP \(number) keeps something of somebody") }
            for worker in worlds[number].mailboxes.indices {
                let tables = worlds[number].worker(worker)
                let held = [
                    tables.pointee.sessions.count, tables.pointee.tracks.count, tables.pointee.slots.count,
                    tables.pointee.cascade.lanes.count, tables.pointee.cascade.crossings.count,
                ]
                if held != [0, 0, 0, 0, 0] { fail("worker \(worker) of PoP \(number) keeps \(held)") }
            }
        }
    }
}

extension MediaDirector {
    struct TrunkReading: Sendable {
        var sources: [SourceID] = []
        var imports: Set<TrackHandle> = []
        /// By worker: Lanes and Crossings that are open, as its worker must have them.
        var places: [[Int]] = []
        var isIdle: [Bool] = []
    }

    func trunkReading() -> TrunkReading {
        var reading = TrunkReading()
        reading.sources = trunks.imports.values.map(\.source)
        reading.imports = Set(trunks.imports.values.filter(\.isOpen).map(\.handle))
        reading.isIdle = workers.map(\.isIdle)
        for worker in workers.indices {
            let inbound = trunks.trunks.values.flatMap(\.inbound.values).count {
                $0.isOpen && $0.end.handle.worker == worker
            }
            let outbound = trunks.trunks.values.flatMap(\.outbound.values).count { $0.end.handle.worker == worker }
            let crossings = trunks.trunks.values.flatMap(\.exports.values).count { $0.crossing?.worker == worker }
            reading.places.append([inbound + outbound, crossings])
        }
        return reading
    }

    var placesLeft: [Int] {
        workers.flatMap { [$0.sessions.used, $0.tracks.used, $0.slots.used, $0.lanes.used, $0.crossings.used] }
    }
}
