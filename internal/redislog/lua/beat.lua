-- Returns what identifies the server, its role, the log's place and last id, and the time.
-- KEYS: log, place.
local server, replication = redis.call('INFO', 'server'), redis.call('INFO', 'replication')
local run, replica = string.match(server, 'run_id:(%w+)'), string.match(replication, 'master_replid:(%w+)')
local role = string.match(replication, 'role:(%w+)')
if not run or not replica or not role then return 'u' end
local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)
local now = redis.call('TIME')
return {run .. '-' .. replica, role, redis.call('GET', KEYS[2]) or '', last[1] and last[1][1] or '', now[1], now[2]}
