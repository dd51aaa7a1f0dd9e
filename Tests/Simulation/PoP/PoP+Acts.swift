import Wire

@testable import Api
@testable import Dataplane

/// What happens in a PoP, at random.
extension PoP {
    /// One step: something happens, time passes, media flow, and the rules hold.
    func act() async {
        step += 1
        await happen()
        await takeNews()
        // Sometimes the next thing happens in the middle of what the first one began.
        if Int.random(in: 0..<3, using: &random) == 0 {
            for _ in 0..<Int.random(in: 0...4, using: &random) { await turn(after: World.step) }
            await happen()
            await takeNews()
        }
        await pass(UInt64.random(in: 20...200, using: &random) * 1_000_000)
        await checkAll()
        if step.isMultiple(of: 2) {
            sendMedia()
            await pass(UInt64.random(in: 5...20, using: &random) * 1_000_000)
            sendMedia()
            await pass(5_000_000)
            await checkAll()
        }
    }

    /// Everybody who can sends a packet of each kind.
    func sendMedia() {
        for client in clients {
            client.transport?.send(
                audioLevel: client.state.audio ? client.level : nil, video: client.state.video,
                screen: client.state.screen)
        }
    }

    private func happen() async {
        let inside = clients.filter { !$0.isGone }
        let anyone = inside.randomElement(using: &random)
        switch Int.random(in: 0..<25, using: &random) {
        case 0...6 where inside.count < course.people: await join()
        case 7: if let anyone, anyone.isListening { await leave(anyone) }
        case 8...10: if let anyone { await changeMedia(anyone) }
        case 11, 12: if let anyone { await changeView(anyone) }
        case 13: if let anyone, anyone.isListening { await anyone.drop() }
        case 14: if let anyone { await replaceSocket(anyone) }
        case 15: if let anyone, anyone.isListening { await makeOffer(anyone) }
        case 16: anyone?.level = UInt8.random(in: 10...127, using: &random)
        case 17: if course.holdsWorkers { hold() }
        case 18: await pass(UInt64.random(in: 1...6, using: &random) * 1_000_000_000)
        case 19:
            // Longer than a lost socket's grace, or than consent lasts.
            if Int.random(in: 0..<3, using: &random) == 0 {
                if let anyone { await losePower(anyone) }
                await pass(UInt64.random(in: 16...45, using: &random) * 1_000_000_000)
            }
        case 20: anyone?.transport?.isCut.toggle()
        case 21: if let anyone { await misbehave(anyone) }
        case 22, 23: if let anyone { await moveElsewhere(anyone) }
        default: break
        }
        for client in clients where !client.isGone {
            client.noticeLoss()
            if client.needsOffer, client.isListening, Int.random(in: 0..<3, using: &random) == 0 {
                await makeOffer(client)
            }
            if client.socket == nil, Int.random(in: 0..<4, using: &random) == 0 { await replaceSocket(client) }
        }
    }

    // MARK: what clients do

    private func join() async {
        var offer = PoPOffer(ssrc: 1_000 * (UInt32(arrivals) + 1))
        offer.microphone = Int.random(in: 0..<8, using: &random) > 0
        offer.cameraLayers = [0, 1, 1, 3].randomElement(using: &random)!
        offer.screen = Int.random(in: 0..<3, using: &random) == 0
        offer.videoSlots = Int.random(in: 3...6, using: &random)
        let client = makeClient(offer, home: Int.random(in: 0..<course.meetings, using: &random))
        client.state = .init(
            audio: Bool.random(using: &random), video: Int.random(in: 0..<4, using: &random) > 0, screen: false)
        client.level = UInt8.random(in: 10...127, using: &random)
        openSocket(client)
        let media = #""media_state":{"audio":\#(client.state.audio),"video":\#(client.state.video)}"#
        await client.say(
            #"{"type":"join","id":1,"meeting":"\#(numbers[client.home])","display_name":"\#(client.number)","#
                + media + #","offer":\#(sdp(of: client))}"#)
        if client.id == nil { client.isGone = true }
    }

    func leave(_ client: PoPClient) async {
        await client.say(#"{"type":"leave","id":2}"#)
        client.isGone = true
        client.transport?.close()
        await client.drop()
    }

    /// Socket and media fall silent together: the place is not kept.
    private func losePower(_ client: PoPClient) async {
        guard client.isListening else { return }
        client.transport?.isCut = true
        await client.drop()
    }

    private func changeMedia(_ client: PoPClient) async {
        guard client.isListening else { return }
        var state = client.state
        switch Int.random(in: 0..<5, using: &random) {
        case 0, 1: state.audio.toggle()
        case 2, 3: state.video.toggle()
        default: state.screen.toggle()
        }
        client.forgive()
        await client.say(
            #"{"type":"media_state","id":3,"audio":\#(state.audio),"video":\#(state.video),"screen":\#(state.screen)}"#)
        // Another one may share already.
        if client.errors.isEmpty { client.state = state }
    }

    private func changeView(_ client: PoPClient) async {
        guard client.isListening else { return }
        let here = clients.filter { $0.isListening && $0.home == client.home }.compactMap(\.id)
        client.view = Array(here.shuffled(using: &random).prefix(Int.random(in: 0...4, using: &random)))
        let list = client.view.map { "\"\($0)\"" }.joined(separator: ",")
        await client.say(#"{"type":"view","id":4,"visible":[\#(list)]}"#)
    }

    /// Opens another socket: after a loss, or beside the one that there is.
    func replaceSocket(_ client: PoPClient) async {
        openSocket(client)
        await client.say(
            #"{"type":"join","id":5,"session_token":"\#(client.token)","resume":"\#(client.resume)"}"#)
        if client.errors.contains("resume_expired") { client.isGone = true }
    }

    func makeOffer(_ client: PoPClient) async {
        client.offer.session += 1
        client.offer.generation = 0
        await client.say(#"{"type":"offer","id":6,"sdp":\#(sdp(of: client))}"#)
    }

    /// The client's network changes: it restarts ICE from another address, over a new socket where the old one fell too. Now
    /// and then the answer is lost, and it asks once more.
    private func moveElsewhere(_ client: PoPClient) async {
        guard client.transport != nil, client.id != nil else { return }
        client.transport?.isCut = true
        if client.isListening, Bool.random(using: &random) { await client.drop() }
        await pass(UInt64.random(in: 20...4_000, using: &random) * 1_000_000)
        if !client.isListening { await replaceSocket(client) }
        client.noticeLoss()
        guard client.transport != nil, client.isListening else { return }
        client.offer.generation += 1
        if Int.random(in: 0..<4, using: &random) == 0 {
            await client.say(#"{"type":"ice_restart","id":\#(PoPClient.lostID),"sdp":\#(sdp(of: client))}"#)
            guard client.transport != nil, client.isListening else { return }
        }
        let type = Int.random(in: 0..<4, using: &random) == 0 ? "offer" : "ice_restart"
        await client.say(#"{"type":"\#(type)","id":\#(PoPClient.restartID),"sdp":\#(sdp(of: client))}"#)
    }

    /// Something that the server must refuse, and by which nothing changes.
    private func misbehave(_ client: PoPClient) async {
        guard client.isListening else { return }
        client.forgive()
        let requests = [
            #"{"type":"offer","id":7,"sdp":"v=0"}"#, #"{"type":"view","id":7,"visible":7}"#, #"{"type":"#,
            #"{"type":"media_state","id":7,"video":"yes"}"#, #"{"type":"offer","id":7}"#,
        ]
        let number = Int.random(in: 0...requests.count, using: &random)
        if number < requests.count {
            await client.say(requests[number])
            if client.errors.count != 1 { fail("client \(client.number) was not refused: \(requests[number])") }
        } else {
            // Somebody who found the token and not what brings it back.
            let socket = PoPSocket()
            var session = makeSession(socket)
            await session.hear(#"{"type":"join","id":7,"session_token":"\#(client.token)","resume":"wrong"}"#)
            await session.end()
            let answer = socket.next().map { String(decoding: $0, as: UTF8.self) } ?? ""
            if !answer.contains("resume_invalid") { fail("a foreign resume token was answered \(answer)") }
            tally.faultyRequests += 1
        }
        client.forgive()
    }

    // MARK: what happens to workers

    private func hold() {
        let worker = Int.random(in: 0..<course.workers, using: &random)
        world.held.insert(worker)
        releases[worker] = world.now + UInt64.random(in: 50...3_000, using: &random) * 1_000_000
    }
}
