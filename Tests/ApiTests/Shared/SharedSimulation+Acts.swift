import Conference
import Fleet
import Meetings

@testable import Api

/// What people and PoPs do.
extension SharedSimulation {
    private static let address = Arrival(way: .socket, address: "192.0.2.1")

    func act() async {
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<25: join()
        case 25..<28: breakOut()
        case 28..<33: await leave()
        case 33..<42: await loseSocket()
        case 42..<57: await comeBack()
        case 57..<66: changeMedia()
        case 66..<70: write()
        case 70..<72: ask()
        case 72..<78: connect()
        case 78..<80: lock()
        case 80..<82: govern()
        case 82: end()
        case 83..<87: await divide()
        case 87..<92: await unite()
        case 92..<94: await kill(.random(in: fleet.nodes.indices, using: &random))
        case 94..<97: setRegistry(chance(60))
        case 97: await drain()
        default: await pass(.seconds(Int.random(in: 2...18, using: &random)))
        }
    }

    private func anybody(_ condition: (SimulatedClient) -> Bool) -> SimulatedClient? {
        clients.filter(condition).randomElement(using: &random)
    }

    private func anyNode() -> SharedNode? {
        fleet.nodes.indices.filter { drains[$0] == nil }.randomElement(using: &random).map { fleet.nodes[$0] }
    }

    private func media() -> ClientMessage.MediaStateChange {
        ClientMessage.MediaStateChange(audio: chance(60), video: chance(40))
    }

    // MARK: People

    private func join() {
        guard clients.count < 12, let node = anyNode() else { return }
        let index = Int.random(in: meetings.indices, using: &random)
        let meeting = meetings[index]
        let reference = chance(50) ? meeting.number.description : meeting.id.rawValue
        let isHost = chance(25)
        let request = JoinRequest(displayName: "Ada", hostKey: isHost ? meeting.hostKey : nil)
        let (socket, media) = (SimulatedSocket(), media())
        let place = Noted<ParticipantID>()
        note("somebody joins \(index) at \(node.pop)")
        call("join", node) { hub in
            let found = try await hub.find(reference)
            let newcomer = try await hub.admit(found.id, request, Self.address)
            do {
                let join = SocketJoin(offer: "offer", mediaState: media, token: "", isFresh: true)
                try await hub.attach(newcomer.id, in: found.id, join, socket)
            } catch {
                await hub.withdraw(newcomer.id)
                throw error
            }
            place.value = newcomer.id
        } _: { [self] isGranted in
            guard isGranted, let id = place.value else { return note("the join at \(node.pop) was refused") }
            clients.append(SimulatedClient(id, in: index, isHost: isHost, at: node, socket))
            note("\(id.rawValue.suffix(5)) is in \(index) at \(node.pop)")
        }
    }

    private func leave() async {
        guard let client = anybody({ $0.socket != nil }) else { return }
        note("\(short(client)) leaves")
        client.isGone = true
        clients.removeAll { $0 === client }
        await closeFormer(client)
        let id = client.id
        call("leave", client.node) { try await $0.leave(id, reason: .left, keepsSocket: true) }
    }

    private func loseSocket() async {
        guard let client = anybody({ $0.socket != nil }), let socket = client.socket else { return }
        note("\(short(client)) loses its socket at \(client.node.pop)")
        client.hear()
        client.socket = nil
        await closeFormer(client)
        await client.node.hub.take([.silent(client.id)])
        await client.node.hub.detach(client.id, socket)
    }

    /// A page closes its former socket when its media is at the other PoP.
    func closeFormers() async {
        for client in clients where client.former != nil {
            if await client.node.hub.look.people[client.id]?.isArriving != true { await closeFormer(client) }
        }
    }

    private func closeFormer(_ client: SimulatedClient) async {
        guard let (node, socket) = client.former else { return }
        client.former = nil
        await node.hub.take([.silent(client.id)])
        await node.hub.detach(client.id, socket)
    }

    /// Whoever lost its socket, or is asked to move, or just wants to, opens one at its PoP or another.
    private func comeBack() async {
        let isLost = chance(70)
        guard let client = anybody({ isLost ? $0.socket == nil : true }), let resume = client.resume,
            let node = chance(30) ? fleet.nodes.first(where: { $0 === client.node }) ?? anyNode() : anyNode()
        else { return }
        let (id, meeting, socket) = (client.id, meetings[client.meeting].id, SimulatedSocket())
        note("\(short(client)) comes from \(client.node.pop) back at \(node.pop), lost \(client.socket == nil)")
        // A page that goes on ends the arrival that it had begun.
        if client.former != nil, let socket = client.socket {
            client.socket = nil
            await client.node.hub.detach(id, socket)
        }
        // As one page has one socket that it opens.
        clients.removeAll { $0 === client }
        call("come back", node) { hub in
            if await hub.mustTakeBack(id) {
                _ = try await hub.takeBack(id, in: meeting, resume: resume, Self.address)
            }
            let join = SocketJoin(resume: resume, offer: "offer", token: "", isFresh: true)
            try await hub.attach(id, in: meeting, join, socket)
        } _: { [self] isGranted in
            clients.append(client)
            // Its PoP was killed meanwhile, and its former socket with it.
            if !fleet.nodes.contains(where: { $0 === client.node }) { client.socket = nil }
            note("\(short(client)) is back at \(node.pop): \(isGranted)")
            guard isGranted else { return }
            // What the former was told meanwhile it did not read.
            client.move(to: node, socket)
        }
    }

    private func changeMedia() {
        guard let client = anybody({ $0.socket != nil }), let socket = client.socket else { return }
        var change = media()
        if chance(30) { change.screen = chance(60) }
        if chance(20) { change.handRaised = chance(50) }
        let id = client.id
        note("\(short(client)) sends \(change)")
        call("media", client.node) { [change] in try await $0.setMedia(change, of: id, socket) }
    }

    /// Something new to all or to one, or its last words otherwise, or not at all.
    private func write() {
        guard let client = anybody({ $0.socket != nil }), let socket = client.socket else { return }
        let id = client.id
        let text = "text \(random.next() % 1_000)"
        let own = client.chat.filter { $0.value.sender == id.rawValue && !$0.value.isDeleted }.map(\.key).max()
        if let own = own.flatMap({ ChatMessageID($0) }), chance(35) {
            let isDeleted = chance(40)
            note("\(short(client)) changes \(own), deleted \(isDeleted)")
            return call("change a chat", client.node) { hub in
                if isDeleted {
                    try await hub.delete(own, by: id, socket)
                } else {
                    try await hub.edit(own, to: text, by: id, socket)
                }
            }
        }
        let others = client.others.keys.sorted()
        let recipient = chance(25) ? others.randomElement(using: &random).flatMap { ParticipantID($0) } : nil
        note("\(short(client)) writes \(text) to \(recipient?.rawValue ?? "all")")
        call("chat", client.node) { try await $0.say(ChatDraft(text, to: recipient), by: id, socket) }
    }

    private func connect() {
        guard let client = anybody({ $0.socket != nil }) else { return }
        let id = client.id
        note("media of \(short(client)) is at \(client.node.pop)")
        call("connected", client.node) { await $0.take([.connected(id)]) }
    }

    private func lock() {
        guard let client = anybody({ $0.isHost && $0.socket != nil }), let socket = client.socket else { return }
        let (id, isLocked) = (client.id, chance(40))
        note("\(short(client)) locks: \(isLocked)")
        call("lock", client.node) { try await $0.setLocked(isLocked, by: id, socket) }
    }

    /// A host has something happen to somebody.
    private func govern() {
        guard let client = anybody({ $0.isHost && $0.socket != nil }), let socket = client.socket,
            let target = client.others.keys.sorted().randomElement(using: &random).flatMap({ ParticipantID($0) })
        else { return }
        let id = client.id
        let order: HostOrder =
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<2: .remove(target)
            case 2..<5: .mute(target, HostOrder.Source.allCases.randomElement(using: &random)!)
            case 5: .muteAll
            case 6: .askUnmute(target, by: id)
            default: .setRole(target, Role.allCases.randomElement(using: &random)!)
            }
        note("\(short(client)) orders \(order)")
        call("order", client.node) { try await $0.order(order, by: id, socket, from: "") }
    }

    /// Somebody asks the panel of a webinar; one of the panel answers.
    private func ask() {
        guard let client = anybody({ $0.socket != nil }), let socket = client.socket else { return }
        let id = client.id
        let known = client.questions.keys.sorted().randomElement(using: &random).flatMap { QuestionID($0) }
        guard client.role != "attendee", let known, chance(70) else {
            let isAnonymous = chance(30)
            note("\(short(client)) asks")
            return call("ask", client.node) {
                try await $0.ask("Why?", anonymously: isAnonymous, by: id, socket)
            }
        }
        let state = Question.State.allCases.randomElement(using: &random)!
        let text = state == .answered && chance(70) ? "answer \(random.next() % 1_000)" : nil
        note("\(short(client)) makes \(known) \(state)")
        call("answer", client.node) { try await $0.settle(known, state, answer: text, by: id, socket) }
    }

    /// A host opens rooms, sends people to them, speaks to all or closes them; others choose.
    private func breakOut() {
        guard let client = anybody({ $0.socket != nil && ($0.isHost || !$0.rooms.isEmpty) }), let socket = client.socket
        else { return }
        let id = client.id
        let people = ([id.rawValue] + client.others.keys.sorted()).compactMap { ParticipantID($0) }
        guard !client.rooms.isEmpty else {
            let names = (0..<Int.random(in: 1...3, using: &random)).map { "Room \($0)" }
            let rooms = names.map { name in
                BreakoutOpening.Room(name: name, participants: people.filter { _ in chance(30) })
            }
            let draft = BreakoutDraft(
                rooms: rooms, isEven: chance(50), mayChoose: chance(50), duration: chance(30) ? 60 : nil)
            note("\(short(client)) opens \(rooms.count) rooms")
            return call("open rooms", client.node) { try await $0.openBreakouts(draft, by: id, socket, from: "") }
        }
        let room = chance(20) ? nil : client.rooms.randomElement(using: &random).flatMap { BreakoutRoomID($0) }
        switch Int.random(in: 0..<10, using: &random) {
        case 0: call("close rooms", client.node) { try await $0.closeBreakouts(after: 0, by: id, socket, from: "") }
        case 1: call("close rooms", client.node) { try await $0.closeBreakouts(after: 10, by: id, socket, from: "") }
        case 2..<4:
            let isOn = chance(60)
            call("speak", client.node) { try await $0.broadcast("Hello", voice: isOn, by: id, socket, from: "") }
        case 4..<7: call("choose", client.node) { try await $0.choose(room, by: id, socket) }
        default:
            let moves = people.filter { _ in chance(50) }.map { BreakoutMove($0, to: room) }
            call("move", client.node) { try await $0.move(moves, by: id, socket, from: "") }
        }
        note("\(short(client)) does something with rooms")
    }

    private func end() {
        guard let client = anybody({ $0.isHost && $0.socket != nil }), let socket = client.socket else { return }
        let (id, meeting) = (client.id, client.meeting)
        note("\(short(client)) ends \(meeting)")
        call("end", client.node) {
            try await $0.end(by: id, socket)
        } _: { [self] isGranted in
            if isGranted { ended[meeting] = kills }
        }
    }

    // MARK: PoPs

    private func divide() async {
        let sides = fleet.nodes.map { _ in chance(50) }
        note("divides \(sides)")
        for a in sides.indices {
            for b in sides.indices where b > a && sides[a] != sides[b] { await fleet.cut(a, b) }
        }
    }

    private func unite() async {
        if chance(60) {
            note("unites")
            return await fleet.linkAll()
        }
        let (a, b) = (
            Int.random(in: fleet.nodes.indices, using: &random), Int.random(in: fleet.nodes.indices, using: &random)
        )
        guard a != b else { return }
        note("\(fleet.isLinked(a, b) ? "cuts" : "links") \(a) \(b)")
        if fleet.isLinked(a, b) { await fleet.cut(a, b) } else { await fleet.link(a, b) }
    }

    private func setRegistry(_ isUp: Bool) {
        note("registry \(isUp)")
        fleet.store.setUp(isUp)
    }

    private func drain() async {
        let index = Int.random(in: fleet.nodes.indices, using: &random)
        guard drains.isEmpty else { return }
        let node = fleet.nodes[index]
        note("drains \(node.pop)")
        drains[index] = fleet.now + .seconds(10)
        let state = await node.hub.drain.begin(for: .seconds(8), at: fleet.clock.now)
        await node.hub.take(state)
        fleet.noteDrain(of: index)
    }
}
