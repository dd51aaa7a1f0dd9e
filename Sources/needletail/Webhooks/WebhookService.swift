import Api
import Logging
import Meetings
import ServiceLifecycle
import Store
import Synchronization
import Webhooks

/// Delivers what the Store has written down. What it has not delivered when it ends stays there.
struct WebhookService: Service {
    /// How long the end of the node waits for what is under way, and for what just happened.
    static let farewell: Duration = .seconds(2)
    private static let gathering: Duration = .milliseconds(300)
    /// How often it looks for what is due.
    private static let pace: Duration = .milliseconds(250)
    /// How often it forgets what was given up long ago, and looks for lines of which it heard nothing: after a commit of which
    /// nobody knew whether it was one.
    private static let upkeep: Duration = .seconds(600)
    /// The same where they could not be read.
    private static let soon: Duration = .seconds(5)

    private let store: MeetingStore
    private let sender: WebhookSender
    private let clock: any ApiClock
    /// What it was told and has not looked at: no more than there are lines.
    private let inbox = Inbox()

    init(
        _ section: WebhooksSection, store: MeetingStore, clock: any ApiClock = SystemClock(), logger: Logger
    ) {
        self.store = store
        self.clock = clock
        sender = WebhookSender(section, store: store, clock: clock, logger: logger)
    }

    /// Serves until a graceful shutdown.
    func run() async {
        let (wakes, wake) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        store.hearDeliveries { [inbox] news in
            inbox.add(news)
            wake.yield()
        }
        await withGracefulShutdownHandler {
            await withDiscardingTaskGroup { group in
                group.addTask { await tick(wake) }
                group.addTask { await keepUp(wake) }
                var ending: Timestamp?
                for await _ in wakes {
                    for line in await sender.start(inbox.take()) {
                        group.addTask {
                            await sender.serve(line)
                            wake.yield()
                        }
                    }
                    guard inbox.isEnding else { continue }
                    let waited = clock.now - (ending ?? clock.now)
                    ending = ending ?? clock.now
                    if waited >= Self.farewell { break }
                    // What happened last is stored a moment later.
                    if waited >= Self.gathering, await sender.isQuiet { break }
                }
                group.cancelAll()
            }
        } onGracefulShutdown: {
            inbox.end()
            wake.yield()
        }
    }

    private func tick(_ wake: AsyncStream<Void>.Continuation) async {
        while (try? await clock.sleep(for: Self.pace)) != nil { wake.yield() }
    }

    private func keepUp(_ wake: AsyncStream<Void>.Continuation) async {
        var pause = Self.upkeep
        repeat {
            let lines = try? await store.deliveryLines()
            var news = DeliveryNews()
            news.noted = Set(lines ?? [])
            inbox.add(news)
            wake.yield()
            try? await store.change(.expire)
            pause = lines == nil ? Self.soon : Self.upkeep
        } while (try? await clock.sleep(for: pause)) != nil
    }
}

extension WebhookService: CustomStringConvertible {
    /// For the log, in which the configuration's secrets have no place.
    var description: String { "WebhookService" }
}

/// News for the service, from any thread.
private final class Inbox: Sendable {
    private let state = Mutex((news: DeliveryNews(), isEnding: false))

    var isEnding: Bool { state.withLock { $0.isEnding } }

    func end() { state.withLock { $0.isEnding = true } }

    func add(_ news: DeliveryNews) { state.withLock { $0.news.add(news) } }

    func take() -> DeliveryNews {
        state.withLock { state in
            defer { state.news = DeliveryNews() }
            return state.news
        }
    }
}
