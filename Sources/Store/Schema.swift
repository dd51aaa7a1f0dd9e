import GRDB

/// The tables, in numbered migrations. Each runs once, in a transaction of its own; one that was released never changes.
enum Schema {
    /// "NTL1" in ASCII: by it a file is known as ours (PRAGMA application_id).
    static let application = 0x4e54_4c31

    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1") { try $0.execute(sql: meetings) }
        migrator.registerMigration("2") { try $0.execute(sql: chat) }
        migrator.registerMigration("3") { try $0.execute(sql: power) }
        migrator.registerMigration("4") { try $0.execute(sql: breakouts) }
        migrator.registerMigration("5") { try $0.execute(sql: polls) }
        migrator.registerMigration("6") { try $0.execute(sql: webinars) }
        migrator.registerMigration("7") { try $0.execute(sql: webhooks) }
        return migrator
    }

    /// Brings a database to the newest schema.
    ///
    /// - Throws: `StoreRefusal` of a file that is not ours, or of a newer program; `DatabaseError`.
    static func migrate(_ database: DatabaseQueue) throws {
        let migrator = migrator
        try database.writeWithoutTransaction { db in
            let application = try Int.fetchOne(db, sql: "PRAGMA application_id") ?? 0
            let objects = try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_schema") ?? 0
            // A start that was cut short may have left an empty file.
            guard application == self.application || (application == 0 && objects == 0) else {
                throw StoreRefusal("is the database of another program: name another file in store.path")
            }
            let newer = try migrator.appliedIdentifiers(db).subtracting(migrator.migrations)
            guard newer.isEmpty else {
                throw StoreRefusal(
                    "has schema \(newer.max { ($0.count, $0) < ($1.count, $1) } ?? ""), and this program knows up to "
                        + "\(migrator.migrations.last ?? ""): run the program that wrote it, or a newer one")
            }
            if application == 0 { try db.execute(sql: "PRAGMA application_id = \(self.application)") }
        }
        try migrator.migrate(database)
    }

    /// Moments are milliseconds since 1970. An ended meeting stays for its sessions, without its secrets. `audit` outlives the
    /// meetings that it names. `room_check` is always empty: what is written there and taken out again says whether anything
    /// can be written.
    private static let meetings = """
        CREATE TABLE meeting (
            id TEXT NOT NULL PRIMARY KEY,
            number INTEGER NOT NULL,
            owner TEXT NOT NULL,
            created_at INTEGER NOT NULL,
            topic TEXT NOT NULL,
            type TEXT NOT NULL,
            start_time INTEGER,
            duration INTEGER,
            timezone TEXT,
            recurrence TEXT,
            waiting_room INTEGER NOT NULL,
            mute_on_entry INTEGER NOT NULL,
            join_before_host INTEGER NOT NULL,
            allow_screen_share INTEGER NOT NULL,
            max_participants INTEGER NOT NULL,
            recording TEXT NOT NULL,
            host_video INTEGER NOT NULL,
            participant_video INTEGER NOT NULL,
            e2ee INTEGER NOT NULL,
            host_key TEXT,
            password_salt BLOB,
            password_digest BLOB,
            is_locked INTEGER NOT NULL DEFAULT 0,
            ended_at INTEGER,
            end_reason TEXT,
            CHECK ((ended_at IS NULL) = (host_key IS NOT NULL)),
            CHECK ((password_salt IS NULL) = (password_digest IS NULL))
        ) STRICT;
        CREATE UNIQUE INDEX meeting_number ON meeting (number) WHERE ended_at IS NULL;
        CREATE INDEX meeting_owner ON meeting (owner, created_at);

        CREATE TABLE session (
            participant_id TEXT NOT NULL PRIMARY KEY,
            meeting_id TEXT NOT NULL REFERENCES meeting (id) ON DELETE CASCADE,
            display_name TEXT NOT NULL,
            role TEXT NOT NULL,
            joined_at INTEGER NOT NULL,
            left_at INTEGER,
            leave_reason TEXT
        ) STRICT;
        CREATE INDEX session_meeting ON session (meeting_id, joined_at);
        CREATE INDEX session_open ON session (meeting_id) WHERE leave_reason IS NULL;

        CREATE TABLE audit (
            id INTEGER NOT NULL PRIMARY KEY,
            at INTEGER NOT NULL,
            meeting_id TEXT NOT NULL,
            actor_kind TEXT NOT NULL,
            actor TEXT NOT NULL,
            address TEXT NOT NULL,
            action TEXT NOT NULL
        ) STRICT;
        CREATE INDEX audit_meeting ON audit (meeting_id, id);

        CREATE TABLE room_check (content BLOB NOT NULL) STRICT;
        """

    /// `number` is the place in the order of the meeting. The index of words has the meeting's identifier, too, so that it
    /// finds what is of one meeting alone (SQLite, FTS5 section 4.4.3: the content is in `chat`). An underscore is one of a word,
    /// as identifiers have it.
    private static let chat = """
        CREATE TABLE chat (
            row_id INTEGER NOT NULL PRIMARY KEY,
            meeting_id TEXT NOT NULL REFERENCES meeting (id) ON DELETE CASCADE,
            number INTEGER NOT NULL,
            id TEXT NOT NULL UNIQUE,
            sender_id TEXT NOT NULL,
            sender_name TEXT NOT NULL,
            recipient_id TEXT,
            reply_to TEXT,
            sent_at INTEGER NOT NULL,
            text TEXT NOT NULL,
            edited_at INTEGER,
            is_deleted INTEGER NOT NULL,
            revision INTEGER NOT NULL,
            UNIQUE (meeting_id, number)
        ) STRICT;
        CREATE VIRTUAL TABLE chat_word USING fts5(
            meeting_id, text, content = 'chat', content_rowid = 'row_id',
            tokenize = "unicode61 remove_diacritics 0 tokenchars '_'");
        CREATE TRIGGER chat_insert AFTER INSERT ON chat BEGIN
            INSERT INTO chat_word (rowid, meeting_id, text) VALUES (new.row_id, new.meeting_id, new.text);
        END;
        CREATE TRIGGER chat_delete AFTER DELETE ON chat BEGIN
            INSERT INTO chat_word (chat_word, rowid, meeting_id, text)
            VALUES ('delete', old.row_id, old.meeting_id, old.text);
        END;
        CREATE TRIGGER chat_update AFTER UPDATE OF text ON chat BEGIN
            INSERT INTO chat_word (chat_word, rowid, meeting_id, text)
            VALUES ('delete', old.row_id, old.meeting_id, old.text);
            INSERT INTO chat_word (rowid, meeting_id, text) VALUES (new.row_id, new.meeting_id, new.text);
        END;
        """

    /// What participants may do, and of an action, to whom it happened: a participant; null: to the meeting.
    private static let power = """
        ALTER TABLE meeting ADD COLUMN allow_chat INTEGER NOT NULL DEFAULT 1;
        ALTER TABLE meeting ADD COLUMN allow_unmute INTEGER NOT NULL DEFAULT 1;
        ALTER TABLE audit ADD COLUMN target TEXT;
        ALTER TABLE audit ADD COLUMN is_refused INTEGER NOT NULL DEFAULT 0;
        """

    /// The number of the breakout room that a message was written to; null: to everybody, or to one.
    private static let breakouts = """
        ALTER TABLE chat ADD COLUMN breakout INTEGER;
        CREATE INDEX chat_breakout ON chat (meeting_id, breakout) WHERE breakout IS NOT NULL;
        """

    /// `options` and `counts` are JSON, in the order of the options; `choice` has a bit for each, the lowest for the first. There
    /// are votes of polls alone that are not anonymous.
    private static let polls = """
        CREATE TABLE poll (
            row_id INTEGER NOT NULL PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,
            meeting_id TEXT NOT NULL REFERENCES meeting (id) ON DELETE CASCADE,
            author_id TEXT,
            author_name TEXT,
            created_at INTEGER NOT NULL,
            question TEXT NOT NULL,
            options TEXT NOT NULL,
            is_multiple INTEGER NOT NULL,
            is_anonymous INTEGER NOT NULL,
            is_open INTEGER NOT NULL,
            counts TEXT NOT NULL,
            voters INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX poll_meeting ON poll (meeting_id, row_id);
        CREATE TABLE poll_vote (
            poll_id TEXT NOT NULL REFERENCES poll (id) ON DELETE CASCADE,
            participant_id TEXT NOT NULL,
            display_name TEXT NOT NULL,
            choice INTEGER NOT NULL,
            turn INTEGER NOT NULL,
            PRIMARY KEY (poll_id, participant_id)
        ) STRICT, WITHOUT ROWID;
        """

    /// Whether only the panel of a meeting is seen and heard.
    private static let webinars = """
        ALTER TABLE meeting ADD COLUMN webinar INTEGER NOT NULL DEFAULT 0;
        """

    /// `last_event` is the number of the meeting's last event that anybody was told of. A row of `webhook` is an event for an
    /// endpoint: it is taken out when it was delivered. `since` is when it was written down or last asked for anew, `died_at` when
    /// it was given up; null: it waits. A row's number never comes again, as attempts may still know it.
    private static let webhooks = """
        ALTER TABLE meeting ADD COLUMN last_event INTEGER NOT NULL DEFAULT 0;
        CREATE TABLE webhook (
            row_id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
            id TEXT NOT NULL,
            endpoint TEXT NOT NULL,
            meeting_id TEXT NOT NULL,
            type TEXT NOT NULL,
            body TEXT NOT NULL,
            made_at INTEGER NOT NULL,
            since INTEGER NOT NULL,
            attempts INTEGER NOT NULL DEFAULT 0,
            next_at INTEGER NOT NULL,
            died_at INTEGER,
            last_status INTEGER,
            last_answer TEXT,
            UNIQUE (id, endpoint)
        ) STRICT;
        CREATE INDEX webhook_line ON webhook (endpoint, meeting_id, row_id) WHERE died_at IS NULL;
        CREATE INDEX webhook_waiting ON webhook (endpoint, row_id) WHERE died_at IS NULL;
        CREATE INDEX webhook_dead ON webhook (endpoint, died_at);
        """
}
