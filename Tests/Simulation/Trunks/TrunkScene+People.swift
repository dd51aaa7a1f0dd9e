import Conference
import Fleet
import Meetings
import Wire

@testable import Dataplane

/// Who comes, goes, sends and looks, and what the fleet tells of it.
extension TrunkScene {
    @discardableResult
    func join(
        _ number: UInt8, at pop: Int, state: PublishedMedia = PublishedMedia(audio: true, video: true),
        _ change: (inout PoPOffer) -> Void = { _ in }
    ) async -> TrunkClient? {
        var offer = PoPOffer(ssrc: 1_000 * UInt32(number))
        change(&offer)
        nextSerial += 1
        let before = clients[number]
        let client = TrunkClient(
            number: number, pop: pop, offer: offer, serial: before?.serial ?? nextSerial, state: state)
        offer.session = Int(nextSerial)
        let text = offer.text(fingerprint: fingerprint)
        guard
            let connection = try? await directors[pop].connect(
                client.id, in: Self.meeting, MediaOffer(sdp: text, state: state, serial: client.serial))
        else {
            await leave(number)
            return nil
        }
        if let before, before.pop != pop { await directors[before.pop].disconnect(client.id) }
        client.publication = connection.publication
        clients[number] = client
        makeTransport(client, connection.sdp)
        for slot in connection.slots { client.take(slot, at: now) }
        await announce()
        return client
    }

    func leave(_ number: UInt8) async {
        guard let client = clients.removeValue(forKey: number) else { return }
        client.transport?.close()
        await directors[client.pop].disconnect(client.id)
        await announce()
    }

    func setState(_ number: UInt8, _ state: PublishedMedia) async {
        guard let client = clients[number] else { return }
        client.state = state
        await directors[client.pop].setMediaState(client.id, state)
        await announce()
    }

    func setView(_ number: UInt8, _ tiles: [UInt8]) async {
        guard let client = clients[number] else { return }
        await directors[client.pop].setView(client.id, MediaView(visible: tiles.map(TrunkClient.id)))
    }

    /// The fleet tells every PoP that it reaches what changed.
    func announce() async {
        for pop in directors.indices {
            let ids = Set(clients.values.map(\.id)).union(told[pop].keys)
            for id in ids.sorted(by: { $0.rawValue < $1.rawValue }) {
                let client = ordered.first { $0.id == id }
                let remote = client.flatMap { $0.pop == pop ? nil : publisher($0, for: pop) }
                guard told[pop][id] != remote else { continue }
                told[pop][id] = remote
                await directors[pop].setRemote(id, in: Self.meeting, remote)
            }
            let others = Set(clients.values.map(\.pop)).subtracting([pop]).sorted()
            await directors[pop].setPeers(others.map(Self.name), of: Self.meeting)
        }
    }

    private func publisher(_ client: TrunkClient, for pop: Int) -> RemotePublisher {
        RemotePublisher(
            pop: Self.name(client.pop), feeder: Self.name(feeder(pop, client.pop)), serial: client.serial,
            publication: client.publication, state: client.state)
    }

    /// Everybody sends a packet of each kind that is on.
    func send() {
        for client in ordered {
            client.transport?.send(
                audioLevel: client.state.audio ? client.level : nil, video: client.state.video,
                screen: client.state.screen)
        }
    }

    /// Media flow for a while.
    func talk(_ milliseconds: Int, every interval: Int = 20, step: Int = 1) async {
        for _ in 0..<milliseconds / interval {
            send()
            await run(interval, step: step)
        }
    }

    // MARK: what must be so

    /// Everybody is in the Slots that it should be in, and is seen and heard there: what is not so.
    func wrong() async -> [String] {
        let start = now
        await talk(400, step: 2)
        var wrong: [String] = []
        for viewer in ordered {
            guard viewer.transport?.isConnected == true else {
                wrong.append("client \(viewer.number) is not connected")
                continue
            }
            let others = ordered.filter { $0.number != viewer.number }.sorted { $0.serial < $1.serial }
            let cameras = others.filter { $0.state.video && $0.offer.cameraLayers > 0 }.map(\.id)
            if viewer.occupants(.video) != Set(cameras.prefix(viewer.offer.videoSlots)) {
                wrong.append("client \(viewer.number) is told of the cameras \(viewer.occupants(.video))")
            }
            for (mid, tile) in viewer.tiles {
                guard let source = ordered.first(where: { $0.id == tile.occupant }), isSending(source, tile.source)
                else { continue }
                guard let shown = tile.shown, shown.time >= start, shown.publisher == source.number else {
                    wrong.append("client \(viewer.number) does not get \(source.number) in Slot \(mid)")
                    continue
                }
            }
        }
        return wrong
    }

    private func isSending(_ client: TrunkClient, _ source: SlotSource) -> Bool {
        guard client.transport?.isConnected == true else { return false }
        return switch source {
        case .audio: client.state.audio && client.offer.microphone
        case .video: client.state.video && client.offer.cameraLayers > 0
        case .screen: client.state.screen && client.offer.screen
        }
    }
}
