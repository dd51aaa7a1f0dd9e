import Testing

/// A database as programs of before left it, with one meeting in it. A released schema's text never changes.
struct EarlierSchema: Sendable, CustomTestStringConvertible {
    let number: String
    let dump: String
    var testDescription: String { "schema \(number)" }

    static let all = [
        EarlierSchema(number: "1", dump: first),
        EarlierSchema(number: "2", dump: first + second),
        EarlierSchema(number: "3", dump: first + second + third),
        EarlierSchema(number: "4", dump: first + second + third + fourth),
        EarlierSchema(number: "5", dump: first + second + third + fourth + fifth),
        EarlierSchema(number: "6", dump: first + second + third + fourth + fifth + sixth),
        EarlierSchema(number: "7", dump: first + second + third + fourth + fifth + sixth + seventh),
    ]

    private static let first = """
        PRAGMA application_id = 1314147377;
        CREATE TABLE grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY);
        INSERT INTO grdb_migrations VALUES ('1');
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
        INSERT INTO meeting VALUES ('m_1', 123456789, 'user-1', 1800000000000, 'Weekly', 'recurring',
            1800003600000, 30, 'Europe/Berlin', 'FREQ=WEEKLY', 0, 1, 1, 1, 100, 'none', 1, 1, 0, 'host-key',
            x'0102', x'0304', 1, NULL, NULL);
        INSERT INTO meeting VALUES ('m_2', 123456789, 'user-1', 1800000000000, 'Over', 'instant', NULL, NULL,
            NULL, NULL, 0, 0, 1, 1, 100, 'none', 1, 1, 0, NULL, NULL, NULL, 0, 1800000009000, 'ended');
        INSERT INTO session VALUES ('p_1', 'm_1', 'Ada', 'host', 1800000000000, NULL, NULL);
        INSERT INTO audit VALUES (1, 1800000000000, 'm_1', 'service', 'user-1', '192.0.2.7', 'create');
        """

    private static let second = """
        INSERT INTO grdb_migrations VALUES ('2');
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
        INSERT INTO chat VALUES (1, 'm_1', 1, 'c_1', 'p_1', 'Ada', NULL, NULL, 1800000001000, 'Hello', NULL, 0, 0);
        """

    private static let third = """
        INSERT INTO grdb_migrations VALUES ('3');
        ALTER TABLE meeting ADD COLUMN allow_chat INTEGER NOT NULL DEFAULT 1;
        ALTER TABLE meeting ADD COLUMN allow_unmute INTEGER NOT NULL DEFAULT 1;
        ALTER TABLE audit ADD COLUMN target TEXT;
        ALTER TABLE audit ADD COLUMN is_refused INTEGER NOT NULL DEFAULT 0;
        """

    private static let fourth = """
        INSERT INTO grdb_migrations VALUES ('4');
        ALTER TABLE chat ADD COLUMN breakout INTEGER;
        CREATE INDEX chat_breakout ON chat (meeting_id, breakout) WHERE breakout IS NOT NULL;
        """

    private static let fifth = """
        INSERT INTO grdb_migrations VALUES ('5');
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
        INSERT INTO poll VALUES (1, 'q_1', 'm_1', 'p_1', 'Ada', 1800000002000, 'Tea?', '["Yes","No"]', 0, 0, 1,
            '[1,0]', 1);
        INSERT INTO poll_vote VALUES ('q_1', 'p_1', 'Ada', 1, 1);
        """

    private static let sixth = """
        INSERT INTO grdb_migrations VALUES ('6');
        ALTER TABLE meeting ADD COLUMN webinar INTEGER NOT NULL DEFAULT 0;
        """

    private static let seventh = """
        INSERT INTO grdb_migrations VALUES ('7');
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
        INSERT INTO webhook VALUES (1, 'm_1_1', 'crm', 'm_1', 'meeting.created', '{}', 1800000000000, 1800000000000, 0,
            1800000000000, NULL, NULL, NULL);
        """
}
