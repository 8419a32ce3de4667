-- A part of set.lua and change.lua: writes the message to the log, which makes the version.
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
