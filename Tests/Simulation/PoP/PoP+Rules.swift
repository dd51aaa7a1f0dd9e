import Mailbox
import Meetings
import Wire

@testable import Api
@testable import Conference
@testable import Dataplane

/// What holds after every step.
extension PoP {
    func checkAll() async {
        let reading = await director.reading()
        checkPlaces(reading)
        checkWorkers(reading)
        await checkPeople()
        checkTold(reading)
        if reading.isAtRest { checkWanted(reading) }
    }

    /// The director's tables hold its members' places and those that are closing, and nothing else.
    private func checkPlaces(_ reading: PoPReading) {
        for (worker, link) in reading.workers.enumerated() {
            var open = PoPReading.Places()
            var replicas: Set<TrackHandle> = []
            for member in reading.members where member.session.worker == worker {
                open.sessions += 1
                open.tracks += member.tracks.count
                open.slots += member.slots.count
                replicas.formUnion(member.slots.filter { !$0.track.isNone && $0.origin != $0.track }.map(\.track))
            }
            open.tracks += replicas.count
            let most = PoPReading.Places(
                sessions: open.sessions + link.closing.sessions, tracks: open.tracks + link.closing.tracks,
                slots: open.slots + link.closing.slots)
            // A Track's or a Slot's own event may come, and its Session's be lost.
            let isRight =
                !course.losesEvents
                ? link.used == most
                : link.used.sessions == most.sessions && (open.tracks...most.tracks).contains(link.used.tracks)
                    && (open.slots...most.slots).contains(link.used.slots)
            if !isRight { fail("worker \(worker): \(link.used) in use, \(open) open, \(link.closing) closing") }
        }
    }

    /// A worker that has read every command holds what the director believes, in the same Slots.
    private func checkWorkers(_ reading: PoPReading) {
        for (number, link) in reading.workers.enumerated() where link.isIdle {
            let worker = world.worker(number)
            let members = reading.members.filter { $0.session.worker == number }
            let sessions = Set((0..<worker.pointee.sessions.capacity).map { worker.pointee.sessions.handle(at: $0) })
            if sessions.subtracting([.none]) != Set(members.map(\.session)) {
                fail("worker \(number) has other Sessions than the director believes")
            }
            var tracks = Set(members.flatMap(\.tracks))
            for member in members {
                for slot in member.slots {
                    if !slot.track.isNone { tracks.insert(slot.track) }
                    guard let place = worker.pointee.slots.find(slot.handle) else {
                        fail("worker \(number) lacks Slot \(slot.mid) of \(member.id)")
                        continue
                    }
                    if place.pointee.track != slot.track {
                        fail("worker \(number) shows another Track in Slot \(slot.mid) of \(member.id)")
                    }
                }
            }
            if worker.pointee.slots.count != members.reduce(0, { $0 + $1.slots.count }) {
                fail("worker \(number) has Slots of nobody")
            }
            let held = Set((0..<worker.pointee.tracks.capacity).map { worker.pointee.tracks.handle(at: $0) })
            if held.subtracting([.none]) != tracks { fail("worker \(number) has other Tracks than somebody needs") }
        }
        if reading.unfed == 0, reading.workers.allSatisfy(\.isIdle) { checkFeeds(reading) }
    }

    /// Each replica is fed by its source, and by nothing else.
    private func checkFeeds(_ reading: PoPReading) {
        var wanted: [TrackHandle: Set<TrackHandle>] = [:]
        for slot in reading.members.flatMap(\.slots) where !slot.track.isNone && slot.track != slot.origin {
            wanted[slot.origin, default: []].insert(slot.track)
        }
        for number in reading.workers.indices {
            let worker = world.worker(number)
            for index in 0..<worker.pointee.tracks.capacity {
                let handle = worker.pointee.tracks.handle(at: index)
                guard let track = worker.pointee.tracks.find(handle) else { continue }
                let siblings = (0..<reading.workers.count).map { track.pointee.sinks.siblings.replica($0) }
                let fed = Set<TrackHandle>(siblings).subtracting([.none])
                if fed != wanted[handle] ?? [] { fail("worker \(number) feeds other replicas than there are") }
            }
        }
    }

    /// Everybody with a socket knows who is in the meeting, and what each sends.
    private func checkPeople() async {
        for client in clients where client.isListening {
            let roster = await hub.catalog.meetings[meetings[client.home]]?.roster ?? []
            var people: [String: PoPClient.Person] = [:]
            for person in roster where person.id.rawValue != client.id {
                people[person.id.rawValue] = .init(
                    audio: person.media.audio, video: person.media.video, screen: person.media.screen)
            }
            if people != client.people { fail("client \(client.number) was told other people than there are") }
            let own = roster.first { $0.id.rawValue == client.id }?.media
            let state = own.map { PoPClient.Person(audio: $0.audio, video: $0.video, screen: $0.screen) }
            if state != client.state { fail("client \(client.number) sends other media than the hub believes") }
        }
    }

    /// Who has a transport and a socket was told what the director decided.
    private func checkTold(_ reading: PoPReading) {
        for member in reading.members {
            guard let client = client(member.id.rawValue), client.isListening, client.transport != nil else { continue }
            let decided = Dictionary(uniqueKeysWithValues: member.slots.map { ($0.mid, $0.occupant?.rawValue) })
            let told = client.tiles.mapValues(\.occupant)
            if decided != told {
                let wrong = decided.filter { told[$0.key] != $0.value }.keys.sorted()
                fail("client \(client.number) was told otherwise of the Slots \(wrong)")
            }
        }
    }

    // MARK: whom everybody should have

    private func checkWanted(_ reading: PoPReading) {
        for member in reading.members where !reading.starved.contains(member.id) {
            guard let viewer = client(member.id.rawValue), member.slots.contains(where: { $0.kind == .video }) else {
                continue
            }
            let others = reading.members.filter { $0.meeting == member.meeting && $0.id != member.id }
            let shown = member.slots.filter { $0.kind == .video }.compactMap { $0.occupant?.rawValue }
            let named = viewer.view.filter { $0 != viewer.id }
            let order = named.isEmpty ? others.map(\.id.rawValue) : named
            let on = order.filter { id in
                others.contains { $0.id.rawValue == id && $0.kinds.contains(.video) } && client(id)?.state.video == true
            }
            let wanted = Array(on.prefix(viewer.offer.videoSlots))
            if Set(shown) != Set(wanted) || shown.count != wanted.count {
                fail("client \(viewer.number) should see \(wanted), and sees \(shown)")
            }
            checkSound(viewer, member, others)
            let screen = others.first { $0.kinds.contains(.screen) && client($0.id.rawValue)?.state.screen == true }
            if member.slots.first(where: { $0.kind == .screen })?.occupant != screen?.id, viewer.offer.screenSlots > 0 {
                fail("client \(viewer.number) sees another screen than there is")
            }
        }
    }

    private func checkSound(_ viewer: PoPClient, _ member: PoPReading.Member, _ others: [PoPReading.Member]) {
        let heard = member.slots.filter { $0.kind == .audio }.compactMap(\.occupant)
        let publishing = others.filter { $0.kinds.contains(.audio) }
        let open = Set(publishing.map(\.id).filter { client($0.rawValue)?.state.audio == true })
        let count = viewer.offer.audioSlots
        if Set(heard).count != heard.count || heard.count != min(count, publishing.count) {
            fail("client \(viewer.number) hears \(heard.count) of \(publishing.count)")
        }
        if heard.count(where: { open.contains($0) }) != min(count, open.count) {
            fail("client \(viewer.number) hears somebody muted before somebody who is not")
        }
    }
}
