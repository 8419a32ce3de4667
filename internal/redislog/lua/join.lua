-- Returns the log's place, the id of its last message, and the time. Begins a new era
-- unless this server continues the one that the place names.
-- KEYS: log, place.
-- ARGV: the place and, in two numbers, the greatest version that the caller has seen;
-- a nonce; meta of a message to write, or ''.
local server, replication = redis.call('INFO', 'server'), redis.call('INFO', 'replication')
local run, replica = string.match(server, 'run_id:(%w+)'), string.match(replication, 'master_replid:(%w+)')
if not run or not replica then return 'u' end
local token = run .. '-' .. replica
local now = redis.call('TIME')
local place = redis.call('GET', KEYS[2])
local era, placeToken
if place then era, placeToken = string.match(place, '^(%d+) (%S+) ') end
local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)
local lastID, lastEra, lastSeq
if last[1] then
  lastID = last[1][1]
  lastEra, lastSeq = string.match(lastID, '^(%d+)-(%d+)$')
end
local seenEra, seenSeq = tonumber(ARGV[2]), tonumber(ARGV[3])
local goesOn = era and placeToken == token and era == lastEra
if goesOn then
  local e, s = tonumber(era), tonumber(lastSeq)
  if seenEra > e or seenEra == e and seenSeq > s then goesOn = false end
  -- No number is left that fits into a version.
  if s >= 8589934591 then goesOn = false end
  -- The same era made twice: the log was deleted within the second.
  if ARGV[1] ~= place and string.match(ARGV[1], '^%d+') == era then goesOn = false end
end
if not goesOn then
  local e = math.max(now[1] - 1577836800, (tonumber(era) or 0) + 1, (tonumber(lastEra) or 0) + 1, seenEra + 1)
  if e > 2147483647 then return 'x' end
  era = string.format('%.0f', e)
  lastID = redis.call('XADD', KEYS[1], era .. '-0', 'k', '', 'm', 'i', 's', now[1], 'u', now[2])
  place = era .. ' ' .. token .. ' ' .. ARGV[4]
  redis.call('SET', KEYS[2], place)
end
if ARGV[5] ~= '' then
  lastID = redis.call('XADD', KEYS[1], 'NOMKSTREAM', 'MAXLEN', '~', LENGTH, era .. '-*',
    'k', '', 'm', ARGV[5], 's', now[1], 'u', now[2])
end
return {place, lastID, now[1], now[2]}
