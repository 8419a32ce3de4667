-- Sets or deletes a value after a look at the one that is there.
-- KEYS: value, log, place.
-- ARGV: place, id, high half of the version, deadline in microseconds or '', key and meta
-- of the message, header before the version, the rest behind the source version, TTL in
-- ms or '', the test ('', 'a', 'i', 'n' or 'v'), its version, source version, kind ('s'
-- or 'd'), the time of the writer.
-- Numbers are never compared as strings: that would go by the server's locale.
if redis.call('GET', KEYS[3]) ~= ARGV[1] then return 'm' end
local now = redis.call('TIME')
local stored = redis.call('GETRANGE', KEYS[1], 0, 35)
if ARGV[4] ~= '' and now[1] * 1000000 + now[2] >= tonumber(ARGV[4]) then return 'l' .. stored end
local none = '\0\0\0\0\0\0\0\0'
local test, source = ARGV[10], ARGV[12]
local live, old, oldSource = false, none, none
if #stored == 36 and string.sub(stored, 1, 2) == '\193\130' and string.byte(stored, 3) < 4 then
  old, oldSource = string.sub(stored, 13, 20), string.sub(stored, 21, 28)
  if string.byte(stored, 3) % 2 == 0 then
    local expiry = string.sub(stored, 5, 12)
    live = expiry == none
    if not live then
      local e1, e2 = struct.unpack('>I4I4', expiry)
      local n1, n2 = struct.unpack('>I4I4', ARGV[14])
      live = n1 < e1 or n1 == e1 and n2 < e2
    end
  end
elseif stored ~= '' and test ~= '' then
  return 'f'
end
if test == 'a' then
  if live then return 'c' .. stored end
elseif test == 'i' then
  if not live or old == none or old ~= ARGV[11] then return 'c' .. stored end
elseif test == 'v' then
  if live or old ~= ARGV[11] then return 'c' .. stored end
elseif test == 'n' then
  local holds
  if old == none then
    holds = ARGV[13] == 'd' and not live
  else
    local o1, o2 = struct.unpack('>I4I4', old)
    local g1, g2 = struct.unpack('>I4I4', ARGV[11])
    holds = o1 - o1 % 2 == g1 - g1 % 2 and (o1 < g1 or o1 == g1 and o2 <= g2)
  end
  if not holds then return 'c' .. stored end
end
if oldSource ~= none then
  if source ~= none then
    local o1, o2 = struct.unpack('>I4I4', oldSource)
    local g1, g2 = struct.unpack('>I4I4', source)
    if g1 < o1 or g1 == o1 and g2 < o2 then return 's' .. stored end
  elseif ARGV[13] == 'd' then
    source = oldSource
  end
end
-- APPEND: the message and the version, by append.lua
local value = ARGV[7] .. version .. source .. ARGV[8]
if ARGV[9] == '' then redis.call('SET', KEYS[1], value)
else redis.call('SET', KEYS[1], value, 'PX', ARGV[9]) end
return 'w' .. version .. source .. now[1] .. ' ' .. now[2]
