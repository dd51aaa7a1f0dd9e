import Fleet
import Mailbox
import Wire

/// Keys of Lanes: random for each, and another one before one index could seal two contents. The receiver chooses and has it
/// first, then the far end seals with it.
extension MediaDirector {
    /// Ns.
    private static let shortestKeyAge: UInt64 = 1_000_000_000

    func makeSecret(phase: UInt8) -> LaneSecret {
        let words = (0..<4).map { _ in generator.next() }
        let bytes = words.flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> ($0 * 8)) } }
        let (key, rest) = (bytes.prefix(LaneSecret.keyLength), bytes.dropFirst(LaneSecret.keyLength))
        guard let secret = LaneSecret(key: Array(key), salt: Array(rest.prefix(LaneSecret.saltLength)), phase: phase)
        else { preconditionFailure("32 bytes hold a key and a salt") }
        return secret
    }

    /// Changes keys that are old, and tells of those that our workers have.
    func keepKeys(now: UInt64) {
        for handle in trunks.lanes.keys.sorted(by: { $0.raw < $1.raw }) {
            guard let id = trunks.lanes[handle], let trunk = trunks.trunks[id.pop] else { continue }
            let inbound = id.isInbound ? trunk.inbound[id.name] : nil
            guard let end = inbound?.end ?? trunk.outbound[id.name]?.end else { continue }
            if end.change != nil {
                tellKey(of: handle, id)
            } else if inbound?.isOpen ?? true,
                now >= end.chosenAt &+ options.laneKeyAge || inbound?.names.needsKey == true
            {
                let secret = makeSecret(phase: end.receivePhase ^ 1)
                workers[handle.worker].send(
                    .changeLaneKey(ChangeLaneKey(lane: handle, isSend: false, key: LaneKey(secret))))
                trunks.change(handle) { end in
                    end.change = LaneEnd.KeyChange(secret: secret)
                    end.receivePhase = secret.phase
                    end.chosenAt = now
                }
            }
        }
    }

    /// Once our worker has it.
    private func tellKey(of handle: LaneHandle, _ id: TrunkTable.LaneID) {
        let worker = workers[handle.worker]
        var told: LaneSecret?
        trunks.change(handle) { end in
            guard let change = end.change, !change.isTold else { return }
            // The command was sent before the last commit.
            let after = change.after ?? worker.sealed
            end.change?.after = after
            guard worker.delivered >= after else { return }
            end.change?.isTold = true
            told = change.secret
        }
        if let told { tell(id.pop, .changeKey(lane: id.name, isOurs: id.isInbound, told)) }
    }

    /// A new link: what the far end may not have heard.
    func retellKeys(to pop: PoPName) {
        for (handle, id) in trunks.lanes where id.pop == pop {
            trunks.change(handle) { $0.change?.isTold = false }
        }
    }

    /// The far end can open what this key seals.
    func seal(with secret: LaneSecret, _ name: UInt32, isOurs: Bool, _ pop: PoPName, now: UInt64) {
        guard let trunk = trunks.trunks[pop] else { return }
        let end = isOurs ? trunk.inbound[name].flatMap { $0.isOpen ? $0.end : nil } : trunk.outbound[name]?.end
        guard let end else { return }
        // Told twice it must not begin to count anew.
        if end.sendPhase != secret.phase {
            // Who changes it all the time must not fill the worker's ring.
            guard now >= end.sealedAt &+ Self.shortestKeyAge else { return }
            trunks.change(end.handle) {
                $0.sendPhase = secret.phase
                $0.sealedAt = now
            }
            workers[end.handle.worker].send(
                .changeLaneKey(ChangeLaneKey(lane: end.handle, isSend: true, key: LaneKey(secret))))
        }
        tell(pop, .keyChanged(lane: name, isOurs: isOurs, phase: secret.phase))
    }

    func endKeyChange(_ name: UInt32, isOurs: Bool, phase: UInt8, _ pop: PoPName, now: UInt64) {
        guard let trunk = trunks.trunks[pop] else { return }
        guard let end = isOurs ? trunk.inbound[name]?.end : trunk.outbound[name]?.end, end.change?.isTold == true,
            end.change?.secret.phase == phase
        else { return }
        trunks.change(end.handle) { $0.change = nil }
        guard isOurs, let lane = trunks.trunks[pop]?.inbound[name] else { return }
        trunks.trunks[pop]?.inbound[name]?.names.begin(with: lane.tracks)
        feedHungry()
    }
}

extension LaneKey {
    init(_ secret: LaneSecret) {
        guard let master = SRTPMasterKey(profile: .aeadAes128Gcm, key: secret.key, salt: secret.salt) else {
            preconditionFailure("a Lane's secret has the lengths of its profile")
        }
        self.init(master: master, phase: secret.phase)
    }
}
