-- Sets a value whatever is there.
-- KEYS: value, log, place.
-- ARGV: place, id, high half of the version, deadline in microseconds or '', key and meta
-- of the message, header before and after the version with the value, TTL in ms or ''.
if redis.call('GET', KEYS[3]) ~= ARGV[1] then return 'm' end
local now = redis.call('TIME')
if ARGV[4] ~= '' and now[1] * 1000000 + now[2] >= tonumber(ARGV[4]) then
  return 'l' .. redis.call('GETRANGE', KEYS[1], 0, 35)
end
-- APPEND: the message and the version, by append.lua
local value = ARGV[7] .. version .. ARGV[8]
if ARGV[9] == '' then redis.call('SET', KEYS[1], value)
else redis.call('SET', KEYS[1], value, 'PX', ARGV[9]) end
return 'v' .. version .. now[1] .. ' ' .. now[2]
