import CDPDK

/// What the machine alone makes of the same arrivals: timer ticks, other guests, caches that two cores share.
extension LatencyCost {
    /// A window in which each packet is waited for as long as the worker takes for one, first come, first served, and
    /// nothing else is done with it.
    public func control(_ pace: Pace, service: UInt64, cores: [Int]) throws(PortFailure) -> Window {
        guard room.pointee.pool.allocate(into: frames, count: Self.packets) else {
            throw PortFailure("the pool has no buffers left for the load")
        }
        let queue = room.pointee.worker.pointee.queue
        queue.histogram.update(repeating: 0, count: PacedQueue.steps)
        let spans = try BenchmarkThreads.run(on: cores) { index in
            if index == 0 {
                self.serve(service: service)
            } else {
                self.inject(pace)
            }
        }
        return Window(
            cycles: spans[0].ended &- spans[0].began, interruptions: spans.map(\.interruptions).reduce(0, +))
    }

    /// Ends after two seconds in any case.
    private func serve(service: UInt64) {
        let queue = room.pointee.worker.pointee.queue
        let limit = clock.cycles() &+ 2 &* clock.frequency
        for place in 0..<Self.packets {
            var next = queue.arrivals.pop()
            while next == nil, clock.cycles() < limit { next = queue.arrivals.pop() }
            guard let arrival = next else { return }
            let end = clock.cycles() &+ service
            while clock.cycles() < end {}
            if place >= Self.warmUp { queue.note(clock.cycles() &- arrival.stamp) }
            arrival.packet.free()
        }
    }
}
