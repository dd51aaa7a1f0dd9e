import Mailbox

/// How the workers' packets fare inside, and what waits.
extension MetricsPage {
    static func forwarding(_ page: inout PrometheusText, _ workers: [WorkerReading]) {
        page.family(
            "needletail_forward_seconds", .histogram,
            "From the turn that received a packet to its being handed to the port, each receiver's packet counted."
        ) { samples in
            let readings = workers.map { $0.counters[Distribution.forward] }
            samples.add(histogram(readings, .forward, unit: 1e-9))
        }
        page.family(
            "needletail_worker_burst_packets", .histogram, "Packets that one look at the device brought, without none."
        ) { samples in
            for (worker, readings) in byWorker(workers) {
                let distributions = readings.map { $0.counters[Distribution.burst] }
                samples.add(histogram(distributions, .burst, unit: 1), ["worker": String(worker)])
            }
        }
    }

    static func stalls(_ page: inout PrometheusText, _ workers: [WorkerReading]) {
        page.family(
            "needletail_worker_stalled_seconds_total", .counter,
            "Time in which the system gave a worker's core to somebody else, pauses of 5 ms and more."
        ) { samples in
            for (worker, readings) in byWorker(workers) {
                let stalled = readings.reduce(0) { $0 + Double($1.counters[.stalledNanoseconds]) }
                samples.add(stalled * 1e-9, ["worker": String(worker)])
            }
        }
    }

    static func rings(_ page: inout PrometheusText, _ workers: [WorkerReading]) {
        let rings: [(name: String, counter: Counter)] = [
            ("commands", .commandsWaiting), ("replies", .repliesWaiting), ("events", .eventsWaiting),
            ("punts", .puntsWaiting), ("handovers", .handoversWaiting), ("transmit", .transmitWaiting),
        ]
        page.family(
            "needletail_ring_depth", .gauge,
            "What waits: control to worker (commands, replies) and back (events, punts), from the other workers "
                + "(handovers), and to the device (transmit)."
        ) { samples in
            for (worker, readings) in byWorker(workers) {
                for ring in rings {
                    let depth = readings.reduce(0) { $0 + Double($1.counters[ring.counter]) }
                    samples.add(depth, ["worker": String(worker), "ring": ring.name])
                }
            }
        }
        page.family("needletail_buffers_available", .gauge, "Packet buffers of a worker that are not in use.") {
            for (worker, readings) in byWorker(workers) {
                let available = readings.reduce(0) { $0 + Double($1.counters[.buffersAvailable]) }
                $0.add(available, ["worker": String(worker)])
            }
        }
    }

    private static func byWorker(_ workers: [WorkerReading]) -> [(Int, [WorkerReading])] {
        Dictionary(grouping: workers, by: \.worker).sorted { $0.key < $1.key }
    }

    /// `unit`: what one of the distribution's units is in the metric's.
    static func histogram(
        _ readings: [DistributionReading], _ distribution: Distribution, unit: Double
    ) -> Histogram {
        let bounds = distribution.bounds
        var counts = [UInt64](repeating: 0, count: bounds.count + 1)
        for reading in readings {
            for place in counts.indices { counts[place] &+= reading.counts[place] }
        }
        // Bounds are divided where that is exact: 0.000005 and not 0.000005000000000000001.
        return Histogram(
            bounds: bounds.map { unit < 1 ? Double($0) / (1 / unit).rounded() : Double($0) * unit }, counts: counts,
            sum: readings.reduce(0) { $0 + Double($1.sum) * unit })
    }
}
