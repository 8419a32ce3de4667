-- Sets a value whatever is there.
-- KEYS: value, log, place.
-- ARGV: place, id, high half of the version, deadline in microseconds or '', key and meta
-- of the message, header before and after the version with the value, TTL in ms or ''.
if redis.call('GET', KEYS[3]) ~= ARGV[1] then return 'm' end
local now = redis.call('TIME')
if ARGV[4] ~= '' and now[1] * 1000000 + now[2] >= tonumber(ARGV[4]) then
  return 'l' .. redis.call('GETRANGE', KEYS[1], 0, 35)
end
-- One write in ten trims the log, which is dear even where there is nothing to trim.
local id
if string.byte(now[2], -1) == 48 then
  id = redis.pcall('XADD', KEYS[2], 'NOMKSTREAM', 'MAXLEN', '~', LENGTH, ARGV[2],
    'k', ARGV[5], 'm', ARGV[6], 's', now[1], 'u', now[2])
else
  id = redis.pcall('XADD', KEYS[2], 'NOMKSTREAM', ARGV[2],
    'k', ARGV[5], 'm', ARGV[6], 's', now[1], 'u', now[2])
end
if not id then return 'm' end
if type(id) == 'table' then
  -- Only this error is about the era: the log's last id is of a later one.
  if string.find(id.err, 'equal or smaller than the target stream', 1, true) then return 'm' end
  return id
end
local high, low = ARGV[3], string.sub(id, #ARGV[2])
if #low > 9 then -- it may not fit into its half, or not into a version: then the era is over
  local seq = tonumber(low)
  if seq > 8589934591 then return 'm' end
  low = seq % 4294967296
  high = high + (seq - low) / 4294967296
end
local version = struct.pack('>I4I4', high, low)
local value = ARGV[7] .. version .. ARGV[8]
if ARGV[9] == '' then redis.call('SET', KEYS[1], value)
else redis.call('SET', KEYS[1], value, 'PX', ARGV[9]) end
return 'v' .. version .. now[1] .. ' ' .. now[2]
