import Testing

/// What the catalog's pages Architecture and Contributing promise and a machine can check: rooms, names, sizes, directions.
@Suite struct Tidy {
    /// The folders that may be in a folder, and beside them nothing; those with a `?` are there when something needs them.
    static let rooms: [String: Set<String>] = [
        "Sources": [
            "Wire", "Mailbox", "Dataplane", "Agents", "Meetings", "Conference", "Store?", "Fleet?", "Redis?",
            "Recording?", "Composition?", "Webhooks?",
            "Api",
            "needletail",
        ],
        "CShims": [
            "CAesGcm", "CDPDK", "CIPSecMB", "CPacketSocket", "CSRTP", "COpenSSL", "CZlib", "CHiredis?", "CNuma?",
            "COpus?", "CFreeType?", "CPostgres?", "CKafka?", "CAV?",
        ],
        "Sources/Dataplane": [
            "Port", "Tables", "Srtp", "Session", "Forward", "Relay", "Worker", "Benchmark", "Congestion?", "Cascade?",
        ],
        "Tests": [
            "WireTests", "MailboxTests", "DataplaneTests", "AgentsTests", "MeetingsTests", "ConferenceTests",
            "StoreTests?", "FleetTests?", "RecordingTests?", "CompositionTests?", "WebhooksTests?", "ApiTests",
            "NeedletailTests", "Simulation", "Interop",
            "Fuzz", "PacketPath",
            "Web", "Tidy", "Support",
        ],
    ]

    @Test func theTopLevelHoldsOnlyItsRooms() throws {
        let rooms: Set = ["Package.swift", "Sources", "CShims", "Tests", "appliance", "benchmarks", "README.md"]
        // SwiftPM leaves its note of resolved versions here; the repository ignores it. findings/ is there when there are.
        #expect(try Repository.topLevel().subtracting(["Package.resolved", "findings"]) == rooms)
    }

    @Test(arguments: rooms.keys.sorted())
    func aFolderHoldsOnlyItsRooms(_ folder: String) throws {
        let named = try #require(Self.rooms[folder])
        let needed = named.filter { !$0.hasSuffix("?") }
        let found = try Repository.names(in: folder)
        #expect(found.subtracting(named.map { $0.replacing("?", with: "") }) == [])
        #expect(needed.subtracting(found) == [])
    }

    @Test func noSourceFileIsTooLong() throws {
        for file in try Repository.files(in: "Sources", "swift", "js", "css") {
            #expect(file.lines.count <= 420, "\(file.path) has \(file.lines.count) lines; about 400 is the limit")
        }
    }

    @Test func noFunctionIsTooLong() throws {
        for file in try Repository.files(in: "Sources", "swift") + Repository.files(in: "Tests", "swift") {
            for function in SwiftScan.functions(in: file.lines) {
                #expect(
                    function.length <= 70,
                    "\(file.path):\(function.line): \(function.name) has \(function.length) lines; 70 is the limit")
            }
        }
    }

    @Test func nothingIsMarkedForLater() throws {
        let marks = try Regex("\\b(TO" + "DO|FIX" + "ME|XX" + "X|HA" + "CK)\\b")
        for file in try Repository.everything() {
            for (number, line) in file.lines.enumerated() where !line.isEmpty && line.contains(marks) {
                Issue.record("\(file.path):\(number + 1): \(line)")
            }
        }
    }

    @Test func noPathOfOneMachineIsWrittenDown() throws {
        let folders = ["wo" + "rk", "ro" + "ot", "home/\\w+", "Us" + "ers", "opt/sw" + "ift", "tmp/needle" + "tail"]
        let paths = try Regex("(?:^|[^\\w.])/(?:\(folders.joined(separator: "|")))(?:[^\\w]|$)")
        for file in try Repository.everything() {
            for (number, line) in file.lines.enumerated() where line.contains(paths) {
                Issue.record("\(file.path):\(number + 1): \(line)")
            }
        }
    }

    /// What a module may import beside itself, of the modules of this package.
    static let mayImport: [String: Set<String>] = [
        "Wire": [],
        "Mailbox": ["Wire"],
        "Dataplane": [
            "Wire", "Mailbox", "CAesGcm", "CDPDK", "CIPSecMB", "CPacketSocket", "CSRTP", "COpenSSL", "CNuma",
        ],
        "Agents": ["Wire", "COpenSSL"],
        "Meetings": [],
        "Conference": ["Wire", "Mailbox", "Agents", "Meetings", "Fleet"],
        "Webhooks": ["Agents", "Meetings"],
        "Store": ["Meetings", "Webhooks"],
        "Fleet": ["Meetings"],
        "Redis": ["Meetings", "Fleet", "CHiredis", "COpenSSL"],
        "Recording": ["Wire", "CAV"],
        "Composition": ["Recording", "Wire", "CAV", "CFreeType", "COpus"],
        "Api": ["Wire", "Mailbox", "Agents", "Meetings", "Conference", "Store", "Fleet", "CZlib"],
        "needletail": [
            "Wire", "Mailbox", "Dataplane", "Agents", "Meetings", "Conference", "Store", "Fleet", "Redis", "Recording",
            "Composition", "Webhooks", "Api",
            "CSRTP",
        ],
    ]

    @Test func importsPointOneWay() throws {
        let shims = (Self.rooms["CShims"] ?? []).map { $0.replacing("?", with: "") }
        let ours = Set(shims).union(Self.mayImport.keys)
        for file in try Repository.files(in: "Sources", "swift") {
            let module = String(file.folders[1])
            let allowed = try #require(Self.mayImport[module], "\(file.path): there is no module \(module)")
            let wrong = Set(SwiftScan.imports(in: file.lines)).intersection(ours).subtracting(allowed)
            #expect(wrong.isEmpty, "\(file.path): \(module) may not import \(wrong.sorted().joined(separator: ", "))")
        }
    }

    @Test func thePacketPathImportsNoFoundation() throws {
        for folder in ["Sources/Wire", "Sources/Mailbox", "Sources/Dataplane"] {
            for file in try Repository.files(in: folder, "swift") {
                #expect(!SwiftScan.imports(in: file.lines).contains("Foundation"), "\(file.path)")
            }
        }
    }

    @Test func publicTypesAreExplained() throws {
        for file in try Repository.files(in: "Sources/Wire", "swift") + Repository.files(in: "Sources/Mailbox", "swift")
        {
            for line in SwiftScan.unexplained(in: file.lines) {
                Issue.record("\(file.path):\(line): \(file.lines[line - 1].drop { $0 == " " })")
            }
        }
    }
}

/// The scanner must find what it is there to find.
@Suite struct ScannerTests {
    private func lines(_ text: String) -> [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }

    @Test func aFunctionIsMeasuredPastBracesInTextAndComments() {
        let source = """
            struct Room {
                let open = "{"  // {
                /* { */
                func walk(to door: Int) -> String {
                    if door > 0 { return "}\\("}")" }
                    return "{"
                }
                var size: Int { 1 }
                init?(size: Int) {
                }
            }
            """
        let found = SwiftScan.functions(in: lines(source))
        #expect(found == [.init(name: "walk", line: 4, length: 4), .init(name: "init", line: 9, length: 2)])
    }

    @Test func aRequirementHasNoBody() {
        let source = """
            protocol Door {
                func open()
                func close()
            }
            func knock() {
            }
            """
        #expect(SwiftScan.functions(in: lines(source)) == [.init(name: "knock", line: 5, length: 2)])
    }

    @Test func importsAreFoundInEveryForm() {
        let source = """
            import Wire
            @preconcurrency import Mailbox
            public import struct Meetings.Participant
            // import Dataplane
            let text = "import Api"
            """
        #expect(SwiftScan.imports(in: lines(source)) == ["Wire", "Mailbox", "Meetings"])
    }

    @Test func aPublicTypeWithoutADocCommentIsFound() {
        let source = """
            /// A door.
            @frozen
            public struct Door {
                public var width: Int
            }
            public struct Gate {}
            @frozen public enum Side { case left, right }
            """
        #expect(SwiftScan.unexplained(in: lines(source)) == [6, 7])
    }
}
