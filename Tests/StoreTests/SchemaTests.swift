import Foundation
import GRDB
import Meetings
import Testing

@testable import Store

@Suite(.timeLimit(.minutes(1))) struct Schemas {
    private static func make(_ stage: StoreStage, _ sql: String) throws {
        let database = try DatabaseQueue(path: stage.path)
        try database.writeWithoutTransaction { try $0.execute(sql: sql) }
        try database.close()
    }

    private static func objects(_ stage: StoreStage) throws -> [String] {
        try stage.read {
            try String.fetchAll($0, sql: "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name")
        }
    }

    @Test(arguments: EarlierSchema.all)
    func eachEarlierSchemaIsBroughtUpToDate(_ earlier: EarlierSchema) async throws {
        let stage = try StoreStage()
        try Self.make(stage, earlier.dump)
        let store = try stage.open()
        #expect(try store.meetings().map(\.record.id.rawValue) == ["m_1"])
        let meeting = try #require(try store.meetings().first)
        #expect(meeting.isLocked && meeting.record.plan.topic == "Weekly")
        #expect(meeting.record.number.description == "123-456-789" && meeting.record.hostKey == "host-key")
        #expect(meeting.record.password == PasswordHash(salt: [1, 2], digest: [3, 4]))
        #expect(meeting.record.plan.startTime == Timestamp(milliseconds: 1_800_003_600_000))
        let settings = meeting.record.plan.settings
        #expect(settings.allowChat && settings.allowUnmute && settings.muteOnEntry && !settings.webinar)
        #expect(meeting.chat.messages.map(\.text) == (earlier.number == "1" ? [] : ["Hello"]))
        #expect(meeting.polls.polls.map(\.voters) == (["5", "6", "7"].contains(earlier.number) ? [1] : []))
        await store.close()

        let fresh = try StoreStage()
        await (try fresh.open()).close()
        #expect(try Self.objects(stage) == Self.objects(fresh))
    }

    @Test func thereIsADumpOfEachSchema() {
        #expect(EarlierSchema.all.map(\.number) == Schema.migrator.migrations)
    }

    @Test func aNewerSchemaIsRefusedAndLeftAlone() async throws {
        let stage = try StoreStage()
        let store = try stage.open()
        let record = stage.record()
        try await store.keep(record, nil)
        await store.close()
        try Self.make(stage, "INSERT INTO grdb_migrations VALUES ('9'), ('10'); CREATE TABLE later (id INTEGER)")
        let before = try Self.objects(stage)
        let refusal = #expect(throws: StoreRefusal.self) { try stage.open() }
        #expect(refusal?.reason.contains("has schema 10, and this program knows up to 7") == true)
        #expect(try Self.objects(stage) == before)
    }

    @Test func filesOfOthersAreRefused() throws {
        let stage = try StoreStage()
        try Self.make(stage, "CREATE TABLE notes (id INTEGER)")
        #expect(throws: StoreRefusal.self) { try stage.open() }
        #expect(try Self.objects(stage) == ["CREATE TABLE notes (id INTEGER)"])

        let text = try StoreStage()
        try Data(repeating: 0x41, count: 8_192).write(to: URL(fileURLWithPath: text.path))
        let refusal = #expect(throws: StoreRefusal.self) { try text.open() }
        #expect(refusal?.reason.contains("file is not a database") == true)
        let folder = StoreStage.logger
        #expect(throws: StoreRefusal.self) { try MeetingStore(path: "/nowhere/meetings.db", logger: folder) }
    }

    @Test func aFileIsOneNodesAndNobodyElseReadsIt() async throws {
        let stage = try StoreStage()
        let store = try stage.open()
        let refusal = #expect(throws: StoreRefusal.self) { try stage.open() }
        #expect(refusal?.reason.contains("is open in another node") == true)
        for file in try FileManager.default.contentsOfDirectory(atPath: stage.folder.path) {
            let attributes = try FileManager.default.attributesOfItem(
                atPath: stage.folder.appendingPathComponent(file).path)
            #expect(attributes[.posixPermissions] as? Int == 0o600, "\(file)")
        }
        await store.close()
    }
}
