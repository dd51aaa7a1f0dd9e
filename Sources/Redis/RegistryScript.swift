import COpenSSL

/// What Redis does for the Registry in one step each (Lua 5.1). Every script answers with an array whose first element
/// names what is under our keys and cannot be understood.
///
/// Keys' names are made within the scripts, of a prefix: Redis Cluster is not for them.
struct RegistryScript: Sendable {
    let text: String
    /// As EVALSHA wants it: SHA-1 in hexadecimal.
    let hash: String

    init(_ body: String) {
        text = Self.common + body
        var digest = [UInt8](repeating: 0, count: 20)
        let done = Array(text.utf8).withUnsafeBytes {
            EVP_Digest($0.baseAddress, $0.count, &digest, nil, EVP_sha1(), nil)
        }
        precondition(done == 1, "OpenSSL has no SHA-1")
        hash = digest.map { byte in
            let digits = String(byte, radix: 16)
            return byte < 16 ? "0" + digits : digits
        }.joined()
    }

    /// ARGV begins with: the prefix; the caller's name and instance; ms that a lease and an epoch last.
    private static let common = """
        local prefix, pop, instance = ARGV[1], ARGV[2], ARGV[3]
        local lease, memory = tonumber(ARGV[4]), tonumber(ARGV[5])
        -- Redis's clock, ms: PoPs' clocks may be wrong.
        local time = redis.call('TIME')
        local now = time[1] * 1000 + math.floor(time[2] / 1000)
        local garbage = {}

        local function say(key)
          if #garbage < 16 then garbage[#garbage + 1] = string.sub(key, 1, 200) end
        end

        -- What a command answers; nil for a key of another type.
        local function get(command, key, ...)
          local found = redis.pcall(command, key, ...)
          if type(found) == 'table' and found.err then
            if not string.find(found.err, 'WRONGTYPE', 1, true) then error(found) end
            say(key)
            return nil
          end
          return found
        end

        local function integer(text, digits)
          if not text or #text > digits or not string.find(text, '^%d+$') then return nil end
          return tonumber(text)
        end

        local function is_name(text)
          return text and #text >= 1 and #text <= 64 and string.find(text, '^[%w_.-]+$') ~= nil
        end

        local function meeting_key(id) return prefix .. 'meeting:' .. id end
        local function number_key(number) return prefix .. 'number:' .. number end

        -- A meeting's record, or nil.
        local function read(id)
          local key = meeting_key(id)
          local f = get('HMGET', key, 'home', 'instance', 'epoch', 'until', 'number')
          if not f or not (f[1] or f[2] or f[3] or f[4] or f[5]) then
            if f and redis.call('EXISTS', key) == 1 then say(key) end
            return nil
          end
          local epoch, ends = integer(f[3], 15), integer(f[4], 15)
          if not is_name(f[1]) or not is_name(f[2]) or not epoch or epoch < 1 or epoch >= 2 ^ 48 or not ends
            or not integer(f[5], 9) then
            say(key)
            return nil
          end
          -- A lease that ends later than any can is none: somebody else wrote it, or the clock went back.
          local alive = now < ends and ends <= now + 10 * lease
          return {home = f[1], instance = f[2], epoch = epoch, alive = alive, number = f[5]}
        end

        local function is_ours(found) return found.home == pop and found.instance == instance end

        -- The meeting that a number leads to, dead or alive.
        local function meeting_of(number)
          local id = get('GETRANGE', number_key(number), 0, 64)
          if not id or id == '' then return nil end
          if #id > 64 or not string.find(id, '^[%w_-]+$') then
            say(number_key(number))
            return nil
          end
          return id
        end

        -- Another meeting that is alive and has the number.
        local function other_with(number, id)
          local other = meeting_of(number)
          if not other or other == id then return nil end
          local found = read(other)
          if found and found.alive and found.number == number then return other end
          return nil
        end

        local function format(epoch) return string.format('%.0f', epoch) end

        local function put(id, number, epoch, with_number)
          local key = meeting_key(id)
          local ends, text = format(now + lease), format(epoch)
          if not get('HSET', key, 'home', pop, 'instance', instance, 'epoch', text, 'until', ends, 'number', number) then
            redis.call('DEL', key)
            redis.call('HSET', key, 'home', pop, 'instance', instance, 'epoch', text, 'until', ends, 'number', number)
          end
          redis.call('PEXPIRE', key, memory)
          if with_number then redis.call('SET', number_key(number), id, 'PX', lease) end
        end

        local function grant(id, number, epoch)
          put(id, number, epoch, true)
          return {garbage, 'granted', format(epoch)}
        end

        """
}

extension RegistryScript {
    /// Then: the meeting, its number.
    static let claim = RegistryScript(
        """
        local id, number = ARGV[6], ARGV[7]
        local found = read(id)
        if found and found.alive and found.home ~= pop then
          return {garbage, 'held', found.home, format(found.epoch)}
        end
        local other = other_with(number, id)
        if other then return {garbage, 'number', other} end
        if found and found.alive and is_ours(found) then return grant(id, number, found.epoch) end
        return grant(id, number, (found and found.epoch or 0) + 1)
        """)

    /// Then: the meeting, its number, the epoch that the caller saw, `1` where it says that the Home is dead.
    static let takeOver = RegistryScript(
        """
        local id, number, seen, dead = ARGV[6], ARGV[7], tonumber(ARGV[8]), ARGV[9] == '1'
        local found = read(id)
        if found and found.alive and found.home ~= pop and not (dead and found.epoch == seen) then
          return {garbage, 'held', found.home, format(found.epoch)}
        end
        local other = other_with(number, id)
        if other then return {garbage, 'number', other} end
        if found and found.alive and is_ours(found) and found.epoch >= seen then
          return grant(id, number, found.epoch)
        end
        return grant(id, number, math.max(found and found.epoch or 0, seen) + 1)
        """)

    /// Then, for each: the meeting, its number, its epoch. Answers with those that are lost.
    static let renew = RegistryScript(
        """
        local answer = {garbage}
        for i = 6, #ARGV, 3 do
          local id, number, epoch = ARGV[i], ARGV[i + 1], tonumber(ARGV[i + 2])
          local found = read(id)
          if found and (found.epoch > epoch or (found.epoch == epoch and not is_ours(found))) then
            answer[#answer + 1] = {'lost', id, found.home, format(found.epoch)}
          else
            local other = other_with(number, id)
            put(id, number, epoch, not other)
            if other then answer[#answer + 1] = {'number', id, other} end
          end
        end
        return answer
        """)

    /// Then: the meeting, its epoch.
    static let release = RegistryScript(
        """
        local id, epoch = ARGV[6], tonumber(ARGV[7])
        local found = read(id)
        if found and is_ours(found) and found.epoch == epoch then
          redis.call('HSET', meeting_key(id), 'until', '0')
          if meeting_of(found.number) == id then redis.call('DEL', number_key(found.number)) end
        end
        return {garbage}
        """)

    /// Then: `id` or `number`, and which.
    static let find = RegistryScript(
        """
        local id = ARGV[7]
        if ARGV[6] == 'number' then id = meeting_of(ARGV[7]) end
        local found = id and read(id)
        if not found or not found.alive or (ARGV[6] == 'number' and found.number ~= ARGV[7]) then
          return {garbage}
        end
        return {garbage, id, found.number, found.home, format(found.epoch)}
        """)

    /// Then: the PoP's record, ms that it is believed. Answers with the instance that wrote there before.
    static let announce = RegistryScript(
        """
        local index, life = prefix .. 'pops', tonumber(ARGV[7])
        local writer = prefix .. 'writer:' .. pop
        local before = get('GETRANGE', writer, 0, 64)
        redis.call('SET', writer, instance, 'PX', life)
        redis.call('SET', prefix .. 'pop:' .. pop, ARGV[6], 'PX', life)
        if not get('ZADD', index, now + life, pop) then
          redis.call('DEL', index)
          redis.call('ZADD', index, now + life, pop)
        end
        redis.call('PEXPIRE', index, memory)
        return {garbage, before or ''}
        """)

    static let withdraw = RegistryScript(
        """
        redis.call('DEL', prefix .. 'pop:' .. pop, prefix .. 'writer:' .. pop)
        get('ZREM', prefix .. 'pops', pop)
        return {garbage}
        """)

    /// Then: where in the index to begin, how many names to look at, how many bytes of records to answer with, the longest
    /// record, ms that a record is believed. Answers with where to go on (-1 at the end), then names and records.
    static let pops = RegistryScript(
        """
        local index, first, count = prefix .. 'pops', tonumber(ARGV[6]), tonumber(ARGV[7])
        local room, longest, life = tonumber(ARGV[8]), tonumber(ARGV[9]), tonumber(ARGV[10])
        local answer = {garbage, '-1'}
        if first == 0 then get('ZREMRANGEBYSCORE', index, '-inf', format(now)) end
        local names = get('ZRANGE', index, first, first + count - 1, 'WITHSCORES')
        if not names then return answer end
        local kept, seen = 0, 0
        for i = 1, #names, 2 do
          local name, ends = names[i], tonumber(names[i + 1])
          local key = prefix .. 'pop:' .. name
          local record = ''
          seen = seen + 1
          -- One that ends later than any can would never leave.
          if is_name(name) and ends and ends <= now + 10 * life then
            record = get('GETRANGE', key, 0, longest)
          else
            say(key)
          end
          if record == '' then
            redis.call('ZREM', index, name)
          else
            kept = kept + 1
            if record and #record > longest then
              say(key)
            elseif record then
              answer[#answer + 1] = name
              answer[#answer + 1] = record
              room = room - #record
              if room <= 0 then break end
            end
          end
        end
        if seen == count or seen * 2 < #names then answer[2] = format(first + kept) end
        return answer
        """)
}
