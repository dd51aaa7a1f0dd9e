import Api
import Logging
import Meetings
import Store
import Webhooks

/// Serves the lines in which webhooks wait: takes the first of one out of the Store, sends it, and writes down what came of it.
actor WebhookSender {
    /// How long a line waits whose webhook could not be read, or of which could not be written what came of it.
    private static let storePatience: Duration = .seconds(1)

    private let clients: [String: WebhookClient]
    private let schedule: RetrySchedule
    private let store: MeetingStore
    private let clock: any ApiClock
    private let logger: Logger
    private var lines = DeliveryLines()
    private var generator = SystemRandomNumberGenerator()
    /// Endpoints that took nothing last, and those for which something was given up since: said once.
    private var troubled: Set<String> = []
    private var givenUp: Set<String> = []

    init(_ section: WebhooksSection, store: MeetingStore, clock: any ApiClock, logger: Logger) {
        clients = Dictionary(
            uniqueKeysWithValues: section.endpoints.map {
                ($0.name, WebhookClient(endpoint: $0, timeout: section.timeout))
            })
        schedule = section.schedule
        self.store = store
        self.clock = clock
        self.logger = logger
    }

    /// Nothing is under way or due.
    var isQuiet: Bool { lines.isQuiet(at: clock.utc) }

    /// The lines that are to be served now.
    func start(_ news: DeliveryNews) -> [DeliveryLine] {
        for line in news.noted where clients[line.endpoint] != nil { lines.note(line) }
        for line in news.hastened where clients[line.endpoint] != nil { lines.hasten(line) }
        return lines.start(at: clock.utc)
    }

    func serve(_ line: DeliveryLine) async {
        let next: DeliveryLines.Next
        do {
            next = try await attempt(line)
        } catch {
            next = .wait(until: clock.utc + Self.storePatience)
        }
        lines.finish(line, next)
    }

    private func attempt(_ line: DeliveryLine) async throws(StoreFailure) -> DeliveryLines.Next {
        guard let delivery = try await store.firstDelivery(of: line), let client = clients[line.endpoint] else {
            return .idle
        }
        let now = clock.utc
        // Further away than any wait is only what was written before the clock was set back.
        let isAhead = delivery.nextAt - now > RetrySchedule.longestWait * 1.25
        guard delivery.nextAt <= now || isAhead else { return .wait(until: delivery.nextAt) }
        let signature = WebhookSignature(
            id: delivery.id, body: delivery.body, at: now, by: client.endpoint.secrets)
        let answer = await client.post(delivery.body, signature)
        // The node ends: nothing came of it.
        if Task.isCancelled, answer.status == nil { return .idle }
        let verdict = schedule.verdict(
            on: answer, attempts: delivery.attempts + 1, since: delivery.since, at: clock.utc, using: &generator)
        tell(verdict, on: answer, of: delivery)
        try await store.change(.settle(row: delivery.row, since: delivery.since, verdict, answer))
        if case .retry(let moment) = verdict { return .wait(until: moment) }
        return .ready
    }

    private func tell(_ verdict: DeliveryVerdict, on answer: DeliveryAnswer, of delivery: StoredDelivery) {
        var metadata: Logger.Metadata = ["endpoint": "\(delivery.endpoint)"]
        switch verdict {
        case .delivered:
            givenUp.remove(delivery.endpoint)
            guard troubled.remove(delivery.endpoint) != nil else { return }
            logger.notice("webhooks are taken again", metadata: metadata)
        case .retry:
            guard troubled.insert(delivery.endpoint).inserted else { return }
            metadata["answer"] = "\(answer.words)"
            logger.warning("a webhook was not taken: it is sent again later", metadata: metadata)
        case .dead:
            guard givenUp.insert(delivery.endpoint).inserted else { return }
            metadata["delivery"] = "\(delivery.row)"
            metadata["meeting_id"] = "\(delivery.meeting)"
            metadata["answer"] = "\(answer.words)"
            logger.error("a webhook was given up: needletail webhooks shows it", metadata: metadata)
        }
    }
}
