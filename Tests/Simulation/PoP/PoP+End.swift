import Wire

@testable import Api
@testable import Conference
@testable import Dataplane

/// How a simulated PoP comes to rest, and is emptied.
extension PoP {
    /// Nothing goes wrong any more: everybody comes back, and sees and hears whom it was told.
    func settle() async {
        step += 1
        world.port.inbound = .init()
        world.port.outbound = .init()
        for worker in releases.keys { releases[worker] = 0 }
        for client in clients { client.transport?.isCut = false }
        // Until those who lost their transport know it.
        await pass(100_000_000)
        await pass(9_000_000_000)
        for round in 0..<8 where round < 2 || !missing.isEmpty {
            // A handshake that was cut off repeats its flights ever more rarely (RFC 6347 section 4.2.4.1).
            if round >= 2 { await pass(9_000_000_000) }
            for client in clients where !client.isGone && client.socket == nil { await replaceSocket(client) }
            for client in clients where !client.isGone {
                client.noticeLoss()
                client.forgive()
                if client.needsOffer { await makeOffer(client) }
            }
            for _ in 0..<2 { await pass(100_000_000) }
        }
        for client in missing { fail("client \(client.number) does not get back") }
        for round in 0..<12 {
            for _ in 0..<8 {
                sendMedia()
                await pass(60_000_000)
            }
            let start = world.now
            sendMedia()
            await pass(20_000_000)
            let wrong = notShown(since: start)
            // A publisher that did not answer while it was away is asked less often for a while.
            await checkAll()
            guard !wrong.isEmpty, round < 11 else { return wrong.forEach(fail) }
        }
    }

    /// Those who have a place and no media.
    private var missing: [PoPClient] {
        clients.filter { !$0.isGone && $0.transport?.isConnected != true && !$0.errors.contains("full") }
    }

    /// Each Slot carries whom it was told to carry, where that one sends: what is not so.
    private func notShown(since start: UInt64) -> [String] {
        var wrong: [String] = []
        for viewer in clients where viewer.isListening {
            guard let transport = viewer.transport, transport.isConnected else { continue }
            for (mid, tile) in viewer.tiles {
                guard let source = client(tile.occupant), source.transport?.isConnected == true else { continue }
                let isSending =
                    switch tile.source {
                    case "audio": source.state.audio
                    case "video": source.state.video
                    default: source.state.screen
                    }
                guard isSending else { continue }
                guard let shown = tile.shown, shown.time >= start, shown.publisher == source.number else {
                    wrong.append("client \(viewer.number) does not get \(source.number) in Slot \(mid)")
                    continue
                }
                if tile.source != "audio", !course.losesEvents, !viewer.wasDeaf, tile.picture != source.id {
                    wrong.append("client \(viewer.number) sees \(source.number) in Slot \(mid), and was not told")
                }
            }
        }
        return wrong
    }

    /// Everybody leaves: nothing of anybody is left.
    func empty() async {
        step += 1
        for client in clients where !client.isGone {
            if client.isListening { await leave(client) } else { await client.drop() }
        }
        await takeNews()
        // The grace of those without a socket, and the patience with a worker's lost word.
        for _ in 0..<24 { await pass(1_000_000_000) }
        let reading = await director.reading()
        for (number, worker) in reading.workers.enumerated() {
            if worker.used != .init() { fail("the director keeps places of worker \(number): \(worker.used)") }
            let tables = world.worker(number)
            let left = [tables.pointee.sessions.count, tables.pointee.tracks.count, tables.pointee.slots.count]
            if left != [0, 0, 0] { fail("worker \(number) keeps \(left) entries") }
        }
        tally.runaways = await media.runaways
        if await !director.isForgotten { fail("the director keeps something of somebody") }
        let kept = await hub.kept
        if kept != [0, 0, 0] { fail("the hub keeps lines, feeds, people: \(kept)") }
    }
}

extension MeetingHub {
    /// Lines, feeds and participants.
    var kept: [Int] { [lines.count, feeds.count, catalog.participantCount] }
}
