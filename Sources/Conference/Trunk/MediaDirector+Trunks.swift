import Fleet
import Logging
import Mailbox
import Meetings
import Wire

/// Links to other PoPs' directors: they open and close, and both sides agree on what goes over the Trunk.
extension MediaDirector: TrunkPlane {
    public nonisolated var trunkMessages: AsyncStream<TrunkMessage> { trunkOutput }

    public func trunkOpened(_ pop: PoPName, addresses: [Endpoint]) async {
        defer { settle() }
        if trunks.trunks[pop]?.addresses != addresses {
            endTrunk(pop)
            trunks.trunks[pop] = Trunk(pop: pop, addresses: addresses)
            tellWorkers(addresses.map { .openTrunk($0) })
        }
        trunks.trunks[pop]?.isOpen = true
        trunks.trunks[pop]?.isReady = false
        logger.info("trunk opened", metadata: ["pop": "\(pop)"])
        sayHello(.opening, to: pop)
        for id in trunks.people where trunks.remotes[id]?.publisher.pop == pop {
            trunks.remotes[id]?.isLost = false
            showRemote(id)
        }
    }

    public func trunkClosed(_ pop: PoPName, isLost: Bool) async {
        defer { settle() }
        logger.info("trunk closed", metadata: ["pop": "\(pop)", "lost": "\(isLost)"])
        trunks.trunks[pop]?.isOpen = false
        trunks.trunks[pop]?.isReady = false
        guard isLost else { return }
        endTrunk(pop)
        for id in trunks.people where trunks.remotes[id]?.publisher.pop == pop {
            trunks.remotes[id]?.isLost = true
            hideRemote(id)
        }
    }

    public func receive(_ message: [UInt8], from pop: PoPName) async {
        guard trunks.trunks[pop]?.isOpen == true else {
            statistics.strayTrunkMessages += 1
            return
        }
        do throws(LinkFailure) {
            guard let message = try DirectorMessage.read(message) else { return }
            take(message, from: pop, now: lastPoll)
        } catch {
            statistics.malformedTrunkMessages += 1
            logger.debug("malformed message", metadata: ["pop": "\(pop)", "error": "\(error)"])
        }
        settle()
    }

    public func trunkReports() async -> [TrunkReport] { trunks.names.compactMap { trunks.trunks[$0]?.report } }

    public func trunkRefusals() async -> TrunkRefusals {
        var refusals = TrunkRefusals()
        refusals.malformed = statistics.malformedTrunkMessages
        refusals.stray = statistics.strayTrunkMessages
        return refusals
    }

    // MARK: agreeing

    private func take(_ message: DirectorMessage, from pop: PoPName, now: UInt64) {
        if case .hello(let hello) = message { return hear(hello, from: pop, now: now) }
        guard trunks.trunks[pop]?.isReady == true else {
            // Of the link before.
            statistics.strayTrunkMessages += 1
            return
        }
        switch message {
        case .hello: break
        case .holds(let lanes, let names): keepOnly(Set(lanes), Set(names), of: pop, now: now)
        case .openLane(let request): takeLane(request, from: pop, now: now)
        case .laneOpened(let lane, let offer): takeOffer(offer, of: lane, from: pop)
        case .laneRefused(let lane, let refusal): takeRefusal(refusal, ofLane: lane, from: pop, now: now)
        case .closeLane(let lane): endOutbound(lane, of: pop, now: now)
        case .carry(let request): carry(request, for: pop, now: now)
        case .carried(let name): takeCarried(name, from: pop, now: now)
        case .refused(let name, let refusal): takeRefusal(refusal, ofTrack: name, from: pop, now: now)
        case .release(let name): endExport(ExportID(pop: pop, name: name), now: now)
        case .changeKey(let lane, let isTheirs, let secret): seal(with: secret, lane, isOurs: !isTheirs, pop, now: now)
        case .keyChanged(let lane, let isTheirs, let phase):
            endKeyChange(lane, isOurs: !isTheirs, phase: phase, pop, now: now)
        case .levels(let meeting, let levels): takeLevels(levels, in: meeting, from: pop)
        }
    }

    func sayHello(_ occasion: DirectorHello.Occasion, to pop: PoPName) {
        trunks.trunks[pop]?.owesHello = false
        tell(pop, .hello(DirectorHello(occasion, instance: instance, workers: UInt8(clamping: workers.count))))
    }

    private func hear(_ hello: DirectorHello, from pop: PoPName, now: UInt64) {
        guard let trunk = trunks.trunks[pop] else { return }
        let isKnown = trunk.peer?.instance == hello.instance
        if trunk.isReady, isKnown, hello.occasion == .answer { return }
        if trunk.peer != nil, !isKnown { endLanes(of: pop, now: now) }
        // Before all else that it is told: ours may have come before it took any.
        if hello.occasion == .opening { sayHello(.answer, to: pop) }
        trunks.trunks[pop]?.peer = hello
        trunks.trunks[pop]?.isReady = true
        agree(with: pop, now: now)
        for id in trunks.people where trunks.remotes[id]?.publisher.feeder == pop { showAnew(id) }
    }

    /// Says what is held. What was asked and not answered is given up, and asked again under other names, as the far end
    /// may have used these.
    func agree(with pop: PoPName, now: UInt64) {
        guard let trunk = trunks.trunks[pop], trunk.isReady else { return }
        for (_, handle) in trunk.imports.sorted(by: { $0.key < $1.key })
        where trunks.imports[handle]?.isCarried == false { endImport(handle, isTold: false, now: now) }
        for (name, lane) in trunk.inbound.sorted(by: { $0.key < $1.key }) where !lane.isOpen {
            endInbound(name, of: pop, isTold: false, now: now)
        }
        guard let trunk = trunks.trunks[pop] else { return }
        tell(pop, .holds(lanes: trunk.inbound.keys.sorted(), tracks: trunk.imports.keys.sorted()))
        retellKeys(to: pop)
    }

    /// What the far end does not hold any more ends here; and what it holds and is not here, it is told.
    private func keepOnly(_ lanes: Set<UInt32>, _ names: Set<UInt32>, of pop: PoPName, now: UInt64) {
        guard let trunk = trunks.trunks[pop] else { return }
        for name in trunk.exports.keys.sorted() where !names.contains(name) {
            endExport(ExportID(pop: pop, name: name), now: now)
        }
        for name in trunk.outbound.keys.sorted() where !lanes.contains(name) { endOutbound(name, of: pop, now: now) }
        for name in lanes.sorted() where trunk.outbound[name] == nil {
            tell(pop, .laneRefused(lane: name, .gone))
        }
        for name in names.sorted() where trunk.exports[name] == nil { tell(pop, .refused(track: name, .gone)) }
    }

    /// Puts a message on its way. What cannot be told without a link is agreed on when there is one.
    func tell(_ pop: PoPName, _ message: DirectorMessage) {
        guard let trunk = trunks.trunks[pop], trunk.isOpen, !trunk.owesHello else { return }
        if !trunks.outbox.send(message, to: pop) { trunks.trunks[pop]?.owesHello = true }
    }

    // MARK: ending

    /// All that goes over the Trunk ends, and what comes from its addresses is a stranger's again.
    private func endTrunk(_ pop: PoPName) {
        guard let trunk = trunks.trunks[pop] else { return }
        endLanes(of: pop, now: lastPoll)
        tellWorkers(trunk.addresses.map { .closeTrunk($0) })
        trunks.trunks[pop] = nil
    }

    private func tellWorkers(_ commands: [Command]) {
        for worker in workers.indices {
            for command in commands { workers[worker].send(command) }
        }
    }

    /// The far end knows of none, or is gone.
    private func endLanes(of pop: PoPName, now: UInt64) {
        guard let trunk = trunks.trunks[pop] else { return }
        for name in trunk.inbound.keys.sorted() { endInbound(name, of: pop, isTold: false, now: now) }
        for name in trunk.outbound.keys.sorted() { endOutbound(name, of: pop, now: now) }
    }

    /// The media side ends.
    func endTrunks() { for pop in trunks.names { endTrunk(pop) } }

    // MARK: time

    /// What is due now and then.
    func keepTrunks(now: UInt64) {
        for pop in trunks.names where trunks.trunks[pop]?.owesHello == true && trunks.trunks[pop]?.isOpen == true {
            sayHello(.loss, to: pop)
            if trunks.trunks[pop]?.owesHello == false { agree(with: pop, now: now) }
        }
        endIdle(now: now)
        askAgain(now: now)
        refuseLate(now: now)
        keepKeys(now: now)
    }
}
