import Agents
import Logging
import Mailbox
import Synchronization
import Testing
import Wire

@testable import Conference

/// Control's answers to Allocate requests.
struct AllocationAdmissionTests {
    private static let secrets = TURNSecrets(["a shared secret of the tests"])

    /// Whether allocations are taken, changed by a test.
    private final class Switch: Sendable {
        private let inside = Mutex(AllocationAdmission.Intake.open)

        var state: AllocationAdmission.Intake {
            get { inside.withLock { $0 } }
            set { inside.withLock { $0 = newValue } }
        }
    }

    /// Control with one worker's rings.
    private final class Stage {
        let mailbox: TURNMailbox
        let intake = Switch()
        let now: Int64 = 1_750_000_000
        let admission: AllocationAdmission

        init(commands: Int = 64, _ change: (inout AllocationLimits) -> Void = { _ in }) {
            mailbox = TURNMailbox(requests: commands, events: 64, messages: 2)
            var limits = AllocationLimits()
            change(&limits)
            var logger = Logger(label: "test")
            logger.logLevel = .critical
            let authenticator = TURNAuthenticator(realm: TURNClientDraft.realm, secrets: secrets, users: [:])
            admission = AllocationAdmission(
                workers: [mailbox], limits: limits, authenticator: authenticator,
                intake: { [intake] in intake.state }, seconds: { [now] in now }, logger: logger)
        }

        deinit { mailbox.deallocate() }

        func draft(_ user: String, _ address: String = "203.0.113.5") -> TURNClientDraft {
            TURNClientDraft(user: user, secrets: secrets, now: now, address: address)
        }

        /// What control answers to one request.
        func ask(_ draft: TURNClientDraft) async throws -> TURNCommand {
            #expect(mailbox.requests.push(draft.request()))
            await admission.poll()
            return try #require(mailbox.commands.pop())
        }

        func code(_ draft: TURNClientDraft) async throws -> UInt16 {
            if case .refuse(let refusal) = try await ask(draft) { refusal.code } else { 0 }
        }
    }

    @Test func aGrantCarriesTheKeyAndTheClient() async throws {
        let stage = Stage { $0.bandwidth = 1_000 }
        let draft = stage.draft("ada")
        guard case .grant(let grant) = try await stage.ask(draft) else {
            Issue.record("no grant")
            return
        }
        let key = TURNKey(username: draft.username.utf8, realm: TURNClientDraft.realm, password: draft.password)
        #expect((0..<Int(grant.keyLength)).map { grant.key[$0] } == key.bytes)
        #expect(grant.client == draft.client)
        #expect(grant.transaction == STUNTransactionID(high: 7, low: 1))
        #expect(grant.bandwidth == 1_000)
        #expect(!grant.usesSHA256)
    }

    @Test func wrongCredentialsAre401AndNotSigned() async throws {
        let stage = Stage()
        var draft = stage.draft("ada")
        draft.password = "guessed"
        guard case .refuse(let refusal) = try await stage.ask(draft) else {
            Issue.record("granted")
            return
        }
        #expect(refusal.code == 401)
        #expect(refusal.keyLength == 0)
    }

    @Test func credentialsExpireByTheClock() async throws {
        let stage = Stage()
        for (age, code) in [(599, 0), (600, 401)] as [(Int64, UInt16)] {
            let draft = TURNClientDraft(user: "ada", secrets: Self.secrets, now: stage.now - age)
            #expect(try await stage.code(draft) == code)
        }
    }

    @Test func namesMustBeThereWithIntegrity() async throws {
        let stage = Stage()
        var draft = stage.draft("ada")
        draft.username = String(repeating: "x", count: 509)
        #expect(try await stage.code(draft) == 401)
        var empty = TURNRequest(client: draft.client, transaction: STUNTransactionID(high: 1, low: 2))
        empty.count = 9_999
        #expect(stage.mailbox.requests.push(empty))
        await stage.admission.poll()
        guard case .refuse(let refusal)? = stage.mailbox.commands.pop() else {
            Issue.record("granted")
            return
        }
        #expect(refusal.code == 400)
    }

    @Test func aUserHasSoManyAndGetsThemBack() async throws {
        let stage = Stage { $0.allocationsPerUser = 2 }
        guard case .grant(let first) = try await stage.ask(stage.draft("ada")) else { return }
        #expect(try await stage.code(stage.draft("ada")) == 0)
        #expect(try await stage.code(stage.draft("ada")) == 486)
        #expect(try await stage.code(stage.draft("grace")) == 0)
        let handle = AllocationHandle(worker: 0, index: 1, generation: 1)
        #expect(
            stage.mailbox.events.push(
                .allocationClosed(handle, user: first.user, client: first.client, reason: .expired)))
        #expect(try await stage.code(stage.draft("ada")) == 0)
        // A grant that came to nothing counts no more.
        #expect(stage.mailbox.events.push(.allocationFailed(user: first.user, client: first.client, code: 508)))
        #expect(try await stage.code(stage.draft("ada")) == 0)
        #expect(try await stage.code(stage.draft("ada")) == 486)
    }

    @Test func anAddressHasSoManyAndAnIPv6CustomerIsOne() async throws {
        let stage = Stage { $0.allocationsPerAddress = 1 }
        #expect(try await stage.code(stage.draft("a", "203.0.113.5")) == 0)
        #expect(try await stage.code(stage.draft("b", "203.0.113.5")) == 486)
        #expect(try await stage.code(stage.draft("c", "203.0.113.6")) == 0)
        #expect(try await stage.code(stage.draft("d", "2001:db8:1:1::1")) == 0)
        #expect(try await stage.code(stage.draft("e", "2001:db8:1:1:ffff::2")) == 486)
        #expect(try await stage.code(stage.draft("f", "2001:db8:1:2::1")) == 0)
    }

    @Test func aFullNodeIs508AndSigned() async throws {
        let stage = Stage { $0.allocations = 1 }
        #expect(try await stage.code(stage.draft("ada")) == 0)
        guard case .refuse(let refusal) = try await stage.ask(stage.draft("grace")) else {
            Issue.record("granted")
            return
        }
        #expect(refusal.code == 508)
        #expect(refusal.keyLength == 16)
    }

    @Test func aDrainingNodeSendsNewcomersElsewhere() async throws {
        let stage = Stage()
        stage.intake.state = .closed(alternate: nil)
        #expect(try await stage.code(stage.draft("ada")) == 508)
        stage.intake.state = .closed(alternate: Endpoint("198.51.100.7:3478"))
        guard case .refuse(let refusal) = try await stage.ask(stage.draft("ada")) else {
            Issue.record("granted")
            return
        }
        #expect(refusal.code == 300)
        #expect(refusal.alternate == Endpoint("198.51.100.7:3478"))
        // ALTERNATE-SERVER is of the client's own family.
        #expect(try await stage.code(stage.draft("ada", "2001:db8::1")) == 508)
        stage.intake.state = .open
        #expect(try await stage.code(stage.draft("ada")) == 0)
    }

    @Test func whileAWorkerDoesNotReadItsAnswersNoRequestIsLost() async throws {
        let stage = Stage(commands: 2)
        for _ in 0..<3 {
            while stage.mailbox.requests.push(stage.draft("ada").request()) {}
            await stage.admission.poll()
        }
        #expect(stage.mailbox.commands.count == 2)
        #expect(stage.mailbox.requests.count == 2)
        _ = stage.mailbox.commands.pop()
        await stage.admission.poll()
        #expect(stage.mailbox.commands.count == 2)
        #expect(stage.mailbox.requests.count == 1)
    }

    @Test func ofEndedAllocationsNothingIsKept() {
        var ledger = AllocationLedger(AllocationLimits())
        let address = IPAddress(v4: 1)
        #expect(ledger.take(user: 1, address: address) == nil)
        ledger.giveBack(user: 1, address: address)
        // A word too many takes nothing from others.
        ledger.giveBack(user: 1, address: address)
        #expect(ledger.count == 0)
    }
}
