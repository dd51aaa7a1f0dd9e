import Conference
import Fleet
import Meetings
import Synchronization

@testable import Api

/// A value that a task leaves.
final class Noted<Value: Sendable>: Sendable {
    private let state = Mutex<Value?>(nil)
    var value: Value? {
        get { state.withLock { $0 } }
        set { state.withLock { $0 = newValue } }
    }
}

/// A hub as a simulation looks at it.
struct HubLook: Sendable {
    struct Person: Sendable {
        var meeting: MeetingID
        var media: MediaState
        var role: Role
        var isElsewhere: Bool
        var isArriving: Bool
        var isVisible: Bool
        var socket: ObjectIdentifier?
        var hasPublication: Bool
    }

    var people: [ParticipantID: Person] = [:]
    var meetings: Set<MeetingID> = []
    var shares: Set<MeetingID> = []
    var copies: [MeetingID: SharedMeeting] = [:]
    /// Meetings that are here for the case that their Homes are lost.
    var standbys: Set<MeetingID> = []
    var openings = 0
    var requests = 0
}

extension MeetingHub {
    /// Calls that wait for the fleet.
    var waitingCalls: Int {
        openingCount + requestSubjects.values.count { if case .decision = $0 { true } else { false } }
    }

    private var openingCount: Int {
        let waiters = Mirror(reflecting: openings).descendant("waiters")
        return (waiters as? [MeetingID: [UInt64: MeetingOpenings.Waiter]])?.values.reduce(0) { $0 + $1.count } ?? 1_000
    }

    private var requestSubjects: [UInt64: SharedRequests.Subject] {
        Mirror(reflecting: requests).descendant("subjects") as? [UInt64: SharedRequests.Subject] ?? [:]
    }

    var look: HubLook {
        var look = HubLook()
        for meeting in catalog.meetings.values {
            look.meetings.insert(meeting.id)
            for person in meeting.participants.values {
                let line = lines[person.id]
                look.people[person.id] = HubLook.Person(
                    meeting: meeting.id, media: person.media, role: person.role, isElsewhere: person.isElsewhere,
                    isArriving: line?.arrivingUntil != nil, isVisible: person.presence.isVisible,
                    socket: line?.socket.map { ObjectIdentifier($0) }, hasPublication: line?.publication != nil)
            }
        }
        look.shares = Set(shares.keys)
        look.standbys = Set(shares.values.filter(\.isQuiet).map(\.id))
        look.copies = shares.mapValues(\.copy)
        look.openings = openingCount
        look.requests = requestSubjects.count
        return look
    }
}

/// What must be so.
extension SharedSimulation {
    /// At any time.
    func check() async {
        for call in calls where fleet.now - call.since > .seconds(5) { blame("\(call.name) waits since \(call.since)") }
        var local: [ParticipantID: SharedNode] = [:]
        var twice: [ParticipantID: Duration] = [:]
        for node in fleet.nodes {
            for (id, person) in await node.hub.look.people where !person.isElsewhere && !person.isArriving {
                if node.remotes[id] != nil { blame("\(id) is at \(node.pop), and remote there") }
                if let other = local.updateValue(node, forKey: id), areOne(node, other, person.meeting) {
                    twice[id] = doubles[id] ?? fleet.now
                    // Two that take it in at once find that out within a second.
                    if fleet.now - twice[id]! > .seconds(3) { blame("\(id) is at \(node.pop) and \(other.pop)") }
                }
            }
        }
        doubles = twice
    }

    /// Whether two PoPs have the same history of a meeting now.
    private func areOne(_ a: SharedNode, _ b: SharedNode, _ meeting: MeetingID) -> Bool {
        guard let one = a.exchange.replica(of: meeting), let other = b.exchange.replica(of: meeting) else {
            return false
        }
        return a.exchange.isSynced(meeting) && b.exchange.isSynced(meeting) && one.home == other.home
            && one.instance == other.instance && one.revision == other.revision
            && fleet.isLinked(fleet.nodes.firstIndex { $0 === a }!, fleet.nodes.firstIndex { $0 === b }!)
    }

    /// When all is linked again and some time has passed.
    func checkEnd() async {
        guard violations.isEmpty else { return }
        var looks: [HubLook] = []
        for node in fleet.nodes { looks.append(await node.hub.look) }
        for meeting in meetings { check(meeting.id, looks) }
        // What the PoPs knew that were killed since, nobody may know.
        for (index, before) in ended
        where before == kills && looks.contains(where: { $0.shares.contains(meetings[index].id) }) {
            blame("\(meetings[index].id) was ended, and goes on")
        }
        for (node, look) in zip(fleet.nodes, looks) {
            if look.openings > 0 || look.requests > 0 { blame("\(node.pop) has openings or requests") }
            if look.shares != look.meetings { blame("\(node.pop) shares other meetings than it has") }
            for (id, _) in node.remotes
            where look.people[id].map({ $0.isElsewhere && !look.standbys.contains($0.meeting) }) != true {
                blame("\(id) is remote at \(node.pop)")
            }
        }
        for client in clients {
            guard let socket = client.socket else { continue }
            let node = fleet.nodes.firstIndex { $0 === client.node }
            guard let node, looks[node].people[client.id]?.socket == ObjectIdentifier(socket) else {
                blame("\(short(client)) is not at \(client.node.pop)")
                continue
            }
            check(client, looks)
            if let copy = looks[node].copies[meetings[client.meeting].id] {
                check(client, copy.chat)
                check(client, copy.breakouts)
                check(client, copy.questions, as: looks[node].people[client.id]?.role ?? .participant)
            }
        }
    }

    /// Whether it knows who is in which room, and the media side of its PoP too.
    private func check(_ client: SimulatedClient, _ breakouts: Breakouts) {
        if client.rooms != breakouts.rooms.map(\.id.rawValue) {
            blame("\(short(client)) knows rooms \(client.rooms), and not \(breakouts.rooms)")
        }
        func present(_ all: [ParticipantID: BreakoutRoomID]) -> [String: String] {
            var places: [String: String] = [:]
            for (id, room) in all where client.others[id.rawValue] != nil || id == client.id {
                places[id.rawValue] = room.rawValue
            }
            return places
        }
        let places = present(breakouts.places)
        if client.places != places { blame("\(short(client)) has people at \(client.places), who are at \(places)") }
        let told = client.node.media.arrangement(of: meetings[client.meeting].id) ?? Breakouts()
        if present(told.places) != places || told.voice != breakouts.voice {
            blame("the media side at \(client.node.pop) has people at \(told.places)")
        }
    }

    /// Whether it has all questions that it may read, as they are now.
    private func check(_ client: SimulatedClient, _ book: QuestionBook, as role: Role) {
        if client.role != role.rawValue { blame("\(short(client)) takes itself for \(client.role), and is \(role)") }
        var known: [String: String] = [:]
        for question in book.questions where question.isReadable(by: client.id, role) {
            known[question.id.rawValue] =
                "\(question.state.rawValue) \(question.asker == client.id) \(question.answer?.text ?? "")"
        }
        if client.questions != known { blame("\(short(client)) knows \(client.questions), and not \(known)") }
    }

    /// Hosts alone are told of those who only watch.
    private func isShown(_ person: HubLook.Person, to client: SimulatedClient, _ looks: [HubLook]) -> Bool {
        let own = looks.lazy.compactMap { $0.people[client.id] }.first { !$0.isElsewhere }
        return person.role != .attendee || own?.role.controls == true
    }

    /// Whether it was told all that was written since it joined, and each message as it is now.
    private func check(_ client: SimulatedClient, _ log: ChatLog) {
        let last = client.lastChat.flatMap { ChatMessageID($0) }
        // What the PoPs knew that were killed since, nobody may know.
        let start = last.map { log[$0]?.number ?? .max } ?? 0
        for message in log.messages where message.isReadable(by: .participant(client.id)) {
            guard let told = client.chat[message.id.rawValue] else {
                if message.number > start { blame("\(short(client)) was not told \(message.id)") }
                continue
            }
            if told.text != message.text || told.isDeleted != message.isDeleted {
                blame("\(short(client)) knows \(message.id) as it was before")
            }
        }
        if kills == 0, let lost = client.chat.keys.first(where: { log[ChatMessageID($0)!] == nil }) {
            blame("\(lost) was told to \(short(client)), and is lost")
        }
    }

    private func check(_ client: SimulatedClient, _ looks: [HubLook]) {
        var truth: [String: MediaState] = [:]
        var roles: [String: String] = [:]
        for look in looks {
            for (id, person) in look.people
            where person.meeting == meetings[client.meeting].id && !person.isElsewhere && person.isVisible
                && id != client.id && isShown(person, to: client, looks)
            {
                truth[id.rawValue] = person.media
                // In lists there is no word of it.
                truth[id.rawValue]?.mutedByHost = false
                roles[id.rawValue] = person.role.rawValue
            }
        }
        if truth == client.others, roles != client.roles { blame("\(short(client)) knows other roles than \(roles)") }
        guard truth != client.others else { return }
        let (missing, more) = (
            Set(truth.keys).subtracting(client.others.keys), Set(client.others.keys).subtracting(truth.keys)
        )
        let others = truth.filter { client.others[$0.key] != nil && client.others[$0.key] != $0.value }.keys
        blame(
            "\(short(client)) at \(client.node.pop) lacks \(missing), has \(more), with other media \(others.sorted())")
    }

    /// A meeting with people at its Home alone has one standby, any other has none.
    private func checkStandbys(of meeting: MeetingID, _ looks: [HubLook], isOfHomeAlone: Bool) {
        let standbys = looks.indices.filter { looks[$0].standbys.contains(meeting) }.map { fleet.nodes[$0].pop }
        if standbys.count != (isOfHomeAlone ? 1 : 0) { blame("\(meeting) has standbys \(standbys)") }
    }

    private func check(_ meeting: MeetingID, _ looks: [HubLook]) {
        let local = looks.map { look in look.people.filter { $0.value.meeting == meeting && !$0.value.isElsewhere } }
        let homes = fleet.nodes.filter { $0.exchange.isHome(of: meeting) }
        let isUsed = local.contains { !$0.isEmpty }
        if homes.count > 1 || homes.isEmpty && isUsed { blame("\(meeting) has Homes \(homes.map(\.pop))") }
        let copies = fleet.nodes.compactMap { $0.exchange.replica(of: meeting)?.body }
        if let first = copies.first, copies.contains(where: { $0 != first }) { blame("copies of \(meeting) differ") }
        let pops = fleet.nodes.indices.filter { !local[$0].isEmpty }.map { fleet.nodes[$0].pop }.sorted()
        if let copy = copies.first, copy.pops != pops { blame("\(meeting) is at \(pops), the copy says \(copy.pops)") }
        checkStandbys(of: meeting, looks, isOfHomeAlone: isUsed && pops == homes.map(\.pop))
        for (index, node) in fleet.nodes.enumerated() {
            let here = local[index]
            let isStandby = looks[index].standbys.contains(meeting)
            if here.isEmpty, !isStandby, !node.exchange.isHome(of: meeting),
                looks[index].meetings.contains(meeting)
                    || node.exchange.replica(of: meeting) != nil
            {
                blame("\(node.pop) keeps \(meeting), where nobody is")
            }
            guard looks[index].meetings.contains(meeting) else { continue }
            let peers = isStandby ? [] : pops.filter { $0 != node.pop }
            if node.peers[meeting] ?? [] != peers {
                blame("peers of \(node.pop) are \(node.peers[meeting] ?? []), not \(peers)")
            }
            for other in looks.indices where other != index && !isStandby {
                for (id, person) in local[other] where person.hasPublication {
                    guard person.role != .attendee else {
                        if node.remotes[id] != nil { blame("\(id) only watches, and is remote at \(node.pop)") }
                        continue
                    }
                    if node.remotes[id]?.pop != fleet.nodes[other].pop { blame("\(id) is not remote at \(node.pop)") }
                    if node.remotes[id]?.state
                        != PublishedMedia(
                            audio: person.media.audio, video: person.media.video, screen: person.media.screen,
                            isSilenced: person.media.mutedByHost)
                    {
                        blame("\(id) publishes something else")
                    }
                }
            }
        }
    }
}
