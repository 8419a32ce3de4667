-- Returns the value, or of one with the given version the header alone, in an array.
-- KEYS: value. ARGV: version.
local head = redis.call('GETRANGE', KEYS[1], 0, 100)
if #head >= 36 and string.sub(head, 13, 20) == ARGV[1] and string.sub(head, 1, 2) == '\193\130' then
  local flags, size = string.byte(head, 3), 36
  if flags >= 2 and #head > 36 then size = 37 + string.byte(head, 37) end
  return {string.sub(head, 1, size)}
end
return redis.call('GET', KEYS[1])
