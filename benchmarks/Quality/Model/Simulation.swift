import Dataplane
import Foundation

/// One run of a case.
public struct Simulation {
    let plan: Case
    var random: RandomNumbers
    var events = EventQueue()
    var forward: Bottleneck
    var back: Bottleneck?
    var flows: [MediaFlow]
    var streams: [TCPFlow] = []
    /// Whether the place of a TCP flow takes another one when it is done.
    var tcpStarts: [Int] = []
    /// Media's way through the bottleneck: entry, start and end of service.
    var waits: [(entry: Int, start: Int, end: Int, bytes: Int)] = []
    var tcpDelivered: [(arrival: Int, bytes: Int)] = []
    var now = 0

    public init(_ plan: Case, seed: UInt64) {
        self.plan = plan
        random = RandomNumbers(seed: seed)
        forward = Bottleneck(capacity: plan.capacity, depth: plan.depth)
        back = plan.back.map { Bottleneck(capacity: $0, depth: plan.depth) }
        flows = plan.flows.map { MediaFlow($0) }
    }

    public mutating func run() -> Outcome {
        prepare()
        let end = Int(plan.seconds * 1e6)
        while let event = events.next(), event.time < end {
            now = event.time
            happen(event)
        }
        defer { for flow in flows { flow.release() } }
        return Outcome(self)
    }

    private mutating func prepare() {
        for (index, flow) in flows.enumerated() {
            events.add(flow.start, .start, flow: index)
            for (step, wanted) in flow.plan.wanted.enumerated() {
                events.add(max(flow.start, Int(wanted.second * 1e6)), .wants, flow: index, value: step)
            }
            if let silence = flow.plan.silence {
                events.add(Int(silence.lowerBound * 1e6), .silence, flow: index)
                events.add(Int(silence.upperBound * 1e6), .resume, flow: index)
            }
            events.add(flow.start + 7_000 * index % 33_000, .frame, flow: index)
            events.add(flow.start + 50_000, .feedback, flow: index)
        }
        for stream in plan.tcp { addTCP(start: Int(stream.start * 1e6), segments: stream.segments) }
        for _ in 0..<plan.shortTCP { addShortTCP(after: 0) }
    }

    private mutating func happen(_ event: Event) {
        let flow = event.flow
        switch event.kind {
        case .start: pollProbe(flow)
        case .frame: frame(flow)
        case .packet:
            flows[flow].waiting.append(event.value)
            flows[flow].waitingBytes += event.value
            drain(flow)
        case .pacer:
            flows[flow].isPacerScheduled = false
            drain(flow)
        case .probe: sendProbe(flow)
        case .feedback: feedback(flow)
        case .report:
            flows[flow].read(report: event.value, at: now)
            drain(flow)
            pollProbe(flow)
        case .wants:
            flows[flow].wanted = flows[flow].plan.wanted[event.value].megabits * 1e6
            tellWants(flow)
            pollProbe(flow)
        case .silence: flows[flow].isSilent = true
        case .resume: flows[flow].isSilent = false
        case .acknowledgement:
            streams[flow].acknowledge(event.value, at: now)
            sendTCP(flow)
        case .timeout: expireTCP(flow)
        }
    }

    /// The next layer is what an allocator asks for; of a source without layers it is all that it wants.
    private mutating func tellWants(_ flow: Int) {
        let layers = flows[flow].plan.layers
        let next = layers.first { $0 > Double(flows[flow].estimator.target) } ?? flows[flow].wanted
        flows[flow].estimator.wants(UInt64(next), now: MediaFlow.clock(now))
    }
}

// MARK: - Media

extension Simulation {
    private mutating func frame(_ flow: Int) {
        let state = flows[flow]
        flows[flow].frame += 1
        let next = state.start + 7_000 * flow % 33_000 + flows[flow].frame * 1_000_000 / 30
        events.add(next, .frame, flow: flow)
        tellWants(flow)
        pollProbe(flow)
        let noise = random.uniform(0.9, 1.1)
        guard !state.isSilent, !state.pacer.isFull(waitingBytes: state.waitingBytes) else { return }
        let rate = state.sourceRate
        let bytes = max(100, Int(rate / 240 * noise))
        let count = (bytes + 1_199) / 1_200
        for index in 0..<count {
            let size = bytes * (index + 1) / count - bytes * index / count
            let offset = Double(bytes * index / count * 8) / (2.5 * rate) * 1e6
            if index == 0 {
                flows[flow].waiting.append(size)
                flows[flow].waitingBytes += size
            } else {
                events.add(now + Int(offset), .packet, flow: flow, value: size)
            }
        }
        drain(flow)
    }

    private mutating func drain(_ flow: Int) {
        let clock = MediaFlow.clock(now)
        while let bytes = flows[flow].waiting.first {
            let free = flows[flow].pacer.readyAt
            guard free <= clock else {
                guard !flows[flow].isPacerScheduled else { return }
                flows[flow].isPacerScheduled = true
                let wait = Int((free - clock + 999) / 1_000)
                events.add(now + wait, .pacer, flow: flow)
                return
            }
            flows[flow].waiting.removeFirst()
            flows[flow].waitingBytes -= bytes
            flows[flow].pacer.noteSent(bytes: bytes, now: clock)
            send(flow, bytes: bytes, kind: .media)
        }
    }

    private mutating func pollProbe(_ flow: Int) {
        guard flows[flow].probe == nil, let probe = flows[flow].estimator.nextProbe(now: MediaFlow.clock(now)) else {
            return
        }
        flows[flow].probe = probe
        flows[flow].probePackets = probe.packets
        sendProbe(flow)
    }

    private mutating func sendProbe(_ flow: Int) {
        guard let probe = flows[flow].probe else { return }
        send(flow, bytes: probe.packetBytes, kind: .probe)
        flows[flow].probePackets -= 1
        guard flows[flow].probePackets > 0 else {
            flows[flow].probe = nil
            return
        }
        events.add(now + max(1, Int(probe.interval / 1_000)), .probe, flow: flow)
    }

    private mutating func send(_ flow: Int, bytes: Int, kind: SentKind) {
        let number = flows[flow].nextNumber
        flows[flow].nextNumber += 1
        flows[flow].sent += 1
        flows[flow].estimator.noteSent(
            UInt16(truncatingIfNeeded: number), bytes: bytes, kind: kind, now: MediaFlow.clock(now))
        let isReverse = flows[flow].plan.isReverse
        let service = isReverse ? back?.enter(bytes: bytes, at: now) : forward.enter(bytes: bytes, at: now)
        guard let service else {
            flows[flow].dropped += 1
            return
        }
        if !isReverse { waits.append((now, service.start, service.end, bytes)) }
        if plan.randomLoss > 0, random.unit() < plan.randomLoss { return }
        arrive(flow, number: number, bytes: bytes, kind: kind, served: service.end)
    }

    /// Jitter and stalls never reorder: a packet comes after the one before, at 50 Mbit/s.
    private mutating func arrive(_ flow: Int, number: UInt64, bytes: Int, kind: SentKind, served: Int) {
        var arrival = served + flows[flow].oneWay
        switch plan.variation {
        case .none: break
        case .jitter(let most): arrival += Int(random.uniform(-Double(most), Double(most)))
        case .stalls(let length, let period):
            if arrival % period >= period - length { arrival += period - arrival % period }
        }
        if flows[flow].lastArrival > 0 { arrival = max(arrival, flows[flow].lastArrival + (bytes * 8 + 49) / 50) }
        flows[flow].lastArrival = arrival
        flows[flow].pending.append((number, arrival))
        if kind == .media { flows[flow].delivered.append((arrival, bytes)) }
    }

    private mutating func feedback(_ flow: Int) {
        events.add(now + 50_000, .feedback, flow: flow)
        let pending = flows[flow].pending
        let count = pending.firstIndex { $0.arrival > now } ?? pending.count
        guard count > 0 else { return }
        flows[flow].reports.append(Array(pending[..<count]))
        flows[flow].pending.removeFirst(count)
        let report = flows[flow].reports.count - 1
        guard plan.back != nil else {
            events.add(now + flows[flow].oneWay, .report, flow: flow, value: report)
            return
        }
        let bytes = 60 + count * 2
        let service =
            flows[flow].plan.isReverse ? forward.enter(bytes: bytes, at: now) : back?.enter(bytes: bytes, at: now)
        guard let service else { return }
        events.add(service.end + flows[flow].oneWay, .report, flow: flow, value: report)
    }
}

// MARK: - TCP

extension Simulation {
    private static let tcpOneWay = 50_000

    private mutating func addTCP(start: Int, segments: Int?) {
        streams.append(TCPFlow(total: segments))
        tcpStarts.append(start)
        events.add(start, .timeout, flow: streams.count - 1)
    }

    /// RFC 8867 section 5.7: 100 KB to 1 MB, after a pause of 10 s in the mean.
    private mutating func addShortTCP(after time: Int) {
        let pause = -10 * log(1 - random.unit())
        let bytes = random.uniform(100_000, 1_000_000)
        addTCP(start: time + Int(pause * 1e6), segments: Int(bytes) / TCPFlow.segment)
    }

    private mutating func sendTCP(_ flow: Int) {
        while let number = streams[flow].send(at: now) {
            guard let service = forward.enter(bytes: TCPFlow.segment, at: now) else { continue }
            let arrival = service.end + Self.tcpOneWay
            tcpDelivered.append((arrival, TCPFlow.segment))
            events.add(arrival + Self.tcpOneWay, .acknowledgement, flow: flow, value: number)
        }
        guard streams[flow].isDone, plan.shortTCP > 0, tcpStarts[flow] >= 0 else { return }
        tcpStarts[flow] = -1
        addShortTCP(after: now)
    }

    /// Looks after a stalled flow, and starts one whose time has come.
    private mutating func expireTCP(_ flow: Int) {
        guard !streams[flow].isDone else { return }
        let due = streams[flow].lastProgress + TCPFlow.timeout
        if streams[flow].hasOutstanding, now >= due { streams[flow].expire(at: now) }
        sendTCP(flow)
        events.add(max(now + 100_000, due), .timeout, flow: flow)
    }
}
